"""From a dataset's name to tensors in memory."""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import torch
from PIL import Image, ImageOps

from models.errors import InputError
from models.pictures.images import to_digit
from models.pictures.mnist import DIGIT_SIZE
from train.data import tables
from train.data.class_folders import DIGITS
from train.data.splits import Data, Split

VALIDATION_SHARE = 12  # without a validation split the last twelfth of the training images: 5,000 of MNIST's 60,000
TEST_SHARE = 6
IMAGES_A_PROCESS = 5_000  # half a second's work: for less another process is not worth its start
DECODER = 2  # to be raised with every change of `_pixels`: the cache knows that function by its name alone


def load(
    name: str,
    config: str | None = None,
    revision: str | None = None,
    image_column: str | None = None,
    label_column: str | None = None,
) -> Data:
    """Read a dataset of digits with labels 0 to 9, decoded once and from then on out of the cache of `datasets`.

    Args:
        name: a Hub id; or a folder: in the layout of a dataset repository, or with a sub-folder of pictures for each
            class, named 0 to 9, at the top or within train, validation and test.
        config, revision: which configuration, and which branch, tag or commit of a Hub dataset.
        image_column, label_column: their names; without them they are found by type or by their usual names.

    Every image must measure 28x28; colour is made grey. Those that cannot be decoded are left out; a line on stdout for
    each split counts and names them.

    Raises:
        ValueError: one sentence on what cannot be read or does not fit, and what to do.
    """
    return gathered(
        name, tables.read(name, config, revision), lambda table, where: _split(table, where, image_column, label_column)
    )


def gathered(name: str, found: dict[str, datasets.Dataset], read: Callable[[datasets.Dataset, str], Split]) -> Data:
    """Each split of `found` by `read`, which is told what to call it; what is not there is cut from the end of train.

    Raises ValueError if there is no train, or not enough of it.
    """
    if "train" not in found:
        raise ValueError(f"The dataset {name} has no split named train, only {', '.join(found)}: name one train.")
    keys = ("train", "validation", "test")
    splits = {key: read(found[key], f"{name}, {key}") for key in keys if key in found}
    if "test" not in splits:
        splits["train"], splits["test"] = _cut(splits["train"], TEST_SHARE, name)
    if "validation" not in splits:
        splits["train"], splits["validation"] = _cut(splits["train"], VALIDATION_SHARE, name)
    digest = hashlib.sha256()
    for key in keys:
        digest.update(np.ascontiguousarray(splits[key].images))
        digest.update(splits[key].labels.numpy())
    known_as = os.path.basename(os.path.abspath(name)) if os.path.isdir(name) else name
    return Data(**splits, name=known_as, fingerprint=digest.hexdigest())


def joined(data: Data, name: str, times: int) -> Data:
    """The data with all digits of a further dataset, its splits together, to learn from so many times an epoch.

    They may have any size, and are brought into MNIST's form. Raises ValueError.
    """
    found, digest = [], hashlib.sha256(data.fingerprint.encode())
    for key, table in tables.read(name, None, None).items():
        where = f"{name}, {key}"
        image, label = _columns(table, where, None, None)
        found += _formed(table, where, image, _labels(table, label, range(len(table)), where).tolist())
    pictures = torch.from_numpy(np.stack([picture for picture, _ in found]))[:, None]
    labels = torch.tensor([label for _, label in found])
    digest.update(pictures.numpy())
    digest.update(labels.numpy())
    train = Split(
        torch.cat([data.train.images, *[pictures] * times]), torch.cat([data.train.labels, *[labels] * times])
    )
    return replace(data, train=train, fingerprint=digest.hexdigest())


def _formed(table: datasets.Dataset, where: str, image: str, labels: list[int]) -> Iterator[tuple[np.ndarray, int]]:
    """Each digit in MNIST's form, (28, 28) uint8, and its label; without those in which there is nothing."""
    try:
        column = table.cast_column(image, datasets.Image())[image]
        for picture, label in zip(column, labels, strict=True):
            with suppress(InputError):
                yield np.asarray(to_digit(picture)), label
    except Exception as error:  # Pillow's readers raise anything on broken files
        raise ValueError(f"The dataset {where} has an image that cannot be decoded: take it out.") from error


def _cut(split: Split, share: int, name: str) -> tuple[Split, Split]:
    """The last 1 / share of a split apart from the rest; of one that lies there class by class, of all of them."""
    at = len(split) - len(split) // share
    if at == len(split):
        raise ValueError(
            f"The dataset {name} is too small to hold some images out, with {len(split)} for training: add images, or "
            "the splits validation and test."
        )
    if 1 < len(split.labels.unique()) == 1 + (split.labels.diff() != 0).sum():  # what is held out must not be all nines
        order = torch.randperm(len(split), generator=torch.Generator().manual_seed(0))
        split = Split(split.images[order], split.labels[order])
    return Split(split.images[:at], split.labels[:at]), Split(split.images[at:], split.labels[at:])


def _split(table: datasets.Dataset, where: str, image: str | None, label: str | None) -> Split:
    """A table's images and labels in memory, without those that cannot be decoded."""
    image, label = _columns(table, where, image, label)
    images, kept = decode(table, where, image, mode="L", size=DIGIT_SIZE)
    return Split(images, _labels(table, label, kept, where))


def decode(table: datasets.Dataset, where: str, image: str, *, mode: str, size: int) -> tuple[torch.Tensor, list[int]]:
    """A column of images as (N, channels, size, size) uint8, and which rows they are of: those that can be decoded.

    Args:
        table, where: encoded, and what to call it.
        image: the column.
        mode: "L", for which they must have that size, or "RGB", for which they are cut and scaled to it.

    Raises ValueError.
    """
    if len(table) == 0:
        raise ValueError(f"The dataset {where} is empty: give one with images.")
    try:
        encoded = table.select_columns([image]).cast_column(image, datasets.Image(decode=False))
    except Exception as error:  # whatever the readers of Arrow raise
        raise ValueError(
            f"The dataset {where} has no images in the column {image}: choose with --image-column another of "
            f"{', '.join(table.column_names)}."
        ) from error
    options = {"column": image, "mode": mode, "size": size, "version": DECODER}
    try:
        decoded = encoded.map(
            _pixels,
            batched=True,
            with_indices=True,
            remove_columns=[image],
            features=datasets.Features({"pixels": datasets.Value("binary")}),
            fn_kwargs=options,
            num_proc=_processes(len(table)),
            desc=f"Decoding {where}",
        )
        pixels = decoded["pixels"][:]
        for index in [index for index, item in enumerate(pixels) if item is None]:
            # The cache must not hold for broken what a disk that was away, say, kept from us once.
            pixels[index] = _pixels(encoded[index : index + 1], [index], **options)["pixels"][0]
    except ValueError as error:
        raise ValueError(f"The dataset {where} does not fit: {error}.") from error
    kept = [index for index, item in enumerate(pixels) if item is not None]
    lost = [index for index, item in enumerate(pixels) if item is None]
    if lost:
        told = ", ".join(_called(index, encoded[index][image]) for index in lost[:10])
        told += f" and {len(lost) - 10:,} more" if len(lost) > 10 else ""
        if not kept:
            raise ValueError(f"The dataset {where} has no image that can be decoded: check its files, image {told}.")
        print(f"{where}: {len(lost):,} of {len(table):,} images could not be decoded and are left out: image {told}")
    images = np.frombuffer(bytearray().join(pixels[index] for index in kept), np.uint8)
    return torch.from_numpy(images.reshape(-1, size, size, len(mode)).transpose(0, 3, 1, 2)), kept


def _processes(images: int) -> int | None:
    """How many processes are to decode; None for this one alone."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    wanted = min(cores, images // IMAGES_A_PROCESS)
    return wanted if wanted > 1 else None


def _pixels(
    batch: dict[str, list], indices: list[int], column: str, mode: str, size: int, version: int
) -> dict[str, list]:
    """Each image's bytes, row by row, None where it cannot be decoded. Raises ValueError on a digit of another size."""
    reader, pixels = datasets.Image(), []
    for index, item in zip(indices, batch[column], strict=True):
        try:
            picture = reader.decode_example(item).convert(mode)
        except Exception:  # there is none at all, or Pillow's readers, which raise anything on broken files
            pixels.append(None)
            continue
        if mode == "RGB":
            picture = ImageOps.fit(picture, (size, size), Image.Resampling.LANCZOS)
        if picture.size != (size, size):
            measures = f"{picture.width}x{picture.height}, not {size}x{size}"
            raise ValueError(f"image {_called(index, item)} measures {measures}; scale the images first")
        pixels.append(picture.tobytes())
    return {"pixels": pixels}


def _called(index: int, item: dict[str, Any] | None) -> str:
    path = item and item["path"]
    return f"{index} ({'/'.join(Path(path).parts[-2:])})" if path else str(index)


def _labels(table: datasets.Dataset, label: str, kept: Sequence[int], where: str) -> torch.Tensor:
    """The labels (N,) int64 of those rows. A class that is named by a digit is that digit."""
    kind, values = table.features[label], table[label][:]
    digits: dict = DIGITS
    if isinstance(kind, datasets.ClassLabel):
        named = set(kind.names) <= DIGITS.keys()
        digits = {index: DIGITS[name] for index, name in enumerate(kind.names)} if named else {}
    single = isinstance(kind, datasets.ClassLabel | datasets.Value)
    numbers = np.array([digits.get(values[index], values[index]) for index in kept] if single else [None])
    if not np.issubdtype(numbers.dtype, np.integer):
        raise ValueError(
            f"The dataset {where} has labels that are missing or no whole numbers: choose with --label-column another "
            f"column than {label}."
        )
    if numbers.min() < 0 or numbers.max() > 9:
        raise ValueError(
            f"The dataset {where} has labels from {numbers.min()} to {numbers.max()}; digits need 0 to 9: choose "
            "another dataset, or another column with --label-column."
        )
    return torch.tensor(numbers.astype(np.int64))


def image_column(table: datasets.Dataset, where: str, given: str | None) -> str:
    """The name of the column of images: as given, or found by its type. Raises ValueError."""
    names = table.column_names
    found = [given] if given in names else [k for k, kind in table.features.items() if isinstance(kind, datasets.Image)]
    if len(found) != 1 or (given and given not in names):
        raise ValueError(
            f"The dataset {where} needs one column of images; it has {', '.join(names)}: name it with --image-column."
        )
    return found[0]


def _columns(table: datasets.Dataset, where: str, image: str | None, label: str | None) -> tuple[str, str]:
    """The names of the image and the label column: as given, or found by their type, or by their usual names."""
    names = table.column_names
    for option, given in (("--image-column", image), ("--label-column", label)):
        if given is not None and given not in names:
            raise ValueError(
                f"The dataset {where} has no column named {given}: choose with {option} one of {', '.join(names)}."
            )
    images = [name for name, kind in table.features.items() if isinstance(kind, datasets.Image)]
    images = [image] if image else images or [name for name in names if name in ("image", "images", "img")]
    labels = [name for name, kind in table.features.items() if isinstance(kind, datasets.ClassLabel)]
    labels = [label] if label else labels or [name for name in names if name in ("label", "labels")]
    if len(images) != 1 or len(labels) != 1:
        raise ValueError(
            f"The dataset {where} needs one column of images and one of labels; it has {', '.join(names)}: name them "
            "with --image-column and --label-column."
        )
    return images[0], labels[0]
