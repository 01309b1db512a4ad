"""What a visitor has brought goes when the page closes. What else is left is deleted within an hour."""

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import gradio as gr
from gradio import route_utils
from gradio.utils import get_upload_folder

MOST = 1000  # sessions that are known of: some never say that they end
FIELD = 1_000_000  # bytes of what a form holds beside its files, which is kept in memory
_took = route_utils.GradioMultiPartParser.on_part_data


class Uploads:
    """The uploaded files that each session has used.

    Args:
        demo: the app that they are brought to.
    """

    def __init__(self, demo: gr.Blocks):
        self.demo = demo
        self._used: dict[str, set[str]] = {}
        demo.unload(self.forget)

    def note(self, session: str | None, values: Iterable[Any]) -> None:
        """Remember those among what an event of this session brings."""
        paths = {value["path"] for value in values if isinstance(value, dict) and isinstance(value.get("path"), str)}
        if session and (brought := paths & self.demo.upload_file_set):
            self._used.setdefault(session, set()).update(brought)
            while len(self._used) > MOST:
                del self._used[next(iter(self._used))]

    def forget(self, request: gr.Request) -> None:
        """Delete what the session of a page that is closed has brought, and no other has, nor the page itself."""
        mine = self._used.pop(request.session_hash or "", set())
        kept = _of_the_page(self.demo).union(*list(self._used.values()))  # others note theirs meanwhile
        for path in mine - kept:
            Path(path).unlink(missing_ok=True)
            self.demo.upload_file_set.discard(path)


def _of_the_page(demo: gr.Blocks) -> set[str]:
    """The files that a page opens with."""
    return {path for block in demo.blocks.values() for path in getattr(block, "keep_in_cache", set())}


def sweep(demo: gr.Blocks, age: float | None) -> None:
    """Delete the files that nobody has used for so many seconds, or all; and what is left of uploads that were broken
    off, which Gradio has forgotten.

    Gradio's own ends for good where another thread notes a file while it looks.
    """
    page, now = _of_the_page(demo), time.time()
    for noted in demo.temp_file_sets:
        for path in noted.copy() - page:
            with suppress(OSError):
                if age is None or now - os.lstat(path).st_ctime > age:
                    os.remove(path)
            if not os.path.exists(path):
                noted.discard(path)
    for path in Path(get_upload_folder()).glob("tmp*"):
        with suppress(OSError):
            if age is not None and path.is_file() and now - path.lstat().st_ctime > age:
                path.unlink()


def bound_fields() -> None:
    """Let a form hold little beside its files, of which alone Gradio bounds the size."""

    def take(self: route_utils.GradioMultiPartParser, data: bytes, start: int, end: int) -> None:
        part = self._current_part
        if part.file is None and len(part.data) + end - start > FIELD:
            raise route_utils.MultiPartException("A field of this form is too long: send files as files.")
        _took(self, data, start, end)

    route_utils.GradioMultiPartParser.on_part_data = take
