"""What every generator of digits can do."""

import torch
from torch.nn.functional import one_hot

from models.base import Model

DIGITS = 10


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

        The same pictures for the same `generator` on every machine: z is drawn on the CPU. A conditional network draws
        any digits, all equally often, where none are given.
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
