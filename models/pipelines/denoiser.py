"""A noisy picture in, a clean one out: photographs of any size, a tile at a time."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from itertools import chain
from math import ceil
from threading import BoundedSemaphore
from typing import Self

import numpy as np
import torch
from PIL import Image
from torch.nn.functional import interpolate

import models
from models.base import Model
from models.errors import InputError
from models.networks.autoencoders import Autoencoder
from models.networks.denoisers import LARGEST_SIGMA, PhotoDenoiser
from models.pictures import images, mnist
from models.pictures.photographs import looked_at, luma, packed, to_pixels, to_tensor, unpacked
from models.pipelines.common import Facts, loaded, number, release, shared
from models.pipelines.noise import Noise, judged

TILE = 640  # pixels on a side, at most, that are worked on at once
AT_ONCE = 2  # tiles, each on a core, of however many pictures: one takes a quarter of a gigabyte
_CORES = BoundedSemaphore(AT_ONCE)
# The colours of a camera's noise are coarser than a pixel. What is left there is taken away at half of the size, as
# Noise Clinic does at several (Lebrun, Colom & Morel 2015), told COARSE times as much; brightness stays, or texture
# would go, and what differs by more than EDGE times σ is the picture's own. On the middle of the crops of every
# second scene of PolyU 38.9 dB become 39.2, and none loses; a quarter of the size added nothing.
COARSE, EDGE = 0.8, 0.6
# Times σ: of a hundred thousand values of noise six are larger. What differs more is the picture's own, such as thin
# coloured lines and print, which the network takes away however little noise it is told; noise is removed as well as
# without this limit, to the third digit after the point of its dB.
FARTHEST = 4.0

Tile = tuple[tuple[slice, slice], tuple[slice, slice], tuple[slice, slice]]


def names() -> list[str]:
    """The registered networks that take noise away: the denoising autoencoder of the documents, and the denoisers."""
    return ["mnist-dae", *models.names(task="denoising")]


class Denoiser:
    """Takes noise away from pictures.

    Args:
        source: what `models.load` takes; a denoiser, or an autoencoder of digits.

    Raises:
        ValueError: there are no weights for it, or it does something else.
    """

    def __init__(self, source: str = "photo-denoiser"):
        self.net = loaded(source, names())

    @classmethod
    def of(cls, net: Model) -> Self:
        """One that runs this network."""
        made = cls.__new__(cls)
        made.net = net
        return made

    @property
    def digits(self) -> bool:
        """Whether it is for digits; then it ignores the noise level."""
        return not isinstance(self.net, PhotoDenoiser)

    @cached_property
    def facts(self) -> Facts:
        """Size, test figures, and where the weights came from."""
        return Facts.of(self.net)

    def __call__(self, image: Image.Image, sigma: float | None = None, grain: float = 0.0) -> Image.Image:
        """The picture without noise: the same size, 'L' for grey and 'RGB' for colour, with 'A' where it had one.

        Transparency stays as it is; so do a colour profile and Exif data, in `info`. What does not,
        `models.pictures.photographs.lost` tells.

        Args:
            image: a photograph of any size and mode; for a network of digits 28x28, white on black.
            sigma: deviation of its noise on the 0-255 scale, 0 to 75; None has it estimated, and at 0 the picture stays
                as it is. Networks of digits ignore it.

            grain: share of the noise's brightness that is left, 0 to 1; at 1 only its colours go.

        Raises:
            InputError: the picture is too large, has no pixels or is none for this network, or sigma or grain is no
                such number.
        """
        *_, (_, clean) = self.steps(image, sigma, grain)
        return clean

    def steps(
        self, image: Image.Image, sigma: float | None = None, grain: float = 0.0, kind: str | None = None
    ) -> Iterator[tuple[float, Image.Image | None]]:
        """The same bit by bit: the share that is done, and at the end the picture. Closing it ends the work.

        Args:
            kind: of the noise, as `judge` says it; None has it judged.
        """
        images.check_size(image)
        if self.digits and image.size != (mnist.DIGIT_SIZE,) * 2:
            raise InputError("not_a_digit", "This network is for digits of 28 × 28 pixels: give it one of that size.")
        if sigma is None or self.digits:
            noise = self.judge(image)
            sigma, kind = noise.sigma, noise.kind
        sigma, grain = number("sigma", sigma, 0, LARGEST_SIGMA), number("grain", grain, 0, 1)
        given, alpha = unpacked(image)
        if self.digits and given.shape[2] == 3:
            given = np.array(Image.fromarray(given).convert("L"))[:, :, None]
        if sigma == 0 and not self.digits:
            yield 1.0, packed(given, alpha, image)
            return
        pixels, hidden = looked_at(given, alpha and np.asarray(alpha))
        # A digit is one tile, whatever its network looks at.
        reach, multiple = (0, 1) if self.digits else (self.net.unet.reach, self.net.unet.multiple)
        tiles = list(_tiles(*pixels.shape[:2], reach, multiple))
        coloured = pixels.shape[2] == 3 and (kind or self.judge(image).kind) == "camera"
        coarse = list(_tiles(*(-(-side // 2) for side in pixels.shape[:2]), reach, multiple)) if coloured else []
        count, clean = len(tiles) + len(coarse), np.empty_like(pixels)

        def work(tile: Tile) -> None:
            inner, outer, within = tile
            with _CORES:
                clean[inner] = self._denoised(pixels[outer], sigma, grain)[within]

        try:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                # What has not begun is dropped when this is closed, since the loop alone holds it.
                for done, _ in enumerate(chain(pool.map(work, tiles), self._coloured(pool, clean, sigma, coarse)), 1):
                    if done < count:
                        yield done / count, None
                whole = np.array(np.broadcast_to(clean, given.shape))
                whole[hidden] = given[hidden]
                yield 1.0, packed(whole, alpha, image)
        finally:
            release()

    def estimate(self, image: Image.Image) -> float:
        """What the network is best told of a photograph's noise, on the 0-255 scale; 0 by a network of digits."""
        return self.judge(image).sigma

    def judge(self, image: Image.Image) -> Noise:
        """How strong a photograph's noise is, and of which kind; none by a network of digits.

        It is judged by the middle of what can be seen: transparent pixels and borders of one colour are no evidence.
        """
        if self.digits:
            return Noise(0.0, "none")
        images.check_size(image)
        with _CORES:
            return judged(self.net, image)

    @torch.inference_mode()
    def _denoised(self, pixels: np.ndarray, sigma: float, grain: float) -> np.ndarray:
        noisy = to_tensor(pixels)
        clean = self._without_noise(noisy, sigma)
        if grain:
            clean = clean + grain * (luma(noisy - clean) if noisy.shape[1] == 3 else noisy - clean)
        return to_pixels(clean)

    def _without_noise(self, noisy: torch.Tensor, sigma: float) -> torch.Tensor:
        told = () if isinstance(self.net, Autoencoder) else (torch.tensor([sigma]),)
        clean = self.net(noisy.contiguous(memory_format=torch.channels_last), *told)
        if self.digits:
            return clean
        return noisy + (clean - noisy).clamp_(-FARTHEST * sigma / 255, FARTHEST * sigma / 255)

    def _coloured(self, pool: ThreadPoolExecutor, clean: np.ndarray, sigma: float, tiles: list[Tile]) -> Iterator[None]:
        """Take coarse noise out of the colours of (H, W, 3) uint8, in place; the tiles are of half its size."""
        if not tiles:
            return
        small = _halved(clean)
        off = torch.empty_like(small)

        @torch.inference_mode()
        def work(tile: Tile) -> None:
            inner, outer, within = ((..., *places) for places in tile)
            with _CORES:
                seen = small[outer].float()
                found = self._without_noise(seen, COARSE * sigma) - seen
                found = found - luma(found)
                beside = found.norm(dim=1, keepdim=True) * 255 / (EDGE * sigma)
                off[inner] = (found / (1 + beside**4))[within]

        for done, _ in enumerate(pool.map(work, tiles), 1):
            if done == len(tiles):
                _add_twice_as_large(clean, off)
            yield


def _halved(pixels: np.ndarray) -> torch.Tensor:
    """(H, W, 3) uint8 -> (1, 3, H / 2, W / 2) in [0, 1], the mean of each two by two."""
    rows, columns = (length % 2 for length in pixels.shape[:2])
    even = np.pad(pixels, ((0, rows), (0, columns), (0, 0)), mode="edge")
    mean = even.reshape(even.shape[0] // 2, 2, even.shape[1] // 2, 2, 3).sum((1, 3), dtype=np.uint16)
    return torch.from_numpy(mean.astype(np.float16) / 1020).permute(2, 0, 1)[None]


def _add_twice_as_large(pixels: np.ndarray, off: torch.Tensor) -> None:
    """Add (1, 3, H / 2, W / 2) to (H, W, 3) uint8, in place, a band at a time, since photographs are large."""
    height, width = pixels.shape[:2]
    for top in range(0, height, TILE):
        bottom = min(height, top + TILE)
        above = max(0, top // 2 - 1)
        part = interpolate(off[:, :, above : -(-bottom // 2) + 1].float(), scale_factor=2, mode="bilinear")
        part = part[:, :, top - 2 * above :][:, :, : bottom - top, :width]
        pixels[top:bottom] = to_pixels(to_tensor(pixels[top:bottom]).add_(part))


def denoiser(name: str) -> Denoiser:
    """The pipeline of a registered network, loaded once and shared. Raises ValueError as `Denoiser` does."""
    return shared(Denoiser, name)


def _tiles(height: int, width: int, reach: int, multiple: int) -> Iterator[Tile]:
    """What is kept of each tile, the tile with all that its pixels depend on, and where in it the kept part lies.

    All begin where the network's coarsest places do, so that they and the whole picture give the same.
    """
    halo = ceil(reach / multiple) * multiple
    for rows in _parts(height, multiple):
        for columns in _parts(width, multiple):
            inner, outer, within = [], [], []
            for (start, end), side in ((rows, height), (columns, width)):
                begin = max(0, start - halo)
                inner.append(slice(start, end))
                outer.append(slice(begin, min(end + halo, side)))
                within.append(slice(start - begin, end - begin))
            yield tuple(inner), tuple(outer), tuple(within)


def _parts(length: int, multiple: int) -> Iterator[tuple[int, int]]:
    """A length in about equal parts of at most `TILE`, each but the last divisible by `multiple`."""
    part = ceil(length / ceil(length / TILE) / multiple) * multiple
    return ((start, min(start + part, length)) for start in range(0, length, part))
