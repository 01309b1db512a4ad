"""Denoisers: the noisy picture and how noisy it is, in; the clean one, out."""

from itertools import pairwise
from typing import ClassVar

import torch
from torch import nn
from torch.nn.functional import pad, pixel_shuffle, pixel_unshuffle, softplus

from models.base import Model, register
from models.blocks import Residual

SHUFFLED = 2  # pixels on a side that become channels
LARGEST_SIGMA = 75.0  # that the photo denoiser was trained for


@register("photo-denoiser", task="denoising", channels=3, widths=(32, 64, 128), blocks=2, told=True)
@register("mnist-denoiser", task="denoising", channels=1, widths=(32, 64), blocks=1, told=False)
class UNetDenoiser(Model):
    """A residual U-Net that finds the noise and takes it away, on pixel-unshuffled input with a map of the noise level.

    After FFDNet (Zhang et al. 2018) and DRUNet (Zhang et al. 2021): without norms, so that it keeps absolute values,
    and with additions where a U-Net has concatenations. Any size: the borders are mirrored where it does not divide.

    Args:
        channels: of the picture; a network for colour takes grey as well, as three equal channels.
        widths: channels of each stage, each at half the resolution of the one before.
        blocks: residual blocks a stage, on the way down and on the way up.
        told: whether it is told the noise level, and can estimate it; one that is not ignores `sigma`.
    """

    limits: ClassVar = {"channels": (1, 3), "widths": (4, 512), "blocks": (1, 8), "told": bool}

    def __init__(self, channels: int = 3, widths: tuple[int, ...] = (32, 64, 128), blocks: int = 2, told: bool = True):
        super().__init__(channels=channels, widths=list(widths), blocks=blocks, told=told)
        self.channels, self.told = channels, told
        self.multiple = SHUFFLED * 2 ** (len(widths) - 1)  # what height and width are made to divide by
        shuffled = channels * SHUFFLED**2

        def stage(width: int) -> nn.Sequential:
            return nn.Sequential(*(Residual(width) for _ in range(blocks)))

        self.input = nn.Conv2d(shuffled + told, widths[0], 3, padding=1)
        self.down = nn.ModuleList(
            nn.Sequential(stage(wide), nn.Conv2d(wide, narrow, 2, 2)) for wide, narrow in pairwise(widths)
        )
        self.middle = stage(widths[-1])
        self.up = nn.ModuleList(
            nn.Sequential(nn.ConvTranspose2d(narrow, wide, 2, 2), stage(wide)) for wide, narrow in pairwise(widths)
        )
        self.output = nn.Conv2d(widths[0], shuffled, 3, padding=1)
        nn.init.zeros_(self.output.weight)  # at first there is no noise
        nn.init.zeros_(self.output.bias)
        self.estimator = NoiseLevel(shuffled) if told else None

    def forward(self, noisy: torch.Tensor, sigma: torch.Tensor | None = None) -> torch.Tensor:
        """(N, C, H, W) around [0, 1] and sigma (N,) on the 0-255 scale -> (N, C, H, W), not clipped.

        A network for colour takes (N, 1, H, W) too. Without `sigma` a network that should be told it estimates it.
        """
        height, width = noisy.shape[2:]
        x = self._shuffled(noisy)
        if self.told:
            sigma = self.estimate(noisy) if sigma is None else sigma
            level = (sigma / 255).to(x).view(-1, 1, 1, 1).expand(-1, 1, *x.shape[2:])
            x = torch.cat([x, level], 1)
        x = self.input(x)
        kept = []
        for down in self.down:
            kept.append(x)
            x = down(x)
        x = self.middle(x)
        for up, before in zip(reversed(self.up), reversed(kept), strict=True):
            x = before + up(x)
        noise = pixel_shuffle(self.output(x), SHUFFLED)[:, :, :height, :width]
        return noisy - (noise if noisy.shape[1] == self.channels else noise.mean(1, keepdim=True))

    def estimate(self, noisy: torch.Tensor) -> torch.Tensor:
        """The noise level of pictures as `forward` takes them, (N,) on the 0-255 scale."""
        return self.estimator(self._shuffled(noisy))

    def _shuffled(self, noisy: torch.Tensor) -> torch.Tensor:
        below, right = (-side % self.multiple for side in noisy.shape[2:])
        return pixel_unshuffle(mirrored(noisy.expand(-1, self.channels, -1, -1), below, right), SHUFFLED)


class NoiseLevel(nn.Module):
    """How noisy a picture is, by what its flattest places say: each place has an estimate and a weight."""

    def __init__(self, channels: int, width: int = 32):
        super().__init__()
        self.features = nn.Sequential(
            *(nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()),
            *(nn.Conv2d(width, width, 3, padding=1), nn.ReLU()),
            nn.Conv2d(width, 2, 1),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) -> sigma (N,) on the 0-255 scale."""
        level, weight = self.features(x).float().flatten(2).unbind(1)
        return LARGEST_SIGMA * (softplus(level) * weight.softmax(1)).sum(1)


def mirrored(x: torch.Tensor, below: int, right: int) -> torch.Tensor:
    """(N, C, H, W) with so many rows and columns more, mirrored; repeated where the picture is too small for that."""
    while below or right:
        rows, columns = min(below, x.shape[2] - 1), min(right, x.shape[3] - 1)
        if rows or columns:
            x = pad(x, (0, columns, 0, rows), mode="reflect")
        else:
            rows, columns = min(below, 1), min(right, 1)
            x = pad(x, (0, columns, 0, rows), mode="replicate")
        below, right = below - rows, right - columns
    return x
