"""Figures to TensorBoard or trackio while a run is under way, through Accelerate; both write to files of the run."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from accelerate import Accelerator


@contextmanager
def tracked(accelerator: Accelerator, folder: Path, step: int) -> Iterator[None]:
    """Let `accelerator.log` write, from `step` on, what belongs to the run in `folder`, NAME/seed-S.

    TensorBoard's files lie in that folder. trackio takes NAME for the project and seed-S for the run, and keeps a
    database a project, for which `TRACKIO_DIR` is set to NAME/trackio unless the user has set it. It opens no port.
    """
    name = folder.name
    if "trackio" in map(str, accelerator.log_with):
        os.environ.setdefault("TRACKIO_DIR", str(folder.parent / "trackio"))  # before its import, which reads it
        name = folder.parent.name
    accelerator.init_trackers(
        name,
        init_kwargs={
            # What the run had logged beyond the state that it goes on from is said again, and must not show twice.
            "tensorboard": {"purge_step": step + 1},
            "trackio": {"name": folder.name, "resume": "allow", "embed": False},
        },
    )
    try:
        yield
    finally:
        for tracker in accelerator.trackers:
            tracker.finish()
        accelerator.trackers.clear()
