"""Calibration, the page's thresholds and the development set's place on the card."""

from pathlib import Path

import numpy as np
import pytest
import tiny
import torch
from torch.nn.functional import cross_entropy

import models
from models.pictures import images
from models.pipelines import DigitClassifier, Reading
from train.data import synthetic_digits
from train.tasks.classification import reliability


def overconfident(count: int = 4000) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits (N, 10) that are three times too large: the labels are drawn from softmax(logits / 3)."""
    draw = torch.Generator().manual_seed(0)
    honest = 2 * torch.randn(count, 10, generator=draw)
    return 3 * honest, torch.multinomial(honest.softmax(1), 1, generator=draw)[:, 0]


def test_temperature() -> None:
    """The temperature that the labels were drawn with is found, and no other explains them better."""
    logits, labels = overconfident()
    found = reliability.temperature(logits, labels)
    assert found == pytest.approx(3, rel=0.05)
    losses = {T: cross_entropy(logits / T, labels).item() for T in np.geomspace(0.5, 8, 200)}
    assert cross_entropy(logits / found, labels).item() <= min(losses.values()) + 1e-6


@pytest.mark.parametrize("name", models.names(task="classification"))
def test_scale(name: str) -> None:
    """The temperature is in the weights: every network's logits are divided by it."""
    torch.manual_seed(0)
    net = models.create(name).eval()
    x = torch.rand(4, 1, 28, 28)
    with torch.inference_mode():
        before = net(x)
        reliability.scale(net, 2.5)
        assert torch.allclose(net(x), before / 2.5, atol=1e-6)


def test_no_digit_is_what_the_page_says() -> None:
    """Both ways of telling agree, on the border too."""
    draw = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(500, 10, generator=draw)
    flags = reliability.is_no_digit(logits).tolist()
    assert 50 < sum(flags) < 450
    for row, flag in zip(logits.softmax(1).tolist(), flags, strict=True):
        reading = Reading(None, {str(digit): share for digit, share in enumerate(row)})
        assert reading.is_digit is not flag


def test_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shares are those of a count by hand."""
    monkeypatch.setattr(synthetic_digits, "EACH", 4)
    monkeypatch.setattr(reliability, "NONSENSE_EACH", 20)
    data = tiny.data(validation=40)
    net = models.create("mnist-mlp").eval()
    test = 4 * torch.nn.functional.one_hot(data.test.labels, 10).float()  # 86 % for the right one
    test[0] = test[0].roll(1)
    test[1:3] *= 3  # sure
    found = reliability.measure(net, data, test[:40], test)
    assert found.unsure == pytest.approx(0.98)
    assert found.wrong_sure == 0
    assert found.wrong_unsure == pytest.approx(1 / 98)
    assert found.flagged["test digits"] == pytest.approx(0.98)
    assert found.flagged.keys() > {"letters", "shapes", "scribbles"}
    assert found.drawings.keys() == synthetic_digits.KINDS.keys()


def test_accuracy_on_drawings() -> None:
    """Right is what the public pipeline calls right; what has no ink in it is wrong."""
    classify = DigitClassifier("mnist-cnn")
    pictures = tiny.bars(10, seed=0)[0]
    some = [("bars", images.Image.fromarray(picture), int(max(shares, key=shares.get)))
            for picture in pictures
            for shares in [classify(images.Image.fromarray(picture))]]  # fmt: skip
    some += [("blank", images.Image.new("L", (50, 50)), 0), ("bars", some[0][1], (some[0][2] + 1) % 10)]
    assert synthetic_digits.accuracy(models.load("mnist-cnn"), some) == {"bars": pytest.approx(10 / 11), "blank": 0}


def test_curve(tmp_path: Path) -> None:
    """A picture comes of it also when some bins are empty."""
    found = reliability.Reliability(
        torch.tensor([0.3, 0.99, 1.0]), torch.tensor([False, True, True]), *[0.0] * 3, {}, {}
    )
    reliability.curve(found, tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
