"""How near to the clean picture a denoiser comes."""

from collections.abc import Callable, Iterator

import torch

from models.pictures import corruptions

Restore = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]  # pictures and sigmas (N,) -> pictures


def decibels(rebuilt: torch.Tensor, clean: torch.Tensor, floor: float = 0.0) -> torch.Tensor:
    """Minus the PSNR of each picture, (N, C, H, W) -> (N,): what Chen et al. 2022 minimise; of the error + `floor`."""
    return 10 * ((rebuilt - clean).square().mean((1, 2, 3)) + floor).log10()


def some_clipped(noisy: torch.Tensor, share: float) -> torch.Tensor:
    """A share of the pictures clipped to [0, 1], as files are; the literature measures without."""
    clipped = torch.rand(len(noisy), 1, 1, 1, device=noisy.device) < share
    return torch.where(clipped, noisy.clamp(0, 1), noisy)


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
