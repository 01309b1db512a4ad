"""Page readers: from a grey page of any size to where its digits are, and which of the ink is theirs."""

from typing import ClassVar

import torch
from torch import nn
from torch.nn.functional import interpolate, pad, pixel_shuffle

from models.base import Limit, Model, register
from models.networks.blocks import ResidualBlock

COARSEST = 16  # pixels to one place of the deepest stage: a page is filled up to a multiple of it
RARE = -4.0  # the logit of a digit's centre before anything is learned (Lin et al. 2017, section 4.1)
FAINT = 0.02  # added to a page's deviation: what varies less is an empty page's grain


@register("page-reader", task="page-reading", widths=(8, 32, 48, 80), blocks=3)
class PageReader(Model):
    """Finds digits as points (CenterNet, Zhou et al. 2019): a heat map of their centres, their boxes, and their ink.

    A residual encoder from a quarter of the page's size down to a sixteenth, and additions on the way up: nothing is
    computed at full size. The ink is told four places at a time (Shi et al. 2016), and corrected at half of the size,
    where a line and a stroke that crosses it can be told apart by their edges. Each page is standardised first, so that
    light and contrast matter little.
    """

    stored = torch.float16
    limits: ClassVar[dict[str, Limit]] = {"widths": (4, 256), "blocks": (1, 8)}

    def __init__(self, widths: tuple[int, ...] = (8, 32, 48, 80), blocks: int = 3):
        super().__init__(widths=list(widths), blocks=blocks)
        half, quarter, eighth, deepest = widths
        self.down_half = _convolution(1, half, 4, stride=2)
        self.down_quarter = nn.Sequential(_convolution(1, quarter, 8, stride=4), _convolution(quarter, quarter))
        self.down_eighth = nn.Sequential(_convolution(quarter, eighth, stride=2), ResidualBlock(eighth, eighth))
        self.down_deepest = nn.Sequential(
            _convolution(eighth, deepest, stride=2), *(ResidualBlock(deepest, deepest) for _ in range(blocks))
        )
        self.to_eighth, self.up_eighth = nn.Conv2d(deepest, eighth, 1), _convolution(eighth, eighth)
        self.to_quarter, self.up_quarter = nn.Conv2d(eighth, quarter, 1), _convolution(quarter, quarter)
        self.heat, self.box = nn.Conv2d(quarter, 1, 1), nn.Conv2d(quarter, 4, 1)
        self.ink = nn.Conv2d(quarter, 4, 3, padding=1)
        self.to_half, self.up_half = nn.Conv2d(quarter, 4 * half, 1), _convolution(half, half)
        self.correction = nn.Conv2d(half, 1, 3, padding=1)
        nn.init.zeros_(self.correction.weight)  # at first there is nothing to correct
        nn.init.constant_(self.heat.bias, RARE)
        nn.init.constant_(self.ink.bias, RARE)

    def forward(self, page: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """(N, 1, H, W) in [0, 1] -> three maps that cover the page, filled up to multiples of `COARSEST`.

        - heat (N, 1, H / 4, W / 4): the logit of a digit's centre lying in that place of 4x4 pixels.
        - boxes (N, 4, H / 4, W / 4): where from the middle of the place that centre lies, x and y in places, and the
          logarithm of the digit's width and height in places.
        - ink (N, 1, H / 2, W / 2): the logit of there being ink of a digit.
        """
        height, width = page.shape[2:]
        # The deviation is of all pixels, whatever their number.
        x = (page - page.mean((2, 3), keepdim=True)) / (page.std((2, 3), correction=0, keepdim=True) + FAINT)
        x = pad(x, (0, -width % COARSEST, 0, -height % COARSEST))
        half, quarter = self.down_half(x), self.down_quarter(x)
        eighth = self.down_eighth(quarter)
        x = self.up_eighth(eighth + _twice(self.to_eighth(self.down_deepest(eighth))))
        x = self.up_quarter(quarter + _twice(self.to_quarter(x)))
        finer = self.correction(self.up_half(half + pixel_shuffle(self.to_half(x), 2)))
        return self.heat(x), self.box(x), pixel_shuffle(self.ink(x), 2) + finer


def _convolution(channels_in: int, channels_out: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """A convolution that keeps the size but for its stride, batch norm, ReLU."""
    padding = (kernel - stride + 1) // 2
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, kernel, stride, padding, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(inplace=True),
    )


def _twice(x: torch.Tensor) -> torch.Tensor:
    return interpolate(x, scale_factor=2.0, mode="nearest")
