"""The folders that a run writes to: one run at a time, and no run in the place of another."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from train import state
from train.augment import Augment
from train.recipes import Recipe

STATE, SETTING = "state.pt", "recipe.json"


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Keep other runs out of a folder, which need not exist; the lock ends with the process, however that ends.

    Raises:
        ValueError: another run is in it, or it is no folder.
        OSError: the folder around it cannot be written to.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is a file, not a folder: choose another one, or move it away.")
    place = folder.resolve()
    place.parent.mkdir(parents=True, exist_ok=True)
    file = place.parent / f".{place.name}.lock"
    while True:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise ValueError(
                f"Another run is writing to {folder}: wait for its end, stop it, or choose another --seed and --output."
            ) from error
        if os.fstat(descriptor).st_nlink:
            break
        os.close(descriptor)  # the run that held it removed the file between our two lines
    try:
        yield
    finally:
        file.unlink(missing_ok=True)
        os.close(descriptor)


def refuse_overwriting(folder: Path, resume: bool) -> None:
    """Raise ValueError if a run is in the folder and nobody asked to go on with it."""
    if (folder / STATE).exists() and not resume:
        raise ValueError(f"{folder} holds a run: add --resume to go on with it, or move the folder away.")


def claim(folder: Path, recipe: Recipe, data: str, max_steps: int | None) -> None:
    """Note with what a run begins, or see that a run that goes on has the same: recipe, data (fingerprint), max_steps.

    Raises:
        ValueError: the folder holds a run with something else; the sentence names it.
        OSError: the note cannot be written.
    """
    note = folder / SETTING
    if not (folder / STATE).exists():
        setting = {"recipe": asdict(recipe), "data": data, "max_steps": max_steps}
        state.replace(note, (json.dumps(setting, indent=2) + "\n").encode())
        return
    try:
        noted = json.loads(note.read_text())
        before = _recipe(type(recipe), noted["recipe"])
        others = {"dataset's content": (noted["data"], data), "--max-steps": (noted["max_steps"], max_steps)}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{note} cannot be read: move {folder} away and train again.") from error
    # The source is for the card: to word it differently is no other training.
    names = [field.name for field in fields(recipe) if field.name != "source"]
    pairs = {name: (getattr(before, name), getattr(recipe, name)) for name in names} | others
    if different := [f"{name} ({was}, not {now})" for name, (was, now) in pairs.items() if was != now]:
        raise ValueError(
            f"{folder} holds a run with another {', another '.join(different)}: give the same again to go on with it, "
            "or move the folder away to start anew."
        )


def _recipe(kind: type[Recipe], noted: dict[str, Any]) -> Recipe:
    """The recipe of a note; what is newer than the note has its default."""
    augment = noted["augment"]
    return kind(**noted | {"augment": augment and Augment(**augment)})
