"""A normalising flow: an invertible network that bends a standard normal into the shape that codes really have."""

import torch
from torch import nn
from torch.nn.functional import silu

from models.networks.generators import DIGITS, with_digit


class Coupling(nn.Module):
    """An affine coupling layer (Dinh et al. 2017): half of the numbers decide how the other half is scaled and shifted.

    Args:
        size: how many numbers.
        hidden: neurons of the layer in between.
        flip: which half decides.
    """

    def __init__(self, size: int, hidden: int, flip: bool):
        super().__init__()
        self.flip, self.half = flip, size // 2
        given, changed = (size - self.half, self.half) if flip else (self.half, size - self.half)
        self.input = nn.Linear(given + DIGITS, hidden)
        self.hidden = nn.Linear(hidden, hidden)
        self.output = nn.Linear(hidden, 2 * changed)
        nn.init.zeros_(self.output.weight)  # at first it changes nothing
        nn.init.zeros_(self.output.bias)

    def forward(self, z: torch.Tensor, digit: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Towards the standard normal: (N, size) -> (N, size), and the log-determinant of that (N,)."""
        given, changed = self._parts(z)
        scale, shift = self._change(given, digit)
        return self._whole(given, changed * scale.exp() + shift), scale.sum(1)

    def inverse(self, u: torch.Tensor, digit: torch.Tensor) -> torch.Tensor:
        """Back from it."""
        given, changed = self._parts(u)
        scale, shift = self._change(given, digit)
        return self._whole(given, (changed - shift) * (-scale).exp())

    def _change(self, given: torch.Tensor, digit: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        hidden = silu(self.hidden(silu(self.input(with_digit(given, digit)))))
        scale, shift = self.output(hidden).float().chunk(2, 1)
        return 2 * (scale / 2).tanh(), shift  # bounded: a scale without end would tear the plane

    def _parts(self, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        left, right = z[:, : self.half], z[:, self.half :]
        return (right, left) if self.flip else (left, right)

    def _whole(self, given: torch.Tensor, changed: torch.Tensor) -> torch.Tensor:
        return torch.cat([changed, given] if self.flip else [given, changed], 1)


class Flow(nn.Module):
    """`layers` couplings one after the other; told the digit, a (N,) tensor or shares (N, 10)."""

    def __init__(self, size: int, layers: int, hidden: int):
        super().__init__()
        self.couplings = nn.ModuleList(Coupling(size, hidden, flip=bool(number % 2)) for number in range(layers))

    def forward(self, z: torch.Tensor, digit: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(N, size) -> standard normal (N, size), and the log-determinant (N,)."""
        determinant = z.new_zeros(len(z))
        for coupling in self.couplings:
            z, more = coupling(z, digit)
            determinant = determinant + more
        return z, determinant

    def inverse(self, u: torch.Tensor, digit: torch.Tensor) -> torch.Tensor:
        """Standard normal (N, size) -> (N, size)."""
        for coupling in reversed(self.couplings):
            u = coupling.inverse(u, digit)
        return u
