"""How often a classifier is right, and how well it knows."""

import warnings

import torch

BINS = 15  # of confidence, for the calibration error
METRICS = {  # what a card calls them
    "accuracy": "Accuracy",
    "precision": "Precision, macro",
    "recall": "Recall, macro",
    "f1": "F1, macro",
    "roc_auc": "AUC, one against rest, macro",
    "ece": f"Expected calibration error, {BINS} bins",
}


def classification(logits: torch.Tensor, labels: torch.Tensor, classes: int = 10) -> dict[str, float]:
    """Accuracy; precision, recall, F1 and one-against-rest AUC as plain means over the classes that there are among the
    labels, without the AUC where it is one alone; expected calibration error over `BINS` bins, each weighted by its
    size (Guo et al. 2017). Shares, not per cent.

    Args:
        logits: (N, classes), or probabilities.
        labels: (N,).
    """
    from torchmetrics.functional import classification as metrics

    each, present = {"num_classes": classes, "average": "none"}, labels.unique()
    values = {
        "accuracy": metrics.multiclass_accuracy(logits, labels, classes, average="micro"),
        "precision": metrics.multiclass_precision(logits, labels, **each)[present].mean(),
        "recall": metrics.multiclass_recall(logits, labels, **each)[present].mean(),
        "f1": metrics.multiclass_f1_score(logits, labels, **each)[present].mean(),
    }
    if len(present) > 1:  # of one class nothing is the rest
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of classes that are absent, which do not count
            values["roc_auc"] = metrics.multiclass_auroc(logits, labels, **each)[present].mean()
    values["ece"] = metrics.multiclass_calibration_error(logits, labels, classes, n_bins=BINS, norm="l1")
    return {name: value.item() for name, value in values.items()}


def confusion(logits: torch.Tensor, labels: torch.Tensor, classes: int = 10) -> torch.Tensor:
    """(classes, classes) counts: row the true digit, column the answer."""
    from torchmetrics.functional.classification import multiclass_confusion_matrix

    return multiclass_confusion_matrix(logits, labels, classes)
