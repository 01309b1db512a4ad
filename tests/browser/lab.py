"""The page as a visitor uses it: draws, chooses, uploads, reads what it says."""

import base64
import io
import json
import math
import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from app_process import ROOT, SEVEN, png
from ink import ink_of
from PIL import Image, ImageDraw, ImageFilter
from playwright.sync_api import Locator, Page, Request, expect

from models.pipelines import classifier

PAGES = {"en": "/", "zh": "/zh"}
LOCALE = {"en": "en-US", "zh": "zh-CN"}
Stroke = Sequence[tuple[float, float]]
OpenLab = Callable[..., "Lab"]
PHONE = {"viewport": {"width": 360, "height": 640}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}

PATIENCE = 30_000  # ms for whatever is expected of a page: the cores may be busy
# 50 ms, once the page has done what it had to do: a click may become a question a while later.
PAUSE = "() => new Promise((done) => requestIdleCallback(() => setTimeout(done, 50), {timeout: 2000}))"
expect.set_options(timeout=PATIENCE)
RING = [(0.5 + 0.22 * math.sin(turn * math.pi / 4), 0.5 - 0.32 * math.cos(turn * math.pi / 4)) for turn in range(9)]
SEVENTEEN = ([(0.25, 0.25), (0.25, 0.75)], [(0.55, 0.25), (0.85, 0.25), (0.68, 0.75)])
SCRIBBLE = [(0.5 + 0.4 * math.sin(2.4 * turn), 0.5 + 0.4 * math.cos(1.7 * turn)) for turn in range(30)]
LETTER_K = ([(0.3, 0.15), (0.3, 0.85)], [(0.72, 0.15), (0.32, 0.5), (0.74, 0.85)])


class Lab:
    """An open page in one language.

    Attributes:
        words: the locale's texts.
        problems: console errors and requests to other hosts, as they come.
        asking: requests to the networks that have no answer yet.
    """

    def __init__(self, page: Page, url: str, language: str, viewport: dict[str, int]):
        self.page, self.url, self.viewport = page, url, viewport
        page.set_viewport_size(viewport)
        self.words: dict[str, str] = json.loads((ROOT / f"tabs/locales/{language}.json").read_text("utf-8"))
        self.problems: list[str] = []
        self.asking: set[Request] = set()
        self.numeral = page.locator("#answer .numeral")
        self.sentence = page.locator("#answer .sentence")
        self.label = page.locator("#label")
        self.source = page.locator("#source")
        self.canvas = page.locator("#pad canvas")
        self.opinions = page.locator("#opinions .opinions")
        page.on("request", lambda request: "/run/" in request.url and self.asking.add(request))
        page.on("requestfinished", lambda request: self.asking.discard(request))
        page.on("requestfailed", lambda request: self.asking.discard(request))
        page.on("console", lambda message: message.type == "error" and self.problems.append(message.text))
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("request", lambda request: self._own(request.url) or self.problems.append(request.url))

    def _own(self, address: str) -> bool:
        return address.startswith((self.url, "data:", "blob:"))

    def open(self, path: str) -> None:
        """Go there and wait until the page is alive."""
        self.page.goto(self.url + path)
        self.wait()

    def wait(self) -> None:
        """Wait until the page has had its first answer from the server, the source line."""
        expect(self.source).to_contain_text("·")

    def show(self, view: str) -> None:
        """Open a tab or a part of one, such as `faces` or `sample-map`."""
        self.page.locator(f"#tab-{view.partition('-')[0]}-button").click()
        if "-" in view:
            self.page.locator(f"#part-{view}-button").click()
        self.settle()

    def empty(self) -> None:
        """Show the digits' tab as it is opened, but without a drawing, in the window as it was, light."""
        self.page.set_viewport_size(self.viewport)
        self.page.locator("#tab-digits-button").click()
        self.page.evaluate("document.body.classList.remove('dark')")
        if self.cross("picture").count():
            self.take_away()
        self.page.locator("#pad .pad-clear").click()
        if not self.page.locator("#network input[value=mnist-resnet]").is_checked():
            self.choose("ResNet")
        self.settle()
        self.expect_nothing()
        self.page.evaluate("scrollTo(0, 0)")

    def at(self, x: float, y: float) -> tuple[float, float]:
        """A point of the pad, in shares of its sides, on the page."""
        box = self.canvas.bounding_box()
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    def draw(self, stroke: Stroke = SEVEN, *, lift: bool = True) -> None:
        """Draw one stroke with the mouse; without `lift` the button stays down."""
        self.canvas.scroll_into_view_if_needed()
        self.page.mouse.move(*self.at(*stroke[0]))
        self.page.mouse.down()
        self.go_on(stroke[1:])
        if lift:
            self.page.mouse.up()
            self.settle()

    def draw_anew(self, *strokes: Stroke) -> None:
        """Clear the pad and draw all these strokes."""
        self.page.locator("#pad .pad-clear").click()
        for stroke in strokes:
            self.draw(stroke)

    def go_on(self, points: Stroke) -> None:
        """Move on through `points`, in steps, each of which waits for a frame of the page."""
        for x, y in [self.at(*point) for point in points]:
            self.page.mouse.move(x, y, steps=max(1, 8 // len(points)))

    def settle(self) -> None:
        """Wait until the page has asked nothing for a while: an answer to a draft may be right before the last answer
        comes, and one answer leads to the next question."""
        quiet = 0
        for _ in range(2 * PATIENCE // 50):
            self.page.evaluate(PAUSE)
            quiet = 0 if self.asking else quiet + 1
            if quiet == 3:
                return
        raise AssertionError(f"The page still waits for {[request.post_data for request in self.asking]}.")

    def heat_urls(self) -> list[str]:
        """The address of each heat map in the answer, "" where none is shown."""
        return self.page.locator("#answer i.pixels").evaluate_all(
            "places => places.map((place) => getComputedStyle(place).backgroundImage.replace(/^none$/, ''))"
        )

    def heat_maps(self) -> list[Image.Image]:
        """The heat maps in the answer, once they are all there; each lies beside a picture of what was seen."""
        places = self.page.locator("#answer .pixels")
        self.page.wait_for_function(
            """() => {
              const places = [...document.querySelectorAll('#answer i.pixels')];
              return places.length && places.every((place) => getComputedStyle(place).backgroundImage !== 'none');
            }"""
        )
        urls = self.heat_urls()
        assert places.count() == 2 * len(urls)
        files = (base64.b64decode(re.search(r'base64,([^"]+)', url)[1]) for url in urls)
        return [Image.open(io.BytesIO(file)).convert("RGB") for file in files]

    def ask_all(self) -> list[list[str]]:
        """Ask all networks; the cells of the table, row by row, without its head."""
        self.page.locator("#ask-all").click()
        rows = self.opinions.locator("tbody tr")
        expect(rows.first).to_be_visible()
        return [row.locator("th, td").all_inner_texts() for row in rows.all()]

    def choose(self, network: str) -> None:
        """Choose a network by its title."""
        self.page.locator("#network").get_by_text(network, exact=True).click()
        expect(self.source).to_contain_text(network)

    def upload(self, path: Path) -> None:
        """Choose a file in the accordion, which is opened if need be, and wait until the page asks what is on it."""
        chooser = self.page.locator("#picture input[type=file]")
        if not chooser.count():
            self.page.locator("#picture button").first.click()
        with self.page.expect_request("**/run/*", timeout=PATIENCE):  # it travels first
            chooser.set_input_files(path)

    def cross(self, place: str) -> Locator:
        """What takes a chosen picture away again."""
        return self.page.locator(f"#{place}").get_by_role("button", name=self.words["gradio.remove"], exact=True)

    def take_away(self) -> None:
        """Take the chosen picture away again."""
        self.cross("picture").click()

    def swipe(self, points: Sequence[tuple[float, float]]) -> None:
        """Move one finger through `points` of the page."""
        session = self.page.context.new_cdp_session(self.page)

        def touch(kind: str, *fingers: dict[str, float]) -> None:
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": list(fingers)})

        x, y = points[0]
        touch("touchStart", {"x": x, "y": y})
        for to_x, to_y in points[1:]:
            for step in range(1, 9):
                touch("touchMove", {"x": x + (to_x - x) * step / 8, "y": y + (to_y - y) * step / 8})
            x, y = to_x, to_y
        touch("touchEnd")

    def expect_nothing(self) -> None:
        """An invitation to draw: no guess, no probabilities, no picture of what was seen."""
        expect(self.numeral).to_have_text("?")
        expect(self.sentence).to_have_text(self.words["digits.empty"])
        expect(self.label.locator("dd")).to_have_text([""] * 10)
        expect(self.page.locator("#answer img")).to_have_count(0)


def both(lab: Lab, slider: str) -> Locator:
    """The two pictures in a slider: as it came, and what was made of it."""
    return lab.page.locator(f"#{slider} .whole img")


def renewed(lab: Lab, before: str | None, slider: str) -> str:
    """The address of what was made, once it is another than `before` and the work is done."""
    pictures = both(lab, slider)
    expect(pictures).to_have_count(2)
    if before is not None:
        expect(pictures.nth(1)).not_to_have_attribute("src", before)
        lab.page.wait_for_timeout(100)  # what is said of it comes in the next frame
    return pictures.nth(1).get_attribute("src")


def replace(lab: Lab, path: Path, place: str) -> None:
    """Put a file in the place of the picture that is there."""
    lab.cross(place).click()
    lab.page.locator(f"#{place} input[type=file]").set_input_files(path)


def tab(lab: Lab, name: str) -> None:
    """Open a tab, as a visitor does."""
    lab.page.get_by_role("tab", name=lab.words[f"tab.{name}"], exact=True).click()


def is_open(lab: Lab, name: str) -> None:
    """See that this tab is open."""
    opened = lab.page.get_by_role("tab", name=lab.words[f"tab.{name}"], exact=True)
    expect(opened).to_have_attribute("aria-selected", "true")


def ink(lab: Lab) -> np.ndarray:
    """How much of it lies on each pixel of the pad, 0 to 255."""
    url = lab.canvas.evaluate("canvas => canvas.toDataURL()")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).getchannel("A"), float)


both_languages = pytest.mark.parametrize("language", ["en", "zh"])


def scene(width: int = 320, height: int = 200) -> np.ndarray:
    """A smooth coloured gradient with a bright square in it, (H, W, 3) in 30 to 220."""
    across, down = np.meshgrid(np.linspace(30, 220, width), np.linspace(30, 220, height))
    pixels = np.stack([across, down, 250 - (across + down) / 2], 2)
    pixels[height // 4 : height // 2, width // 4 : width // 2] = 200
    return pixels


def saved(path: Path, pixels: np.ndarray, sigma: float = 0, mode: str = "RGB") -> Path:
    """The same in a file, with Gaussian noise."""
    grain = np.random.default_rng(0).normal(0, sigma, pixels.shape)
    Image.fromarray(np.uint8(np.clip(pixels + grain, 0, 255).round())).convert(mode).save(path)
    return path


@cache
def doubtful() -> bytes:
    """A picture between a 9 and a 4: the top is open just so far that the network is unsure."""
    narrow, wide = 0.0, 0.2
    while True:
        gap = (narrow + wide) / 2
        picture, top = Image.new("LA", (1000, 1000)), 360 + 500 * gap
        ink, bent = ImageDraw.Draw(picture), [(660 - 1000 * gap, 150), (top, 150), (340, 450), (660, 450)]
        ink.line([(660, 150), (660, 850)], fill=(0, 255), width=70)
        ink.line(bent, fill=(0, 255), width=70, joint="curve")
        (reading,) = classifier("mnist-resnet").read(picture)
        if not reading.is_sure:
            return png(picture)
        narrow, wide = (gap, wide) if reading.digit == "9" else (narrow, gap)


def tally(count: int) -> bytes:
    """A page of so many threes, ten in a row."""
    page, three = Image.new("L", (720, 90 * -(-count // 10) + 40), 250), ink_of(3, 0, 52)
    for index in range(count):
        page.paste(20, (30 + 68 * (index % 10), 30 + 90 * (index // 10)), three)
    return png(page)


def scan() -> Image.Image:
    """47, as somebody photographs a note under a lamp: darker to the right than the ink is to the left, and grainy."""
    width, height, chance = 420, 300, np.random.default_rng(0)
    ink = Image.new("L", (width, height), 0)
    for line in ([(90, 80), (90, 160), (170, 160)], [(150, 90), (150, 230)], [(240, 90), (330, 90), (280, 230)]):
        ImageDraw.Draw(ink).line(line, fill=255, width=9, joint="curve")
    strength = np.asarray(ink.filter(ImageFilter.GaussianBlur(1)), float) / 255
    down, right = np.mgrid[:height, :width]
    light = 235 - 150 * right / width - 40 * down / height
    pixels = light * (1 - 0.6 * strength) + chance.normal(0, 5, (height, width))
    return Image.fromarray(np.uint8(pixels.clip(0, 255))).convert("RGB")


def at_faces(lab: Lab) -> Lab:
    """Open the faces' tab, and wait for what it opens with."""
    lab.page.get_by_role("tab", name=lab.words["tab.faces"], exact=True).click()
    expect(lab.page.locator("#reconstructed .figures")).to_be_visible()
    return lab
