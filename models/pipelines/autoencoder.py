"""A digit through the narrow middle of an autoencoder, and the ways between two of them."""

from dataclasses import dataclass
from functools import cached_property

import torch
from PIL import Image

import models
from models.base import architecture
from models.networks.generators import DIGITS, Generator
from models.pictures import images, mnist
from models.pipelines import page_reader
from models.pipelines.common import LARGEST_SEED, Facts, loaded, number, shared, whole

LOUDEST = 3.0
STEPS = (2, 32)


@dataclass(frozen=True)
class Rebuilt:
    """What came out, 28x28 'L', and the mean squared error a pixel, pixels in [0, 1], against what went in."""

    picture: Image.Image
    error: float


def names() -> list[str]:
    """The registered networks that write a digit's code and read it: autoencoders and variational ones."""
    digits = [*models.names(task="autoencoding"), *models.names(task="generation")]
    return [name for name in digits if hasattr(architecture(name), "encode")]


class DigitAutoencoder:
    """Takes a digit to its code and back.

    Args:
        source: what `models.load` takes; an autoencoder, a variational one too.

    Raises:
        ValueError: there are no weights for it, or it does something else.
    """

    def __init__(self, source: str):
        self.net = loaded(source, names())
        self.conditional = getattr(self.net, "conditional", False)

    @cached_property
    def facts(self) -> Facts:
        """Size, test figures, and where the weights came from."""
        return Facts.of(self.net)

    @cached_property
    def deviation(self) -> float:
        """How far the codes' numbers usually lie from their means: over the house's test digits."""
        pictures, digits = mnist.examples()
        told = (digits,) if self.conditional else ()
        with torch.inference_mode():
            return self.net.encode(pictures, *told).var(0).mean().sqrt().item()

    def __call__(self, image: Image.Image, noise: float = 0.0, seed: int = 0) -> Rebuilt:
        """The digit in a picture, rebuilt from its code.

        Args:
            image: of any size, mode and polarity.
            noise: Gaussian noise on the code, in units of `deviation`, 0 to 3.
            seed: of the noise, 0 to 2^32 - 1.

        Raises:
            InputError: there is nothing in the picture, or a number is out of its limits.
        """
        return self._rebuilt(page_reader.to_digit(images.picture(image)), noise, seed)

    @torch.inference_mode()
    def morph(self, first: Image.Image, second: Image.Image, steps: int = 12) -> list[Image.Image]:
        """The walk from one digit to another in `steps` pictures, 28x28 'L', both ends rebuilt from their codes.

        The codes of a Gaussian latent are joined by `slerp`, those of two numbers and of plain autoencoders by a
        straight line; a network that is told the digit is told shares of both on the way.

        Raises:
            InputError: there is nothing in one of the pictures, or steps are not 2 to 32.
        """
        share = torch.linspace(0, 1, whole("steps", steps, *STEPS))[:, None]
        seen = torch.cat([images.to_tensor(page_reader.to_digit(images.picture(image))) for image in (first, second)])
        codes, digit = self._encode(seen)
        walk = slerp if isinstance(self.net, Generator) and self.net.latent > 2 else torch.lerp
        if digit is not None:
            shares = torch.nn.functional.one_hot(digit, DIGITS).float()
            digit = torch.lerp(shares[:1], shares[1:], share)
        return images.from_tensor(self._decode(walk(codes[:1], codes[1:], share), digit))

    @staticmethod
    def compare(image: Image.Image, noise: float = 0.0, seed: int = 0) -> dict[str, Rebuilt]:
        """What every autoencoder of the house makes of a picture, in the order of `names`. Raises as the call does."""
        seen = page_reader.to_digit(images.picture(image))
        return {name: autoencoder(name)._rebuilt(seen, noise, seed) for name in names()}

    @torch.inference_mode()
    def _rebuilt(self, seen: Image.Image, noise: float, seed: int) -> Rebuilt:
        noise, seed = number("noise", noise, 0, LOUDEST), whole("seed", seed, 0, LARGEST_SEED)
        picture = images.to_tensor(seen)
        code, digit = self._encode(picture)
        draw = torch.randn(code.shape, generator=torch.Generator().manual_seed(seed))
        rebuilt = self._decode(code + noise * self.deviation * draw, digit)
        return Rebuilt(images.from_tensor(rebuilt)[0], (rebuilt - picture).square().mean().item())

    def _encode(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Codes, and for a network that is told the digit those that it reads itself."""
        if not self.conditional:
            return self.net.encode(pictures), None
        digit = self.net.read(pictures)
        return self.net.encode(pictures, digit), digit

    def _decode(self, code: torch.Tensor, digit: torch.Tensor | None) -> torch.Tensor:
        return self.net.decode(code) if digit is None else self.net.decode(code, digit)


def autoencoder(name: str) -> DigitAutoencoder:
    """The pipeline of a registered network, loaded once and shared. Raises ValueError as `DigitAutoencoder` does."""
    return shared(DigitAutoencoder, name)


def slerp(first: torch.Tensor, second: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    """Between two codes (1, D) along the sphere (Shoemake 1985; White 2016), shares (N, 1) -> (N, D).

    A Gaussian of many dimensions lies near a sphere. The straight line leaves it: halfway two independent codes have
    only 0.7 of the length that the decoder learned. So the direction turns evenly, and the length goes evenly too.
    """
    lengths = [code.norm(dim=1, keepdim=True) for code in (first, second)]
    left, right = (code / length.clamp_min(1e-9) for code, length in zip((first, second), lengths, strict=True))
    angle = (left * right).sum(1, keepdim=True).clamp(-1, 1).acos()
    if angle.item() < 1e-4:
        return torch.lerp(first, second, share)
    direction = (((1 - share) * angle).sin() * left + (share * angle).sin() * right) / angle.sin().clamp_min(1e-6)
    return direction * torch.lerp(*lengths, share)
