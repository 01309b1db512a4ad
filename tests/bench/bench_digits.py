"""How long after a stroke ends the page shows its answer. Bar: 150 ms, the median of 30 strokes in headless Chromium.

Run from the repository's root: python tests/bench/bench_digits.py
"""

import random
import shutil
import sys
import tempfile
from pathlib import Path

from common import header, show, verdict

# ruff: isort: split
from app_process import free_port, running
from lab import Lab
from playwright.sync_api import Page, sync_playwright

STROKES, WARM_UP, BAR = 30, 3, 150.0

# The clock starts when the pointer is lifted. It stops with the first frame after #answer and #label both hold what the
# server said to the request that carries the finished drawing; answers to drafts, sent while the stroke went on, do not
# count: they are other pictures, and so have another 28x28 picture in #answer. Where the last draft was the finished
# drawing already, there is nothing to wait for: such a stroke is drawn again (-1).
CLOCK = """
window.lifted = null; window.taken = null;
addEventListener('pointerup', () => { window.lifted = performance.now(); window.taken = null; }, true);
const ask = window.fetch;
window.fetch = async (...call) => {
  const answer = await ask(...call), body = call[1]?.body, canvas = document.querySelector('#pad canvas');
  if (window.lifted === null || typeof body !== 'string' || !body.includes(canvas.toDataURL())) return answer;
  const [html, label] = (await answer.clone().json()).data;
  const picture = html.match(/src="([^"]+)"/)[1], place = document.createElement('div');
  place.innerHTML = label;
  const shown = () => document.querySelector('#answer img')?.src === picture
    && document.querySelector('#label dl')?.textContent === place.textContent;
  if (shown()) { window.taken = -1; return answer; }
  const watch = new MutationObserver(() => {
    if (!shown()) return;
    watch.disconnect();
    const lifted = window.lifted;
    requestAnimationFrame(() => { window.taken = performance.now() - lifted; });
  });
  for (const id of ['answer', 'label'])
    watch.observe(document.getElementById(id), {subtree: true, childList: true, attributes: true, characterData: true});
  return answer;
};
"""


def stroke(page: Page, lab: Lab, chance: random.Random) -> float:
    """Draw one stroke of a random form on the empty pad; the milliseconds until its answer was shown, or -1."""
    page.locator("#pad .pad-clear").click()
    lab.expect_nothing()
    page.evaluate("window.lifted = window.taken = null")
    points = [(chance.uniform(0.15, 0.85), chance.uniform(0.15, 0.85)) for _ in range(5)]
    page.mouse.move(*lab.at(*points[0]))
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*lab.at(*point), steps=10)
        page.wait_for_timeout(chance.uniform(10, 60))
    page.mouse.move(*lab.at(*points[0]), steps=3)
    page.mouse.up()
    return page.wait_for_function("window.taken", timeout=10_000).json_value()


def main() -> int:
    """Measure, print, and tell by the status whether the bar is met."""
    port, chance = free_port(), random.Random(0)
    times: list[float] = []
    with (
        tempfile.TemporaryDirectory() as home,
        running(Path(home), port, ["--port", str(port)]) as app,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium-headless-shell"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 1200, "height": 900}, locale="en-US")
        page.add_init_script(CLOCK)
        lab = Lab(page, app.url, "en")
        lab.open("/")
        while len(times) < WARM_UP + STROKES:
            taken = stroke(page, lab, chance)
            times += [taken] if taken > 0 else []
        browser.close()
    header()
    return verdict("stroke ends -> answer shown, ms", show("stroke to answer", times[WARM_UP:]), BAR)


if __name__ == "__main__":
    sys.exit(main())
