"""What a batch means, by task: its loss, its score, its figures. The loop knows none of this."""

from typing import Protocol

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from models.base import Model
from train import metrics, reliability, strokes
from train.data import Split
from train.recipes import Recipe

EVALUATION_BATCH = 500
OUTLIER_WEIGHT = 0.5


class Task(Protocol):
    """What the loop asks of a task."""

    score: str  # the metric that validation chooses by; higher is better

    def loss(self, net: nn.Module, images: torch.Tensor, labels: torch.Tensor, recipe: Recipe) -> torch.Tensor:
        """The loss of one batch, a scalar: images (N, C, H, W) in [0, 1], labels (N,)."""

    def evaluate(self, net: nn.Module, split: Split) -> dict[str, float]:
        """The figures on a split; `net` is in eval mode."""

    def finish(self, net: Model, validation: Split) -> dict[str, float]:
        """The last touch on a trained network before it is measured and published, and its numbers for the card."""


class Classification:
    """Cross-entropy over ten digits; chosen by accuracy, and calibrated."""

    score = "accuracy"

    def loss(self, net: nn.Module, images: torch.Tensor, labels: torch.Tensor, recipe: Recipe) -> torch.Tensor:
        count, known = len(images), len(images)
        if drawn := round(count * recipe.drawn):
            segments, more = strokes.digits(drawn)
            images = torch.cat([images, _pictures(segments, images, recipe)])
            labels = torch.cat([labels, more.to(labels.device)])
            known = len(images)
        if outliers := round(count * recipe.outliers):
            segments = strokes.nonsense(outliers)
            images = torch.cat([images, _pictures(segments, images, recipe)])
        logits = net(images.contiguous(memory_format=torch.channels_last)).float()
        loss = cross_entropy(logits[:known], labels, label_smoothing=recipe.label_smoothing)
        if outliers:
            # The cross-entropy to ten equal probabilities, with half the weight, as Hendrycks et al. have it.
            loss = loss - OUTLIER_WEIGHT * logits[known:].log_softmax(1).mean()
        return loss

    def evaluate(self, net: nn.Module, split: Split) -> dict[str, float]:
        logits = self.predict(net, split)
        return {"loss": cross_entropy(logits, split.labels).item(), **metrics.classification(logits, split.labels)}

    def finish(self, net: Model, validation: Split) -> dict[str, float]:
        """Calibrate it: `temperature` is what its logits are divided by from now on."""
        logits = self.predict(net, validation)
        temperature = reliability.temperature(logits, validation.labels)
        reliability.scale(net, temperature)
        return {"temperature": temperature}

    @torch.inference_mode()
    def predict(self, net: nn.Module, split: Split) -> torch.Tensor:
        """Logits (N, 10) in float32."""
        return torch.cat([net(images).float() for images, _ in split.batches(EVALUATION_BATCH)])


def _pictures(segments: torch.Tensor, images: torch.Tensor, recipe: Recipe) -> torch.Tensor:
    """Drawings as further pictures of a batch, augmented as the others are."""
    drawn = strokes.pictures(segments).to(images.device)
    return recipe.augment(drawn) if recipe.augment else drawn


TASKS: dict[str, Task] = {"classification": Classification()}
