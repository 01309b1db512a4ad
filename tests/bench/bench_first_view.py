"""What the first view costs. Bars: 40 requests and 500 kB beyond the framework's own files, and a first paint of 1.1
times an empty Gradio page's, medians of cold visits in turn; a layout shift of 0.05 on each tab, at both widths.

Run from the repository's root: python tests/bench/bench_first_view.py
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path
from statistics import median

from common import TESTS, header, show, verdict

# ruff: isort: split
from app_process import App, free_port, running
from lab import PHONE
from playwright.sync_api import Browser, sync_playwright

VISITS = 9
TABS = ("digits", "sample", "denoise", "faces")
EMPTY = (
    "import gradio as gr\nwith gr.Blocks(analytics_enabled=False) as demo:\n    pass\ndemo.launch(_frontend=False)\n"
)
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
SHIFT = """() => new Promise((done) => {
  let sum = 0;
  new PerformanceObserver((list) => list.getEntries().forEach((one) => { sum += one.hadRecentInput ? 0 : one.value; }))
    .observe({type: 'layout-shift', buffered: true});
  setTimeout(() => done(sum), 500);
})"""
# Gradio's own: what its empty page asks for too, its components, its theme and the calls that keep a session.
FRAMEWORK = ("/assets/", "/svelte/", "/static/", "/gradio_api/startup-events", "/gradio_api/heartbeat", "/theme.css")


def visit(browser: Browser, url: str, **device: object) -> tuple[float, float, list[tuple[str, int]]]:
    """A cold visit: milliseconds to the first paint, layout shift, and each request with its bytes on the wire."""
    context = browser.new_context(locale="en-US", **device)
    page, requests = context.new_page(), []
    page.on("requestfinished", lambda request: requests.append(request))
    page.goto(url)
    page.wait_for_function(PAINT)
    page.wait_for_timeout(3000)
    found = page.evaluate(PAINT), page.evaluate(SHIFT), [(one.url, one.sizes()["responseBodySize"]) for one in requests]
    context.close()
    return found


def main() -> int:
    """Measure, print, and tell by the status whether the bars are met."""
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        folder = Path(home, "empty")
        folder.mkdir()
        (folder / "app.py").write_text(EMPTY)
        ports = free_port(), free_port()
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium-headless-shell"), args=["--no-sandbox"]
        )
        with (
            running(folder, ports[0], folder=folder, GRADIO_SERVER_PORT=str(ports[0])) as empty,
            running(Path(home), ports[1], ["--port", str(ports[1])]) as app,
        ):
            missed = measured(browser, empty, app)
        browser.close()
    return missed


def measured(browser: Browser, empty: App, app: App) -> int:
    """All visits, and what came of them."""
    paints: dict[str, list[float]] = {empty.url: [], app.url: []}
    for url in (empty.url, app.url) * VISITS:
        paint, _, bodies = visit(browser, url)
        paints[url].append(paint)
    ours = [(url, size) for url, size in bodies if not any(part in url for part in FRAMEWORK)]
    header()
    for name, url in (("an empty page", empty.url), ("this page", app.url)):
        show(name, paints[url][1:])
    ratio = median(a / b for a, b in zip(paints[app.url][1:], paints[empty.url][1:], strict=True))
    print(*(f"{size:9} {url.removeprefix(app.url)[:90]}" for url, size in sorted(ours)), sep="\n")
    missed = verdict("first paint, times an empty page's", ratio, 1.1)
    missed |= verdict("requests beyond the framework's", len(ours), 40)
    missed |= verdict("kB beyond the framework's", sum(size for _, size in ours) / 1000, 500)
    for name in TABS:
        for width, device in (("1280", {"viewport": {"width": 1280, "height": 900}}), ("360", PHONE)):
            _, shift, _ = visit(browser, f"{app.url}/?tab={name}", **device)
            missed |= verdict(f"layout shift, {name}, {width}", shift, 0.05)
    return missed


if __name__ == "__main__":
    os.chdir(TESTS.parent)
    sys.exit(main())
