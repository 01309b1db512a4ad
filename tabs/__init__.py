"""What a visitor sees: components and events, no tensor."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tabs import stubs  # noqa: F401  # before Gradio

# isort: split
import gradio as gr

from models.errors import InputError

# Events that serve the page. The last of several counts: one that comes while an answer is awaited must not be lost.
PAGE = {"queue": False, "show_progress": "hidden", "trigger_mode": "always_last", "api_visibility": "private"}
ROLL = "() => Math.floor(Math.random() * 2 ** 32)"  # a seed
LOCALES = Path(__file__).parent / "locales"


class Words:
    """Every word on the page in one language: `words("digits.sure", percent=98)`."""

    def __init__(self, language: str):
        self.language = language
        self._texts: dict[str, str] = json.loads((LOCALES / f"{language}.json").read_text("utf-8"))

    def __call__(self, key: str, **values: object) -> str:
        """The text under `key` with `values` filled in. Raises KeyError for one that no locale has."""
        return self._texts[key].format(**values)

    def sentence(self, error: ValueError) -> str:
        """What a `ValueError` from `models` says, in this language where it has a code."""
        if isinstance(error, InputError):
            return self(f"error.{error.code}", **error.details)
        return self("error.network", reason=error)

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Give a caller of an endpoint the one sentence instead of a traceback."""
        try:
            yield
        except ValueError as error:
            raise gr.Error(self.sentence(error), title=self("error.title"), print_exception=False) from error
