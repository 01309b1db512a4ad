"""Generative adversarial networks (Goodfellow et al. 2014): the generators, which are published, and their opponents.

An opponent is only there to train a generator: it is no `Model`, and its weights stay with the run.
"""

from itertools import pairwise
from typing import ClassVar

import torch
from torch import nn
from torch.nn.functional import leaky_relu, one_hot, relu

from models.base import register
from models.networks.generators import DIGITS, Generator, with_digit


@register("mnist-gan", task="generation")
class MLPGenerator(Generator):
    """`latent` - 256 ReLU - 512 ReLU - 784 tanh, brought from [-1, 1] to [0, 1].

    Args:
        latent: numbers that a picture is made from.
        hidden: neurons of each hidden layer.
    """

    stored = torch.float16
    limits: ClassVar = {"latent": (1, 512), "hidden": (1, 4096)}

    def __init__(self, latent: int = 100, hidden: tuple[int, ...] = (256, 512)):
        super().__init__(latent=latent, hidden=list(hidden))
        self.latent = latent
        self.layers = nn.Sequential()
        for before, width in pairwise([latent, *hidden]):
            self.layers.extend([nn.Linear(before, width), nn.ReLU()])
        self.output = nn.Linear(hidden[-1], 28 * 28)

    def decode(self, z: torch.Tensor, digit: torch.Tensor | None = None) -> torch.Tensor:
        return (self.output(self.layers(z)).tanh() + 1).unflatten(1, (1, 28, 28)) / 2


class MLPDiscriminator(nn.Module):
    """784 - 512 LeakyReLU - 256 LeakyReLU - 1: the logit of being a real picture. Pixels go in as [-1, 1]."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Linear(28 * 28, 512), nn.LeakyReLU(0.2)),
            *(nn.Linear(512, 256), nn.LeakyReLU(0.2)),
            nn.Linear(256, 1),
        )

    def forward(self, x: torch.Tensor, digit: torch.Tensor | None = None) -> torch.Tensor:
        """(N, 1, 28, 28) in [0, 1] -> (N,)."""
        return self.layers(2 * x.flatten(1) - 1)[:, 0]


@register("mnist-dcgan", task="generation")
class ConvGenerator(Generator):
    """From the latent and the digit to 7x7, by transposed convolutions over 14x14 to 28x28 (Radford et al. 2016).

    Args:
        latent: numbers that a picture is made from, besides the digit.
        width: channels at 14x14; twice as many at 7x7.
    """

    stored = torch.float16
    conditional = True
    limits: ClassVar = {"latent": (1, 512), "width": (1, 256)}

    def __init__(self, latent: int = 64, width: int = 32):
        super().__init__(latent=latent, width=width)
        self.latent = latent
        self.input = nn.Linear(latent + DIGITS, 2 * width * 49)
        self.norm1 = nn.BatchNorm2d(2 * width)
        self.up1 = nn.ConvTranspose2d(2 * width, width, 4, 2, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        self.up2 = nn.ConvTranspose2d(width, 1, 4, 2, padding=1)

    def decode(self, z: torch.Tensor, digit: torch.Tensor | None = None) -> torch.Tensor:
        hidden = self.input(with_digit(z, digit)).unflatten(1, (-1, 7, 7))
        hidden = self.up1(relu(self.norm1(hidden)))
        return self.up2(relu(self.norm2(hidden))).sigmoid()


class ConvCritic(nn.Module):
    """Strided convolutions to 7x7, without norms; told the digit by projection (Miyato & Koyama 2018).

    It reads the digit as well (Odena et al. 2017), for the generator to learn from where its pictures are misread.
    """

    def __init__(self, width: int):
        super().__init__()
        self.conv1 = nn.Conv2d(1, width, 4, 2, padding=1)
        self.conv2 = nn.Conv2d(width, 2 * width, 4, 2, padding=1)
        self.hidden = nn.Linear(2 * width * 49, 128)
        self.output = nn.Linear(128, 1)
        self.digit = nn.Linear(DIGITS, 128, bias=False)
        self.reading = nn.Linear(128, DIGITS)

    def forward(self, x: torch.Tensor, digit: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(N, 1, 28, 28) in [0, 1] and digits (N,) -> scores (N,), higher for what looks real, and logits (N, 10)."""
        hidden = leaky_relu(self.conv2(leaky_relu(self.conv1(2 * x - 1), 0.2)), 0.2)
        hidden = leaky_relu(self.hidden(hidden.flatten(1)), 0.2)
        fitting = (self.digit(one_hot(digit, DIGITS).to(hidden)) * hidden).sum(1)
        return self.output(hidden)[:, 0] + fitting, self.reading(hidden)
