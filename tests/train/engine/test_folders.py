"""One run at a time in a folder, and none over another."""

import json
import re
import signal
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from forked import SLOW_TRAIN, Forked
from shell import names, sentence, sentences, wait_for

from train.data.augmentation import Augment
from train.engine import folders
from train.recipe import Recipe
from train.tasks.classification import ClassifierRecipe
from train.tasks.gan import WGANRecipe

RECIPE = ClassifierRecipe(
    "d", epochs=3, batch_size=16, lr=1e-2, optimizer="adam", source="", augment=Augment(1, 0, 0, 0, 0)
)
HOLD = """
import sys, time
from pathlib import Path
from train.engine.folders import lock
try:
    with lock(Path(sys.argv[1])):
        print("in", flush=True)
        time.sleep(60)
except ValueError as error:
    print("refused:", error, flush=True)
"""


def test_one_at_a_time(tmp_path: Path) -> None:
    """Of four that start together one is let in; when it is killed without notice, the next one is."""
    with ExitStack() as after:
        together = [after.enter_context(Forked(tmp_path, "-c", HOLD, tmp_path / "runs" / "x")) for _ in range(4)]
        told = [process.stdout.readline().decode() for process in together]
        assert sorted(line.split()[0] for line in told) == ["in", "refused:", "refused:", "refused:"]
        assert "Another run is writing to" in next(line for line in told if line.startswith("refused"))
        with pytest.raises(ValueError, match="Another run"), folders.lock(tmp_path / "runs" / "x"):
            pass
        with folders.lock(tmp_path / "runs" / "y"):
            pass
        inside = together[[line.startswith("in") for line in told].index(True)]
        inside.kill()
        inside.wait()
        with folders.lock(tmp_path / "runs" / "x"):
            pass
    assert names(tmp_path / "runs") == []


def test_lock_is_of_the_folder(tmp_path: Path) -> None:
    """By whatever name it goes; and what is no folder is refused."""
    (tmp_path / "a").mkdir()
    (tmp_path / "link").symlink_to("a")
    (tmp_path / "file").touch()
    with folders.lock(tmp_path / "a"):
        for other in (tmp_path / "link", tmp_path / "a" / ".." / "a"):
            with pytest.raises(ValueError, match="Another run"), folders.lock(other):
                pass
    with pytest.raises(ValueError, match="is a file, not a folder"), folders.lock(tmp_path / "file"):
        pass
    assert names(tmp_path) == ["a", "file", "link"]


def test_second_run_refuses(cli: Callable, tmp_path: Path, tiny_mnist: Path) -> None:
    """While a run is on, before it has saved anything, another one may not begin in its folders, resume or not."""
    fit = ["fit", "mnist-dense", "--dataset", str(tiny_mnist), "--batch-size", "1", "--epochs", "50"]
    with Forked(tmp_path, "-c", SLOW_TRAIN, *fit) as first:
        wait_for(first, b"epoch 1/")
        first.send_signal(signal.SIGSTOP)
        assert not (tmp_path / "runs" / "mnist-dense" / "seed-0" / "state.pt").exists()
        busy = ["runs/mnist-dense/checkpoint", "runs/mnist-dense/seed-0"]
        for more, places in (([], busy), (["--resume"], busy), (["--output", "elsewhere"], busy[1:])):
            told = sentences(cli(*fit, *more))
            assert [line.split(":")[0] for line in told] == [f"Another run is writing to {place}" for place in places]
        assert "Another run is writing to runs/mnist-dense/checkpoint" in sentence(cli(*fit, "--seed", 1))
        assert cli(*fit, "--seed", 1, "--output", "elsewhere", "--max-steps", 2)[0] == 0
    assert "add --resume" in sentence(cli(*fit, "--seed", 1))  # the first is dead, and keeps nobody out
    assert cli(*fit, "--max-steps", 2)[0] == 0


def claim(folder: Path, recipe: Recipe = RECIPE, data: str = "abc", max_steps: int | None = None) -> None:
    folders.claim(folder, recipe, data, max_steps)


def test_claim(tmp_path: Path) -> None:
    """A run goes on with what it began with; the refusal names what is another, and both values."""
    claim(tmp_path)
    claim(tmp_path, replace(RECIPE, lr=1.0))  # nothing is saved yet: it begins anew
    claim(tmp_path)
    (tmp_path / "state.pt").touch()
    claim(tmp_path)
    claim(tmp_path, replace(RECIPE, source="in other words"))
    for words, other in (
        ("another lr (0.01, not 1.0): give", {"recipe": replace(RECIPE, lr=1.0)}),
        (
            "another epochs (3, not 4), another patience (None, not 2)",
            {"recipe": replace(RECIPE, epochs=4, patience=2)},
        ),
        ("another augment", {"recipe": replace(RECIPE, augment=replace(RECIPE.augment, coarse=0.5))}),
        ("another dataset's content (abc, not def)", {"data": "def"}),
        ("another --max-steps (None, not 7)", {"max_steps": 7}),
    ):
        with pytest.raises(ValueError, match=re.escape(words)):
            claim(tmp_path, **other)


def test_more_steps_than_before(tmp_path: Path) -> None:
    """A limit of the steps may be raised, and the raised one is noted; it may not be lowered."""
    claim(tmp_path, max_steps=5)
    (tmp_path / "state.pt").touch()
    for limit in (5, 9, 9):
        claim(tmp_path, max_steps=limit)
    for limit in (1, 5, 8):
        with pytest.raises(ValueError, match=re.escape(f"another --max-steps (9, not {limit})")):
            claim(tmp_path, max_steps=limit)
    claim(tmp_path, max_steps=None)
    with pytest.raises(ValueError, match=re.escape("another --max-steps (None, not 99)")):
        claim(tmp_path, max_steps=99)


def test_note_of_an_older_run(tmp_path: Path) -> None:
    """A setting that is newer than the note counts as its default, within the augmentation too."""
    claim(tmp_path)
    (tmp_path / "state.pt").touch()
    note = json.loads((tmp_path / "recipe.json").read_text())
    for name in ("accumulation", "patience"):
        del note["recipe"][name]
    del note["recipe"]["augment"]["coarse"]
    (tmp_path / "recipe.json").write_text(json.dumps(note))
    claim(tmp_path)
    with pytest.raises(ValueError, match="another accumulation"):
        claim(tmp_path, replace(RECIPE, accumulation=2))
    for broken in ("{", "[]", "{}", '{"recipe": {"no": 1}, "data": "abc", "max_steps": null}'):
        (tmp_path / "recipe.json").write_text(broken)
        with pytest.raises(ValueError, match=r"recipe\.json cannot be read: move"):
            claim(tmp_path)


def test_run_of_another_kind(tmp_path: Path) -> None:
    """What autoencoders, VAEs and GANs have of their own is compared too; a run of another kind is not gone on with."""
    recipe = WGANRecipe("d", epochs=3, batch_size=16, lr=1e-2, optimizer="adam", source="", critic_steps=2)
    claim(tmp_path, recipe)
    (tmp_path / "state.pt").touch()
    claim(tmp_path, recipe)
    with pytest.raises(ValueError, match=re.escape("another gradient_penalty (10.0, not 1.0)")):
        claim(tmp_path, replace(recipe, gradient_penalty=1.0))
    with pytest.raises(ValueError, match=r"recipe\.json cannot be read: move"):
        claim(tmp_path)
