"""One Chromium a language and device for all browser tests: it keeps what it compiled, and nothing else."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from typing import Any

import pytest
from app_process import App
from lab import LOCALE, PAGES, Lab
from playwright.sync_api import BrowserContext, Playwright, sync_playwright

CHROMIUM = {
    "executable_path": shutil.which("chromium-headless-shell"),
    "args": [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--renderer-process-limit=1",  # what one page has compiled serves the next
    ],
}


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def visitor(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable]:
    """A browser with those settings, begun at the first call, with a cache on disk: pages open there in half the
    time. It asks for reduced motion unless told otherwise: nothing on a page moves by itself."""
    with ExitStack() as after:

        @cache
        def begun(settings: str) -> BrowserContext:
            profile = tmp_path_factory.mktemp("profile")
            given = {"reduced_motion": "reduce"} | json.loads(settings)
            context = playwright.chromium.launch_persistent_context(profile, **given, **CHROMIUM)
            after.callback(context.close)
            return context

        yield lambda **settings: begun(json.dumps(settings, sort_keys=True))


@pytest.fixture
def open_lab(app: App, visitor: Callable) -> Iterator[Callable[..., Lab]]:
    """Opens pages. Afterwards none may have had a console error or asked another host."""
    labs: list[Lab] = []

    def open_(language: str = "en", path: str | None = None, viewport: dict | None = None, **settings: Any) -> Lab:
        page = visitor(**{"locale": LOCALE[language]} | settings).new_page()
        page.set_viewport_size(viewport or {"width": 1200, "height": 900})
        lab = Lab(page, app.url, language)
        labs.append(lab)
        lab.open(PAGES[language] if path is None else path)
        return lab

    yield open_
    for lab in labs:
        lab.page.close()
    assert [lab.problems for lab in labs if lab.problems] == []
