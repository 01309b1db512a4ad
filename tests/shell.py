"""Running the training command as a user does, and reading what it left and said."""

import os
import subprocess
import sys
from pathlib import Path

import models

ROOT = Path(models.__file__).parent.parent
FILES = [
    "README.md",
    "config.json",
    "confusion-matrix.png",
    "learning-curve.png",
    "model.safetensors",
    "recipe.json",
    "reliability.png",
]
PYTHON = [sys.executable, "-m", "train"]


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **more}


def run(cwd: Path, *command: object, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder of the user's, with `more` in its environment."""
    words = [str(word) for word in command]
    return subprocess.run(words, cwd=cwd, env=environment(**more), capture_output=True, text=True, timeout=300)


def wait_for(process: subprocess.Popen, text: bytes) -> bytes:
    """What a process has said when it says `text`; it may not end before."""
    output = b""
    while text not in output:
        piece = os.read(process.stdout.fileno(), 4096)
        assert piece, output
        output += piece
    return output


def sentence(result: tuple[int, str, str]) -> str:
    """What a command that failed says: status 1, one line, no traceback."""
    status, _, stderr = result
    assert status == 1
    assert "Traceback" not in stderr
    lines = [line for line in stderr.replace("\r", "\n").splitlines() if line.startswith("error: ")]
    assert len(lines) == 1 and stderr.strip().endswith(lines[0])
    return lines[0].removeprefix("error: ")


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}
