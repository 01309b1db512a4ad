"""Classification of points in the plane, as a course on neural networks begins."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from models import points
from models.base import Model
from train.data.splits import Data, Split
from train.figures.classification import METRICS, classification
from train.recipe import Recipe
from train.tasks.task import Task

COUNT, NOISE, SEED = 1000, 0.2, 42  # of the points: the document's
TEST_SHARE = 5
EDGE = 0.6  # around the points that a card shows
FILMED = 160  # pixels on a side of a snapshot


@dataclass(frozen=True)
class PointRecipe(Recipe):
    """Cross-entropy over the classes."""


class PointClassification(Task):
    """Cross-entropy over the classes, full batch; nothing is held out to choose by: the last epoch is published."""

    recipes: ClassVar = {
        "moons-mlp": PointRecipe(
            dataset="moons",
            epochs=200,
            batch_size=800,
            lr=0.01,
            optimizer="adam",
            source=(
                "A tutorial's first network, with its numbers: a thousand points of two moons (noise 0.2, seed 42), "
                "standardised, a fifth of them to test with; Adam, 200 epochs, full batch; nothing else."
            ),
        ),
    }
    score = "accuracy"
    percent = True
    unit = "point"
    pipeline_tag = "tabular-classification"
    metrics = METRICS
    interface = (
        "It takes points `(N, 2)`, standardised (`models.points.standardised` does that over all of them), and gives "
        "logits `(N, 2)`."
    )
    limits = "It knows these two moons and nothing else. It is for learning and play."

    def load(self, name, config, revision, image_column, label_column) -> Data:
        """Points of one of `models.points.SHAPES`. Raises ValueError."""
        if name not in points.SHAPES:
            raise ValueError(f"There are no points named {name}: choose with --dataset {', '.join(points.SHAPES)}.")
        found, labels = points.SHAPES[name](COUNT, NOISE, SEED)
        found = np.float32(points.standardised(found))
        order = np.random.RandomState(SEED).permutation(COUNT)  # scikit-learn's train_test_split with that seed
        test, train = (
            Split(torch.from_numpy(found[rows]), torch.from_numpy(labels[rows]))
            for rows in np.split(order, [COUNT // TEST_SHARE])
        )
        digest = hashlib.sha256(found.tobytes() + labels.tobytes())
        return Data(train, train, test, name, digest.hexdigest())

    def loss(self, nets, turn, images, labels, recipe, done):
        return cross_entropy(nets[turn](images), labels)

    @torch.inference_mode()
    def evaluate(self, net: Model, split: Split) -> dict[str, float]:
        logits = net(split.images)
        loss = cross_entropy(logits, split.labels).item()
        return {"loss": loss, **classification(logits, split.labels, logits.shape[1])}

    @torch.inference_mode()
    def snapshot(self, net: Model, validation: Split) -> torch.Tensor:
        """The share of the second class over the plane, from white to orange, and the points."""
        low, high = validation.images.amin(0) - EDGE, validation.images.amax(0) + EDGE
        x, y = (torch.linspace(start, end, FILMED) for start, end in zip(low.tolist(), high.tolist(), strict=True))
        share = net(torch.cartesian_prod(x, y).to(low)).softmax(1)[:, 1].view(FILMED, FILMED, 1).transpose(0, 1).cpu()
        picture = torch.lerp(torch.tensor([250.0, 246.0, 238.0]), torch.tensor([235.0, 150.0, 80.0]), share)
        places = ((validation.images - low) / (high - low) * (FILMED - 1)).round().long().cpu()
        colours = torch.tensor([[107.0, 98.0, 86.0], [150.0, 60.0, 10.0]])
        picture[places[:, 1], places[:, 0]] = colours[validation.labels.cpu().clamp(max=1)]
        return picture.flip(0).byte()

    @torch.inference_mode()
    def section(self, folder: Path, net: Model, figures: dict[str, float], data: Data) -> str:
        """The border between the classes, and the test points on either side of it."""
        from train.figures.plots import plt, save

        low, high = data.test.images.amin(0) - EDGE, data.test.images.amax(0) + EDGE
        x, y = (torch.linspace(start, end, 200) for start, end in zip(low.tolist(), high.tolist(), strict=True))
        plane = torch.cartesian_prod(x, y)
        share = net(plane).softmax(1)[:, 1].view(len(x), len(y)).T
        figure, axes = plt.subplots(figsize=(4, 3.2), layout="constrained")
        axes.contourf(x, y, share, levels=10, cmap="RdYlBu_r", alpha=0.6)
        axes.contour(x, y, share, levels=[0.5], colors="#6b6256")
        style = {"cmap": "RdYlBu_r", "edgecolors": "#40392f", "linewidths": 0.5}
        axes.scatter(*data.test.images.T, c=data.test.labels, s=14, **style)
        axes.set(xlabel="first number, standardised", ylabel="second")
        save(figure, folder / "boundary.png")
        return """The border at which both classes are equally likely, and the test points. The colour of the ground is
the share of the second class, the colour of a point what it is:

![The decision boundary](boundary.png)
"""

    def usage(self, net: Model) -> str:
        return "points = torch.randn(1, 2)\nlogits = net(points)"

    def summary(self, figures: dict[str, float], section: str) -> str:
        return f"{100 * figures['accuracy']:.2f} %"
