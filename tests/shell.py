"""Running the training command as a user does, and reading what it left and said."""

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import models

if TYPE_CHECKING:
    from forked import Forked

ROOT = Path(models.__file__).parent.parent
FILES = [
    "README.md",
    "config.json",
    "confusion-matrix.png",
    "film.webp",
    "learning-curve.png",
    "model.safetensors",
    "recipe.json",
    "reliability.png",
]
PUBLISHED = ["mnist-dense", "mnist-mlp"]  # the models of a small lab
PYTHON = [sys.executable, "-m", "train"]


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **more}


def run(cwd: Path, *command: object, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder of the user's, with `more` in its environment."""
    words = [str(word) for word in command]
    return subprocess.run(words, cwd=cwd, env=environment(**more), capture_output=True, text=True, timeout=300)


def draw_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the cards that this process writes look at few drawings, and draw their figures once, as they are laid out at
    first: else a card takes longer than a short training."""
    monkeypatch.setattr("train.tasks.classification.reliability.NONSENSE_EACH", 5)
    monkeypatch.setattr("train.data.synthetic_digits.EACH", 2)
    monkeypatch.setattr("matplotlib.figure.Figure.set_layout_engine", lambda figure, layout=None, **options: None)


def wait_for(process: "subprocess.Popen | Forked", text: bytes) -> bytes:
    """What a process has said when it says `text`; it may not end before."""
    output = b""
    while text not in output:
        piece = os.read(process.stdout.fileno(), 4096)
        assert piece, output
        output += piece
    return output


def sentences(result: tuple[int, str, str]) -> list[str]:
    """What a command that failed says: status 1, no traceback, and at its end a line for each mistake."""
    status, _, stderr = result
    assert status == 1
    assert "Traceback" not in stderr
    lines = stderr.replace("\r", "\n").strip().splitlines()
    told = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    assert told and lines[-len(told) :] == [f"error: {line}" for line in told]
    return told


def sentence(result: tuple[int, str, str]) -> str:
    """The same of a command with one mistake."""
    (told,) = sentences(result)
    return told


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}
