"""One Chromium a language for all browser tests: it keeps what it has compiled, and nothing else from page to page."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from typing import Any

import pytest
from app_process import App
from lab import LOCALE, PAGES, Lab
from playwright.sync_api import Browser, BrowserContext, Playwright, sync_playwright

CHROMIUM = {
    "executable_path": shutil.which("chromium-headless-shell"),
    "args": ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
}


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def visitor(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable]:
    """A browser of that locale, begun at the first call, with a cache on disk: pages open there in half the time."""
    with ExitStack() as after:

        @cache
        def of(locale: str) -> BrowserContext:
            profile = tmp_path_factory.mktemp("profile")
            context = playwright.chromium.launch_persistent_context(profile, locale=locale, **CHROMIUM)
            after.callback(context.close)
            return context

        yield of


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """For contexts with settings of their own: a phone's, other rights."""
    browser = playwright.chromium.launch(**CHROMIUM)
    yield browser
    browser.close()


@pytest.fixture
def open_lab(app: App, request: pytest.FixtureRequest, visitor: Callable) -> Iterator[Callable[..., Lab]]:
    """Opens pages. Afterwards none may have had a console error or asked another host."""
    labs: list[Lab] = []
    own: list[BrowserContext] = []

    def open_(language: str = "en", path: str | None = None, viewport: dict | None = None, **context: Any) -> Lab:
        size = viewport or {"width": 1200, "height": 900}
        settings = {"locale": LOCALE[language], **context}
        if context:
            own.append(request.getfixturevalue("browser").new_context(viewport=size, **settings))
            page = own[-1].new_page()
        else:
            page = visitor(settings["locale"]).new_page()
            page.set_viewport_size(size)
        lab = Lab(page, app.url, language)
        labs.append(lab)
        lab.open(PAGES[language] if path is None else path)
        return lab

    yield open_
    for lab in labs:
        lab.page.close()
    for context in own:
        context.close()
    assert [lab.problems for lab in labs if lab.problems] == []
