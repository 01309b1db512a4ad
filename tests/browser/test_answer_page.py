"""What the digits page says beyond one digit: what decided, doubts, numbers, photographs, every network's opinion."""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Self

import numpy as np
import pytest
from app_process import SEVEN, drawn, png
from lab import LETTER_K, RING, SCRIBBLE, SEVENTEEN, Lab, OpenLab
from PIL import Image, ImageDraw, ImageFilter
from playwright.sync_api import Route, expect

import models
from models.pipelines import classifier
from tabs.digits import MOST

both_languages = pytest.mark.parametrize("language", ["en", "zh"])
NETWORKS = models.names(task="classification")


def pattern(text: str) -> re.Pattern[str]:
    """Matches a locale's text, whatever is filled in."""
    return re.compile("^" + re.sub(r"\\{\w+\\}", r"\\S+", re.escape(text)).replace("\\ ", r"\s") + "$")


@cache
def doubtful() -> bytes:
    """A picture between a 9 and a 4: the top is open just so far that the network is unsure."""
    narrow, wide = 0.0, 0.2
    while True:
        gap = (narrow + wide) / 2
        picture, top = Image.new("L", (1000, 1000), 255), 360 + 500 * gap
        ink = ImageDraw.Draw(picture)
        ink.line([(660, 150), (660, 850)], fill=0, width=70)
        ink.line([(660 - 1000 * gap, 150), (top, 150), (340, 450), (660, 450)], fill=0, width=70, joint="curve")
        (reading,) = classifier("mnist-resnet").read(picture)
        if not reading.is_sure:
            return png(picture)
        narrow, wide = (gap, wide) if reading.digit == "9" else (narrow, gap)


def tally(count: int) -> bytes:
    """A picture of so many ones."""
    picture = Image.new("L", (100 * count, 280), 255)
    for x in range(50, 100 * count, 100):
        ImageDraw.Draw(picture).line([(x, 60), (x, 220)], fill=0, width=20)
    return png(picture)


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


class Held:
    """In its block what the server says to questions about `Shown` alone is kept back, each until `release`."""

    def __init__(self, lab: Lab):
        self.lab, self.waiting, self.stopped = lab, [], False
        lab.page.route("**/run/**", self._take)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.stopped = True
        while self.waiting:
            self.release()

    def _take(self, route: Route) -> None:
        if self.stopped or route.request.post_data_json["data"] != [None]:  # a state: the browser does not know it
            route.continue_()
            return
        answer = route.fetch()
        if self.stopped:  # meanwhile
            route.fulfill(response=answer)
        else:
            self.waiting.append((route, answer))

    def wait(self) -> None:
        """Until an answer is kept back."""
        for _ in range(1000):
            if self.waiting:
                return
            self.lab.page.wait_for_timeout(20)
        raise AssertionError("the page does not ask")

    def release(self) -> None:
        """Let the first one go."""
        route, response = self.waiting.pop(0)
        route.fulfill(response=response)


def draw_only(lab: Lab, stroke: list[tuple[float, float]]) -> None:
    """Draw on the empty pad without waiting until the page is quiet."""
    lab.page.locator("#pad .pad-clear").click()
    lab.draw(stroke, lift=False)
    lab.page.mouse.up()


@both_languages
def test_what_decided_is_shown_and_changes(open_lab: OpenLab, language: str) -> None:
    """A coloured 28x28 picture beside what the network saw, named after its method; another drawing gets another."""
    lab = open_lab(language)
    lab.draw()
    (seven,) = lab.heat_maps()
    assert seven.size == (28, 28)
    pixels = np.asarray(seven, int)
    assert (pixels[..., 0] - pixels[..., 2]).max() > 80  # orange
    expect(lab.page.get_by_text(lab.words["digits.decided"])).to_be_visible()
    assert "Sundararajan" in lab.words["digits.how"]
    lab.draw_anew(RING)
    expect(lab.numeral).to_have_text("0")
    (ring,) = lab.heat_maps()
    assert ring.tobytes() != seven.tobytes()
    before = lab.heat_urls()
    lab.choose("Dense")
    lab.settle()
    lab.heat_maps()
    assert lab.heat_urls() != before


def test_what_decided_is_never_shown_beside_another_answer(open_lab: OpenLab) -> None:
    """It comes too late, when there is another drawing: it is not shown."""
    lab = open_lab()
    with Held(lab) as held:
        draw_only(lab, SEVEN)
        expect(lab.numeral).to_have_text("7")
        held.wait()
        assert lab.heat_urls() == [""]  # the answer is there already
        while "style" not in held.waiting[0][1].text():  # that one was about a draft
            held.release()
            held.wait()
        draw_only(lab, RING)
        expect(lab.numeral).to_have_text("0")
        held.release()
        held.wait()  # the page asks again only when it has shown what came
        assert lab.heat_urls() == [""]
    lab.heat_maps()


def test_a_doubtful_digit_is_called_so(open_lab: OpenLab, tmp_path: Path) -> None:
    """Between a 9 and a 4 the network is unsure, and names both."""
    (tmp_path / "picture.png").write_bytes(doubtful())
    lab = open_lab()
    lab.upload(tmp_path / "picture.png")
    expect(lab.sentence).to_have_text(pattern(lab.words["digits.unsure"]))
    assert set(re.findall(r"\b[49]\b", lab.sentence.inner_text())) == {"4", "9"}
    expect(lab.numeral).to_have_class("numeral muted")


@both_languages
def test_what_is_no_digit_is_called_so(open_lab: OpenLab, language: str) -> None:
    """A scribble, a K: no numeral, one sentence; a digit after it is named again."""
    lab = open_lab(language)
    for strokes in ((SCRIBBLE,), LETTER_K):
        lab.draw_anew(*strokes)
        expect(lab.sentence).to_have_text(lab.words["digits.no_digit"])
        expect(lab.numeral).to_have_text("?")
        lab.draw_anew(SEVEN)
        expect(lab.numeral).to_have_text("7")


@both_languages
def test_two_digits_are_read_as_a_number(open_lab: OpenLab, language: str) -> None:
    """From left to right, with the least confidence, each with its pictures and its bar; networks read it as well."""
    lab = open_lab(language)
    lab.draw_anew(*reversed(SEVENTEEN))
    expect(lab.numeral).to_have_text("17")
    expect(lab.sentence).to_have_text(pattern(lab.words["digits.number_sure"]))
    one, seven = lab.heat_maps()
    assert one.tobytes() != seven.tobytes()
    assert lab.page.locator("#answer figcaption").all_inner_texts() == ["1", "7"]
    expect(lab.label.locator("dt")).to_have_text(["1", "7"])
    expect(lab.label.locator("dd")).to_have_text([re.compile(r"^\d+%$")] * 2)
    assert [cells[1] for cells in lab.ask_all() if cells[0] == "ResNet"] == ["17"]


@both_languages
def test_a_photograph_is_read(open_lab: OpenLab, language: str, tmp_path: Path) -> None:
    """Paper in the shadow is darker than ink in the light; both digits are read all the same."""
    picture = scan()
    left, right = (np.asarray(picture.convert("L"))[:, columns] for columns in (slice(0, 120), slice(360, 420)))
    assert right.mean() < np.quantile(left, 0.1)
    picture.save(tmp_path / "scan.jpg", quality=85)
    lab = open_lab(language)
    lab.upload(tmp_path / "scan.jpg")
    expect(lab.numeral).to_have_text("47")
    assert len(lab.heat_maps()) == 2


def test_a_page_of_text_is_no_number(open_lab: OpenLab, tmp_path: Path) -> None:
    """As many digits as the page reads are read; more are counted, and that is said."""
    lab = open_lab()
    for count in (MOST, MOST + 1):
        (tmp_path / f"{count}.png").write_bytes(tally(count))
    lab.upload(tmp_path / f"{MOST}.png")
    expect(lab.numeral).to_have_text("1" * MOST)
    lab.take_away()
    lab.upload(tmp_path / f"{MOST + 1}.png")
    expect(lab.sentence).to_have_text(lab.words["digits.too_many"].format(count=MOST + 1, most=MOST))
    expect(lab.numeral).to_have_text("?")


@both_languages
def test_all_networks_are_asked(open_lab: OpenLab, language: str) -> None:
    """A row for each with its own figures, at most six columns, and a dot in the chart."""
    lab = open_lab(language)
    expect(lab.page.locator("#ask-all")).to_contain_text(str(len(NETWORKS)))
    lab.draw()
    rows = lab.ask_all()
    heads = lab.opinions.locator("thead th")
    assert heads.count() <= 6
    expect(heads.nth(1)).to_have_text(lab.words["opinions.answer"])
    assert [cells[0] for cells in rows] == [lab.words[f"network.{name}"] for name in NETWORKS]
    for name, (_, answer, confidence, time, parameters, accuracy) in zip(NETWORKS, rows, strict=True):
        facts = classifier(name).facts
        assert answer == "7"
        assert 50 < int(confidence.removesuffix("%")) <= 99
        assert 0.001 < float(time) < 2000
        assert parameters == f"{facts.parameters:,}"
        assert accuracy == f"{facts.accuracy:.2%}"
    dots = lab.opinions.locator("svg circle")
    expect(dots).to_have_count(len(NETWORKS))
    heights = [float(dot.get_attribute("cy")) for dot in dots.all()]
    best = max(NETWORKS, key=lambda name: classifier(name).facts.accuracy)
    assert heights.index(min(heights)) == NETWORKS.index(best)


def test_all_networks_are_asked_about_what_was_used_last(open_lab: OpenLab, tmp_path: Path) -> None:
    """Nothing, the picture, or the drawing; what they said of another one is gone, even if it comes too late."""
    lab = open_lab()
    lab.page.locator("#ask-all").click()
    expect(lab.opinions).to_have_text(lab.words["digits.empty"])
    lab.draw()
    expect(lab.opinions).to_be_hidden()
    (tmp_path / "ring.png").write_bytes(png(drawn(RING)))
    lab.upload(tmp_path / "ring.png")
    expect(lab.numeral).to_have_text("0")
    assert [cells[1] for cells in lab.ask_all() if cells[0] == "ResNet"] == ["0"]
    lab.choose("Dense")  # which reads the same picture
    lab.settle()
    expect(lab.opinions).to_be_visible()
    lab.draw_anew(SEVEN)
    expect(lab.opinions).to_be_hidden()
    lab.page.locator("#pad .pad-clear").click()
    lab.expect_nothing()
    expect(lab.opinions).to_be_hidden()

    lab.draw()
    with Held(lab) as held:
        lab.page.locator("#ask-all").click()
        held.wait()
        lab.page.locator("#pad .pad-clear").click()
        lab.expect_nothing()
    lab.settle()
    assert lab.opinions.locator("tbody tr").count() == len(NETWORKS)
    expect(lab.opinions).to_be_hidden()


Prepare = Callable[[Lab, Path], None]


def asked(lab: Lab, *strokes: list[tuple[float, float]]) -> None:
    lab.draw_anew(*strokes)
    lab.ask_all()


def uploaded(lab: Lab, folder: Path, data: bytes) -> None:
    (folder / "picture.png").write_bytes(data)
    lab.upload(folder / "picture.png")
    lab.settle()


STATES: dict[str, Prepare] = {
    "empty": lambda lab, folder: lab.page.locator("#ask-all").click(),
    "digit": lambda lab, folder: asked(lab, SEVEN),
    "unsure": lambda lab, folder: uploaded(lab, folder, doubtful()),
    "no digit": lambda lab, folder: asked(lab, SCRIBBLE),
    "number": lambda lab, folder: asked(lab, *SEVENTEEN),
    "long number": lambda lab, folder: (uploaded(lab, folder, tally(MOST)), lab.ask_all()),
    "too many": lambda lab, folder: uploaded(lab, folder, tally(MOST + 1)),
    "photograph": lambda lab, folder: uploaded(lab, folder, png(scan())),
    "error": lambda lab, folder: uploaded(lab, folder, b"I am a poem.\n" * 40),
}
BEYOND = """[...document.querySelectorAll('body *')].filter((element) => {
  const box = element.getBoundingClientRect();
  return element.offsetParent && box.width && (box.right > innerWidth + 1 || box.left < -1);
}).map((element) => element.outerHTML.slice(0, 120))"""
# Every text that can be seen, with the contrast between it and what it is written on, where WCAG 2 AA wants more.
FAINT = """() => {
  const colour = (text) => text.match(/[\\d.]+/g).map(Number);
  const luminance = (rgb) => rgb.slice(0, 3).map((value) => value / 255)
    .map((share) => share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4)
    .reduce((sum, share, index) => sum + share * [0.2126, 0.7152, 0.0722][index], 0);
  const ground = (element) => {
    for (; element; element = element.parentElement) {
      const found = colour(getComputedStyle(element).backgroundColor);
      if (found.length === 3 || found[3] > 0.99) return found;
    }
    return [255, 255, 255];
  };
  const faint = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement, style = getComputedStyle(element);
    if (!walk.currentNode.data.trim() || !element.checkVisibility({visibilityProperty: true})) continue;
    if (element.closest('style, script') || !element.getBoundingClientRect().width) continue;
    const text = colour(element instanceof SVGElement ? style.fill : style.color);
    const [dark, light] = [luminance(text), luminance(ground(element))].sort((a, b) => a - b);
    const size = parseFloat(style.fontSize), ratio = (light + 0.05) / (dark + 0.05);
    if (ratio < (size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5))
      faint.push(`${walk.currentNode.data.trim().slice(0, 40)}: ${ratio.toFixed(2)}`);
  }
  return faint;
}"""


def cleared(lab: Lab) -> None:
    """As the page was opened: no picture, no drawing, a desk's window, light."""
    lab.page.set_viewport_size({"width": 1200, "height": 900})
    lab.page.evaluate("document.body.classList.remove('dark')")
    if lab.page.locator("#picture [aria-label='Remove Image']").count():
        lab.take_away()
    lab.page.locator("#pad .pad-clear").click()
    lab.expect_nothing()


@both_languages
def test_every_state_fits_and_can_be_read(open_lab: OpenLab, tmp_path: Path, language: str) -> None:
    """Every text stands out from its ground, in the light and in the dark; and from the smallest phone to a desk
    nothing is wider than the window, with every part open.

    What a block cuts off does not make the page wider, so every element is asked where it ends.
    """
    lab = open_lab(language)
    lab.page.add_style_tag(content="* { transition: none !important; }")
    closed = lab.page.locator("button.label-wrap:not(.open)")
    for state, prepare in STATES.items():
        prepare(lab, tmp_path)
        lab.settle()
        for theme in ("light", "dark"):
            lab.page.evaluate("dark => document.body.classList.toggle('dark', dark)", theme == "dark")
            assert lab.page.evaluate(FAINT) == [], (state, theme)
        while closed.count():
            closed.first.click()
        for width in (360, 390, 1200):
            lab.page.set_viewport_size({"width": width, "height": 800})
            lab.page.wait_for_function(f"document.documentElement.clientWidth === {width}")
            assert lab.page.evaluate("[document.documentElement.scrollWidth, innerWidth]") == [width, width], state
            assert lab.page.evaluate(BEYOND) == [], (state, width)
        cleared(lab)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_can_be_read(open_lab: OpenLab, theme: str) -> None:
    """The address chooses the theme, which is the class of the test above; and what is faint is found."""
    lab = open_lab(path=f"/?__theme={theme}")
    assert lab.page.evaluate("document.body.classList.contains('dark')") == (theme == "dark")
    assert lab.page.evaluate(FAINT) == []
    lab.page.add_style_tag(content=".sentence { color: var(--line) !important; }")
    assert lab.page.evaluate(FAINT) != []


def test_a_phone_shows_the_answer_below_the_pad(open_lab: OpenLab) -> None:
    """Without scrolling the visitor sees the whole numeral and the sentence."""
    lab = open_lab()
    for width, height in ((360, 640), (390, 844)):
        lab.page.set_viewport_size({"width": width, "height": height})
        lab.draw_anew(SEVEN)
        for part in (lab.numeral, lab.sentence):
            box = part.bounding_box()
            assert box["y"] > 0 and box["y"] + box["height"] <= height, width
