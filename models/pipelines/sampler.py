"""New digits out of nothing."""

from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any

import torch
from PIL import Image
from scipy.stats import norm

import models
from models.errors import InputError
from models.networks.generators import DIGITS, steadily
from models.networks.vae import GaussianVAE
from models.pictures import images
from models.pipelines.common import LARGEST_SEED, Facts, loaded, number, shared, whole

MOST = 64  # pictures at once
HOTTEST = 2.0

# Two parts of a large sheet are drawn at once: the app gives torch itself one thread.
_TWO = ThreadPoolExecutor(2)


class DigitSampler:
    """Draws digits.

    Args:
        source: what `models.load` takes; a network whose task is generation.

    Raises:
        ValueError: there are no weights for it, or it does something else.
    """

    def __init__(self, source: str):
        self.net = loaded(source, models.names(task="generation"))

    @cached_property
    def facts(self) -> Facts:
        """Size, test figures, and where the weights came from."""
        return Facts.of(self.net)

    @property
    def draws_means(self) -> bool:
        """Whether its pictures are means, each pixel's probability of being white, as those of a VAE."""
        return isinstance(self.net, GaussianVAE)

    def __call__(
        self, n: int = 16, digit: int | None = None, seed: int = 0, temperature: float = 1.0
    ) -> list[Image.Image]:
        """n pictures, 28x28 'L', white on black. The same seed gives the same, of fewer the first, bit for bit.

        Args:
            n: 1 to 64.
            digit: which one, 0 to 9, for a network that can be told; None draws any.
            seed: 0 to 2^32 - 1.
            temperature: what the deviation of the latent is multiplied by, 0 to 2; 0 is one picture of each digit.

        Raises:
            InputError: one of them is something else.
        """
        n, seed = whole("count", n, 1, MOST), whole("seed", seed, 0, LARGEST_SEED)
        temperature = number("temperature", temperature, 0, HOTTEST)
        generator = torch.Generator().manual_seed(seed)
        # Always all of them: a shorter draw would not be the beginning of a longer one.
        z = temperature * torch.randn(MOST, self.net.latent, generator=generator)[:n]
        digits = torch.randint(DIGITS, (MOST,), generator=generator)[:n]
        if digit is not None:
            digits = torch.full((n,), self._told(digit))
        return images.from_tensor(steadily(self._decode, z, digits, each=_TWO.map))

    @torch.inference_mode()
    def _decode(self, z: torch.Tensor, digits: torch.Tensor) -> torch.Tensor:
        return self.net.decode(z, digits if self.net.conditional else None)

    def _told(self, digit: Any) -> int:
        digit = whole("digit", digit, 0, DIGITS - 1)
        if not self.net.conditional:
            raise InputError("digit_untold", "This network cannot be told which digit to draw: ask it for any.")
        return digit


def sampler(name: str) -> DigitSampler:
    """The pipeline of a registered network, loaded once and shared. Raises ValueError as `DigitSampler` does."""
    return shared(DigitSampler, name)


class LatentMap:
    """The plane of a network with a latent of two numbers: what stands where, and where a digit stands.

    The plane is cut so that each of its squares is equally likely: x and y, 0 to 1, are quantiles of the standard
    normal latent (Kingma & Welling 2014, figure 4). `sheet` and `at` show the same of a place, to a level of grey.

    Raises:
        ValueError: there are no weights for the network, or it has another latent than two numbers.
    """

    EDGE = 0.001  # the quantile at the border, about three deviations out

    def __init__(self, source: str = "mnist-vae-2d"):
        self.net = loaded(source, [source] if source in models.names(task="generation") else ["mnist-vae-2d"])
        if self.net.latent != 2 or self.net.conditional:
            raise ValueError(f"{source} draws more than fits on a plane: choose mnist-vae-2d.")

    @torch.inference_mode()
    def at(self, x: float, y: float) -> Image.Image:
        """The picture at a place, 28x28 'L'; x grows to the right, y upwards. Raises InputError outside of 0 to 1."""
        place = [number("place", value, 0, 1) for value in (x, y)]
        return images.from_tensor(self._decoded(torch.tensor([place])))[0]

    @torch.inference_mode()
    def sheet(self, columns: int = 20) -> Image.Image:
        """The whole plane, `columns` pictures wide and high, 'L'."""
        middles = (torch.arange(columns) + 0.5) / columns
        y, x = torch.meshgrid(middles.flip(0), middles, indexing="ij")
        return images.grid(images.from_tensor(self._decoded(torch.stack([x, y], 2).flatten(0, 1))), columns)

    @torch.inference_mode()
    def places(self, pictures: torch.Tensor) -> torch.Tensor:
        """Where pictures (N, 1, 28, 28) stand: (N, 2) of x and y in 0 to 1."""
        return torch.from_numpy(norm.cdf(self.net.encode(pictures).numpy())).clamp(self.EDGE, 1 - self.EDGE)

    def _decoded(self, places: torch.Tensor) -> torch.Tensor:
        latent = torch.from_numpy(norm.ppf(places.clamp(self.EDGE, 1 - self.EDGE).numpy())).float()
        return steadily(self.net.decode, latent)
