"""Figures of merit, from `torchmetrics`."""

import torch
from torchmetrics.functional.classification import (
    multiclass_accuracy,
    multiclass_auroc,
    multiclass_confusion_matrix,
    multiclass_f1_score,
    multiclass_precision,
    multiclass_recall,
)


def classification(logits: torch.Tensor, labels: torch.Tensor, classes: int = 10) -> dict[str, float]:
    """Accuracy; precision, recall, F1 and one-against-rest AUC as plain means over the classes. Shares, not per cent.

    Args:
        logits: (N, classes), or probabilities.
        labels: (N,).
    """
    macro = {"num_classes": classes, "average": "macro"}
    values = {
        "accuracy": multiclass_accuracy(logits, labels, classes, average="micro"),
        "precision": multiclass_precision(logits, labels, **macro),
        "recall": multiclass_recall(logits, labels, **macro),
        "f1": multiclass_f1_score(logits, labels, **macro),
        "roc_auc": multiclass_auroc(logits, labels, **macro),
    }
    return {name: value.item() for name, value in values.items()}


def confusion(logits: torch.Tensor, labels: torch.Tensor, classes: int = 10) -> torch.Tensor:
    """(classes, classes) counts: row the true digit, column the answer."""
    return multiclass_confusion_matrix(logits, labels, classes)
