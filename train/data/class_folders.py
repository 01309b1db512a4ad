"""Folders as datasets: one with a sub-folder of pictures for each class, and where the cache keeps any folder."""

import hashlib
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
from datasets.data_files import SPLIT_KEYWORDS

DIGITS = {str(digit): digit for digit in range(10)}
PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"}


def read(root: Path) -> dict[str, datasets.Dataset]:
    """The splits of an image folder with a sub-folder for each class; empty where `root` is none.

    `datasets` reads such folders, too, but numbers the classes by their order: without a folder 0 a 1 would be a 0. It
    also takes pictures whose names hold "test" for a test split, and passes over empty folders.
    """
    described = [*root.glob("metadata.*"), *root.glob("*/metadata.*")]  # labels are in there, says the Hub's layout
    card = root / "README.md"
    if described or (card.is_file() and "\nconfigs:" in card.read_text(errors="replace")):
        return {}
    words = {word: str(split) for split, keywords in SPLIT_KEYWORDS.items() for word in keywords}
    outer = _folders(root)
    splits = [folder for folder in outer if folder.name in words]
    classes = [(words[split.name], folder) for split in splits for folder in _folders(split)]
    classes += [("train", folder) for folder in outer if folder not in splits]
    files = {folder: [file for file in folder.rglob("[!.]*") if file.is_file()] for _, folder in classes}
    pictured = any(file.suffix.lower() in PICTURES for found in files.values() for file in found)
    if not pictured and not any(folder.name in DIGITS for folder in files):
        return {}
    strange = [str(folder.relative_to(root)) for folder in files if folder.name not in DIGITS]
    if strange or (splits and len(splits) < len(outer)):
        named = ", ".join(strange[:10]) if strange else ", ".join(folder.name for folder in outer)
        raise ValueError(
            f"The dataset {root} has folders that are no digit: name the class folders 0 to 9, and put them all at the "
            f"top or all into train, validation and test; there are {named}."
        )
    if empty := [str(folder.relative_to(root)) for folder, found in files.items() if not found]:
        raise ValueError(f"The dataset {root} has empty class folders: fill or remove {', '.join(empty)}.")
    features = datasets.Features({"image": datasets.Image(), "label": datasets.Value("int64")})
    where, tables = place(str(root)), {}
    for split in dict.fromkeys(split for split, _ in classes):
        folders = [folder for its, folder in classes if its == split]
        rows = [(str(file.absolute()), DIGITS[folder.name]) for folder in folders for file in sorted(files[folder])]
        random.Random(0).shuffle(rows)  # what is held out comes from the end, and must not be all nines
        kwargs = {"rows": tuple(rows)}  # a list would be cut into shards
        tables[split] = datasets.Dataset.from_generator(_listed, features, where, gen_kwargs=kwargs, split=split)
    return tables


def place(folder: str) -> str:
    """Where the cache has a folder as it is now: its path, and every file's path, size and time make another place.

    By itself `datasets` tells configurations apart by what a folder's card says, not by the folder or its files.
    """
    root = os.path.abspath(folder)
    digest = hashlib.sha256(os.fsencode(root))
    for inside, folders, files in os.walk(root, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for file in filter(os.path.isfile, sorted(os.path.join(inside, name) for name in files)):
            stat = os.stat(file)
            digest.update(os.fsencode(file) + f" {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return os.path.join(datasets.config.HF_DATASETS_CACHE, f"folder-{digest.hexdigest()[:16]}")


def _folders(root: Path) -> list[Path]:
    return sorted(folder for folder in root.iterdir() if folder.is_dir() and not folder.name.startswith("."))


def _listed(rows: tuple[tuple[str, int], ...]) -> Iterator[dict[str, Any]]:
    for path, label in rows:
        yield {"image": path, "label": label}
