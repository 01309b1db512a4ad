"""Photographs with a camera's own noise beside the truth, in files named as those of PolyU (Xu et al. 2018)."""

import re
from pathlib import Path
from typing import NamedTuple

from PIL import Image

NAMES = re.compile(r"(?P<scene>.+)_(?P<crop>\d+)_real")  # beside it lies "..._mean", the mean of many exposures


class Pair(NamedTuple):
    """A crop of a scene as the camera took it once, and what is true of it, 'RGB' of one size."""

    scene: str
    noisy: Image.Image
    true: Image.Image


def pairs(folder: str) -> tuple[Pair, ...]:
    """The crops of every second scene, by name.

    The others chose the limits by which `models.pipelines.noise` judges noise; all crops of a scene are on one side.

    Raises:
        ValueError: one sentence: there are no such pairs, or one of them cannot be read.
    """
    found: dict[str, list[Path]] = {}
    for file in sorted(Path(folder).glob("*_real.*")):
        if name := NAMES.fullmatch(file.stem):
            found.setdefault(name["scene"], []).append(file)
    if len(found) < 2:
        raise ValueError(
            f"{folder} holds no scenes as NAME_1_real.jpg beside NAME_1_mean.jpg: give two of them at least."
        )
    return tuple(_pair(scene, file) for scene in sorted(found)[1::2] for file in found[scene])


def _pair(scene: str, file: Path) -> Pair:
    truth = file.with_stem(file.stem.removesuffix("real") + "mean")
    try:
        noisy, true = (Image.open(one).convert("RGB") for one in (file, truth))
    except OSError as error:
        raise ValueError(f"{file} and {truth.name} beside it cannot both be read: take them out.") from error
    if noisy.size != true.size:
        raise ValueError(f"{file} and {truth.name} are not of one size: take them out.")
    return Pair(scene, noisy, true)
