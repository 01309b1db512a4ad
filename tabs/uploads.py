"""What a visitor has brought goes when the page closes. What else is left, Gradio deletes within an hour."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import gradio as gr

MOST = 1000  # sessions that are known of: some never say that they end


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
        kept = {path for used in self._used.values() for path in used}
        for block in self.demo.blocks.values():
            kept |= getattr(block, "keep_in_cache", set())
        for path in mine - kept:
            Path(path).unlink(missing_ok=True)
            self.demo.upload_file_set.discard(path)
