"""Decoded once, in several processes, and read from the cache from then on; and datasets that come from the Hub."""

import base64
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import forked
import hub_server
import numpy as np
import pytest
import tiny
import torch
from hub_server import HubServer
from PIL import Image
from shell import sentence

from train.data import digits

PICTURES, LABELS = tiny.bars(60, seed=4)

# A process in which nothing can be decoded, and that says which dataset it has.
BLIND = """
import sys
import PIL.Image
PIL.Image.open = None
from train.data import digits
print("".join(digits.load(name).fingerprint for name in sys.argv[1:]))
"""


def blind(cwd: Path, *names: object) -> tuple[int, str, str]:
    done = forked.run(cwd, "-c", BLIND, *names)
    return done.returncode, done.stdout, done.stderr


def class_folders(root: Path) -> None:
    """Files that all have one size, as BMP has it: when one is altered, its time alone tells."""
    for index, picture in enumerate(PICTURES):
        file = root / str(LABELS[index]) / f"{index}.bmp"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(file)


def repository(root: Path) -> None:
    """With a card: `datasets` by itself takes two folders of one name with the same card for the same."""
    tiny.write_split(root, "train", PICTURES, LABELS)
    (root / "README.md").write_text("---\nconfigs:\n- config_name: default\n  data_files: data/train*\n---\n")


@pytest.mark.parametrize("make", [repository, class_folders])
def test_decoded_once(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[Path], None],
) -> None:
    """The second load, in another process and by another name, decodes nothing.

    One altered picture is noticed, and so is a folder of the same name elsewhere.
    """
    make(tmp_path / "set")
    first = digits.load(str(tmp_path / "set"))
    assert f"Decoding {tmp_path}/set, train: 100%" in capsys.readouterr().err  # the progress bar
    status, stdout, stderr = blind(tmp_path, "set", tmp_path / "set")
    assert (status, stdout) == (0, 2 * first.fingerprint + "\n"), stderr
    assert "Decoding" not in stderr
    monkeypatch.setattr(f"{__name__}.PICTURES", np.concatenate([255 - PICTURES[:1], PICTURES[1:]]))
    make(tmp_path / "elsewhere" / "set")
    other = digits.load(str(tmp_path / "elsewhere" / "set"))
    assert other.fingerprint != first.fingerprint
    make(tmp_path / "set")
    status, _, stderr = blind(tmp_path, "set")
    assert status == 1 and "no image that can be decoded" in stderr
    assert digits.load(str(tmp_path / "set")).fingerprint == other.fingerprint


def test_in_parallel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Several processes come to what one comes to, in the same order, and name the same images."""
    whole = [{"bytes": tiny.png(picture), "path": None} for picture in PICTURES]
    columns = {"image": [*whole, {"bytes": b"?", "path": None}, *whole], "label": [*LABELS, 0, *LABELS]}
    features = {"image": datasets.Image(), "label": datasets.Value("int64")}
    for name in ("one", "three"):
        tiny.write_table(tmp_path / name, "train", columns, features)
    used, plain = [], datasets.Dataset.map
    monkeypatch.setattr(
        datasets.Dataset, "map", lambda *a, **options: used.append(options["num_proc"]) or plain(*a, **options)
    )
    one = digits.load(str(tmp_path / "one"))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2}, raising=False)
    monkeypatch.setattr(digits, "IMAGES_A_PROCESS", 20)
    three = digits.load(str(tmp_path / "three"))
    assert used == [None, 3]
    assert one.fingerprint == three.fingerprint
    assert np.array_equal(torch.cat([three.train.images, three.validation.images])[:60, 0].numpy(), PICTURES)
    assert [line.split(": ", 1)[1] for line in capsys.readouterr().out.splitlines()] == [
        "1 of 121 images could not be decoded and are left out: image 60"
    ] * 2
    monkeypatch.setattr("PIL.Image.open", None)
    monkeypatch.setattr(digits, "IMAGES_A_PROCESS", 1_000)  # the cache does not care how many processes there are now
    assert digits.load(str(tmp_path / "three")).fingerprint == one.fingerprint
    columns["image"][100] = {"bytes": tiny.png(np.zeros((9, 9), np.uint8)), "path": None}
    monkeypatch.undo()
    monkeypatch.setattr(digits, "_processes", lambda images: 2)
    tiny.write_table(tmp_path / "one", "train", columns, features)
    with pytest.raises(ValueError, match="one, train does not fit: image 100 measures 9x9, not 28x28"):
        digits.load(str(tmp_path / "one"))


def test_how_many_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """None for a small dataset, no more than there are cores, also where the system does not tell which are ours."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(4)), raising=False)
    assert [digits._processes(images) for images in (3, 9_999, 10_000, 60_000)] == [None, None, 2, 4]
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert digits._processes(60_000) is None


@pytest.fixture
def dataset_hub(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> HubServer:
    """The stand-in, which also answers for dataset repositories: what it has for `models` it has for `datasets`."""
    plain = hub_server._Handler.answer

    def answer(self: hub_server._Handler, path: list[str]) -> Any:
        if path[0] == "datasets":
            return plain(self, path[1:])
        if path[:2] != ["api", "datasets"]:
            return plain(self, path)
        if path[4:5] not in (["tree"], ["paths-info"]):
            return plain(self, ["api", "models", *path[2:]])
        files = hub.commit_at("/".join(path[2:4]), path[5])["files"]
        folders = {str(parent) for file in files for parent in Path(file).parents}
        if path[4] == "tree":
            wanted = {name for name in [*files, *folders] if str(Path(name).parent) == str(Path(*path[6:])) != name}
        else:
            wanted = set(json.loads(self.body)["paths"])
        found = [
            {"type": "file", "path": name, "oid": files[name]["blobId"]} | files[name] for name in wanted & {*files}
        ]
        return found + [{"type": "directory", "path": name, "oid": "0"} for name in wanted & folders]

    monkeypatch.setattr(hub_server._Handler, "answer", answer)
    return hub


def publish(hub: HubServer, repo_id: str, folder: Path) -> str:
    """Make a dataset repository of a folder, or bring it up to date; the commit."""
    if repo_id not in hub.repos:
        hub.create(repo_id, private=False)
    files = {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    contents = [{"path": path, "content": base64.b64encode(found).decode()} for path, found in files.items()]
    header = {"key": "header", "value": {"summary": "data"}}
    return hub.commit(repo_id, [header, *({"key": "file", "value": value} for value in contents)])


def counts(found: digits.Data) -> int:
    return len(found.train) + len(found.validation) + len(found.test)


def test_hub(dataset_hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Configuration and revision choose; without the Hub the cache serves what it has, and nothing is decoded again."""
    for name, count in {"a": 24, "b": 36}.items():
        tiny.write_split(tmp_path / name, "train", PICTURES[:count], LABELS[:count])
    entries = "".join(f"- config_name: {name}\n  data_files: {name}/data/*\n" for name in "ab")
    (tmp_path / "README.md").write_text(f"---\nconfigs:\n{entries}---\n")
    old = publish(dataset_hub, "alice/bars", tmp_path)
    tiny.write_split(tmp_path / "b", "train", PICTURES[:48], LABELS[:48])
    new = publish(dataset_hub, "alice/bars", tmp_path)

    def refusal(**options: str) -> str:
        with pytest.raises(ValueError) as caught:
            digits.load("alice/bars", **options)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    assert "several configurations: choose with --dataset-config one of a, b" in refusal()
    assert "no configuration c: choose with --dataset-config one of a, b" in refusal(config="c")
    assert "check the name and the revision" in refusal(config="b", revision="nope")
    assert counts(digits.load("alice/bars", "b", old)) == 36
    assert counts(digits.load("alice/bars", "b", new)) == 48
    found = digits.load("alice/bars", "b")
    assert (counts(found), found.name) == (48, "alice/bars")
    assert np.array_equal(found.test.images[:, 0].numpy(), PICTURES[40:48])

    dataset_hub.stop()
    monkeypatch.setattr("PIL.Image.open", None)
    for revision in (None, new):
        assert digits.load("alice/bars", "b", revision).fingerprint == found.fingerprint
    for options in ({"config": "a"}, {"config": "b", "revision": old}, {"config": "b", "revision": "main"}):
        assert "the Hub is out of reach" in refusal(**options)


@pytest.mark.parametrize("fault", ["stopped", "down", "failing", "switched off"])
def test_hub_out_of_reach(
    cli: Callable, hub: HubServer, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without --dataset and without the Hub: one sentence on what to do, soon, and nothing else on stderr."""
    if fault == "stopped":
        hub.stop()
    elif fault == "switched off":
        monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    hub.faults.down, hub.faults.status = fault == "down", 503 if fault == "failing" else None
    result = cli("fit", "mnist-dense")
    assert sentence(result) == (
        "The dataset ylecun/mnist cannot be read, because the Hub is out of reach and no folder or cache has it: use "
        "--dataset FOLDER, or try again with a network."
    )
    assert result[2].count("\n") == 1
    assert (fault == "switched off") is datasets.config.HF_HUB_OFFLINE
    assert not (tmp_path / "runs" / "mnist-dense" / "checkpoint").exists()
