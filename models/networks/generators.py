"""What every generator of digits can do."""

from collections.abc import Callable, Iterable

import torch
from torch.nn.functional import one_hot

from models.base import Model

DIGITS = 10
PART = 16  # pictures that `steadily` decodes at once


class Generator(Model):
    """Draws digits (n, 1, 28, 28) from a standard normal latent (n, `latent`).

    A conditional one is told which digit to draw: `digit` is a tensor (n,) of whole numbers, or (n, 10) of shares for
    something between digits; None for the others.
    """

    latent: int
    conditional: bool = False

    def decode(self, z: torch.Tensor, digit: torch.Tensor | None = None) -> torch.Tensor:
        """(N, latent) -> pictures (N, 1, 28, 28) in [0, 1]; a VAE's are each pixel's probability of being white."""
        raise NotImplementedError

    def sample(
        self,
        n: int,
        digit: torch.Tensor | None = None,
        temperature: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> torch.Tensor:
        """n pictures (n, 1, 28, 28) of z drawn from the prior, its deviation times `temperature`.

        The same z for the same `generator` on every machine, as it is drawn on the CPU; the pictures are the same but
        for rounding, see `steadily`. A conditional network draws any digits, all equally often, where none are given.
        """
        device = next(self.parameters()).device
        z = temperature * torch.randn(n, self.latent, generator=generator)
        if self.conditional and digit is None:
            digit = torch.randint(DIGITS, (n,), generator=generator)
        return self.decode(z.to(device), None if digit is None else digit.to(device))


def with_digit(features: torch.Tensor, digit: torch.Tensor) -> torch.Tensor:
    """(N, F) -> (N, F + 10): the digits, as whole numbers (N,) or shares (N, 10), behind the features."""
    told = one_hot(digit, DIGITS) if digit.ndim == 1 else digit
    return torch.cat([features, told.to(features)], 1)


def steadily(
    decode: Callable[..., torch.Tensor], *rows: torch.Tensor, each: Callable[..., Iterable[torch.Tensor]] = map
) -> torch.Tensor:
    """`decode(*rows)`, such that a row gives the same bits whatever comes after it.

    A matrix product of another height may round otherwise: libraries choose their kernels by it, and on some
    processors a picture alone is not, to the last bit, the picture among others. So all are decoded in parts of one
    height, `PART`, the last filled up with zeros: what stands in the same place always meets the same kernels.

    Args:
        decode: takes as many tensors as there are `rows`, all (N, ...), and gives (N, ...).
        rows: at least one, all of one length of 1 or more.
        each: what calls `decode` for all parts, in order; `map` does it one after the other.
    """
    count = len(rows[0])
    filled = (torch.cat([row, row.new_zeros(-count % PART, *row.shape[1:])]).split(PART) for row in rows)
    return torch.cat(list(each(decode, *filled)))[:count]
