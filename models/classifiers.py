"""Networks that name a digit: (N, 1, 28, 28) in [0, 1] -> logits (N, 10)."""

from typing import ClassVar

import torch
from torch import nn

from models.base import Model, register
from models.blocks import ResidualBlock

CLASSES = 10
MNIST_MEAN, MNIST_SD = 0.1307, 0.3081  # of the training pixels


@register("mnist-dense", task="classification")
class Dense(Model):
    """784 - `hidden` ReLU - 10: the two-layer network that most courses begin with.

    Weights start Glorot-uniform and biases zero, as Keras starts them.
    """

    limits: ClassVar = {"hidden": (1, 4096)}

    def __init__(self, hidden: int = 512):
        super().__init__(hidden=hidden)
        self.hidden = nn.Linear(28 * 28, hidden)
        self.output = nn.Linear(hidden, CLASSES)
        for layer in (self.hidden, self.output):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.output(torch.relu(self.hidden(x.flatten(1))))


@register("mnist-resnet", task="classification")
class ResNet(Model):
    """A residual network (He et al. 2016) for 28x28: a 3x3 stem, stages of `ResidualBlock`, mean over space, dropout.

    Args:
        widths: channels of the stem and of each stage; every stage after the first halves height and width.
        blocks: residual blocks in each stage after the stem's.
        dropout: share of the pooled features dropped in training.
    """

    limits: ClassVar = {"widths": (1, 512), "blocks": (1, 16), "dropout": (0.0, 0.9)}

    def __init__(self, widths: tuple[int, ...] = (32, 64, 128), blocks: tuple[int, ...] = (2, 2), dropout: float = 0.3):
        super().__init__(widths=list(widths), blocks=list(blocks), dropout=dropout)
        if len(widths) != len(blocks) + 1:
            raise ValueError("ResNet: widths must hold one number more than blocks, the stem's.")
        stem, *stages = widths
        self.stem = nn.Sequential(nn.Conv2d(1, stem, 3, padding=1, bias=False), nn.BatchNorm2d(stem), nn.ReLU())
        self.stages = nn.Sequential()
        channels = stem
        for width, count in zip(stages, blocks, strict=True):
            for index in range(count):
                self.stages.append(ResidualBlock(channels, width, stride=2 if index == 0 else 1))
                channels = width
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(channels, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        features = self.stages(self.stem((x - MNIST_MEAN) / MNIST_SD))
        return self.output(self.dropout(features.mean((2, 3))))
