"""A dataset that a network learns in a second: bars, whose slope is the class, in the form of MNIST's digits."""

import io
from pathlib import Path

import datasets
import numpy as np
import torch
from PIL import Image

from train.data.splits import Data, Split

Pictures = np.ndarray  # (N, H, W) uint8


def bars(count: int, seed: int) -> tuple[Pictures, np.ndarray]:
    """Pictures (N, 28, 28) and labels (N,). Class c is a bar through the centre that is turned by 18 c degrees.

    As MNIST's digits they lie within 20x20, white on black, their centre of mass in the middle, so that
    `models.pictures.images.to_digit` leaves them as they are.
    """
    draw = np.random.default_rng(seed)
    labels = np.arange(count) % 10
    draw.shuffle(labels)
    angle = np.deg2rad(18 * labels + draw.uniform(-7, 7, count))[:, None, None]
    length, width = draw.uniform(6.5, 8.5, (count, 1, 1)), draw.uniform(1.0, 1.8, (count, 1, 1))
    y, x = np.mgrid[0:28, 0:28] - 14.0
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    ink = np.clip(length - abs(along), 0, 1) * np.clip(width - abs(across), 0, 1)
    ink *= draw.uniform(0.7, 1.0, (count, 1, 1)) * draw.uniform(0.9, 1.0, ink.shape)
    return np.round(255 * ink).astype(np.uint8), labels


def data(train: int = 330, validation: int = 30, test: int = 100, seed: int = 0) -> Data:
    """The same as tensors, without the way over a disk."""
    splits = {}
    for offset, (name, count) in enumerate({"train": train, "validation": validation, "test": test}.items()):
        pictures, labels = bars(count, 10 * seed + offset)
        splits[name] = Split(torch.from_numpy(pictures)[:, None], torch.from_numpy(labels))
    return Data(**splits, name="tiny", fingerprint=str(seed))


def png(picture: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()


def write_split(folder: Path, split: str, pictures: Pictures | list[bytes], labels: np.ndarray | list[int]) -> None:
    """Add a split to a dataset repository, as parquet with the columns `image` and `label`."""
    encoded = [{"bytes": item if isinstance(item, bytes) else png(item), "path": None} for item in pictures]
    digits = datasets.ClassLabel(names=[str(digit) for digit in range(10)])
    write_table(folder, split, {"image": encoded, "label": labels}, {"image": datasets.Image(), "label": digits})


def write_table(folder: Path, split: str, columns: dict[str, list], features: dict) -> None:
    """Add a split with any columns."""
    table = datasets.Dataset.from_dict(columns, features=datasets.Features(features))
    file = folder / "data" / f"{split}-00000-of-00001.parquet"
    file.parent.mkdir(parents=True, exist_ok=True)
    table.to_parquet(file)


def photograph(width: int, height: int, seed: int) -> np.ndarray:
    """Colours that differ everywhere, (height, width, 3)."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def write_photographs(folder: Path, split: str, pictures: list[np.ndarray | bytes]) -> None:
    """Add a split of pictures without labels."""
    encoded = [{"bytes": one if isinstance(one, bytes) else png(one), "path": None} for one in pictures]
    write_table(folder, split, {"image": encoded}, {"image": datasets.Image()})
