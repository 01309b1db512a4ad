"""Takes the pictures of a running app: `python tests/browser/makers/pictures.py URL [FOLDER]`.

Without a folder those of the README and of a link to the page; with one every tab at 1280 and 390 pixels, in English
and Chinese, light and dark, as it opens and after a press.
"""

import io
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from PIL import Image, ImageOps
from playwright.sync_api import Browser, Page, sync_playwright

from tabs.head import PREVIEW, SIZE

README = Path(__file__).resolve().parents[3] / ".github"
SEVEN = "RRiRuRUx"  # strokes as an address has them
OPENED = {
    "digits": f"?tab=digits&ink={SEVEN}",
    "sample": "?tab=sample&part=map&dots=true",
    "denoise": "?tab=denoise",
    "faces": "?tab=faces",
}
PRESSED = {"digits": "#ask-all", "sample": "#sample-dice", "denoise": "#denoise-compare", "faces": "#faces-compare"}


def opened(browser: Browser, url: str, width: int, height: int) -> Page:
    page = browser.new_page(
        viewport={"width": width, "height": height},
        has_touch=width < 600,
        is_mobile=width < 600,
        reduced_motion="reduce",
    )
    page.goto(url)
    page.wait_for_selector("#source:has-text('·')", state="attached")
    page.wait_for_timeout(2500)
    return page


def published(browser: Browser, url: str) -> None:
    """The pictures of the README, and the one beside a link."""
    for name in ("digits", "sample", "denoise", "faces"):
        page = opened(browser, f"{url}/{OPENED[name]}", 1120, 760)
        page.screenshot(path=README / f"{name}.png")
        page.close()
    page = opened(browser, f"{url}/{OPENED['digits']}", 1200, 630)
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    ImageOps.fit(shot, SIZE).save(PREVIEW, quality=88)


def everything(browser: Browser, url: str, folder: Path) -> None:
    """First views, and what comes of a press."""
    for width, height in ((1280, 900), (390, 844)):
        for language in ("", "zh"):
            for theme in ("light", "dark"):
                for tab, button in PRESSED.items():
                    page = opened(browser, f"{url}/{language}?tab={tab}&lang=en&__theme={theme}", width, height)
                    name = f"{tab}-{width}-{language or 'en'}-{theme}"
                    page.screenshot(path=folder / f"{name}.png")
                    page.locator(button).click()
                    page.wait_for_timeout(6000)
                    page.screenshot(path=folder / f"{name}-pressed.png")
                    page.close()


if __name__ == "__main__":
    with sync_playwright() as playwright:
        executable = shutil.which("chromium-headless-shell")
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        if len(sys.argv) > 2:
            Path(sys.argv[2]).mkdir(parents=True, exist_ok=True)
            everything(browser, sys.argv[1], Path(sys.argv[2]))
        else:
            published(browser, sys.argv[1])
