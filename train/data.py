"""From a dataset's name to tensors in memory."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import datasets
import numpy as np
import torch
from tqdm import tqdm

VALIDATION_SHARE = 12  # without a validation split the last twelfth of the training images: 5,000 of MNIST's 60,000
TEST_SHARE = 6


@dataclass(frozen=True)
class Split:
    """Images (N, C, H, W) uint8 and labels (N,) int64."""

    images: torch.Tensor
    labels: torch.Tensor

    def __len__(self) -> int:
        return len(self.images)

    def to(self, device: torch.device) -> "Split":
        return Split(self.images.to(device), self.labels.to(device))

    def batches(self, size: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """In order: images in [0, 1] and labels."""
        for start in range(0, len(self), size):
            yield self.images[start : start + size] / 255, self.labels[start : start + size]


@dataclass(frozen=True)
class Data:
    """The three splits, the dataset's name and a sha256 over every pixel and label."""

    train: Split
    validation: Split
    test: Split
    name: str
    fingerprint: str


def load(name: str, size: int = 28) -> Data:
    """Read an image dataset with labels 0 to 9: a Hub id, or a folder in the layout of a dataset repository.

    Args:
        name: what `datasets.load_dataset` takes.
        size: height and width that every grey image must have.

    Raises:
        ValueError: the dataset cannot be read, has no image or label column, is empty, or does not fit.
    """
    try:
        found = datasets.load_dataset(name)
    except Exception as error:  # datasets raises whatever its readers raise; all of it means the same to the user
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ValueError(
            f"The dataset {name} cannot be read ({reason[:200]}): check the name or the folder."
        ) from error
    if "train" not in found:
        raise ValueError(f"The dataset {name} has no split named train, only {', '.join(found)}.")
    splits = {
        key: _decode(found[key], f"{name}, {key}", size) for key in ("train", "validation", "test") if key in found
    }
    if "test" not in splits:
        splits["train"], splits["test"] = _cut(splits["train"], TEST_SHARE, name)
    if "validation" not in splits:
        splits["train"], splits["validation"] = _cut(splits["train"], VALIDATION_SHARE, name)
    digest = hashlib.sha256()
    for key in ("train", "validation", "test"):
        digest.update(splits[key].images.numpy())
        digest.update(splits[key].labels.numpy())
    return Data(**splits, name=Path(name).name if Path(name).exists() else name, fingerprint=digest.hexdigest())


def _cut(split: Split, share: int, name: str) -> tuple[Split, Split]:
    """The last 1 / share of a split apart from the rest."""
    at = len(split) - len(split) // share
    if at == len(split):
        raise ValueError(f"The dataset {name} is too small to hold some images out: {len(split)} for training.")
    return Split(split.images[:at], split.labels[:at]), Split(split.images[at:], split.labels[at:])


def _decode(table: datasets.Dataset, where: str, size: int) -> Split:
    image, label = _columns(table, where)
    if len(table) == 0:
        raise ValueError(f"The dataset {where} is empty.")
    images = np.empty((len(table), 1, size, size), np.uint8)
    pictures = iter(tqdm(table[image], desc=where, unit=" images", leave=False))
    for index in range(len(table)):
        try:
            picture = next(pictures).convert("L")
        except Exception as error:  # none at all, or Pillow's readers, which raise anything on broken files
            raise ValueError(f"The dataset {where} does not fit: image {index} is missing or damaged.") from error
        if picture.size != (size, size):
            measures = f"{picture.width}x{picture.height}, not {size}x{size}"
            raise ValueError(f"The dataset {where} does not fit: image {index} measures {measures}.")
        images[index, 0] = picture
    numbers = table.with_format("numpy")[label][:]
    if not np.issubdtype(numbers.dtype, np.integer):
        raise ValueError(f"The dataset {where} has labels that are missing or no whole numbers.")
    labels = torch.tensor(numbers.astype(np.int64))
    if labels.min() < 0 or labels.max() > 9:
        raise ValueError(f"The dataset {where} has labels from {labels.min()} to {labels.max()}; digits need 0 to 9.")
    return Split(torch.from_numpy(images), labels)


def _columns(table: datasets.Dataset, where: str) -> tuple[str, str]:
    """The names of the image and the label column, found by their type."""
    images = [name for name, kind in table.features.items() if isinstance(kind, datasets.Image)]
    labels = [name for name, kind in table.features.items() if isinstance(kind, datasets.ClassLabel)]
    labels = labels or [name for name in table.column_names if name in ("label", "labels")]
    if len(images) != 1 or len(labels) != 1:
        raise ValueError(
            f"The dataset {where} needs one column of images and one of labels; it has {', '.join(table.column_names)}."
        )
    return images[0], labels[0]
