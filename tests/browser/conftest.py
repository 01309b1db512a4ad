"""One app and one Chromium for all browser tests; a fresh context for each page."""

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from app_process import App, free_port, running
from lab import LOCALE, PAGES, Lab
from playwright.sync_api import Browser, sync_playwright

QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    port = free_port()
    with running(tmp_path_factory.mktemp("home"), port, ["--port", str(port)]) as app:
        yield app


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def open_lab(app: App, browser: Browser) -> Iterator[Callable[..., Lab]]:
    """Opens pages. Afterwards none may have had a console error or asked another host."""
    labs: list[Lab] = []

    def open_(language: str = "en", path: str | None = None, **context: Any) -> Lab:
        settings = {"viewport": {"width": 1200, "height": 900}, "locale": LOCALE[language], **context}
        lab = Lab(browser.new_context(**settings).new_page(), app.url, language)
        labs.append(lab)
        lab.open(PAGES[language] if path is None else path)
        return lab

    yield open_
    for lab in labs:
        lab.page.context.close()
    assert [lab.problems for lab in labs if lab.problems] == []
