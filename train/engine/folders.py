"""The folders that a run writes to: one run at a time, and no run in the place of another."""

import errno
import fcntl
import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from train.data.augmentation import Augment
from train.engine import state
from train.recipe import Recipe

STATE, SETTING = "state.pt", "recipe.json"


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Keep other runs out of a folder, which need not exist; the lock ends with the process, however that ends.

    Raises:
        ValueError: another run is in it, or it is no folder.
        OSError: the folder around it cannot be written to.
    """
    _expect_folder(folder)
    file = _lock_file(folder)
    file.parent.mkdir(parents=True, exist_ok=True)
    while True:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT)
        _flock(descriptor, fcntl.LOCK_EX, folder)
        if os.fstat(descriptor).st_nlink:
            break
        os.close(descriptor)  # the run that held it removed the file between our two lines
    try:
        yield
    finally:
        file.unlink(missing_ok=True)
        os.close(descriptor)


def expect_free(folder: Path) -> None:
    """See, without a trace, whether `lock` would let this run in, now. Raises ValueError and OSError as it does."""
    _expect_folder(folder)
    there = [place for place in (folder, *folder.absolute().parents) if place.exists()]
    for place in there[: 1 + folder.exists()]:  # files are written beside it, then renamed into it
        if not os.access(place, os.W_OK):
            raise OSError(errno.EACCES, os.strerror(errno.EACCES), str(place))
    with suppress(FileNotFoundError):
        descriptor = os.open(_lock_file(folder), os.O_RDWR)
        _flock(descriptor, fcntl.LOCK_SH, folder)
        os.close(descriptor)


def _expect_folder(folder: Path) -> None:
    for place in (folder, *folder.parents):
        if place.exists() and not place.is_dir():
            raise ValueError(f"{place} is a file, not a folder: choose another one, or move it away.")


def _lock_file(folder: Path) -> Path:
    place = folder.resolve()
    return place.parent / f".{place.name}.lock"


def _flock(descriptor: int, kind: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise ValueError(
            f"Another run is writing to {folder}: wait for its end, stop it, or choose another --seed and --output."
        ) from error


def refuse_overwriting(folder: Path, resume: bool) -> None:
    """Raise ValueError if a run is in the folder and nobody asked to go on with it."""
    if (folder / STATE).exists() and not resume:
        raise ValueError(f"{folder} holds a run: add --resume to go on with it, or move the folder away.")


def claim(
    folder: Path,
    recipe: Recipe,
    data: str,
    max_steps: int | None,
    init: str | None = None,
    before: str | None = None,
) -> str | None:
    """Note with what a run begins, or see that one that goes on has the same, see `expect_same`.

    Args:
        before: the commands that trained the weights which it begins with. Those of a run that goes on are in its note:
            what it began with may have made way for what became of it.

    Returns:
        These commands.

    Raises:
        ValueError: the folder holds a run with something else; the sentence names it.
        OSError: the note cannot be written.
    """
    noted = expect_same(folder, recipe, max_steps, init, data)
    before = noted.get("before", before)
    setting = {"recipe": asdict(recipe), "data": data, "max_steps": max_steps, "init": init, "before": before}
    state.replace(folder / SETTING, (json.dumps(setting, indent=2) + "\n").encode())
    return before


def expect_same(
    folder: Path, recipe: Recipe, max_steps: int | None, init: str | None = None, data: str | None = None
) -> dict[str, Any]:
    """See that a run that is in the folder can be gone on with: with the same recipe and data, and as many steps.

    Args:
        recipe: that of the run which is asked for.
        max_steps: its limit, which may be larger than the run's own was; None is none.
        init: what it begins with, by name.
        data: the fingerprint of its dataset, None where it is not known yet.

    Returns the run's note, empty where there is no run.

    Raises ValueError if something else is in the folder; the sentence names what differs, and both values.
    """
    if not (folder / STATE).exists():
        return {}
    note = folder / SETTING
    try:
        noted = json.loads(note.read_text())
        before = _recipe(type(recipe), noted["recipe"])
        fingerprint, limit = noted["data"], noted["max_steps"]
        others = {"dataset's content": (fingerprint, data or fingerprint)}
        others["--init"] = (noted.get("init", init), init)
        others["--max-steps"] = (limit, limit if (max_steps or math.inf) >= (limit or math.inf) else max_steps)
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
    return noted


def _recipe(kind: type[Recipe], noted: dict[str, Any]) -> Recipe:
    """The recipe of a note; what is newer than the note has its default."""
    augment = noted["augment"]
    return kind(**noted | {"augment": augment and Augment(**augment)})
