"""Denoising of photographs: noise is put on clean ones, and the clean ones are asked back."""

from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Annotated, ClassVar

import torch
from torch import nn

from models.base import Model
from models.pictures import corruptions
from models.pictures.photographs import luma
from train.data.real_noise import Pair
from train.data.splits import Data, Photographs
from train.figures.denoising import decibels, mean_psnr, some_clipped
from train.recipe import Amount, Recipe, Share, whole
from train.tasks.task import Task

PATCH = 96  # pixels on a side of what photographs are cut into
SIGMAS = (15, 25, 50)  # at which the literature measures
BLIND = 25
ELSEWHERE = ("astronaut", "chelsea", "coffee", "rocket")  # colour photographs that come with scikit-image
FAINT = 5.0  # sigma, below which errors of the estimate count by themselves, above by their share of it
FLOOR = 1e-4  # of the squared error in the loss, so that what is nearly clean does not outshout the rest: 40 dB
CROP = 128  # pixels on a side that a card shows of a photograph
FILMED = 4  # photographs of a snapshot


@dataclass(frozen=True)
class PhotoRecipe(Recipe):
    """Noise of many strengths on patches of photographs.

    The loss is the mean over patches of 10 log10 of the squared error, which is what PSNR measures (Chen et al. 2022),
    with a floor: what is nearly clean would else outshout the rest.

    Attributes:
        patch: pixels on a side, cut at random and turned or mirrored.
        sigma: largest deviation of the noise, 0-255 scale; uniform from 0.
        grey: share of the patches that are grey, with one noise for all channels.
        camera: share of the patches with shot noise, read noise and JPEG instead.
        clipped: share of the patches that are clipped to what a file can hold.
    """

    patch: Annotated[int, whole(16, PATCH)] = 64
    sigma: Amount = 75.0
    grey: Share = 0.0
    camera: Share = 0.0
    clipped: Share = 0.0


class PhotoDenoising(Task):
    """Photographs; chosen by PSNR at sigma 25."""

    recipes: ClassVar = {
        "photo-denoiser": PhotoRecipe(
            dataset="delta-prox/BSD500",
            epochs=17,
            batch_size=24,
            lr=2e-3,
            optimizer="muon",
            warmup=0.01,
            schedule="cosine",
            ema=0.999,
            clip=1.0,
            grey=0.2,
            camera=0.05,
            clipped=0.25,
            mixed_precision="bf16",
            source="Ours: a residual U-Net after FFDNet and DRUNet, on the 400 training photographs of BSDS500 alone.",
        ),
    }
    score = "psnr_25"
    pipeline_tag = "image-to-image"
    metrics: ClassVar = {
        **{f"psnr_{sigma}": f"PSNR, colour, σ {sigma}, dB" for sigma in SIGMAS},
        **{f"grey_{sigma}": f"PSNR, grey, σ {sigma}, dB" for sigma in SIGMAS},
        f"blind_{BLIND}": f"PSNR, colour, σ {BLIND} not told, dB",
        f"grey_blind_{BLIND}": f"PSNR, grey, σ {BLIND} not told, dB",
        f"elsewhere_{BLIND}": f"PSNR, four photographs of scikit-image, σ {BLIND}, dB",
    }
    interface = (
        "It takes pictures `(N, 3, H, W)` or `(N, 1, H, W)` around [0, 1] and sigma `(N,)` on the 0-255 scale, and "
        "gives them without noise; `estimate` says what sigma is."
    )
    limits = (
        "It learned from Gaussian noise on 380 photographs; one patch in twenty had shot noise, read noise and JPEG "
        "instead, as a small camera has them. **No real noise was trained on**: on grain that is coloured, coarse or "
        "striped, tell it a sigma by eye. Beyond sigma 75 it knows nothing. It smooths what it takes for noise, fine "
        "texture too: it is not for evidence, nor for diagnosis."
    )

    def load(self, name, config, revision, image_column, label_column) -> Data:
        from train.data import photographs

        return photographs.load(name, PATCH, config, revision, image_column)

    def networks(self, net: Model) -> dict[str, nn.Module]:
        return {"net": Denoised(net)}

    def loss(self, nets, turn, images, labels, recipe, done):
        clean = crop(images, recipe.patch)
        noisy, sigma = self.corrupt(clean, recipe)
        rebuilt, estimate = nets[turn](noisy, sigma)
        # The estimate has weights of its own: what its part is multiplied by decides nothing.
        return decibels(rebuilt.float(), clean, FLOOR).mean() + ((estimate - sigma).abs() / (sigma + FAINT)).mean()

    def corrupt(self, clean: torch.Tensor, recipe: PhotoRecipe) -> tuple[torch.Tensor, torch.Tensor]:
        """Noisy patches, and what the network is told of their noise, (N,). Makes some of the clean ones grey."""
        count, device = len(clean), clean.device
        chance = torch.rand(count, device=device)
        grey, camera = chance < recipe.grey, (chance >= 1 - recipe.camera).nonzero().flatten()
        sigma = torch.rand(count, device=device) * recipe.sigma
        noise = torch.randn_like(clean)
        make_grey(clean, noise, grey)
        noisy = clean + sigma.view(-1, 1, 1, 1) / 255 * noise
        if len(camera):
            some = clean[camera]
            peak = torch.empty(len(camera), device=device).uniform_(2, 7).exp()
            read, quality = (torch.empty_like(peak).uniform_(*limits) for limits in ((0, 10), (50, 100)))
            noisy[camera] = corruptions.camera(some, peak, read, quality)
            off = (noisy[camera] - some).square().mean((1, 2, 3)).sqrt()
            sigma[camera] = (255 * off).clamp(max=recipe.sigma)
        return some_clipped(noisy, recipe.clipped), sigma

    @torch.inference_mode()
    def snapshot(self, net: Model, validation: Photographs) -> torch.Tensor:
        """Corners of noisy photographs, and below each what the network makes of it."""
        from train.figures import film

        some = validation.images[:FILMED]
        side = min(CROP, *(min(one.shape[1:]) for one in some))
        clean = torch.stack([one[:, :side, :side] for one in some]) / 255
        noisy = corruptions.gaussian(clean, float(BLIND), torch.Generator().manual_seed(0))
        return film.beside(torch.cat([noisy, net(noisy, torch.full((len(clean),), float(BLIND)))]), len(clean))

    def evaluate(self, net: Model, split: Photographs) -> dict[str, float]:
        return {f"psnr_{sigma}": mean_psnr(net, split, sigma) for sigma in SIGMAS}

    def measure(self, net: Model, data: Data) -> dict[str, float]:
        grey = [luma(one).mul(255).round() / 255 for one in data.test]
        return {
            **self.evaluate(net, data.test),
            **{f"grey_{sigma}": mean_psnr(net, grey, sigma) for sigma in SIGMAS},
            f"blind_{BLIND}": mean_psnr(net, data.test, BLIND, told=False),
            f"grey_blind_{BLIND}": mean_psnr(net, grey, BLIND, told=False),
            f"elsewhere_{BLIND}": mean_psnr(net, elsewhere(), BLIND),
            **(untold(net, data.real) if data.real else {}),
        }

    @torch.inference_mode()
    def section(self, folder: Path, net: Model, figures: dict[str, float], data: Data) -> str:
        """A table beside the published ones, and strips of photographs."""
        from models.pictures import classical
        from train.figures.plots import photographs, plt

        sigma = torch.tensor([float(BLIND)])
        rows = min(4, len(data.test))
        figure, axes = plt.subplots(rows, 4, figsize=(8, 2.15 * rows), squeeze=False, layout="constrained")
        for row, clean in zip(axes, data.test, strict=False):
            noisy = corruptions.gaussian(clean, sigma, torch.Generator().manual_seed(0))
            shown = {
                "clean": clean,
                f"noisy, σ {BLIND}": noisy,
                "non-local means": classical.non_local_means(noisy, sigma),
                "this network": net(noisy, sigma),
            }
            top, left = (max(0, (side - CROP) // 2) for side in clean.shape[2:])
            for place, (title, picture) in zip(row, shown.items(), strict=True):
                place.imshow(picture[0, :, top : top + CROP, left : left + CROP].clamp(0, 1).permute(1, 2, 0).numpy())
                psnr = -decibels(picture.clamp(0, 1), clean).item()
                place.set(title=title, xticks=[], yticks=[], xlabel="" if picture is clean else f"{psnr:.2f} dB")
        photographs(figure, folder / "strips.jpg", dpi=110)
        ours = {kind: " | ".join(f"{figures[f'{kind}_{s}']:.2f}" for s in SIGMAS) for kind in ("psnr", "grey")}
        return f"""PSNR as in the papers: noise is added to 8-bit values and neither clipped nor rounded, the output is
clipped, and the mean is over the images' own figures. Published figures are for CBSD68, the test split that this recipe
is meant for, and its grey version by Pillow's `L`, BSD68.

| PSNR, dB | σ 15 | 25 | 50 |
|---|---|---|---|
| colour: **this network** | {ours["psnr"]} |
| CBM3D (no training) | 33.52 | 30.71 | 27.38 |
| DnCNN (0.6 M parameters) | 33.90 | 31.24 | 27.95 |
| DRUNet (32 M, far more data) | 34.30 | 31.69 | 28.51 |
| grey: **this network** | {ours["grey"]} |
| BM3D (no training) | 31.08 | 28.57 | 25.60 |
| DnCNN | 31.73 | 29.23 | 26.23 |

{_real(figures, data)}The first test images, the middle of each; the figures are those of the whole image:

![Clean, noisy, non-local means, this network](strips.jpg)
"""

    def usage(self, net: Model) -> str:
        return (
            "noisy = torch.rand(1, 3, 256, 320)\n"
            "clean = net(noisy, torch.tensor([25.0]))  # sigma; without it, net.estimate(noisy)"
        )

    def summary(self, figures: dict[str, float], section: str) -> str:
        colour, grey = (", ".join(f"{figures[f'{kind}_{sigma}']:.2f}" for sigma in SIGMAS) for kind in ("psnr", "grey"))
        return f"CBSD68 at σ {', '.join(map(str, SIGMAS))}: {colour} dB; BSD68: {grey} dB"


def untold(net: Model, real: tuple[Pair, ...]) -> dict[str, float]:
    """Mean PSNR in dB of photographs with real noise as they are, and as the app cleans them, which is told nothing."""
    from models.pipelines import Denoiser, quality

    denoiser = Denoiser.of(net)
    noisy = [quality(pair.true, pair.noisy).psnr for pair in real]
    clean = [quality(pair.true, denoiser(pair.noisy)).psnr for pair in real]
    return {"real_noisy": mean(noisy), "real_blind": mean(clean)}


def _real(figures: dict[str, float], data: Data) -> str:
    if not data.real:
        return ""
    scenes = len({pair.scene for pair in data.real})
    return f"""Of real noise, on {len(data.real)} crops of {scenes} scenes of PolyU (Xu et al. 2018), whose other scenes
chose by which limits noise is judged: **{figures["real_noisy"]:.2f} -> {figures["real_blind"]:.2f} dB**, told nothing
(`evaluate photo-denoiser --real`).

"""


class Denoised(nn.Module):
    """Noisy pictures and their sigma (N,) -> clean ones, and what the network itself thinks that sigma is."""

    def __init__(self, net: Model):
        super().__init__()
        self.net = net

    def forward(self, noisy: torch.Tensor, sigma: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.net(noisy, sigma), self.net.estimate(noisy)


def make_grey(clean: torch.Tensor, noise: torch.Tensor, which: torch.Tensor) -> None:
    """Make some pictures grey, (N,) bool, in place: with three equal channels, and one noise for all of them."""
    clean[which] = luma(clean[which]).expand(-1, 3, -1, -1)
    noise[which] = noise[which, :1].expand(-1, 3, -1, -1)


def crop(images: torch.Tensor, size: int) -> torch.Tensor:
    """Squares of `size` from a batch, at one random place, turned and mirrored at random, all alike."""
    top, left = (int(torch.randint(side - size + 1, ())) for side in images.shape[2:])
    images = images[:, :, top : top + size, left : left + size]
    images = images.rot90(int(torch.randint(4, ())), (2, 3))
    return (images.flip(3) if torch.rand(()) < 0.5 else images).contiguous(memory_format=torch.channels_last)


def elsewhere() -> list[torch.Tensor]:
    """Well-known photographs that belong to no training set here, each (1, 3, H, W) in [0, 1]."""
    from skimage import data as pictures

    return [torch.from_numpy(getattr(pictures, name)()).permute(2, 0, 1)[None] / 255 for name in ELSEWHERE]
