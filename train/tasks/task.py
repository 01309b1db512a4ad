"""What the loop, the card and the commands ask of every task."""

from pathlib import Path
from typing import ClassVar

import torch
from torch import nn

from models.base import Model
from train.data.splits import Data, Split
from train.recipe import Recipe
from train.run import Run

# Of the cards of all that learned from digits.
MNIST = "Trained on MNIST alone: American handwriting of the 1990s, white on black, 28x28, size and centre made equal."


class Task:
    """One kind of training: what a batch means, what is measured, what a card tells. Here is what most answer.

    Attributes:
        recipes: what it trains, by the model's name.
        score: the figure that validation chooses by.
        lower_is_better: of the score.
        percent: whether the score is told in per cent.
        unit: what a dataset holds, in words.
        pipeline_tag: the Hub's name for what the network does.
        license: of the weights, the Hub's name for it.
        metrics: the figures of the card, with their names on it; the main one first.
        start: a model whose published weights it always begins with.
        interface: what the network takes and gives.
        limits: what it is not for.
    """

    recipes: ClassVar[dict[str, Recipe]]
    score: ClassVar[str]
    lower_is_better: ClassVar[bool] = False
    percent: ClassVar[bool] = False
    unit: ClassVar[str] = "image"
    pipeline_tag: ClassVar[str]
    license: ClassVar[str] = "apache-2.0"
    metrics: ClassVar[dict[str, str]]
    start: ClassVar[str | None] = None
    interface: ClassVar[str]
    limits: ClassVar[str]

    def rank(self, figures: dict[str, float]) -> float:
        """The score such that higher is better."""
        return -figures[self.score] if self.lower_is_better else figures[self.score]

    def load(
        self, name: str, config: str | None, revision: str | None, image_column: str | None, label_column: str | None
    ) -> Data:
        """The dataset in memory, as `train.data.digits.load` says. Raises ValueError."""
        from train.data import digits

        return digits.load(name, config, revision, image_column, label_column)

    def check(self, data: Data) -> None:
        """Raise ValueError if it will not be able to measure with these data; better before the training than after."""

    def prepare(self, train: Split, recipe: Recipe) -> None:
        """Make what a training needs besides its batches; in every process, before the first step. Raises ValueError.

        Args:
            train: what will be learned from.
        """

    def networks(self, net: Model) -> dict[str, nn.Module]:
        """What is trained, by name: "net" holds the network that is published, others are its opponents.

        Each has an optimiser of its own. The modules must do all that needs a gradient in their `forward`.
        """
        return {"net": net}

    def turns(self, step: int, recipe: Recipe) -> tuple[str, ...]:
        """Which networks are updated in this step, one after the other."""
        return ("net",)

    def lr(self, turn: str, recipe: Recipe) -> float:
        """The peak learning rate of the network whose turn it is."""
        return recipe.lr

    def loss(
        self,
        nets: dict[str, nn.Module],
        turn: str,
        images: torch.Tensor,
        labels: torch.Tensor,
        recipe: Recipe,
        done: float,
    ) -> torch.Tensor:
        """The loss of one batch, a scalar, for the network whose turn it is.

        Args:
            nets: as `networks` named them.
            turn: one of those names.
            images, labels: (N, C, H, W) in [0, 1], (N,).
            done: how much of the training is done, 0 to 1.
        """
        raise NotImplementedError

    def evaluate(self, net: Model, split: Split) -> dict[str, float]:
        """The figures of an epoch, on the validation split; `net` is in eval mode."""
        raise NotImplementedError

    def snapshot(self, net: Model, validation: Split) -> torch.Tensor:
        """What the network (in eval mode) answers or draws, on the same inputs each time: a frame of the card's film.

        (H, W) or (H, W, 3), uint8.
        """
        raise NotImplementedError

    def finish(self, net: Model, validation: Split) -> dict[str, float]:
        """The last touch on a trained network before it is measured and published, and its numbers for the card."""
        return {}

    def measure(self, net: Model, data: Data) -> dict[str, float]:
        """The figures on the test split."""
        return self.evaluate(net, data.test)

    def section(self, folder: Path, net: Model, figures: dict[str, float], data: Data) -> str:
        """Draw what a card shows of a trained network into a folder; the Markdown around it.

        Args:
            figures: as `measure` gave them.
        """
        raise NotImplementedError

    def usage(self, net: Model) -> str:
        """What a card does with a network that was loaded as `net`: lines of Python, the last of which names what
        comes out.
        """
        raise NotImplementedError

    def history(self, folder: Path, run: Run, recipe: Recipe) -> str:
        """The same of its training, which cannot be found out again; "" where there is no more than a curve."""
        return ""

    def summary(self, figures: dict[str, float], section: str) -> str:
        """The figures for a row of the README, by those of `measure` and by what `section` gave."""
        raise NotImplementedError
