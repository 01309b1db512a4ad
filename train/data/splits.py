"""A dataset in memory: three splits of tensors."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from train.data.real_noise import Pair


@dataclass(frozen=True)
class Split:
    """Images (N, C, H, W) uint8, or points (N, D) float32, and labels (N,) int64."""

    images: torch.Tensor
    labels: torch.Tensor

    def __len__(self) -> int:
        return len(self.images)

    def to(self, device: torch.device) -> "Split":
        return Split(self.images.to(device), self.labels.to(device))

    def take(self, rows: torch.Tensor | slice) -> torch.Tensor:
        """Some of them as networks take them: images in [0, 1]."""
        chosen = self.images[rows]
        return chosen if chosen.is_floating_point() else chosen / 255

    def batches(self, size: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """In order: images in [0, 1] and labels."""
        for start in range(0, len(self), size):
            yield self.take(slice(start, start + size)), self.labels[start : start + size]


@dataclass(frozen=True)
class Photographs:
    """Whole photographs, each (3, H, W) uint8 of a size of its own."""

    images: list[torch.Tensor]

    def __len__(self) -> int:
        return len(self.images)

    def to(self, device: torch.device) -> "Photographs":
        return Photographs([one.to(device) for one in self.images])

    def __iter__(self) -> Iterator[torch.Tensor]:
        """One after the other, (1, 3, H, W) in [0, 1]."""
        return (one[None] / 255 for one in self.images)


@dataclass(frozen=True)
class Data:
    """The three splits, the dataset's name, a sha256 over every pixel and label; pairs with real noise, if any."""

    train: Split
    validation: Split
    test: Split
    name: str
    fingerprint: str
    real: tuple[Pair, ...] = ()
