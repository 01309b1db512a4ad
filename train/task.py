"""What the loop and the command ask of every task."""

import torch
from torch import nn

from models.base import Model
from train.data import digits
from train.data.digits import Data, Split
from train.recipes import Recipe


class Task:
    """One kind of training: what a batch means, and what is measured. Here is what most of them answer."""

    score: str  # the figure that validation chooses by
    lower_is_better = False

    def rank(self, figures: dict[str, float]) -> float:
        """The score such that higher is better."""
        return -figures[self.score] if self.lower_is_better else figures[self.score]

    def load(
        self, name: str, config: str | None, revision: str | None, image_column: str | None, label_column: str | None
    ) -> Data:
        """The dataset in memory, as `digits.load` says. Raises ValueError."""
        return digits.load(name, config, revision, image_column, label_column)

    def check(self, data: Data) -> None:
        """Raise ValueError if it will not be able to measure with these data; better before the training than after."""

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

    def snapshot(self, net: Model) -> torch.Tensor | None:
        """A picture (H, W), uint8, of what the network (in eval mode) draws, for the card; None where it draws none."""
        return None

    def finish(self, net: Model, validation: Split) -> dict[str, float]:
        """The last touch on a trained network before it is measured and published, and its numbers for the card."""
        return {}

    def measure(self, net: Model, data: Data) -> dict[str, float]:
        """The figures on the test split."""
        return self.evaluate(net, digits.test)
