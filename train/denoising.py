"""What a batch means to denoisers: noise is put on clean pictures, and the clean ones are asked back."""

from collections.abc import Callable, Iterator
from functools import cache

import torch
from skimage import data as pictures
from torch import nn

import models
from models.base import Model
from models.pictures import classical, corruptions
from train.data import photographs
from train.data.digits import Data, Split
from train.data.photographs import Photos
from train.recipes import PhotoRecipe
from train.task import Task

SIGMAS = (15, 25, 50)  # at which the literature measures
DIGIT_SIGMAS = (25, 64, 128)
BLIND = 25
ELSEWHERE = ("astronaut", "chelsea", "coffee", "rocket")  # colour photographs that come with scikit-image
TEXTBOOK = "mnist-dae"
BATCH = 500
FAINT = 5.0  # sigma, below which errors of the estimate count by themselves, above by their share of it
# Of the squared error in the losses, so that what is nearly clean does not outshout the rest: 40 and 50 dB.
FLOOR, DIGIT_FLOOR = 1e-4, 1e-5

Restore = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]  # pictures and sigmas (N,) -> pictures


class PhotoDenoising(Task):
    """Photographs; chosen by PSNR at sigma 25."""

    score = "psnr_25"

    def load(self, name, config, revision, image_column, label_column) -> Data:
        return photographs.load(name, config, revision, image_column)

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
        clean[grey] = luma(clean[grey]).expand(-1, 3, -1, -1)
        sigma = torch.rand(count, device=device) * recipe.sigma
        noise = torch.randn_like(clean)
        noise[grey] = noise[grey, :1].expand(-1, 3, -1, -1)
        noisy = clean + sigma.view(-1, 1, 1, 1) / 255 * noise
        if len(camera):
            some = clean[camera]
            peak = torch.empty(len(camera), device=device).uniform_(2, 7).exp()
            read, quality = (torch.empty_like(peak).uniform_(*limits) for limits in ((0, 10), (50, 100)))
            noisy[camera] = corruptions.camera(some, peak, read, quality)
            off = (noisy[camera] - some).square().mean((1, 2, 3)).sqrt()
            sigma[camera] = (255 * off).clamp(max=recipe.sigma)
        return some_clipped(noisy, recipe.clipped), sigma

    def evaluate(self, net: Model, split: Photos) -> dict[str, float]:
        return {f"psnr_{sigma}": mean_psnr(net, split, sigma) for sigma in SIGMAS}

    def measure(self, net: Model, data: Data) -> dict[str, float]:
        grey = [luma(one).mul(255).round() / 255 for one in data.test]
        return {
            **self.evaluate(net, data.test),
            **{f"grey_{sigma}": mean_psnr(net, grey, sigma) for sigma in SIGMAS},
            f"blind_{BLIND}": mean_psnr(net, data.test, BLIND, told=False),
            f"grey_blind_{BLIND}": mean_psnr(net, grey, BLIND, told=False),
            f"elsewhere_{BLIND}": mean_psnr(net, elsewhere(), BLIND),
        }


class DigitDenoising(Task):
    """Digits, of which a quarter each suffers noise, specks, holes and blur, from not at all to beyond reading.

    Chosen by the mean PSNR at `DIGIT_SIGMAS`.
    """

    score = "psnr"

    def check(self, data: Data) -> None:
        textbook()

    def loss(self, nets, turn, images, labels, recipe, done):
        kinds = corruptions.DIGITS.values()
        parts = zip(kinds, images.tensor_split(len(kinds)), strict=True)
        damaged = some_clipped(torch.cat([self.damaged(kind, some) for kind, some in parts]), recipe.clipped)
        rebuilt = nets[turn](damaged.contiguous(memory_format=torch.channels_last))
        return decibels(rebuilt.float(), images, DIGIT_FLOOR).mean()

    @staticmethod
    def damaged(kind: corruptions.Corruption, images: torch.Tensor) -> torch.Tensor:
        """Each picture with a strength of its own."""
        share = torch.rand(len(images), device=images.device)
        return kind.apply(images, kind.low + share * (kind.high - kind.low)) if len(images) else images

    def evaluate(self, net: Model, split: Split) -> dict[str, float]:
        figures = {f"psnr_{sigma}": mean_psnr(net, batches(split), sigma) for sigma in DIGIT_SIGMAS}
        return {"psnr": sum(figures.values()) / len(figures), **figures}

    def measure(self, net: Model, data: Data) -> dict[str, float]:
        others: dict[str, Restore] = {TEXTBOOK: lambda noisy, sigma: textbook()(noisy), **classical.METHODS}
        measured = {
            f"{name}_{sigma}": mean_psnr(restore, batches(data.test), sigma)
            for name, restore in others.items()
            for sigma in DIGIT_SIGMAS
        }
        return {**self.evaluate(net, data.test), **measured}


@cache
def textbook() -> Model:
    """The denoiser to compare with. Raises ValueError if there are no weights for it."""
    return models.load(TEXTBOOK).requires_grad_(False)


class Denoised(nn.Module):
    """Noisy pictures and their sigma (N,) -> clean ones, and what the network itself thinks that sigma is."""

    def __init__(self, net: Model):
        super().__init__()
        self.net = net

    def forward(self, noisy: torch.Tensor, sigma: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.net(noisy, sigma), self.net.estimate(noisy)


def decibels(rebuilt: torch.Tensor, clean: torch.Tensor, floor: float = 0.0) -> torch.Tensor:
    """Minus the PSNR of each picture, (N, C, H, W) -> (N,): what Chen et al. 2022 minimise; of the error + `floor`."""
    return 10 * ((rebuilt - clean).square().mean((1, 2, 3)) + floor).log10()


def some_clipped(noisy: torch.Tensor, share: float) -> torch.Tensor:
    """A share of the pictures clipped to [0, 1], as files are; the literature measures without."""
    clipped = torch.rand(len(noisy), 1, 1, 1, device=noisy.device) < share
    return torch.where(clipped, noisy.clamp(0, 1), noisy)


def crop(images: torch.Tensor, size: int) -> torch.Tensor:
    """Squares of `size` from a batch, at one random place, turned and mirrored at random, all alike."""
    top, left = (int(torch.randint(side - size + 1, ())) for side in images.shape[2:])
    images = images[:, :, top : top + size, left : left + size]
    images = images.rot90(int(torch.randint(4, ())), (2, 3))
    return (images.flip(3) if torch.rand(()) < 0.5 else images).contiguous(memory_format=torch.channels_last)


def luma(x: torch.Tensor) -> torch.Tensor:
    """(N, 3, H, W) -> (N, 1, H, W), weighed as in JPEG and in Pillow's mode L (ITU-R BT.601)."""
    return (x * x.new_tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1, keepdim=True)


@torch.inference_mode()
def mean_psnr(restore: Restore, clean_pictures: Iterator[torch.Tensor], sigma: float, told: bool = True) -> float:
    """Mean over pictures of each one's PSNR in dB, as the literature has it.

    Noise is neither clipped nor rounded (seed 0), the output is clipped.

    Args:
        restore: a network or a method.
        clean_pictures: batches (N, C, H, W) in [0, 1], of a size of their own each.
        sigma: deviation of the noise, 0-255 scale.
        told: give sigma to `restore`; otherwise it has to estimate it.
    """
    generator, values = torch.Generator().manual_seed(0), []
    for clean in clean_pictures:
        noisy = corruptions.gaussian(clean, sigma, generator).contiguous(memory_format=torch.channels_last)
        level = torch.full((len(clean),), float(sigma), device=clean.device) if told else None
        error = (restore(noisy, level).clamp(0, 1) - clean).square().mean((1, 2, 3))
        values.append(-10 * error.clamp_min(1e-10).log10())
    return torch.cat(values).mean().item()


def batches(split: Split) -> Iterator[torch.Tensor]:
    """The images of a split, some at a time."""
    return (images for images, _ in split.batches(BATCH))


def elsewhere() -> list[torch.Tensor]:
    """Well-known photographs that belong to no training set here, each (1, 3, H, W) in [0, 1]."""
    return [torch.from_numpy(getattr(pictures, name)()).permute(2, 0, 1)[None] / 255 for name in ELSEWHERE]
