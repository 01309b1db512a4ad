"""Denoising of digits that suffered anything: noise, specks, missing pixels, blur."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import ClassVar

import torch

import models
from models.base import Model
from models.pictures import corruptions
from train.data.splits import Data, Split
from train.figures.denoising import Restore, decibels, mean_psnr, some_clipped
from train.recipe import Recipe, Share
from train.tasks.task import MNIST, Task

SIGMAS = (25, 64, 128)
TEXTBOOK = "mnist-dae"
BATCH = 500
SHOWN = 16  # digits of a snapshot
FLOOR = 1e-5  # of the squared error in the loss, so that what is nearly clean does not outshout the rest: 50 dB


@dataclass(frozen=True)
class DigitDenoiserRecipe(Recipe):
    """Damage of every kind and strength on digits; the loss is that of `photo-denoiser`.

    Attributes:
        clipped: share of the digits that are clipped to what a file can hold.
    """

    clipped: Share = 0.0


class DigitDenoising(Task):
    """Digits, of which a quarter each suffers noise, specks, holes and blur, from not at all to beyond reading.

    Chosen by the mean PSNR at `SIGMAS`.
    """

    recipes: ClassVar = {
        "mnist-denoiser": DigitDenoiserRecipe(
            dataset="ylecun/mnist",
            epochs=20,
            batch_size=128,
            lr=1e-3,
            optimizer="adamw",
            warmup=0.02,
            schedule="cosine",
            ema=0.999,
            clip=1.0,
            clipped=0.5,
            mixed_precision="bf16",
            source="Ours: a small residual U-Net that is not told what happened to the digit, nor how much.",
        ),
    }
    score = "psnr"
    pipeline_tag = "image-to-image"
    metrics: ClassVar = {
        "psnr": f"PSNR, mean of σ {', '.join(map(str, SIGMAS))}, dB",
        **{f"psnr_{sigma}": f"PSNR, σ {sigma}, dB" for sigma in SIGMAS},
    }
    interface = (
        "It takes `(N, 1, 28, 28)` around [0, 1], white on black, and gives the digits without what happened to them: "
        "Gaussian noise, salt and pepper, missing pixels or blur. It is not told which, nor how much."
    )
    limits = f"{MNIST} It makes digits of whatever it is given; what it draws where nothing can be seen is a guess."

    def check(self, data: Data) -> None:
        textbook()

    def loss(self, nets, turn, images, labels, recipe, done):
        kinds = corruptions.DIGITS.values()
        parts = zip(kinds, images.tensor_split(len(kinds)), strict=True)
        damaged = some_clipped(torch.cat([self.damaged(kind, some) for kind, some in parts]), recipe.clipped)
        rebuilt = nets[turn](damaged.contiguous(memory_format=torch.channels_last))
        return decibels(rebuilt.float(), images, FLOOR).mean()

    @staticmethod
    def damaged(kind: corruptions.Corruption, images: torch.Tensor) -> torch.Tensor:
        """Each picture with a strength of its own."""
        share = torch.rand(len(images), device=images.device)
        return kind.apply(images, kind.low + share * (kind.high - kind.low)) if len(images) else images

    @torch.inference_mode()
    def snapshot(self, net: Model, validation: Split) -> torch.Tensor:
        """Noisy digits, and below each what the network makes of it."""
        from train.figures import film

        clean = validation.take(slice(SHOWN))
        noisy = corruptions.gaussian(clean, float(SIGMAS[1]), torch.Generator().manual_seed(0))
        return film.beside(torch.cat([noisy, net(noisy)]), len(clean))

    def evaluate(self, net: Model, split: Split) -> dict[str, float]:
        figures = {f"psnr_{sigma}": mean_psnr(net, batches(split), sigma) for sigma in SIGMAS}
        return {"psnr": sum(figures.values()) / len(figures), **figures}

    def measure(self, net: Model, data: Data) -> dict[str, float]:
        from models.pictures import classical

        others: dict[str, Restore] = {TEXTBOOK: lambda noisy, sigma: textbook()(noisy), **classical.METHODS}
        measured = {
            f"{name}_{sigma}": mean_psnr(restore, batches(data.test), sigma)
            for name, restore in others.items()
            for sigma in SIGMAS
        }
        return {**self.evaluate(net, data.test), **measured}

    @torch.inference_mode()
    def section(self, folder: Path, net: Model, figures: dict[str, float], data: Data) -> str:
        """A table of all methods, and strips of digits."""
        from models.pictures import classical
        from train.figures.plots import grid

        clean = data.test.take(slice(10))
        sigma = torch.full((len(clean),), float(SIGMAS[1]))
        noisy = corruptions.gaussian(clean, sigma, torch.Generator().manual_seed(0))
        rows = [clean, noisy, classical.non_local_means(noisy, sigma), textbook()(noisy), net(noisy)]
        grid(torch.cat(rows), folder / "strips.png", columns=len(clean))
        names = {"psnr": "**this network**", TEXTBOOK: f"`{TEXTBOOK}`, the textbook's"}
        names |= {name: " ".join(name.rsplit("-", 1)) for name in classical.METHODS}
        table = "\n".join(
            f"| {label} | " + " | ".join(f"{figures[f'{name}_{s}']:.2f}" for s in SIGMAS) + " |"
            for name, label in names.items()
        )
        return f"""Gaussian noise, neither clipped nor rounded; the output is clipped. Those without training are told
the deviation, the networks are not.

| PSNR, dB | σ {" | ".join(map(str, SIGMAS))} |
|---|---|---|---|
{table}

The first ten test images: clean, noisy (σ {SIGMAS[1]}), non-local means, `{TEXTBOOK}`, this
network:

![Each row a method](strips.png)
"""

    def usage(self, net: Model) -> str:
        return "noisy = torch.rand(1, 1, 28, 28)  # white on black, 0 to 1\nclean = net(noisy)"

    def summary(self, figures: dict[str, float], section: str) -> str:
        ours, textbook = (_listed(figures, name) for name in ("psnr", TEXTBOOK))
        return f"σ {', '.join(map(str, SIGMAS))}: {ours} dB (`{TEXTBOOK}`: {textbook})"


def _listed(figures: dict[str, float], name: str) -> str:
    return ", ".join(f"{figures[f'{name}_{sigma}']:.2f}" for sigma in SIGMAS)


@cache
def textbook() -> Model:
    """The denoiser to compare with. Raises ValueError if there are no weights for it."""
    return models.load(TEXTBOOK).requires_grad_(False)


def batches(split: Split) -> Iterator[torch.Tensor]:
    """The images of a split, some at a time."""
    return (images for images, _ in split.batches(BATCH))
