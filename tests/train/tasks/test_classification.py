"""What a batch means to classifiers, and how they are measured."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from train.data import strokes
from train.tasks.classification import Classification, ClassifierRecipe


def recipe(**values: object) -> ClassifierRecipe:
    return ClassifierRecipe(
        **{"dataset": "d", "epochs": 1, "batch_size": 8, "lr": 0.1, "optimizer": "adamw", "source": "", **values}
    )


def noise(n: int = 4) -> torch.Tensor:
    return torch.rand(n, 1, 28, 28, generator=torch.Generator().manual_seed(0))


class Told(nn.Module):
    """A net that answers with fixed logits, one row an image, and remembers what it was asked."""

    def __init__(self, logits: torch.Tensor):
        super().__init__()
        self.logits = nn.Parameter(logits)
        self.asked: torch.Tensor | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.asked = x.detach()
        return self.logits[: len(x)]


def log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits - logits.max(1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(1, keepdims=True))


def smoothed(logits: np.ndarray, labels: np.ndarray, smoothing: float) -> float:
    """Cross-entropy to a target of 1 - s on the label and s / 10 on every class, meaned over the images."""
    target = np.full((len(labels), 10), smoothing / 10)
    target[np.arange(len(labels)), labels] += 1 - smoothing
    return float(-(target * log_softmax(logits)).sum(1).mean())


@pytest.mark.parametrize("outliers", [0.0, 0.25])
@pytest.mark.parametrize("drawn", [0.0, 0.5])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_loss(smoothing: float, drawn: float, outliers: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mean over the batch and the digits drawn for it; and half the cross-entropy between the answers to what is
    no digit and ten equal probabilities.
    """
    more = torch.tensor([3, 1, 4, 1, 5, 9, 2, 6])
    path = torch.rand(40, strokes.POINTS, 4, generator=torch.Generator().manual_seed(0))
    monkeypatch.setattr(strokes, "digits", lambda count: (path[:count], more[:count]))
    monkeypatch.setattr(strokes, "nonsense", lambda count: path[20 : 20 + count])
    logits = torch.randn(40, 10, generator=torch.Generator().manual_seed(1)) * 2
    images, labels = noise(16), torch.arange(16) % 10
    net = Told(logits)
    loss = Classification().loss(
        {"net": net},
        "net",
        images,
        labels,
        recipe(label_smoothing=smoothing, drawn=drawn, outliers=outliers, batch_size=16),
        0.0,
    )
    told = logits.numpy().astype(np.float64)
    added, known = round(16 * drawn), 16 + round(16 * drawn)
    wanted = smoothed(told[:known], np.concatenate([labels.numpy(), more[:added].numpy()]), smoothing)
    if outliers:
        unknown = told[known : known + 4]
        wanted += 0.5 * float(-(log_softmax(unknown) / 10).sum(1).mean())
    assert loss.item() == pytest.approx(wanted, abs=1e-5)
    assert net.asked.shape == (known + round(16 * outliers), 1, 28, 28)
    assert torch.equal(net.asked[:16], images)
    assert net.asked.min() >= 0 and net.asked.max() <= 1
    loss.backward()
    assert (net.logits.grad.abs().sum(1) > 0).sum() == len(net.asked)


def test_what_is_added_is_augmented_too() -> None:
    """Drawings of a batch go through the recipe's augmentation, and the batch itself not once more."""
    seen: list[int] = []

    def note(pictures: torch.Tensor) -> torch.Tensor:
        seen.append(len(pictures))
        return pictures * 0

    net = Told(torch.zeros(40, 10))
    asked = recipe(drawn=0.5, outliers=0.25, augment=note)
    Classification().loss({"net": net}, "net", noise(16), torch.arange(16) % 10, asked, 0.0)
    assert seen == [8, 4]
    assert torch.equal(net.asked[:16], noise(16)) and not net.asked[16:].any()


def test_a_network_that_is_unsure_of_what_is_no_digit_loses_least() -> None:
    """Ten equal answers cost log 10, with half the weight; any other costs more."""
    labels = torch.zeros(8, dtype=torch.long)
    flat, certain = torch.zeros(10, 10), torch.zeros(10, 10)
    certain[8:, 7] = 9.0
    costs = [
        Classification().loss({"net": Told(logits)}, "net", noise(8), labels, recipe(outliers=0.25), 0.0).item()
        for logits in (flat, certain)
    ]
    assert costs[0] == pytest.approx(1.5 * math.log(10), abs=1e-5)
    assert costs[1] > costs[0] + 1
