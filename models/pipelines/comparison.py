"""Noise on demand, and all methods against it, side by side."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from PIL import Image
from skimage.metrics import structural_similarity
from skimage.restoration import estimate_sigma

from models.errors import InputError
from models.networks.denoisers import LARGEST_SIGMA
from models.pictures import classical, images
from models.pictures.corruptions import Corruption
from models.pictures.photographs import middle, packed, to_pixels, to_tensor, unpacked
from models.pipelines.common import LARGEST_SEED, number, release, whole
from models.pipelines.denoiser import denoiser, names

COMPARED = 512  # pixels on a side, in the middle, on which methods are compared: some take their time
STRIP = 256  # rows that are compared at once
WINDOW = 11  # pixels on a side that SSIM looks at


@dataclass(frozen=True)
class Quality:
    """How near a picture is to the clean one: PSNR in dB, infinite if it is the same, and SSIM.

    SSIM (Wang et al. 2004) is of the luma, at most 1; None for pictures smaller than its window.
    """

    psnr: float
    ssim: float | None


@dataclass(frozen=True)
class Attempt:
    """What one method makes of a picture, how long it takes, and how good it is where the clean one is known."""

    name: str
    picture: Image.Image
    milliseconds: float
    quality: Quality | None


def damaged(image: Image.Image, kinds: dict[str, Corruption], kind: str, strength: float, seed: int = 0) -> Image.Image:
    """A picture with something the matter: the same size and transparency, clipped and rounded to 8 bits.

    Args:
        image: of any size and mode.
        kinds: `corruptions.PHOTOS` or `corruptions.DIGITS`.
        kind: one of them.
        strength: within its limits.
        seed: 0 to 2^32 - 1; the same seed does the same to pictures of the same size.

    Raises:
        InputError: the picture is too large or has no pixels, or one of the others is not as above.
    """
    images.check_size(image)
    if not isinstance(kind, str) or kind not in kinds:
        listed = ", ".join(kinds)
        raise InputError("kind", f"There is no such damage: choose one of {listed}.", offered=listed)
    corruption = kinds[kind]
    strength = number("strength", strength, *sorted((corruption.low, corruption.high)))
    generator = torch.Generator().manual_seed(whole("seed", seed, 0, LARGEST_SEED))
    pixels, alpha = unpacked(image)
    try:
        return packed(to_pixels(corruption.apply(to_tensor(pixels), strength, generator)), alpha, image)
    finally:
        release()


def quality(clean: Image.Image, other: Image.Image) -> Quality:
    """Compare two pictures; transparency does not count. Raises InputError unless they have the same size."""
    _expect_one_size(clean, other)
    pixels = [unpacked(one)[0] for one in (clean, other)]
    error, ssim = _mean_square(*pixels), None
    if min(clean.size) >= WINDOW:
        luma = [_luma(one) for one in pixels]
        # Strip by strip, as it takes ten times a picture's memory. Neighbours share what the window reaches over.
        rows = clean.height - WINDOW + 1
        parts = [slice(top, min(top + STRIP, rows) + WINDOW - 1) for top in range(0, rows, STRIP)]
        total = sum(_ssim(*(one[part] for one in luma)) * (part.stop - part.start - WINDOW + 1) for part in parts)
        ssim = total / rows
    return Quality(10 * math.log10(255**2 / error) if error else math.inf, ssim)


def _expect_one_size(clean: Image.Image, noisy: Image.Image) -> None:
    if clean.size != noisy.size:
        first, second = (f"{one.width} × {one.height}" for one in (clean, noisy))
        message = f"The clean picture has {first} pixels, the other {second}: give two of the same size."
        raise InputError("sizes", message, clean=first, noisy=second)


def _luma(pixels: np.ndarray) -> np.ndarray:
    return pixels[:, :, 0] if pixels.shape[2] == 1 else np.asarray(Image.fromarray(pixels).convert("L"))


def _ssim(clean: np.ndarray, other: np.ndarray) -> float:
    # As Wang et al. have it; the window reaches 3.5 deviations to each side.
    options = {"gaussian_weights": True, "use_sample_covariance": False}
    return float(structural_similarity(clean.astype(np.float32), other.astype(np.float32), data_range=255, **options))


def _mean_square(clean: np.ndarray, other: np.ndarray) -> float:
    """Of two pictures (H, W, C); a grey one counts as three equal channels beside one in colour."""
    rows = [slice(top, top + STRIP) for top in range(0, len(clean), STRIP)]
    differences = (np.subtract(clean[part], other[part], dtype=np.float32) for part in rows)
    return sum(np.vdot(one, one).item() for one in differences) / max(clean.size, other.size)


def compare(
    noisy: Image.Image, clean: Image.Image | None = None, sigma: float | None = None, digits: bool = False
) -> list[Attempt]:
    """What every method makes of the middle of a picture, at most 512x512: first networks, then those untrained.

    Args:
        noisy: of any size and mode; a digit of 28x28, white on black.
        clean: the same without noise, for the figures.
        sigma: deviation of the noise on the 0-255 scale, for those who are told; None: what `clean` tells, or else an
            estimate.
        digits: whether networks for digits take part, or those for photographs.

    Raises:
        InputError: a picture is too large or has no pixels, their sizes differ, or sigma is out of the limits.
        ValueError: there are no weights for a network.
    """
    images.check_size(noisy)
    if clean:
        _expect_one_size(clean, noisy)
    # As a whole before the middle: what is white in 16 bits shows the whole.
    noisy, clean = (one and middle(packed(*unpacked(one), one), COMPARED) for one in (noisy, clean))
    networks = {name: one for name in names() if (one := denoiser(name)).digits == digits}
    pixels, alpha = unpacked(noisy)
    most = 255 if digits else LARGEST_SIGMA
    if sigma is None and clean:
        sigma = min(math.sqrt(_mean_square(unpacked(clean)[0], pixels)), most)
    elif sigma is None and digits:  # whose networks know of none
        found = estimate_sigma(pixels / 255, channel_axis=2, average_sigmas=True)
        sigma = 255 * float(np.nan_to_num(found))  # nothing at all where all is of one tone
    elif sigma is None:
        sigma = max(one.estimate(noisy) for one in networks.values())
    sigma = number("sigma", sigma, 0, most)
    methods: dict[str, Callable[[], Image.Image]] = {name: partial(one, noisy, sigma) for name, one in networks.items()}
    for name, method in classical.METHODS.items():
        methods[name] = lambda method=method: packed(
            to_pixels(method(to_tensor(pixels), torch.tensor([sigma]))), alpha, noisy
        )
    return [_attempt(name, work, clean) for name, work in methods.items()]


def _attempt(name: str, work: Callable[[], Image.Image], clean: Image.Image | None) -> Attempt:
    start = time.perf_counter()
    picture = work()
    milliseconds = 1000 * (time.perf_counter() - start)
    return Attempt(name, picture, milliseconds, quality(clean, picture) if clean else None)
