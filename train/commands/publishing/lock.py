"""One at a time: what writes to the Hub and pins it, or takes pins back."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from models import hub


@contextmanager
def alone() -> Iterator[None]:
    """No other `publish`, `push` or `unpin` from this folder meanwhile. Raises ValueError while there is one."""
    with open(hub.CHECKPOINTS / ".publish.lock", "w") as file:  # it stays: who waits may hold it already
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ValueError("Another publish or push is under way from this folder: wait for its end.") from error
        yield
