"""Noise estimation: how noisy a photograph is, whoever made the noise."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import torch

from models.base import Model
from models.networks.denoisers import LARGEST_SIGMA
from models.pictures import corruptions, raw
from models.pictures.photographs import luma
from train.data.splits import Data, Photographs
from train.figures.denoising import some_clipped
from train.recipe import Amount, Recipe, Share, whole
from train.tasks.photo_denoising import make_grey
from train.tasks.task import Task

PATCH = 144  # pixels on a side of what photographs are cut into
SIGMAS = (5, 15, 25, 50)  # that it is measured at, beside no noise at all
FAINT = 2.0  # sigma, below which errors count by themselves, above by their share of it
# What a denoiser is best told of a camera's noise, as a multiple of its deviation: on every fifth crop of PolyU the
# published one comes to 39.3 dB with it, and to 39.0 with the deviation itself.
TOLD = 1.3
# Pixels that a camera's noise reduction blurs brightness and colour by: then noise is as much alike from pixel to pixel
# as on every ninth crop of PolyU.
GREY, COLOUR = (0.0, 1.0), (0.5, 2.5)
GRAIN = 1.0  # pixels that grain is blurred by at most: coarser one the denoiser leaves, whatever it is told
SIDE = 96  # pixels of a picture that an epoch is judged by with a camera's noise, and that a snapshot is made of
SHOWN = 96  # estimates of a snapshot
SCREENS = 60  # that it is measured with


@dataclass(frozen=True)
class EstimatorRecipe(Recipe):
    """The difference of logarithms: an error of a tenth is one, whatever the noise.

    Attributes:
        patch: pixels on a side that it sees.
        sigma: largest deviation of the noise, 0-255 scale; uniform from 0.
        faint: share of the noisy patches that have at most a seventh of that.
        clean: share of the patches without noise; of those of cameras too.
        grey: share of the patches that are grey, with one noise for all channels; of those of cameras too.
        grain: share of the patches with noise that is coarser than a pixel, of those that went through no camera.
        clipped: share of the patches that are clipped to what a file can hold.
        camera: share of the patches that went through a camera.
        screens: share of the patches that are print and drawings; a third of them noisy.
    """

    patch: Annotated[int, whole(32, PATCH)] = PATCH
    sigma: Amount = LARGEST_SIGMA
    faint: Share = 0.5
    clean: Share = 0.1
    grey: Share = 0.3
    grain: Share = 0.2
    clipped: Share = 0.5
    camera: Share = 0.4
    screens: Share = 0.12


class NoiseEstimation(Task):
    """Photographs; chosen by how far the estimates are off."""

    recipes: ClassVar = {
        "noise-level": EstimatorRecipe(
            dataset="delta-prox/BSD500",
            epochs=14,
            batch_size=20,
            lr=2e-3,
            optimizer="adamw",
            weight_decay=0.01,
            warmup=0.05,
            schedule="cosine",
            ema=0.999,
            clip=1.0,
            source=(
                "Ours: photographs with noise as fine as the pixels, or coarser; through cameras, after Brooks et al. "
                "2019; and what has no noise, as it is and as print. On the 400 training photographs of BSDS500 alone."
            ),
        ),
    }
    score = "off"
    lower_is_better = True
    pipeline_tag = "image-feature-extraction"
    metrics: ClassVar = {
        "off": "Mean error of the logarithm of σ + 2, all kinds",
        "clean": "Estimate of clean photographs, mean σ",
        **{f"white_{sigma}": f"Estimate at σ {sigma}, mean" for sigma in SIGMAS},
        **{f"share_{sigma}": f"Mean error at σ {sigma}, share of it" for sigma in SIGMAS},
        "camera": "Mean error of a camera's noise, share of it",
        "camera_grey": "Mean error of a camera's noise in grey, share of it",
        "screens": "Estimate of print and drawings, mean σ",
    }
    interface = (
        "It takes pictures `(N, 3, H, W)` or `(N, 1, H, W)` in [0, 1] and gives sigma `(N,)` on the 0-255 scale: what "
        "`photo-denoiser` is best told."
    )
    limits = (
        "It learned from Gaussian noise, as fine as the pixels and up to a pixel coarser, and from a model of cameras, "
        "not from real noise. Stains, scratches, creases and blur are no noise to it; coarser grain and halftone print "
        "it has never seen."
    )

    def load(self, name, config, revision, image_column, label_column) -> Data:
        from train.data import photographs

        return photographs.load(name, PATCH, config, revision, image_column)

    def loss(self, nets, turn, images, labels, recipe, done):
        count = len(images)
        screens, camera = round(count * recipe.screens), round(count * recipe.camera)
        parts = [
            white(images[: count - screens - camera], recipe),
            photographed(images[count - screens - camera : count - screens], recipe.patch, recipe.grey, recipe.clean),
            printed(screens, recipe),
        ]
        noisy, sigma = (torch.cat([part[index].to(images.device) for part in parts]) for index in (0, 1))
        noisy = noisy.contiguous(memory_format=torch.channels_last)
        return off(nets[turn](noisy), sigma).mean()

    @torch.inference_mode()
    def snapshot(self, net: Model, validation: Photographs) -> torch.Tensor:
        """Estimates over the true deviation, for parts of photographs; what is right lies on the line."""
        clean = corners(validation.images, SIDE) / 255
        clean = clean[torch.arange(SHOWN) % len(clean)]
        sigmas = torch.linspace(0, LARGEST_SIGMA, SHOWN, device=clean.device)
        found = net(corruptions.gaussian(clean, sigmas, torch.Generator().manual_seed(0)))
        picture = torch.zeros(SHOWN, SHOWN, dtype=torch.uint8)
        places = torch.arange(SHOWN)
        picture[SHOWN - 1 - places, places] = 90
        picture[(SHOWN - 1 - found.cpu() * SHOWN / LARGEST_SIGMA).round().long().clamp(0, SHOWN - 1), places] = 255
        return picture

    @torch.inference_mode()
    def evaluate(self, net: Model, split: Photographs) -> dict[str, float]:
        from train.data.screens import screens

        generator, told = torch.Generator().manual_seed(0), {}
        for sigma in (0, *SIGMAS):
            noisy = [corruptions.gaussian(one, float(sigma), generator).clamp(0, 1) for one in split]
            told[sigma] = torch.cat([net(one.mul(255).round().div(255)) for one in noisy])
        torch.manual_seed(0)  # cameras draw from the global generator
        parts = corners([one[0] for one in split], 2 * SIDE)
        cameras = []
        for grey in (0.0, 1.0):
            noisy, sigma = photographed(parts, 2 * SIDE, grey)
            cameras.append((torch.cat([net(one[None]) for one in noisy]), sigma))
        print_ = net(screens(SCREENS, SIDE, 0).to(noisy.device))
        kinds = [off(found, found.new_tensor(float(true))).mean() for true, found in told.items()]
        kinds += [off(*camera).mean() for camera in cameras] + [off(print_, torch.zeros_like(print_)).mean()]
        shares = [(found / sigma.clamp_min(FAINT) - 1).abs().mean().item() for found, sigma in cameras]
        return {
            "off": torch.stack(kinds).mean().item(),
            "clean": told[0].mean().item(),
            **{f"white_{sigma}": told[sigma].mean().item() for sigma in SIGMAS},
            **{f"share_{sigma}": (told[sigma] / sigma - 1).abs().mean().item() for sigma in SIGMAS},
            "camera": shares[0],
            "camera_grey": shares[1],
            "screens": print_.mean().item(),
        }

    @torch.inference_mode()
    def section(self, folder: Path, net: Model, figures: dict[str, float], data: Data) -> str:
        """A table of its errors."""
        rows = "\n".join(
            f"| {sigma} | {figures[f'white_{sigma}']:.1f} | {figures[f'share_{sigma}']:.1%} |" for sigma in SIGMAS
        )
        return f"""| true σ | mean estimate | mean error |
|---|---|---|
| 0 | {figures["clean"]:.1f} | |
{rows}

Of noise that went through a camera it is told {TOLD} times the deviation; there the mean error is
{figures["camera"]:.1%}, in grey pictures {figures["camera_grey"]:.1%}. Of clean print and drawings it says
σ {figures["screens"]:.1f} on average.
"""

    def usage(self, net: Model) -> str:
        return "sigma = net(torch.rand(1, 3, 64, 64))"

    def summary(self, figures: dict[str, float], section: str) -> str:
        return (
            f"mean error {100 * figures['share_25']:.1f} % at σ 25, {100 * figures['camera']:.0f} % of cameras' noise"
        )


def corners(pictures: Sequence[torch.Tensor], side: int) -> torch.Tensor:
    """One corner of each picture (3, H, W), square and alike: of `side` pixels, or of as many as the smallest has."""
    side = min(side, *(min(one.shape[1:]) for one in pictures))
    return torch.stack([one[:, :side, :side] for one in pictures])


def off(found: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
    """How far estimates are off: the logarithm's difference."""
    return ((found + FAINT).log() - (sigma + FAINT).log()).abs()


def white(clean: torch.Tensor, recipe: EstimatorRecipe) -> tuple[torch.Tensor, torch.Tensor]:
    """Patches with each pixel's own noise, or with grain, and its deviation (N,)."""
    clean = clean[:, :, : recipe.patch, : recipe.patch].clone()
    chance, share, coarse, radius = torch.rand(4, len(clean), device=clean.device)
    sigma = torch.rand(len(clean), device=clean.device) * recipe.sigma
    sigma = torch.where(share < recipe.faint, sigma / 7, sigma) * (share < 1 - recipe.clean)
    noise = grained(torch.randn_like(clean), GRAIN * radius * (coarse < recipe.grain))
    make_grey(clean, noise, chance < recipe.grey)
    noisy = some_clipped(clean + sigma.view(-1, 1, 1, 1) / 255 * noise, recipe.clipped)
    return noisy.mul(255).round().div(255), sigma


def grained(noise: torch.Tensor, radius: torch.Tensor) -> torch.Tensor:
    """Noise as coarse as the grain of film, or of enlarged pictures: blurred by (N,) pixels, and of deviation 1."""
    coarse = corruptions.blur(noise, radius)
    return coarse / coarse.std((1, 2, 3), keepdim=True)


def photographed(
    clean: torch.Tensor, size: int, grey: float = 0.0, quiet: float = 0.0
) -> tuple[torch.Tensor, torch.Tensor]:
    """Patches as cameras take them, and what a denoiser is best told of them, (N,).

    Args:
        clean: (N, 3, H, W).
        size: pixels on a side of what is given.
        grey: share of them that are grey.
        quiet: share of them without noise, but with all else that a camera does, JPEG too.
    """
    if not len(clean):  # a batch may be too small for a camera
        return clean[:, :, :size, :size], clean.new_zeros(0)
    camera = raw.cameras(len(clean))
    pair = [raw.photographed(clean, one) for one in (camera, camera.quiet())]
    radii = (torch.empty(len(clean)).uniform_(*limits) for limits in (GREY, COLOUR))
    pair[0] = raw.reduced(*pair, *radii).clamp(0, 1)
    quality = torch.empty(len(clean)).uniform_(30, 100)
    is_grey, is_quiet = (torch.rand(2, len(clean)) < torch.tensor([[grey], [quiet]]))[..., None, None, None].to(
        clean.device
    )
    noisy, true = (torch.where(is_grey, luma(one), one)[:, :, :size, :size] for one in pair)
    noisy, true = (corruptions.jpeg(one, quality) for one in (torch.where(is_quiet, true, noisy), true))
    return noisy, (TOLD * 255 * (noisy - true).square().mean((1, 2, 3)).sqrt()).clamp(max=LARGEST_SIGMA)


def printed(count: int, recipe: EstimatorRecipe) -> tuple[torch.Tensor, torch.Tensor]:
    """Print and drawings, a third of them noisy."""
    from train.data.screens import screens

    clean = (
        screens(count, recipe.patch, int(torch.randint(2**62, ()))) if count else torch.zeros(0, 3, *[recipe.patch] * 2)
    )
    sigma = torch.rand(count) * recipe.sigma * (torch.rand(count) < 1 / 3)
    noisy = (clean + sigma.view(-1, 1, 1, 1) / 255 * torch.randn_like(clean)).clamp(0, 1)
    return noisy.mul(255).round().div(255), sigma
