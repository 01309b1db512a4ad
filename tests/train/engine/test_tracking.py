"""What the trackers are told, read back from what they wrote."""

import importlib.util
import os
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import forked
import pytest
from shell import PYTHON, names, run, sentences
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

FIT = ["fit", "mnist-dense", "--epochs", 2, "--batch-size", 8]  # 42 steps an epoch


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    found = EventAccumulator(str(folder)).Reload()
    return {tag: [(event.step, event.value) for event in found.Scalars(tag)] for tag in found.Tags()["scalars"]}


def test_tensorboard(cli: Callable, tmp_path: Path, tiny_mnist: Path) -> None:
    """Losses every 20 steps and the figures of each epoch; what is trained a second time is shown once."""
    track = [*FIT, "--dataset", tiny_mnist, "--tracker", "tensorboard"]
    status, stdout, stderr = cli(*track)
    assert status == 0, stderr
    folder = tmp_path / "runs" / "mnist-dense" / "seed-0"
    found = scalars(folder)
    assert [step for step, _ in found["train/loss"]] == [20, 40, 60, 80]
    assert [value for _, value in found["train/lr"]] == pytest.approx([1e-3] * 4)
    assert [step for step, _ in found["validation/accuracy"]] == [42, 84]
    told = [line.split() for line in stdout.splitlines() if line.startswith("epoch ")]
    for tag, name in (("validation/accuracy", "accuracy"), ("train/epoch_loss", "train_loss")):
        printed = [float(words[words.index(name) + 1]) for words in told]
        assert [value for _, value in found[tag]] == pytest.approx(printed, rel=1e-3)
    assert names(folder)[1:] == ["recipe.json", "state.pt"] and names(folder)[0].startswith("events.out")


def test_tensorboard_of_a_run_that_died(tmp_path: Path, tiny_mnist: Path) -> None:
    """It is killed in its second epoch and goes on from the first one's end: no step is there twice."""
    track = [*FIT, "--dataset", tiny_mnist, "--tracker", "tensorboard", "--resume"]
    die = "import os, train.engine.loop as l; step = l._Run.step\n"
    die += "l._Run.step = lambda self, *a: os._exit(9) if self.progress.step == 70 else step(self, *a)\n"
    die += f"from train.__main__ import main; main({[str(word) for word in track]})"
    assert forked.run(tmp_path, "-c", die).returncode == 9
    folder = tmp_path / "runs" / "mnist-dense" / "seed-0"
    assert [step for step, _ in scalars(folder)["train/loss"]] == [20, 40, 60]
    done = forked.run(tmp_path, "-m", "train", *track)
    assert done.returncode == 0, done.stderr
    assert [step for step, _ in scalars(folder)["train/loss"]] == [20, 40, 60, 80]
    assert len([name for name in names(folder) if name.startswith("events")]) == 2


@pytest.mark.skipif(importlib.util.find_spec("trackio") is None, reason="trackio is not installed")
def test_trackio(tmp_path: Path, tiny_mnist: Path) -> None:
    """A database in the run's folder, a run a seed, and no page is served."""
    track = [*FIT, "--dataset", tiny_mnist, "--seeds", 2, "--tracker", "trackio"]
    done = run(tmp_path, *PYTHON, *track, PYTHONPATH=os.pathsep.join(sys.path))
    assert done.returncode == 0, done.stderr
    assert "http" not in done.stdout
    database = sqlite3.connect(tmp_path / "runs" / "mnist-dense" / "trackio" / "mnist-dense.db")
    for seed in (0, 1):
        steps = database.execute("SELECT step FROM metrics WHERE run_name = ?", (f"seed-{seed}",)).fetchall()
        assert sorted({step for (step,) in steps}) == [20, 40, 42, 60, 80, 84]


def test_tracker_that_is_not_installed(cli: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That is said at once, and the dataset that is not there too."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    for name in ("trackio", "tensorboard"):
        _, told = sentences(cli("fit", "mnist-dense", "--dataset", "./nowhere", "--tracker", name))
        assert told == f"--tracker {name} needs a package that is not installed: pip install {name}."
    assert os.listdir(tmp_path) == []
