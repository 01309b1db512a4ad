"""Building blocks that networks share."""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import nn
from torch.nn.functional import relu, silu


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with batch norm around a shortcut (He et al. 2016, basic block).

    (N, C_in, H, W) -> (N, C_out, H / stride, W / stride). The shortcut is the identity where shapes allow it, else a
    1x1 convolution.
    """

    def __init__(self, channels_in: int, channels_out: int, stride: int = 1):
        super().__init__()
        self.stride = stride
        self.conv1 = nn.Conv2d(channels_in, channels_out, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels_out)
        self.conv2 = nn.Conv2d(channels_out, channels_out, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels_out)
        self.shortcut = nn.Sequential()
        if channels_in != channels_out or stride != 1:
            self.shortcut.append(nn.Conv2d(channels_in, channels_out, 1, bias=False))
            self.shortcut.append(nn.BatchNorm2d(channels_out))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = relu(self.norm1(self.conv1(x)))
        if self.stride > 1:
            # A 1x1 convolution with that stride is the same, but on processors without AVX-512 oneDNN writes beyond its
            # memory in the backward pass of one with fewer than eight channels.
            x = x[:, :, :: self.stride, :: self.stride]
        return relu(self.norm2(self.conv2(hidden)) + self.shortcut(x))


class Residual(nn.Module):
    """x + conv(silu(conv(silu(x)))), 3x3, without norms; it starts as the identity."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(self.conv2.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.conv2(silu(self.conv1(silu(x))))


class Stages:
    """The stages of a U-Net with additions where others have concatenations: what an `nn.Module` is besides."""

    def add_stages(
        self, widths: tuple[int, ...], stage: Callable[[int], nn.Module], middle: Callable[[], nn.Module]
    ) -> None:
        """Make them: on each way one stage for each width but the last, at half the resolution of the one before."""
        self.encoder = nn.ModuleList(stage(width) for width in widths[:-1])
        self.down = nn.ModuleList(nn.Conv2d(fine, coarse, 2, 2) for fine, coarse in pairwise(widths))
        self.middle = middle()
        self.up = nn.ModuleList(nn.ConvTranspose2d(coarse, fine, 2, 2) for fine, coarse in pairwise(widths))
        self.decoder = nn.ModuleList(stage(width) for width in widths[:-1])

    def through(self, x: torch.Tensor) -> torch.Tensor:
        """Down, and up again: (N, widths[0], H, W) -> the like."""
        kept = []
        for stage, down in zip(self.encoder, self.down, strict=True):
            kept.append(stage(x))
            x = down(kept[-1])
        x = self.middle(x)
        for stage, up in zip(reversed(self.decoder), reversed(self.up), strict=True):
            x = stage(kept.pop() + up(x))
        return x
