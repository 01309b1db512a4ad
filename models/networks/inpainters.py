"""Inpainters: a picture and a mask of what is missing, in; the whole picture, out."""

from itertools import pairwise
from typing import ClassVar

import torch
from torch import nn
from torch.nn.functional import (
    avg_pool2d,
    leaky_relu,
    pixel_shuffle,
    pixel_unshuffle,
    relu,
    scaled_dot_product_attention,
    silu,
)

from models.base import Model, register
from models.networks.blocks import Stages

SIZE = 128  # pixels on a side
SHUFFLED = 2  # pixels on a side that become channels
GROUPS, HEAD = 8, 32  # of the norms; channels of an attention's head


@register("face-ae", task="inpainting", latent=300, widths=(32, 64, 64, 64))
class FaceAutoencoder(Model):
    """A face through a code of a few hundred numbers, as the document on face inpainting has it.

    Strided convolutions down to 8x8, a dense layer to the code, and the same way back. It is given the face with the
    missing part black, and gives all of it anew; the mask is not told.
    """

    stored = torch.float16
    limits: ClassVar = {"latent": (1, 4096), "widths": (4, 512)}

    def __init__(self, latent: int = 300, widths: tuple[int, ...] = (32, 64, 64, 64)):
        super().__init__(latent=latent, widths=list(widths))
        _check_depth(len(widths))
        self.latent = latent
        self.coarsest = (widths[-1], *(SIZE // 2 ** len(widths),) * 2)
        flat = self.coarsest[0] * self.coarsest[1] * self.coarsest[2]
        self.down = nn.ModuleList(nn.Conv2d(a, b, 3, 2, padding=1) for a, b in pairwise((3, *widths)))
        self.encoder, self.decoder = nn.Linear(flat, latent), nn.Linear(latent, flat)
        self.up = nn.ModuleList(nn.ConvTranspose2d(b, a, 4, 2, padding=1) for a, b in pairwise((3, *widths)))

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        """(N, 3, 128, 128) in [0, 1] -> code (N, latent)."""
        for layer in self.down:
            x = relu(layer(x))
        return self.encoder(x.flatten(1))

    def decode(self, code: torch.Tensor) -> torch.Tensor:
        """(N, latent) -> (N, 3, 128, 128) in [0, 1]."""
        x = relu(self.decoder(code)).view(-1, *self.coarsest)
        for layer in list(self.up)[:0:-1]:
            x = relu(layer(x))
        return self.up[0](x).sigmoid()

    def forward(self, image: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """(N, 3, 128, 128) in [0, 1] and mask (N, 1, 128, 128), 1 where a pixel is missing -> (N, 3, 128, 128)."""
        return self.decode(self.encode(hidden(image, mask)))


def _check_depth(stages: int) -> None:
    """Raise ValueError where there would be less than one place at the coarsest stage."""
    if SIZE >> stages == 0:
        raise ValueError(f"{stages} widths halve {SIZE} pixels too often: choose at most {SIZE.bit_length() - 1}.")


class NormedResidual(nn.Module):
    """x + conv(silu(norm(conv(silu(norm(x)))))), 3x3; it starts as the identity."""

    def __init__(self, channels: int):
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(GROUPS, channels), nn.GroupNorm(GROUPS, channels)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(self.conv2.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.conv2(silu(self.norm2(self.conv1(silu(self.norm1(x))))))


class SelfAttention(nn.Module):
    """x + what each place takes from all others (Vaswani et al. 2017); it starts as the identity."""

    def __init__(self, channels: int):
        super().__init__()
        self.heads = max(1, channels // HEAD)
        if channels % self.heads:
            raise ValueError(
                f"{channels} channels are no whole number of heads: choose a multiple of {HEAD} for the last."
            )
        self.norm = nn.GroupNorm(GROUPS, channels)
        self.input, self.output = nn.Conv2d(channels, 3 * channels, 1), nn.Conv2d(channels, channels, 1)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        query, key, value = self.input(self.norm(x)).flatten(2).unflatten(1, (3, self.heads, -1)).mT.unbind(1)
        found = scaled_dot_product_attention(query, key, value).mT.flatten(1, 2)
        return x + self.output(found.unflatten(2, x.shape[2:]))


def hidden(image: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The picture, black where the mask is 1; what is there is not read, not even to multiply it by zero."""
    return torch.where(mask > 0, torch.zeros_like(image), image)


@register("face-gan", task="inpainting", widths=(64, 128, 192), blocks=1)
@register("face-unet", task="inpainting", widths=(64, 128, 192), blocks=1)
class FaceUNet(Stages, Model):
    """A U-Net that is told what is missing and fills that alone, on pixel-unshuffled input.

    Known pixels pass through by construction, and what the picture holds under the mask is never read. Group norm,
    attention at the coarsest scale, where each place sees the whole face.

    Args:
        widths: channels of each stage, each at half the resolution of the one before.
        blocks: residual blocks a stage, on the way down and on the way up.

    Raises ValueError for a width that is no multiple of 8, or a last one that does not divide into heads of 32.
    """

    stored = torch.float16
    limits: ClassVar = {"widths": (8, 512), "blocks": (1, 8)}

    def __init__(self, widths: tuple[int, ...] = (64, 128, 192), blocks: int = 1):
        super().__init__(widths=list(widths), blocks=blocks)
        _check_depth(len(widths))
        for width in widths:
            if width % GROUPS:
                raise ValueError(f"{width} channels do not divide into {GROUPS} groups: choose multiples of {GROUPS}.")

        def stage(width: int) -> nn.Sequential:
            return nn.Sequential(*(NormedResidual(width) for _ in range(blocks)))

        def middle() -> nn.Sequential:
            looking = (nn.Sequential(NormedResidual(widths[-1]), SelfAttention(widths[-1])) for _ in range(2))
            return nn.Sequential(*looking, NormedResidual(widths[-1]))

        self.input = nn.Conv2d(4 * SHUFFLED**2, widths[0], 3, padding=1)
        self.add_stages(widths, stage, middle)
        self.output = nn.Conv2d(widths[0], 3 * SHUFFLED**2, 3, padding=1)

    def forward(self, image: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """(N, 3, H, W) in [0, 1] and mask (N, 1, H, W), 1 where a pixel is missing -> (N, 3, H, W) in [0, 1].

        H and W divide by two for each stage: by 8 as it is published.
        """
        x = torch.cat([hidden(2 * image - 1, mask), mask], 1)
        x = self.output(self.through(self.input(pixel_unshuffle(x, SHUFFLED))))
        filled = pixel_shuffle(x, SHUFFLED).float().sigmoid()
        return torch.where(mask > 0, filled.to(image), image)


class PatchCritic(nn.Module):
    """Tells real from filled at every place of a picture, by the 28x28 pixels around it (Isola et al. 2017, PatchGAN).

    The opponent of `face-gan` in training; it is no `Model`, and its weights stay with the run.
    """

    def __init__(self, width: int = 64):
        super().__init__()

        def normed(before: int, after: int, kernel: int, stride: int) -> nn.Sequential:
            return nn.Sequential(nn.Conv2d(before, after, kernel, stride, padding=1), nn.GroupNorm(GROUPS, after))

        self.stages = nn.ModuleList(
            [nn.Conv2d(7, width, 4, 2, padding=1), normed(width, 2 * width, 4, 2), normed(2 * width, 4 * width, 3, 1)]
        )
        self.output = nn.Conv2d(4 * width, 1, 3, padding=1)

    def forward(self, picture: torch.Tensor, mask: torch.Tensor) -> list[torch.Tensor]:
        """(N, 3, H, W) in [0, 1] and mask (N, 1, H, W) -> what each stage found, and the scores (N, 1, H/4, W/4) last.

        Scores are higher for what looks real.
        """
        # What tells them apart is fine and faint: given by itself, it is found in hundreds of steps, not in thousands.
        detail = picture - avg_pool2d(picture, 3, 1, padding=1, count_include_pad=False)
        found = [torch.cat([2 * picture - 1, mask, 10 * detail], 1)]
        for stage in self.stages:
            found.append(leaky_relu(stage(found[-1]), 0.2))
        return [*found[1:], self.output(found[-1])]
