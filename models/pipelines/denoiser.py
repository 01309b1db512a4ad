"""A noisy picture in, a clean one out: photographs of any size, a tile at a time."""

from collections.abc import Callable, Iterator
from functools import cached_property

import numpy as np
import torch
from PIL import Image

import models
from models import images
from models.autoencoders import Autoencoder
from models.denoisers import PhotoDenoiser
from models.errors import InputError
from models.pipelines.common import Facts, loaded, number, shared

TILE = 512  # pixels on a side that are worked on at once
HALO = 96  # around them, more than the network looks to any side: tiled and whole give the same picture
LARGEST_SIGMA = 100.0

Progress = Callable[[float], object]


def names() -> list[str]:
    """The registered networks that take noise away: the denoisers, and the denoising autoencoder of the documents."""
    return ["mnist-dae", *models.names(task="denoising")]


class Denoiser:
    """Takes noise away from pictures.

    Args:
        source: what `models.load` takes; a denoiser, or an autoencoder of digits, which ignores the noise level.

    Raises:
        ValueError: there are no weights for it, or it does something else.
    """

    def __init__(self, source: str = "photo-denoiser"):
        self.net = loaded(source, names())
        self.digits = not isinstance(self.net, PhotoDenoiser)
        self.told = not self.digits

    @cached_property
    def facts(self) -> Facts:
        """Size, test figures, and where the weights came from."""
        return Facts.of(self.net)

    def __call__(
        self, image: Image.Image, sigma: float | None = None, progress: Progress = lambda done: None
    ) -> Image.Image:
        """The picture without noise: the same size, 'L' for grey and 'RGB' for colour, with 'A' where it had one.

        Transparency stays as it is; so do a colour profile and Exif data, in `info`. 16 bits become 8.

        Args:
            image: a photograph of any size and mode; for a network of digits one of 28x28, white on black.
            sigma: deviation of its noise on the 0-255 scale, 0 to 100; None has it estimated. Ignored by networks
                that are not told it.
            progress: called with the share that is done, 0 to 1; what it raises ends the work.

        Raises:
            InputError: the picture is too large, has no pixels or is none for this network, or sigma is no such number.
        """
        images.check_size(image)
        pixels, alpha = unpacked(image)
        if self.digits and image.size != (28, 28):
            raise InputError("not_a_digit", "This network is for digits of 28 × 28 pixels: give it one of that size.")
        if sigma is None:
            sigma = self.estimate(image)
        level = torch.tensor([number("sigma", sigma, 0, LARGEST_SIGMA)])
        clean = np.empty_like(pixels)
        tiles = list(_tiles(*pixels.shape[:2]))
        for done, (inner, outer, within) in enumerate(tiles):
            clean[inner] = self._denoised(pixels[outer], level)[within]
            progress((done + 1) / len(tiles))
        return packed(clean, alpha, image)

    def estimate(self, image: Image.Image) -> float:
        """The deviation of a photograph's noise on the 0-255 scale, by its middle; 0 by a network that knows none."""
        if not self.told:
            return 0.0
        images.check_size(image)
        pixels, _ = unpacked(image)
        top, left = (max(0, (side - 2 * TILE) // 2) for side in pixels.shape[:2])
        with torch.inference_mode():
            return self.net.estimate(_tensor(pixels[top : top + 2 * TILE, left : left + 2 * TILE])).item()

    @torch.inference_mode()
    def _denoised(self, pixels: np.ndarray, sigma: torch.Tensor) -> np.ndarray:
        x = _tensor(pixels)
        clean = self.net(x) if isinstance(self.net, Autoencoder) else self.net(x, sigma)
        return (255 * clean[0].clamp(0, 1)).round().byte().permute(1, 2, 0).numpy()


def _tensor(pixels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255


def _tiles(height: int, width: int) -> Iterator[tuple[tuple, tuple, tuple]]:
    """What is kept of each tile, the tile with its halo, and where in it the kept part lies."""
    for top in range(0, height, TILE):
        for left in range(0, width, TILE):
            inner, outer, within = [], [], []
            for start, side in ((top, height), (left, width)):
                end, begin = min(start + TILE, side), max(0, start - HALO)
                inner.append(slice(start, end))
                outer.append(slice(begin, min(end + HALO, side)))
                within.append(slice(start - begin, end - begin))
            yield tuple(inner), tuple(outer), tuple(within)


def unpacked(image: Image.Image) -> tuple[np.ndarray, Image.Image | None]:
    """(H, W, 1) or (H, W, 3) uint8, and the transparency, 'L', if there is one."""
    if image.mode.startswith("I") or image.mode == "F":
        values = np.asarray(image, np.float32)
        high = 65535 if values.max() > 255 else 255
        image = Image.fromarray(np.uint8(np.clip(values * (255 / high), 0, 255).round()))
    alpha = image.convert("RGBA").getchannel("A") if image.has_transparency_data else None
    grey = image.mode in ("L", "LA", "La", "1")
    pixels = np.array(image.convert("L" if grey else "RGB"))
    return (pixels[:, :, None] if grey else pixels), alpha


def packed(pixels: np.ndarray, alpha: Image.Image | None, like: Image.Image) -> Image.Image:
    """The reverse of `unpacked`, with what `like` carries in `info`."""
    image = Image.fromarray(pixels.squeeze(2) if pixels.shape[2] == 1 else pixels)
    if alpha is not None:
        image.putalpha(alpha)
    image.info.update({key: like.info[key] for key in ("icc_profile", "exif", "dpi") if key in like.info})
    return image


def denoiser(name: str) -> Denoiser:
    """The pipeline of a registered network, loaded once and shared. Raises ValueError as `Denoiser` does."""
    return shared(Denoiser, name)
