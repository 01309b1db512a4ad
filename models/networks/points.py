"""Networks that tell the class of a point in the plane: (N, 2) -> logits (N, classes)."""

from typing import ClassVar

import torch
from torch import nn

from models.base import Model, register


@register("moons-mlp", task="point-classification")
class PointMLP(Model):
    """2 - `hidden` ReLU - `classes`: as few neurons as a bent border needs.

    Args:
        hidden: neurons between the point and the answer.
        classes: logits that it gives.
    """

    limits: ClassVar = {"hidden": (1, 4096), "classes": (2, 100)}

    def __init__(self, hidden: int = 16, classes: int = 2):
        super().__init__(hidden=hidden, classes=classes)
        self.hidden = nn.Linear(2, hidden)
        self.output = nn.Linear(hidden, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.output(torch.relu(self.hidden(x)))
