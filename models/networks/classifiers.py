"""Networks that name a digit: (N, 1, 28, 28) in [0, 1] -> logits (N, 10)."""

from itertools import pairwise
from typing import ClassVar

import torch
from torch import nn

from models.base import Model, register
from models.networks.blocks import ResidualBlock

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


@register("mnist-mlp", task="classification")
class MLP(Model):
    """784 - 128 ReLU - 128 ReLU - 10: the multilayer perceptron of PyTorch courses.

    Args:
        widths: neurons of each hidden layer.
    """

    limits: ClassVar = {"widths": (1, 4096)}

    def __init__(self, widths: tuple[int, ...] = (128, 128)):
        super().__init__(widths=list(widths))
        self.hidden = nn.Sequential()
        for before, width in pairwise([28 * 28, *widths]):
            self.hidden.extend([nn.Linear(before, width), nn.ReLU()])
        self.output = nn.Linear(widths[-1], CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.output(self.hidden(x.flatten(1)))


@register("mnist-cnn", task="classification")
class CNN(Model):
    """Two padded 3x3 convolutions, each with ReLU and 2x2 pooling, then 128 ReLU, dropout, 10."""

    stored = torch.float16
    limits: ClassVar = {"dropout": (0.0, 0.9)}

    def __init__(self, dropout: float = 0.5):
        super().__init__(dropout=dropout)
        self.features = nn.Sequential(
            *(nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        )
        self.hidden = nn.Linear(64 * 7 * 7, 128)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(128, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = torch.relu(self.hidden(self.features(x).flatten(1)))
        return self.output(self.dropout(hidden))


@register("mnist-cnn-wide", task="classification")
class WideCNN(Model):
    """Two unpadded 3x3 convolutions with ReLU and one 2x2 pooling, then 128 ReLU, 10. Pixels go in as [-1, 1]."""

    stored = torch.float16

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            *(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2)),
        )
        self.hidden = nn.Linear(64 * 12 * 12, 128)
        self.output = nn.Linear(128, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.output(torch.relu(self.hidden(self.features(2 * x - 1).flatten(1))))


@register("mnist-lstm", task="classification", cell="lstm")
@register("mnist-rnn", task="classification", cell="rnn")
class Recurrent(Model):
    """Reads the picture as a sequence, 28 rows of 28 pixels from top to bottom, and answers after the last.

    Args:
        cell: "rnn" (Elman 1990, tanh), "gru" (Cho et al. 2014) or "lstm" (Hochreiter & Schmidhuber 1997).
        hidden: size of the hidden state.
        bidirectional: a second one reads from bottom to top; the answer is given on both final states.
    """

    limits: ClassVar = {"cell": {"rnn", "gru", "lstm"}, "hidden": (1, 1024), "bidirectional": bool}

    def __init__(self, cell: str = "lstm", hidden: int = 128, bidirectional: bool = False):
        super().__init__(cell=cell, hidden=hidden, bidirectional=bidirectional)
        layer = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[cell]
        self.cell = layer(28, hidden, batch_first=True, bidirectional=bidirectional)
        self.output = nn.Linear(hidden * (2 if bidirectional else 1), CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        _, last = self.cell(x[:, 0])
        last = last[0] if isinstance(last, tuple) else last  # an LSTM's state has two halves: hidden and cell
        return self.output(last.transpose(0, 1).flatten(1))  # (directions, N, hidden) -> (N, directions * hidden)


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

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """What the last layer judges by: (N, 1, 28, 28) -> (N, channels of the last stage)."""
        return self.stages(self.stem((x - MNIST_MEAN) / MNIST_SD)).mean((2, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.output(self.dropout(self.features(x)))
