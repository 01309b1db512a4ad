"""Photographs of many sizes: patches of one size to train on, whole pictures to measure with."""

import hashlib
import os
from collections.abc import Iterable, Iterator

import numpy as np
import torch
from PIL import Image

from models.pictures.photographs import packed, unpacked
from train.data import tables
from train.data.digits import image_column
from train.data.splits import Data, Photographs, Split

SCALES = (1.0, 0.9, 0.8, 0.7)  # at which each photograph is cut into patches (Zhang et al. 2017)
HELD_OUT = 20  # a twentieth of the photographs, the last ones


def load(
    name: str, size: int, config: str | None = None, revision: str | None = None, column: str | None = None
) -> Data:
    """Read a dataset of photographs: `train` as patches (N, 3, size, size), the last `HELD_OUT` and `test` whole.

    Raises:
        ValueError: one sentence on what cannot be read or does not fit, and what to do.
    """
    found = tables.read(name, config, revision, classes=False)
    splits, digest = {}, hashlib.sha256()
    for key in ("train", "test"):
        if key not in found:
            raise ValueError(f"The dataset {name} has no split named {key}, only {', '.join(found)}: name one {key}.")
        table, where = found[key], f"{name}, {key}"
        photos = list(_decoded(table[image_column(table, where, column)], where))
        if len(photos) <= HELD_OUT and key == "train":
            raise ValueError(f"The dataset {where} is too small to hold {HELD_OUT} photographs out: add some.")
        for photo in photos:
            digest.update(photo.tobytes())
        splits[key] = photos
    cut = [patch for photo in splits["train"][:-HELD_OUT] for patch in patches(photo, size)]
    if not cut:
        raise ValueError(f"The photographs of {name}, train, have sides below {size} pixels: add larger ones.")
    train = torch.from_numpy(np.stack(cut))
    known_as = os.path.basename(os.path.abspath(name)) if os.path.isdir(name) else name
    return Data(
        Split(train, torch.zeros(len(train), dtype=torch.int64)),
        *(Photographs([_tensor(photo) for photo in some]) for some in (splits["train"][-HELD_OUT:], splits["test"])),
        name=known_as,
        fingerprint=digest.hexdigest(),
    )


def _decoded(column: Iterable[Image.Image], where: str) -> Iterator[Image.Image]:
    images, number = iter(column), 0
    while True:
        number += 1
        try:
            image = next(images)
            image = packed(unpacked(image)[0], None, image).convert("RGB")
        except StopIteration:
            return
        except Exception as error:  # Pillow's readers raise anything on broken files
            raise ValueError(f"Picture number {number} of {where} cannot be decoded: take it out.") from error
        yield image


def _tensor(photo: Image.Image) -> torch.Tensor:
    return torch.from_numpy(np.array(photo)).permute(2, 0, 1).contiguous()


def patches(photo: Image.Image, size: int) -> Iterator[np.ndarray]:
    """Squares (3, size, size) uint8 that cover the photograph, at each scale at which there is room for one."""
    for scale in SCALES:
        width, height = (round(scale * side) for side in photo.size)
        if min(width, height) < size:
            continue
        pixels = np.asarray(photo.resize((width, height), Image.Resampling.BICUBIC)).transpose(2, 0, 1)
        for top in _starts(height, size):
            for left in _starts(width, size):
                yield pixels[:, top : top + size, left : left + size]


def _starts(length: int, size: int) -> list[int]:
    """Where patches begin that cover a length, evenly apart."""
    count = -(-length // size)
    return [round(place * (length - size) / max(1, count - 1)) for place in range(count)]
