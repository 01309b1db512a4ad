"""One Chromium a language and device for all browser tests: it keeps what it compiled, and nothing else."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from typing import Any

import pytest
from app_process import App
from lab import LOCALE, PAGES, Lab, OpenLab
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


@pytest.fixture(scope="session")
def new_lab(app: App, visitor: Callable) -> OpenLab:
    """Opens a page, which whoever calls it closes; with an empty path it is still to be led somewhere."""

    def new(language: str = "en", path: str | None = None, viewport: dict | None = None, **settings: Any) -> Lab:
        page = visitor(**{"locale": LOCALE[language]} | settings).new_page()
        lab = Lab(page, app.url, language, viewport or {"width": 1200, "height": 900})
        path = PAGES[language] if path is None else path
        if path:
            lab.open(path)
        return lab

    return new


@pytest.fixture
def open_lab(new_lab: OpenLab) -> Iterator[OpenLab]:
    """Opens pages. Afterwards none may have had a console error or asked another host."""
    labs: list[Lab] = []

    def open_(*path: str, **settings: Any) -> Lab:
        labs.append(new_lab(*path, **settings))
        return labs[-1]

    yield open_
    for lab in labs:
        lab.page.close()
    assert [lab.problems for lab in labs if lab.problems] == []


@pytest.fixture(scope="session")
def kept() -> dict[str, Lab]:
    """The pages of a language and device that tests share while none of them uses it."""
    return {}


@pytest.fixture
def empty_lab(request: pytest.FixtureRequest, new_lab: OpenLab, kept: dict[str, Lab]) -> Iterator[OpenLab]:
    """The same, of pages that are opened once for all tests that change nothing but the digits' tab: each begins there,
    with an empty pad. None that a test has failed with is used again."""
    used: dict[str, Lab] = {}
    failed = request.session.testsfailed

    def emptied(language: str = "en", **settings: Any) -> Lab:
        key = json.dumps([language, settings], sort_keys=True)
        lab = used[key] = kept.pop(key, None) or new_lab(language, **settings)
        lab.empty()
        return lab

    yield emptied
    problems = [lab.problems for lab in used.values() if lab.problems]
    if problems or request.session.testsfailed > failed:
        for lab in used.values():
            lab.page.close()
    else:
        kept.update(used)
    assert problems == []
