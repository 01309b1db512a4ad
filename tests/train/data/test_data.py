"""From a dataset repository to tensors: what is read, what is held out, and one sentence for whatever does not fit."""

import hashlib
import io
import re
from collections.abc import Callable
from pathlib import Path

import datasets
import numpy as np
import pytest
import tiny
import torch
from app_process import bomb
from PIL import Image

from train.data import digits

PICTURES, LABELS = tiny.bars(36, seed=3)
IMAGE, NUMBER = datasets.Image(), datasets.Value("int64")


def encoded(pictures: list[np.ndarray | bytes | None]) -> list[dict | None]:
    """What an image column holds."""
    made = [tiny.png(item) if isinstance(item, np.ndarray) else item for item in pictures]
    return [item and {"bytes": item, "path": None} for item in made]


def test_splits(tiny_mnist: Path) -> None:
    """The last twelfth of the training images validates, the test split is whole, and nothing is altered."""
    found = digits.load(str(tiny_mnist))
    (train, train_labels), (test, test_labels) = tiny.bars(360, seed=1), tiny.bars(100, seed=2)
    for split, pictures, labels in (
        (found.train, train[:330], train_labels[:330]),
        (found.validation, train[330:], train_labels[330:]),
        (found.test, test, test_labels),
    ):
        assert split.images.shape == (len(pictures), 1, 28, 28)
        assert (split.images.dtype, split.labels.dtype) == (torch.uint8, torch.int64)
        assert np.array_equal(split.images[:, 0].numpy(), pictures)
        assert np.array_equal(split.labels.numpy(), labels)
    digest = hashlib.sha256()
    for pictures, labels in ((train[:330], train_labels[:330]), (train[330:], train_labels[330:]), (test, test_labels)):
        digest.update(pictures.tobytes() + labels.astype(np.int64).tobytes())
    assert (found.name, found.fingerprint) == ("tiny", digest.hexdigest())


def test_batches(tiny_mnist: Path) -> None:
    """Batches come in order, in [0, 1], the last one short."""
    split = tiny.data().test
    images, labels = zip(*split.batches(30), strict=True)
    assert [len(batch) for batch in images] == [30, 30, 30, 10]
    assert torch.equal(torch.cat(images), split.images.float() / 255)
    assert torch.equal(torch.cat(labels), split.labels)


def test_fingerprint_knows_every_pixel_and_label(tmp_path: Path) -> None:
    """The same data elsewhere has the same fingerprint; one grey level or one label more has not."""
    dimmer, relabelled = PICTURES.copy(), LABELS.copy()
    dimmer[35, 27, 27] += 1
    relabelled[0] = (relabelled[0] + 1) % 10
    found = {}
    for name, pictures, labels in (
        ("as it is", PICTURES, LABELS),
        ("a copy", PICTURES, LABELS),
        ("dimmer", dimmer, LABELS),
        ("relabelled", PICTURES, relabelled),
    ):
        tiny.write_split(tmp_path / name, "train", pictures, labels)
        found[name] = digits.load(str(tmp_path / name)).fingerprint
    assert found["as it is"] == found["a copy"]
    assert len(set(found.values())) == 3


def test_what_a_repository_may_lack(tmp_path: Path) -> None:
    """A validation split is taken as it is; without a test split the last sixth of the training images is one.

    Labels may be plain numbers, and a colour picture is made grey.
    """
    columns = {"image": encoded([np.stack([picture] * 3, 2) for picture in PICTURES]), "label": LABELS.tolist()}
    tiny.write_table(tmp_path / "a", "train", columns, {"image": IMAGE, "label": NUMBER})
    tiny.write_split(tmp_path / "b", "train", PICTURES, LABELS)
    tiny.write_split(tmp_path / "b", "validation", PICTURES[:5], LABELS[:5])
    found = [digits.load(str(tmp_path / name)) for name in "ab"]
    sizes = [tuple(map(len, (one.train, one.validation, one.test))) for one in found]
    assert sizes == [(28, 2, 6), (30, 5, 6)]
    assert np.array_equal(found[0].test.images[:, 0].numpy(), PICTURES[30:])
    assert np.array_equal(found[0].test.labels.numpy(), LABELS[30:])
    assert np.array_equal(found[1].validation.images[:, 0].numpy(), PICTURES[:5])


def table(columns: dict[str, list], **features: object) -> Callable[[Path], None]:
    return lambda folder: tiny.write_table(folder, "train", columns, features)


def labelled(labels: list) -> dict[str, list]:
    return {"image": encoded([*PICTURES[: len(labels)]]), "label": labels}


def damaged(at: int) -> bytes:
    whole = bytearray(tiny.png(PICTURES[0]))
    whole[at] ^= 0xFF
    return bytes(whole)


def jpeg() -> bytes:
    file = io.BytesIO()
    Image.fromarray(PICTURES[0]).save(file, "JPEG")
    return file.getvalue()


GOOD = {"image": IMAGE, "label": NUMBER}
BROKEN: dict[str, bytes | None] = {
    "no picture": None,
    "not a picture": b"GIF89a, or so it says",
    "an empty file": b"",
    "half a picture": tiny.png(PICTURES[0])[:60],
    "half a JPEG": jpeg()[:-200],
    "a bomb": bomb(),
    "a broken header": damaged(18),
    "a broken chunk": damaged(38),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_what_cannot_be_decoded(tmp_path: Path, capsys: pytest.CaptureFixture[str], broken: str) -> None:
    """It is left out with its label, which may then be missing, and named; the others keep their order."""
    images = [*encoded([*PICTURES]), *encoded([BROKEN[broken]] * 2)]
    images.insert(7, images.pop())
    labels = [*LABELS[:7].tolist(), None, *LABELS[7:].tolist(), 3]
    tiny.write_table(tmp_path / "set", "train", {"image": images, "label": labels}, GOOD)
    found = digits.load(str(tmp_path / "set"))
    pictures = torch.cat([found.train.images, found.validation.images, found.test.images])
    assert np.array_equal(pictures[:, 0].numpy(), PICTURES)
    assert torch.cat([found.train.labels, found.validation.labels, found.test.labels]).tolist() == LABELS.tolist()
    told = f"{tmp_path}/set, train: 2 of 38 images could not be decoded and are left out: image 7, 37\n"
    assert capsys.readouterr().out == told


def test_many_that_cannot_be_decoded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Ten are named, by their file where the dataset knows one, the others counted."""
    broken = [{"bytes": b"?", "path": f"a/{index}.png" if index % 2 else None} for index in range(1_200)]
    columns = {"image": [*encoded([*PICTURES]), *broken], "label": [1] * 1_236}
    tiny.write_table(tmp_path / "set", "train", columns, GOOD)
    assert len(digits.load(str(tmp_path / "set")).test) == 6
    told = capsys.readouterr().out
    assert "1,200 of 1,236 images" in told and told.count("\n") == 1
    names = [f"{36 + index} (a/{index}.png)" if index % 2 else str(36 + index) for index in range(10)]
    assert told.endswith(f": image {', '.join(names)} and 1,190 more\n")


CARD = "---\nconfigs:\n- config_name: a\n  data_files: a/data/*\n- config_name: b\n  data_files: b/data/*\n---\n"


def two_configurations(folder: Path) -> None:
    """Configuration a has 24 pictures, b 36, both for training."""
    for name, count in {"a": 24, "b": 36}.items():
        tiny.write_split(folder / name, "train", PICTURES[:count], LABELS[:count])
    (folder / "README.md").write_text(CARD)


def test_configuration(tmp_path: Path) -> None:
    """A folder laid out like a repository may have several; one is read."""
    two_configurations(tmp_path / "set")
    found = [digits.load(str(tmp_path / "set"), config=name) for name in "ab"]
    assert [len(one.train) + len(one.validation) + len(one.test) for one in found] == [24, 36]


def test_columns(tmp_path: Path) -> None:
    """Columns have any names; where there are several that fit, or the types are bare, they are named."""
    wrong, bare = encoded([np.zeros((28, 28), np.uint8)] * 36), [tiny.png(picture) for picture in PICTURES]
    columns = {"mask": wrong, "digit": LABELS.tolist(), "label": [0] * 36, "scan": encoded([*PICTURES]), "raw": bare}
    kinds = {"mask": IMAGE, "digit": NUMBER, "label": NUMBER, "scan": IMAGE, "raw": datasets.Value("binary")}
    tiny.write_table(tmp_path / "several", "train", columns, kinds)
    one = {"scan": columns["scan"], "class": LABELS.tolist()}
    kinds = {"scan": IMAGE, "class": datasets.ClassLabel(names=[*"0123456789"])}
    tiny.write_table(tmp_path / "one", "train", one, kinds)
    found = [
        digits.load(str(tmp_path / "several"), image_column="scan", label_column="digit"),
        digits.load(str(tmp_path / "several"), image_column="raw", label_column="digit"),
        digits.load(str(tmp_path / "one")),
    ]
    assert len({one.fingerprint for one in found}) == 1
    assert np.array_equal(found[0].test.images[:, 0].numpy(), PICTURES[30:])
    assert found[0].test.labels.tolist() == LABELS[30:].tolist()
    assert digits.load(str(tmp_path / "several"), image_column="scan").test.labels.tolist() == [0] * 6


@pytest.mark.parametrize(
    ("kind", "labels", "read"),
    [
        (datasets.ClassLabel(names=["9", "3"]), [0, 1], [9, 3]),
        (datasets.ClassLabel(names=["shirt", "shoe"]), [0, 1], [0, 1]),
        (datasets.Value("string"), ["8", "0"], [8, 0]),
        (datasets.Value("uint8"), [8, 0], [8, 0]),
    ],
    ids=["classes with digits for names", "classes in words", "digits as text", "small numbers"],
)
def test_labels(tmp_path: Path, kind: object, labels: list, read: list[int]) -> None:
    """A class that is named by a digit is that digit, whatever its place; other classes count from 0."""
    tiny.write_table(tmp_path / "set", "train", labelled(labels * 18), {"image": IMAGE, "label": kind})
    assert digits.load(str(tmp_path / "set")).test.labels.tolist() == read * 3


MISFITS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no such folder": (lambda folder: None, r"cannot be read \(there is no such folder\): check the name"),
    "a file": (lambda folder: folder.touch(), r"cannot be read \(this is a file\)"),
    "an empty folder": (lambda folder: folder.mkdir(), "cannot be read .*doesn't contain any data files"),
    "a folder of nonsense": (
        lambda folder: [folder.mkdir(), (folder / "a.parquet").write_text("nonsense")],
        "cannot be read .*Parquet",
    ),
    "no train": (lambda folder: tiny.write_split(folder, "test", PICTURES, LABELS), "no split named train, only test"),
    "two configurations": (two_configurations, "several configurations: choose with --dataset-config one of a, b"),
    "no image column": (
        table({"text": ["a"], "label": [1]}, text=datasets.Value("string"), label=NUMBER),
        "text, label: name them with --image-column",
    ),
    "images that are none": (
        table({"image": [1] * 20, "label": [1] * 20}, image=NUMBER, label=NUMBER),
        "no images in the column image: choose with --image-column another of image, label",
    ),
    "two image columns": (
        table(labelled([1]) | {"mask": encoded([PICTURES[0]])}, mask=IMAGE, **GOOD),
        "one column of images .* image, label, mask: name them with --image-column",
    ),
    "no label column": (table({"image": encoded([PICTURES[0]])}, image=IMAGE), "one of labels; it has image"),
    "labels in words": (table(labelled(["one"] * 20), image=IMAGE, label=datasets.Value("string")), "no whole numbers"),
    "labels that are missing": (table(labelled([1, None] * 10), **GOOD), "missing .* --label-column"),
    "labels that are fractions": (table(labelled([0.5] * 20), image=IMAGE, label=datasets.Value("float64")), "whole"),
    "labels that are lists": (
        table(labelled([[1, 0]] * 20), image=IMAGE, label=datasets.List(datasets.Value("int64"))),
        "no whole numbers",
    ),
    "a label too large": (table(labelled([*range(11)] * 2), **GOOD), "from 0 to 10; digits need 0 to 9: choose"),
    "a label below zero": (table(labelled([*range(-1, 10)] * 2), **GOOD), "from -1 to 9"),
    "nothing in it": (table(labelled([]), **GOOD), "empty|cannot be read"),
    "two images": (table(labelled([1, 2]), **GOOD), "too small to hold some images out, with 2 for training: add"),
    "another size": (
        table({"image": encoded([*PICTURES[:20], np.zeros((20, 28), np.uint8)]), "label": [0] * 21}, **GOOD),
        "image 20 measures 28x20, not 28x28; scale the images first",
    ),
    "nothing that can be decoded": (
        table({"image": encoded([b"?", None, b""]), "label": [0] * 3}, **GOOD),
        "no image that can be decoded: check its files, image 0, 1, 2",
    ),
}


def refusal(name: Path, **options: str) -> str:
    """The sentence that `load` refuses a dataset with."""
    with pytest.raises(ValueError) as caught:
        digits.load(str(name), **options)
    message = str(caught.value)
    assert str(name) in message
    assert "\n" not in message and len(message) < 500
    assert "object at 0x" not in message and "NoneType" not in message
    return message


@pytest.mark.parametrize("misfit", MISFITS)
def test_what_does_not_fit(tmp_path: Path, misfit: str) -> None:
    """One sentence that names the dataset, what is wrong, and what to do."""
    make, sentence = MISFITS[misfit]
    make(tmp_path / "set")
    assert re.search(sentence, refusal(tmp_path / "set"))


def test_choices_that_are_not_there(tmp_path: Path) -> None:
    """The sentence names those that are."""
    two_configurations(tmp_path / "two")
    tiny.write_split(tmp_path / "one", "train", PICTURES, LABELS)
    one, two = tmp_path / "one", tmp_path / "two"
    assert "no configuration c: choose with --dataset-config one of a, b" in refusal(two, config="c")
    assert "no configuration c: choose with --dataset-config one of default" in refusal(one, config="c")
    for option in ("image", "label"):
        sentence = f"no column named hue: choose with --{option}-column one of image, label."
        assert sentence in refusal(one, **{f"{option}_column": "hue"})
    assert "no images in the column label" in refusal(one, image_column="label")
    assert "a folder and has no revisions: leave --dataset-revision out" in refusal(one, revision="main")


def test_command(cli: Callable, tmp_path: Path) -> None:
    """`fit` and `evaluate` pass on configuration and columns; what does not fit is the status 1 before training."""
    columns = {"scan": encoded([*PICTURES]), "mask": encoded([*PICTURES]), "digit": LABELS.tolist()}
    kinds = {"scan": IMAGE, "mask": IMAGE, "digit": NUMBER}
    for name in "ab":
        tiny.write_table(tmp_path / "set" / name, "train", columns, kinds)
    (tmp_path / "set" / "README.md").write_text(CARD)
    choices = ["--dataset", "set", "--dataset-config", "b", "--image-column", "scan", "--label-column"]
    status, _, stderr = cli("fit", "mnist-dense", *choices, "hue", "--max-steps", 1)
    assert status == 1 and stderr.strip().endswith(
        "error: The dataset set, train has no column named hue: choose with --label-column one of scan, mask, digit."
    )
    assert not (tmp_path / "runs" / "mnist-dense" / "checkpoint").exists()
    status, stdout, stderr = cli("fit", "mnist-dense", *choices, "digit", "--max-steps", 1)
    assert status == 0 and "28 images to train on, 2 to validate" in stdout, stderr
    status, stdout, stderr = cli("evaluate", "runs/mnist-dense/checkpoint", *choices, "digit")
    assert status == 0 and "on 6 test images" in stdout, stderr
    assert "several configurations" in cli("evaluate", "runs/mnist-dense/checkpoint", "--dataset", "set")[2]


def test_what_lies_class_by_class(tmp_path: Path) -> None:
    """Without splits to hold out, images from all classes are, not the last class alone; each is somewhere once."""
    order = np.argsort(np.arange(600) % 10, kind="stable")
    pictures = np.arange(600, dtype=np.uint16)[order, None, None] * np.ones((1, 28, 28), np.uint16) // 3
    tiny.write_split(tmp_path, "train", pictures.astype(np.uint8), (np.arange(600) % 10)[order])
    found = digits.load(str(tmp_path))
    splits = [found.train, found.validation, found.test]
    assert [len(one) for one in splits] == [459, 41, 100]
    assert all(len(one.labels.unique()) > 8 for one in splits)
    together = sorted(
        (int(label), int(image[0, 0, 0])) for one in splits for image, label in zip(one.images, one.labels, strict=True)
    )
    assert together == sorted((int(number) % 10, int(number) // 3) for number in range(600))
