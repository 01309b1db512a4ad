"""What happens to pictures: noise and damage on tensors, seeded. The same code trains and demonstrates.

Pictures are (N, C, H, W) in [0, 1]. Strengths are one number, or one for each picture, (N,); deviations are on the
0-255 scale. Sensor noise is neither clipped nor rounded, as in the denoising literature: that is the caller's affair.
"""

import io
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch.nn.functional import conv2d, pad

Strength = float | torch.Tensor


def _each(strength: Strength, x: torch.Tensor) -> torch.Tensor:
    """One number or (N,) -> what broadcasts against (N, C, H, W)."""
    return torch.as_tensor(strength, dtype=x.dtype, device=x.device).reshape(-1, 1, 1, 1)


def _normal(x: torch.Tensor, generator: torch.Generator | None) -> torch.Tensor:
    # On the processor, where a seed means the same numbers on every machine.
    return torch.randn(x.shape, generator=generator).to(x) if generator else torch.randn_like(x)


def _uniform(x: torch.Tensor, generator: torch.Generator | None) -> torch.Tensor:
    """One number from 0 to 1 for each pixel, the same for all its channels, (N, 1, H, W)."""
    one = x[:, :1]
    return torch.rand(one.shape, generator=generator).to(x) if generator else torch.rand_like(one)


def gaussian(x: torch.Tensor, sigma: Strength, generator: torch.Generator | None = None) -> torch.Tensor:
    """Add normal noise of deviation `sigma` (0-255 scale), each pixel and channel its own."""
    return _normal(x, generator).mul_(_each(sigma, x) / 255).add_(x)  # in place: photographs are large


def poisson(x: torch.Tensor, peak: Strength, generator: torch.Generator | None = None) -> torch.Tensor:
    """Shot noise: white is `peak` photons, and each pixel counts its own (variance x / peak)."""
    peak = _each(peak, x)
    if generator:
        return (torch.poisson((x.clamp_min(0) * peak).cpu(), generator=generator) / peak.cpu()).to(x)
    return torch.poisson(x.clamp_min(0) * peak) / peak


def speckle(x: torch.Tensor, sigma: Strength, generator: torch.Generator | None = None) -> torch.Tensor:
    """Multiply by 1 + normal noise of deviation `sigma` / 255: bright parts suffer more."""
    return _normal(x, generator).mul_(_each(sigma, x) / 255).add_(1).mul_(x)


def salt_and_pepper(x: torch.Tensor, share: Strength, generator: torch.Generator | None = None) -> torch.Tensor:
    """A `share` of the pixels becomes black or white, half of them each."""
    draw, share = _uniform(x, generator), _each(share, x)
    x = torch.where(draw < share / 2, torch.zeros_like(x), x)
    return torch.where(draw > 1 - share / 2, torch.ones_like(x), x)


def masking(x: torch.Tensor, share: Strength, generator: torch.Generator | None = None) -> torch.Tensor:
    """A `share` of the pixels becomes black (Vincent et al. 2008)."""
    return x * (_uniform(x, generator) >= _each(share, x))


def blur(x: torch.Tensor, radius: Strength, generator: torch.Generator | None = None) -> torch.Tensor:
    """Convolve with a Gaussian of deviation `radius` pixels, the border mirrored. Nothing is drawn for it."""
    radius = _each(radius, x).expand(len(x), 1, 1, 1)
    reach = max(1, math.ceil(3 * radius.max().item()))
    reach = min(reach, x.shape[2] - 1, x.shape[3] - 1)
    if reach < 1:
        return x
    at = torch.arange(-reach, reach + 1, device=x.device, dtype=x.dtype)
    kernel = torch.exp(-(at**2) / (2 * radius.clamp_min(1e-3).view(-1, 1) ** 2))
    kernel = (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(x.shape[1], 0)
    flat = pad(x, (reach,) * 4, mode="reflect").flatten(0, 1)[None]
    flat = conv2d(flat, kernel[:, None, :, None], groups=len(kernel))
    return conv2d(flat, kernel[:, None, None, :], groups=len(kernel))[0].unflatten(0, x.shape[:2])


def jpeg(x: torch.Tensor, quality: Strength, generator: torch.Generator | None = None) -> torch.Tensor:
    """Write as JPEG of `quality` 1 to 100 and read again; colours at half the resolution. Nothing is drawn for it."""
    qualities = torch.as_tensor(quality).expand(len(x)).tolist()
    pixels = (255 * x.clamp(0, 1)).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    read = []
    for picture, one in zip(pixels, qualities, strict=True):
        file = io.BytesIO()
        Image.fromarray(picture.squeeze(2) if picture.shape[2] == 1 else picture).save(file, "JPEG", quality=round(one))
        read.append(np.asarray(Image.open(file), np.float32).reshape(picture.shape))
    return (torch.from_numpy(np.stack(read)).permute(0, 3, 1, 2) / 255).to(x)


def camera(
    x: torch.Tensor, peak: Strength, sigma: Strength, quality: Strength, generator: torch.Generator | None = None
) -> torch.Tensor:
    """Shot noise, read noise and JPEG, in this order: what a small camera does to a scene."""
    return jpeg(gaussian(poisson(x, peak, generator), sigma, generator), quality)


@dataclass(frozen=True)
class Corruption:
    """One kind: `apply(x, strength, generator)`, from harmless to the worst, the usual, and the step of a slider."""

    apply: Callable[..., torch.Tensor]
    low: float
    high: float
    usual: float
    step: float


PHOTOS: dict[str, Corruption] = {
    "gaussian": Corruption(gaussian, 0, 75, 25, 1),
    "poisson": Corruption(poisson, 200, 5, 30, 1),
    "speckle": Corruption(speckle, 0, 150, 50, 1),
    "salt-and-pepper": Corruption(salt_and_pepper, 0, 0.5, 0.05, 0.01),
    "masking": Corruption(masking, 0, 0.5, 0.05, 0.01),
    "blur": Corruption(blur, 0, 5, 1.5, 0.1),
    "jpeg": Corruption(jpeg, 95, 5, 20, 1),
}
DIGITS: dict[str, Corruption] = {
    "gaussian": Corruption(gaussian, 0, 150, 64, 1),
    "salt-and-pepper": Corruption(salt_and_pepper, 0, 0.6, 0.2, 0.01),
    "masking": Corruption(masking, 0, 0.8, 0.5, 0.01),
    "blur": Corruption(blur, 0, 3, 1.5, 0.1),
}


def box(
    count: int, height: int, width: int, size: int | torch.Tensor = 28, generator: torch.Generator | None = None
) -> torch.Tensor:
    """Masks (count, 1, height, width): a square of `size` pixels (one number, or (count,)) at any place within."""
    sizes = torch.as_tensor(size).expand(count)
    top, left = (
        (torch.rand(count, generator=generator) * (side - sizes + 1)).long().clamp_min(0).view(-1, 1, 1, 1)
        for side in (height, width)
    )
    sizes = sizes.view(-1, 1, 1, 1)
    rows, columns = torch.arange(height).view(1, 1, -1, 1), torch.arange(width).view(1, 1, 1, -1)
    inside = (rows >= top) & (rows < top + sizes) & (columns >= left) & (columns < left + sizes)
    return inside.float()


def boxes(
    count: int, height: int, width: int, size: int = 20, number: int = 3, generator: torch.Generator | None = None
) -> torch.Tensor:
    """Several squares at any places; they may overlap."""
    return torch.stack([box(count, height, width, size, generator) for _ in range(number)]).amax(0)


def half(count: int, height: int, width: int, generator: torch.Generator | None = None) -> torch.Tensor:
    """The left, right, upper or lower half."""
    rows, columns = torch.arange(height).view(-1, 1), torch.arange(width).view(1, -1)
    halves = torch.stack(
        [
            part.expand(height, width)
            for part in (columns < width // 2, columns >= width // 2, rows < height // 2, rows >= height // 2)
        ]
    )
    return halves[torch.randint(4, (count,), generator=generator)][:, None].float()


def strokes(
    count: int,
    height: int,
    width: int,
    number: int = 4,
    thickness: float = 10.0,
    generator: torch.Generator | None = None,
) -> torch.Tensor:
    """Strokes of a brush: straight pieces, round at their ends, each going on where the one before ended."""
    at = torch.stack(torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij"), -1).float()
    size = torch.tensor([height, width]).float()
    corners = torch.rand(count, number + 1, 2, generator=generator) * size
    start, step = corners[:, :-1, None, None], (corners[:, 1:] - corners[:, :-1])[:, :, None, None]
    share = (((at - start) * step).sum(-1) / step.square().sum(-1).clamp_min(1e-6)).clamp(0, 1)
    distance = (at - start - share[..., None] * step).norm(dim=-1).amin(1)
    return (distance <= thickness / 2).float()[:, None]


MASKS: dict[str, Callable[..., torch.Tensor]] = {"box": box, "boxes": boxes, "strokes": strokes, "half": half}
