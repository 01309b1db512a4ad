"""From a dataset repository to tensors: what is read, what is held out, and one sentence for whatever does not fit."""

import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import datasets
import numpy as np
import pytest
import tiny
import torch
from app_process import bomb
from PIL import Image

from train import data

PICTURES, LABELS = tiny.bars(36, seed=3)
IMAGE, NUMBER = datasets.Image(), datasets.Value("int64")


def encoded(pictures: list[np.ndarray | bytes | None]) -> list[dict | None]:
    """What an image column holds."""
    made = [tiny.png(item) if isinstance(item, np.ndarray) else item for item in pictures]
    return [item and {"bytes": item, "path": None} for item in made]


def test_splits(tiny_mnist: Path) -> None:
    """The last twelfth of the training images validates, the test split is whole, and nothing is altered."""
    found = data.load(str(tiny_mnist))
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
        found[name] = data.load(str(tmp_path / name)).fingerprint
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
    found = [data.load(str(tmp_path / name)) for name in "ab"]
    sizes = [tuple(map(len, (one.train, one.validation, one.test))) for one in found]
    assert sizes == [(28, 2, 6), (30, 5, 6)]
    assert np.array_equal(found[0].test.images[:, 0].numpy(), PICTURES[30:])
    assert np.array_equal(found[0].test.labels.numpy(), LABELS[30:])
    assert np.array_equal(found[1].validation.images[:, 0].numpy(), PICTURES[:5])


def table(columns: dict[str, list], **features: object) -> Callable[[Path], None]:
    return lambda folder: tiny.write_table(folder, "train", columns, features)


def labelled(labels: list) -> dict[str, list]:
    return {"image": encoded([*PICTURES[: len(labels)]]), "label": labels}


def pictured(*pictures: np.ndarray | bytes | None) -> dict[str, list]:
    """The odd pictures among good ones."""
    return {"image": encoded([*PICTURES[:20], *pictures]), "label": [0] * (20 + len(pictures))}


def damaged(at: int) -> bytes:
    whole = bytearray(tiny.png(PICTURES[0]))
    whole[at] ^= 0xFF
    return bytes(whole)


def jpeg() -> bytes:
    file = io.BytesIO()
    Image.fromarray(PICTURES[0]).save(file, "JPEG")
    return file.getvalue()


GOOD = {"image": IMAGE, "label": NUMBER}
MISFITS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no such folder": (lambda folder: None, "cannot be read"),
    "an empty folder": (lambda folder: folder.mkdir(), "cannot be read"),
    "a folder of nonsense": (lambda folder: [folder.mkdir(), (folder / "a.parquet").write_text("x")], "cannot be read"),
    "no train": (lambda folder: tiny.write_split(folder, "test", PICTURES, LABELS), "cannot be read|no split named"),
    "no image column": (
        table({"text": ["a"], "label": [1]}, text=datasets.Value("string"), label=NUMBER),
        "text, label",
    ),
    "two image columns": (
        table(labelled([1]) | {"mask": encoded([PICTURES[0]])}, mask=IMAGE, **GOOD),
        "one column of images",
    ),
    "no label column": (table({"image": encoded([PICTURES[0]])}, image=IMAGE), "one of labels"),
    "labels in words": (table(labelled(["one"] * 20), image=IMAGE, label=datasets.Value("string")), "label"),
    "labels that are missing": (table(labelled([1, None] * 10), **GOOD), "label"),
    "labels that are fractions": (table(labelled([0.5] * 20), image=IMAGE, label=datasets.Value("float64")), "label"),
    "a label too large": (table(labelled([*range(11)] * 2), **GOOD), "from 0 to 10; digits need 0 to 9"),
    "a label below zero": (table(labelled([*range(-1, 10)] * 2), **GOOD), "from -1 to 9"),
    "nothing in it": (table(labelled([]), **GOOD), "empty|cannot be read"),
    "too few to hold some out": (table(labelled([1, 2, 3]), **GOOD), "too small"),
    "another size": (table(pictured(np.zeros((20, 28), np.uint8)), **GOOD), "image 20 measures 28x20, not 28x28"),
    "no picture": (table(pictured(None), **GOOD), "does not fit"),
    "not a picture": (table(pictured(b"GIF89a, or so it says"), **GOOD), "does not fit"),
    "an empty file": (table(pictured(b""), **GOOD), "does not fit"),
    "half a picture": (table(pictured(tiny.png(PICTURES[0])[:60]), **GOOD), "does not fit"),
    "half a JPEG": (table(pictured(jpeg()[:-200]), **GOOD), "does not fit"),
    "a bomb": (table(pictured(bomb()), **GOOD), "does not fit"),
    "a broken header": (table(pictured(damaged(18)), **GOOD), "does not fit"),
    "a broken chunk": (table(pictured(damaged(38)), **GOOD), "does not fit"),
}


@pytest.mark.parametrize("misfit", MISFITS)
def test_what_does_not_fit(tmp_path: Path, misfit: str) -> None:
    """One sentence that names the dataset and what is wrong."""
    make, sentence = MISFITS[misfit]
    make(tmp_path / "set")
    with pytest.raises(ValueError, match=sentence) as refusal:
        data.load(str(tmp_path / "set"))
    message = str(refusal.value)
    assert str(tmp_path / "set") in message
    assert "\n" not in message and len(message) < 500
    assert "object at 0x" not in message and "NoneType" not in message


def test_hub_dataset_that_is_not_there(hub: object) -> None:
    """An id that the Hub does not know is one sentence, too."""
    with pytest.raises(
        ValueError, match=r"^The dataset nobody/nothing cannot be read .*: check the name or the folder\.$"
    ):
        data.load("nobody/nothing")
