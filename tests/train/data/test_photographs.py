"""Photographs read for training: patches of one size, whole pictures held out, and what cannot be read."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from shell import sentence
from tiny import photograph, write_photographs

from train.data import photographs
from train.data.photographs import HELD_OUT
from train.tasks.photo_denoising import PATCH


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two photographs to train on, and one more than that too small for a patch; the rest is held out."""
    train = [photograph(200, 130, 0), photograph(100, 96, 1), photograph(90, 300, 2)]
    write_photographs(tmp_path / "set", "train", train + [photograph(20, 30, 10 + n) for n in range(HELD_OUT)])
    write_photographs(tmp_path / "set", "test", [photograph(70, 50, 3), photograph(31, 64, 4)])
    return tmp_path / "set"


def test_splits(folder: Path) -> None:
    """The last ones are held out; those and the test split stay whole."""
    found = photographs.load(str(folder), PATCH)
    assert (len(found.validation), len(found.test), found.name) == (HELD_OUT, 2, "set")
    for number, whole in enumerate(found.test):
        expected = photograph(*((70, 50), (31, 64))[number], 3 + number)
        assert np.array_equal((255 * whole[0]).round().byte().permute(1, 2, 0).numpy(), expected)
    assert [one.shape[2:] for one in found.validation] == [(30, 20)] * HELD_OUT


def test_patches_cover_the_photograph() -> None:
    """Every pixel is in one at the first scale, each patch lies where it says, and smaller scales add theirs."""
    pixels = np.zeros((130, 200, 3), np.uint8)
    pixels[:, :, 0], pixels[:, :, 1] = np.arange(130)[:, None], np.arange(200)
    found = list(photographs.patches(Image.fromarray(pixels), PATCH))
    first, seen = found[:6], np.zeros((130, 200), bool)  # 2 rows of 3
    for patch in first:
        assert patch.shape == (3, PATCH, PATCH)
        top, left = patch[0, 0, 0], patch[1, 0, 0]
        assert np.array_equal(patch[0], np.broadcast_to(top + np.arange(PATCH)[:, None], (PATCH, PATCH)))
        seen[top : top + PATCH, left : left + PATCH] = True
    assert seen.all()
    # At 0.9 it is 117 x 180, at 0.8 104 x 160: 2 by 2 patches each. At 0.7 it is 91 rows high: too few.
    assert len(found) == 6 + 4 + 4


def test_train_split_is_made_of_patches(folder: Path) -> None:
    """Those of the photographs that are not held out; what is smaller than a patch gives none."""
    found = photographs.load(str(folder), PATCH).train
    expected = [
        p for seed, size in enumerate(((200, 130), (100, 96))) for p in photographs.patches(_image(*size, seed), PATCH)
    ]
    assert np.array_equal(found.images.numpy(), np.stack(expected))
    assert found.images.dtype == torch.uint8 and len(found.labels) == len(expected) == 14 + 2


def _image(width: int, height: int, seed: int) -> Image.Image:
    return Image.fromarray(photograph(width, height, seed))


def test_sixteen_bits(folder: Path) -> None:
    """Grey of 16 bits is no white."""
    grey = np.arange(31 * 64, dtype=np.uint16).reshape(64, 31) * 33
    write_photographs(folder, "test", [grey])
    found = photographs.load(str(folder), PATCH).test.images[0]
    assert abs(found[0].numpy().astype(int) - np.round(grey / 257)).max() <= 1


def test_folders_of_any_name(tmp_path: Path) -> None:
    """Photographs in folders below train and test, which for digits would be classes."""
    for split, count in (("train", HELD_OUT + 1), ("test", 2)):
        (tmp_path / "set" / split / "cats").mkdir(parents=True)
        for number in range(count):
            _image(100, 100, number).save(tmp_path / "set" / split / "cats" / f"{number}.png")
    found = photographs.load(str(tmp_path / "set"), PATCH)
    assert (len(found.train), len(found.validation), len(found.test)) == (4, HELD_OUT, 2)


def test_fingerprint(folder: Path, tmp_path: Path) -> None:
    """One pixel makes another."""
    before = photographs.load(str(folder), PATCH).fingerprint
    assert photographs.load(str(folder), PATCH).fingerprint == before
    changed = photograph(70, 50, 3)
    changed[0, 0, 0] ^= 1
    write_photographs(folder, "test", [changed, photograph(31, 64, 4)])
    assert photographs.load(str(folder), PATCH).fingerprint != before


@pytest.mark.parametrize(
    ("train", "test", "told"),
    [
        ([photograph(100, 100, n) for n in range(HELD_OUT)], [photograph(9, 9, 0)], "hold 20 photographs out"),
        ([photograph(95, 100, n) for n in range(HELD_OUT + 1)], [photograph(9, 9, 0)], "96 pixels"),
        ([photograph(100, 100, n) for n in range(HELD_OUT + 1)], None, "no split named test"),
        ([*(photograph(100, 100, n) for n in range(HELD_OUT)), b"no picture"], [photograph(9, 9, 0)], "number 21"),
    ],
    ids=["too few", "too small", "no test", "broken"],
)
def test_what_cannot_be_read(train: list, test: list | None, told: str, cli: Callable, tmp_path: Path) -> None:
    """One sentence that names the dataset and what to do, before anything is trained."""
    write_photographs(tmp_path / "bad", "train", train)
    if test:
        write_photographs(tmp_path / "bad", "test", test)
    message = sentence(cli("fit", "photo-denoiser", "--dataset", tmp_path / "bad"))
    assert told in message and "bad" in message
