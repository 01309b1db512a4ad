"""What a batch means to denoisers: noise is put on clean pictures, and the clean ones are asked back."""

import torch
from torch import nn
from torch.nn.functional import mse_loss

from models import corruptions
from models.base import Model
from train import photos
from train.data import Data, Split
from train.photos import Photos
from train.recipes import PhotoRecipe
from train.task import Task

SIGMAS = (15, 25, 50)  # at which the literature measures
DIGIT_SIGMAS = (25, 64, 128)
FAINT = 5.0  # sigma, below which errors of the estimate count by themselves, above by their share of it
FLOOR = 1e-5  # of the squared error in the loss: beyond 50 dB nothing is to be gained


class PhotoDenoising(Task):
    """Photographs; chosen by PSNR at sigma 25."""

    score = "psnr_25"

    def load(self, name, config, revision, image_column, label_column) -> Data:
        return photos.load(name, config, revision, image_column)

    def networks(self, net: Model) -> dict[str, nn.Module]:
        return {"net": Denoised(net)}

    def loss(self, nets, turn, images, labels, recipe, done):
        clean = crop(images, recipe.patch)
        noisy, sigma = self.corrupt(clean, recipe)
        rebuilt, estimate = nets[turn](noisy, sigma)
        error = (rebuilt.float() - clean).square().mean((1, 2, 3))
        # The estimate has weights of its own: what its part is multiplied by decides nothing.
        return 10 * (error + FLOOR).log10().mean() + ((estimate - sigma).abs() / (sigma + FAINT)).mean()

    def corrupt(self, clean: torch.Tensor, recipe: PhotoRecipe) -> tuple[torch.Tensor, torch.Tensor]:
        """Patches and what the network is told of their noise, (N,)."""
        count, device = len(clean), clean.device
        grey, camera = round(count * recipe.grey), round(count * recipe.camera)
        clean[:grey] = luma(clean[:grey])
        sigma = torch.rand(count, device=device) * recipe.sigma
        noise = torch.randn_like(clean)
        noise[:grey] = noise[:grey, :1].clone()
        noisy = clean + sigma.view(-1, 1, 1, 1) / 255 * noise
        if camera:
            some = clean[-camera:]
            peak = torch.empty(camera, device=device).uniform_(2, 7).exp()
            read, quality = (torch.empty(camera, device=device).uniform_(*limits) for limits in ((0, 10), (50, 100)))
            noisy[-camera:] = corruptions.camera(some, peak, read, quality)
            off = (noisy[-camera:] - some).square().mean((1, 2, 3)).sqrt()
            sigma[-camera:] = (255 * off).clamp(max=recipe.sigma)
        return noisy, sigma

    def evaluate(self, net: Model, split: Photos) -> dict[str, float]:
        return {f"psnr_{sigma}": psnr(net, split, sigma) for sigma in SIGMAS}


class DigitDenoising(Task):
    """Digits, of which a quarter each suffers noise, specks, holes and blur, from not at all to beyond reading.

    Chosen by the mean PSNR at `DIGIT_SIGMAS`.
    """

    score = "psnr"
    KINDS = ("gaussian", "salt-and-pepper", "masking", "blur")

    def loss(self, nets, turn, images, labels, recipe, done):
        parts = images.tensor_split(len(self.KINDS))
        damaged = [self._damaged(corruptions.CORRUPTIONS[k], some) for k, some in zip(self.KINDS, parts, strict=True)]
        damaged = torch.cat(damaged).contiguous(memory_format=torch.channels_last)
        return mse_loss(nets[turn](damaged).float(), images)

    @staticmethod
    def _damaged(kind: corruptions.Corruption, images: torch.Tensor) -> torch.Tensor:
        share = torch.rand(len(images), device=images.device)
        return kind.apply(images, kind.low + share * (kind.high - kind.low)) if len(images) else images

    def evaluate(self, net: Model, split: Split) -> dict[str, float]:
        figures = {f"psnr_{sigma}": digits_psnr(net, split, sigma) for sigma in DIGIT_SIGMAS}
        return {"psnr": sum(figures.values()) / len(figures), **figures}


@torch.inference_mode()
def digits_psnr(net: Model, split: Split, sigma: float) -> float:
    """Mean over the images of each one's PSNR in dB: noise (seed 0) not clipped, output clipped."""
    generator, values = torch.Generator().manual_seed(0), []
    for clean, _ in split.batches(500):
        rebuilt = net(corruptions.gaussian(clean, sigma, generator)).clamp(0, 1)
        values.append(-10 * (rebuilt - clean).square().mean((1, 2, 3)).clamp_min(1e-10).log10())
    return torch.cat(values).mean().item()


class Denoised(nn.Module):
    """Noisy pictures and their sigma (N,) -> clean ones, and what the network itself thinks that sigma is."""

    def __init__(self, net: Model):
        super().__init__()
        self.net = net

    def forward(self, noisy: torch.Tensor, sigma: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.net(noisy, sigma), self.net.estimate(noisy)


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
def psnr(net: Model, split: Photos, sigma: float, grey: bool = False) -> float:
    """Mean over the photographs of each one's PSNR, dB: noise (seed 0) neither clipped nor rounded, output clipped."""
    generator, total = torch.Generator().manual_seed(0), 0.0
    for clean in split:
        if grey:
            clean = luma(clean).mul(255).round() / 255
        noisy = corruptions.gaussian(clean, sigma, generator)
        level = torch.full((1,), float(sigma), device=clean.device)
        rebuilt = net(noisy.contiguous(memory_format=torch.channels_last), level).clamp(0, 1)
        total -= 10 * mse_loss(rebuilt, clean).log10().item()
    return total / len(split)
