"""The file that holds how far a run is: whole at every moment, whatever ends the run."""

import errno
import io
import os
from pathlib import Path
from typing import Any

import torch


def write(file: Path, state: dict[str, Any]) -> None:
    """Write a state of tensors, numbers and text in the place of the one before. Raises OSError, see `replace`."""
    buffer = io.BytesIO()
    torch.save(state, buffer)  # straight to a full disk it raises a RuntimeError of its own
    replace(file, buffer.getbuffer())


def replace(file: Path, content: bytes | memoryview) -> None:
    """Write a file aside and rename it, so that a kill at any moment leaves the old one or the new one whole.

    Raises:
        OSError: it cannot be written; says which file, which then is as it was.
    """
    temporary = file.with_suffix(".new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())  # the machine may die as well as the process
        os.replace(temporary, file)
    except OSError as error:  # of a full disk it does not say which file it was
        raise OSError(error.errno or errno.EIO, error.strerror or str(error), str(file)) from error
    finally:
        temporary.unlink(missing_ok=True)


def read(file: Path) -> dict[str, Any]:
    """The state that `write` wrote, on the CPU. Raises ValueError when the file is damaged."""
    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # anything at all, from a file that is not what torch.save wrote
        raise ValueError(f"{file} is damaged: move its folder away and train again.") from error
