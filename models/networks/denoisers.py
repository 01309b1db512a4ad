"""Denoisers: the noisy picture and how noisy it is, in; the clean one, out."""

from typing import ClassVar

import torch
from torch import nn
from torch.nn.functional import max_pool2d, pad, pixel_shuffle, pixel_unshuffle, softplus

from models.base import Limit, Model, register
from models.networks.blocks import Residual, Stages

SHUFFLED = 2  # pixels on a side that become channels
LARGEST_SIGMA = 75.0  # that the photo denoiser was trained for
PLACE, AROUND = 4, 10  # pixels on a side of which a noise estimator has one estimate, and how far around it looks
NEAR = 4  # as far as the photo denoiser's own estimate looks around its places
LIMITS: dict[str, Limit] = {"widths": (4, 512), "blocks": (1, 8)}


class UNet(Stages, nn.Module):
    """A residual U-Net that finds the noise of a picture, on pixel-unshuffled input: (N, C, H, W) -> (N, C, H, W).

    After FFDNet (Zhang et al. 2018) and DRUNet (Zhang et al. 2021): without norms, so that it keeps absolute values,
    and with additions where a U-Net has concatenations. Any size: the borders are mirrored where it does not divide.

    Args:
        channels: of the picture.
        maps: values a picture that it is told besides, each as a constant plane.
        widths: channels of each stage, each at half the resolution of the one before.
        blocks: residual blocks a stage, on the way down and on the way up.
    """

    def __init__(self, channels: int, maps: int, widths: tuple[int, ...], blocks: int):
        super().__init__()
        coarsest = 2 ** (len(widths) - 1)
        self.multiple = SHUFFLED * coarsest  # what height and width are made to divide by
        # Pixels to any side that an output pixel depends on: each block has two convolutions, each of them one place.
        places = 2 + 4 * blocks * (coarsest - 1) + 2 * blocks * coarsest
        self.reach = SHUFFLED * places + self.multiple

        def stage(width: int) -> nn.Sequential:
            return nn.Sequential(*(Residual(width) for _ in range(blocks)))

        self.input = nn.Conv2d(channels * SHUFFLED**2 + maps, widths[0], 3, padding=1)
        self.add_stages(widths, stage, lambda: stage(widths[-1]))
        self.output = nn.Conv2d(widths[0], channels * SHUFFLED**2, 3, padding=1)
        nn.init.zeros_(self.output.weight)  # at first there is no noise
        nn.init.zeros_(self.output.bias)

    def forward(self, picture: torch.Tensor, *maps: torch.Tensor) -> torch.Tensor:
        x = unshuffled(picture, self.multiple)
        x = torch.cat([x, *(one.to(x).view(-1, 1, 1, 1).expand(-1, 1, *x.shape[2:]) for one in maps)], 1)
        x = self.output(self.through(self.input(x)))
        return pixel_shuffle(x, SHUFFLED)[:, :, : picture.shape[2], : picture.shape[3]]


class NoiseLevel(nn.Module):
    """How noisy a picture is, by what its flattest places say: each place has an estimate and a weight."""

    def __init__(self, channels: int, width: int = 32):
        super().__init__()
        self.features = nn.Sequential(
            *(nn.Conv2d(channels * SHUFFLED**2, width, 3, padding=1), nn.ReLU()),
            *(nn.Conv2d(width, width, 3, padding=1), nn.ReLU()),
            nn.Conv2d(width, 2, 1),
        )

    def forward(self, picture: torch.Tensor, seen: torch.Tensor | None = None) -> torch.Tensor:
        """(N, C, H, W) and which of its pixels are evidence, (N, 1, H, W) bool -> sigma (N,) on the 0-255 scale."""
        return judged(self.features(unshuffled(picture, SHUFFLED)), seen, SHUFFLED, NEAR)


@register("photo-denoiser", task="denoising", widths=(48, 80, 112), blocks=2)
class PhotoDenoiser(Model):
    """A U-Net for photographs of any size and noise of any strength up to a sigma of 75, which it is told as a map.

    It is for colour, and takes grey as three equal channels.
    """

    stored = torch.float16
    limits: ClassVar = LIMITS

    def __init__(self, widths: tuple[int, ...] = (48, 80, 112), blocks: int = 2):
        super().__init__(widths=list(widths), blocks=blocks)
        self.unet = UNet(3, 1, widths, blocks)
        self.noise_level = NoiseLevel(3)

    def forward(self, noisy: torch.Tensor, sigma: torch.Tensor | None = None) -> torch.Tensor:
        """(N, 1 or 3, H, W) around [0, 1] and sigma (N,) on the 0-255 scale -> the like, not clipped.

        Without `sigma` it takes what `estimate` says.
        """
        sigma = self.estimate(noisy) if sigma is None else sigma
        noise = self.unet(noisy.expand(-1, 3, -1, -1), sigma / 255)
        return noisy - (noise if noisy.shape[1] == 3 else noise.mean(1, keepdim=True))

    def estimate(self, noisy: torch.Tensor, seen: torch.Tensor | None = None) -> torch.Tensor:
        """The noise level of pictures as `forward` takes them, (N,) on the 0-255 scale.

        Args:
            seen: (N, 1, H, W) bool, which pixels are evidence; the others' surroundings are none either.
        """
        return self.noise_level(noisy.expand(-1, 3, -1, -1), seen)


@register("noise-level", task="noise-estimation", widths=(32, 32, 48, 48))
class NoiseEstimator(Model):
    """How noisy a photograph is, whatever made it: each pixel's own noise, or a camera's, coloured and correlated.

    As the estimate of the photo denoiser, but it sees further, and it knows what is clean: print, drawings, screens.
    """

    limits: ClassVar[dict[str, Limit]] = {"widths": (4, 256)}

    def __init__(self, widths: tuple[int, ...] = (32, 32, 48, 48)):
        super().__init__(widths=list(widths))
        first, second, third, last = widths
        self.features = nn.Sequential(
            *(nn.Conv2d(3 * SHUFFLED**2, first, 3, padding=1), nn.ReLU()),
            *(nn.Conv2d(first, second, 3, padding=1), nn.ReLU()),
            *(nn.Conv2d(second, third, 3, stride=2, padding=1), nn.ReLU()),
            *(nn.Conv2d(third, last, 3, padding=1), nn.ReLU()),
            nn.Conv2d(last, 2, 1),
        )

    def forward(self, picture: torch.Tensor, seen: torch.Tensor | None = None) -> torch.Tensor:
        """(N, 1 or 3, H, W) in [0, 1] -> sigma (N,) on the 0-255 scale: what a denoiser is best told.

        Args:
            seen: (N, 1, H, W) bool, which pixels are evidence; the others' surroundings are none either. Where nothing
                is, everything is.
        """
        return judged(self.features(unshuffled(picture.expand(-1, 3, -1, -1), PLACE)), seen, PLACE, AROUND)


@register("mnist-denoiser", task="denoising", widths=(32, 64), blocks=1)
class DigitDenoiser(Model):
    """A smaller one for digits, which finds out by itself what happened to them, and how much of it."""

    limits: ClassVar = LIMITS

    def __init__(self, widths: tuple[int, ...] = (32, 64), blocks: int = 1):
        super().__init__(widths=list(widths), blocks=blocks)
        self.unet = UNet(1, 0, widths, blocks)

    def forward(self, noisy: torch.Tensor, sigma: torch.Tensor | None = None) -> torch.Tensor:
        """(N, 1, 28, 28) around [0, 1] -> the like, not clipped; `sigma` is there for the interface, and ignored."""
        return noisy - self.unet(noisy)


def judged(places: torch.Tensor, seen: torch.Tensor | None, size: int, around: int) -> torch.Tensor:
    """What places say, each by an estimate and its weight, (N, 2, h, w) -> sigma (N,) on the 0-255 scale.

    Args:
        seen: (N, 1, H, W) bool, which pixels are evidence; where none is, all are.
        size, around: pixels on a side of a place, and how far around it what it says depends on.
    """
    level, weight = places.float().flatten(2).unbind(1)
    if seen is not None:
        below, right = (-side % size for side in seen.shape[2:])
        hidden = pad((~seen).float(), (around, around + right, around, around + below))
        hidden = max_pool2d(hidden, size + 2 * around, size).flatten(1) > 0
        weight = weight.masked_fill(hidden & ~hidden.all(1, keepdim=True), -torch.inf)
    return LARGEST_SIGMA * (softplus(level) * weight.softmax(1)).sum(1)


def unshuffled(picture: torch.Tensor, multiple: int) -> torch.Tensor:
    """Each `SHUFFLED` x `SHUFFLED` pixels as channels of one place, of a picture made to divide by `multiple`."""
    below, right = (-side % multiple for side in picture.shape[2:])
    return pixel_unshuffle(mirrored(picture, below, right), SHUFFLED)


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
