"""Image folders: a sub-folder of pictures for each class, with or without folders for the splits above them."""

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import tiny

from train.data import digits

PICTURES, LABELS = tiny.bars(200, seed=5)


def fill(root: Path, count: int = 200, name: str = "{}.png") -> None:
    """`count` pictures, each in the folder of its class."""
    for index in range(count):
        file = root / str(LABELS[index]) / name.format(index)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(tiny.png(PICTURES[index]))


def pairs(*splits: digits.Split) -> Counter:
    """Which picture has which label, in any order."""
    return Counter(
        (image.numpy().tobytes(), int(label))
        for split in splits
        for image, label in zip(split.images, split.labels, strict=True)
    )


def expected(*indices: int) -> Counter:
    return Counter((PICTURES[index].tobytes(), int(LABELS[index])) for index in indices)


def test_without_splits(tmp_path: Path) -> None:
    """Every picture is read with its label. What is held out is drawn from all classes, the same at every place.

    A picture whose name holds "test" is none of the test split's.
    """
    fill(tmp_path / "a" / "digits", name="{}-test.png")
    (tmp_path / "a" / "digits" / ".git").mkdir()
    (tmp_path / "a" / "digits" / "7" / ".DS_Store").touch()
    (tmp_path / "a" / "digits" / "README.md").write_text("Digits\n")
    fill(tmp_path / "b" / "digits", name="{}-test.png")
    found = digits.load(str(tmp_path / "a" / "digits"))
    assert (len(found.train), len(found.validation), len(found.test)) == (154, 13, 33)
    assert pairs(found.train, found.validation, found.test) == expected(*range(200))
    assert len(found.test.labels.unique()) > 5 and len(found.validation.labels.unique()) > 3
    assert found.name == "digits"
    assert digits.load(str(tmp_path / "b" / "digits")).fingerprint == found.fingerprint


def test_with_splits(tmp_path: Path) -> None:
    """Folders for the splits, by any name that the Hub knows them by, hold the class folders."""
    fill(tmp_path / "train")
    fill(tmp_path / "val", 30)
    fill(tmp_path / "test", 50)
    found = digits.load(str(tmp_path))
    assert [pairs(split) for split in (found.train, found.validation, found.test)] == [
        expected(*range(count)) for count in (200, 30, 50)
    ]


@pytest.mark.parametrize("classes", [(3, 7), (7,)])
def test_some_digits_alone(tmp_path: Path, classes: tuple[int, ...]) -> None:
    """Folder 7 means 7, whichever other folders there are."""
    fill(tmp_path)
    for folder in tmp_path.iterdir():
        if int(folder.name) not in classes:
            folder.rename(tmp_path.parent / f"{tmp_path.name}-not-{folder.name}")
    found = digits.load(str(tmp_path))
    chosen = [index for index in range(200) if LABELS[index] in classes]
    assert pairs(found.train, found.validation, found.test) == expected(*chosen)


def test_files_that_are_no_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They are left out, counted and named by their path."""
    fill(tmp_path / "train")
    fill(tmp_path / "test")
    (tmp_path / "train" / "3" / "notes.txt").write_text("threes")
    (tmp_path / "train" / "4" / "half.png").write_bytes(tiny.png(PICTURES[0])[:60])
    found = digits.load(str(tmp_path))
    assert pairs(found.train, found.validation) == expected(*range(200))
    told = capsys.readouterr().out
    assert told.startswith(f"{tmp_path}, train: 2 of 202 images could not be decoded and are left out: image ")
    assert set(re.findall(r"\(([^)]*)\)", told)) == {"3/notes.txt", "4/half.png"} and told.count("\n") == 1


def test_sorted_by_another_layout(tmp_path: Path) -> None:
    """Where a metadata file tells the labels, as the Hub's layout has it, folders are no classes."""
    (tmp_path / "images").mkdir()
    lines = ["file_name,label"]
    for index in range(36):
        (tmp_path / "images" / f"{index}.png").write_bytes(tiny.png(PICTURES[index]))
        lines.append(f"images/{index}.png,{LABELS[index]}")
    (tmp_path / "metadata.csv").write_text("\n".join(lines) + "\n")
    found = digits.load(str(tmp_path))
    assert pairs(found.train, found.validation, found.test) == expected(*range(36))


def strange(root: Path) -> None:
    for name in ("cat", "dog"):
        (root / name).mkdir()
        (root / name / "a.png").write_bytes(tiny.png(PICTURES[0]))


def empty(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()


def large(root: Path) -> None:
    (root / "5" / "large.png").write_bytes(tiny.png(np.zeros((30, 40), np.uint8)))


MISFITS = {
    "words for names": (strange, "name the class folders 0 to 9, .*; there are cat, dog"),
    "a word among digits": (lambda root: [fill(root), strange(root)], "there are cat, dog"),
    "words within splits": (lambda root: [(root / "train").mkdir(), strange(root / "train")], "train/cat, train/dog"),
    "number 10": (lambda root: [fill(root), (root / "10").mkdir()], "there are 10"),
    "an empty class": (lambda root: [fill(root), empty(root / "4")], "empty class folders: fill or remove 4"),
    "classes that are all empty": (lambda root: [(root / "0").mkdir(), (root / "1").mkdir()], "fill or remove 0, 1"),
    "an empty class within splits": (
        lambda root: [fill(root / "train", 30), (root / "test" / "4").mkdir(parents=True)],
        "fill or remove test/4",
    ),
    "classes beside splits": (lambda root: [fill(root), fill(root / "test")], "all at the top or all into"),
    "a test split alone": (lambda root: fill(root / "test"), "no split named train, only test"),
    "two images": (lambda root: fill(root, 2), "too small to hold some images out, with 2 for training"),
    "another size": (lambda root: [fill(root), large(root)], r"image \d+ \(5/large.png\) measures 40x30, not 28x28"),
    "no such column": (fill, "no column named hue: choose with --label-column one of image, label"),
}


@pytest.mark.parametrize("misfit", MISFITS)
def test_what_does_not_fit(tmp_path: Path, misfit: str) -> None:
    """One sentence that names the dataset, what is wrong, and what to do."""
    make, sentence = MISFITS[misfit]
    make(tmp_path)
    with pytest.raises(ValueError, match=sentence) as caught:
        digits.load(str(tmp_path), label_column="hue" if misfit == "no such column" else None)
    assert str(tmp_path) in str(caught.value) and "\n" not in str(caught.value)
