"""Photographs with noise, and what a denoiser is best told of it: each pixel's own, or a camera's."""

import torch
from torch.nn.functional import interpolate

from models.networks.denoisers import LARGEST_SIGMA
from models.pictures import corruptions, raw
from models.pictures.photographs import luma

# What a denoiser is best told of a camera's noise, as a multiple of its deviation: on every fifth crop of PolyU one
# that knew each pixel's own noise alone came to 39.3 dB with it, and to 39.0 with the deviation itself.
TOLD = 1.3
# Pixels that a camera's noise reduction blurs brightness and colour by: then noise is as much alike from pixel to pixel
# as on every ninth crop of PolyU.
GREY, COLOUR = (0.0, 1.0), (0.5, 2.5)
FEWER = 0.4  # of the batches of cameras are made smaller, as phones do
QUALITY, FILES = (30, 100), 8  # of their JPEG files, and how many of them there are in a batch


def make_grey(clean: torch.Tensor, noise: torch.Tensor, which: torch.Tensor) -> None:
    """Make some pictures grey, (N,) bool, in place: with three equal channels, and one noise for all of them."""
    clean[which] = luma(clean[which]).expand(-1, 3, -1, -1)
    noise[which] = noise[which, :1].expand(-1, 3, -1, -1)


def photographed(clean: torch.Tensor, size: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Patches as cameras take them, what they would be without noise and JPEG, and what a denoiser is best told, (N,).

    Args:
        clean: (N, 3, S, S) in [0, 1], S at least `size`, the pixels on a side of what comes back.
    """
    camera = raw.cameras(len(clean))
    pair = [raw.photographed(clean, one) for one in (camera, camera.quiet())]
    radii = (torch.empty(len(clean)).uniform_(*limits) for limits in (GREY, COLOUR))
    pair[0] = raw.reduced(*pair, *radii).clamp(0, 1)
    if clean.shape[2] > size and torch.rand(()) < FEWER:
        pair = [interpolate(one, (size, size), mode="bicubic", antialias=True).clamp(0, 1) for one in pair]
    noisy, quiet = (one[:, :, :size, :size] for one in pair)
    quality = torch.empty(FILES).uniform_(*QUALITY)[torch.arange(len(clean)) % FILES]
    stored, true = corruptions.jpeg(torch.cat([noisy, quiet]), quality.repeat(2)).chunk(2)
    off = (stored - true).square().mean((1, 2, 3)).sqrt()
    return stored, quiet, (TOLD * 255 * off).clamp(max=LARGEST_SIGMA)
