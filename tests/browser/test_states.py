"""Every state of the digits page fits and can be read; what is refused is said where one looks, and stays."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from app_process import SEVEN, png
from lab import (
    PAGES,
    PATIENCE,
    PHONE,
    SCRIBBLE,
    SEVENTEEN,
    Lab,
    OpenLab,
    at_faces,
    both_languages,
    doubtful,
    replace,
    saved,
    scan,
    scene,
    tally,
)
from playwright.sync_api import expect

from tabs.digits import IN_DETAIL, MOST
from tabs.head import STATIC

PORTRAIT = STATIC / "portraits" / "mona-lisa.jpg"
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
    "long number": lambda lab, folder: (uploaded(lab, folder, tally(IN_DETAIL)), lab.ask_all()),
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

# The least room between the texts of two neighbouring cells.
GAP = """() => Math.min(...[...document.querySelectorAll('.opinions tr')].flatMap((row) => {
  const texts = [...row.children].filter((cell) => cell.checkVisibility()).map((cell) => {
    const text = document.createRange();
    text.selectNodeContents(cell);
    return text.getBoundingClientRect();
  });
  return texts.slice(1).map((text, index) => text.left - texts[index].right);
}))"""


@both_languages
def test_every_state_fits_and_can_be_read(open_lab: OpenLab, tmp_path: Path, language: str) -> None:
    """Every text stands out from its ground, in the light and in the dark; and from the smallest phone to a desk
    nothing is wider than the window, with every part open.

    What a block cuts off does not make the page wider, so every element is asked where it ends.
    """
    lab = open_lab(language)
    lab.page.add_style_tag(content="* { transition: none !important; }")
    closed = lab.page.locator("button.label-wrap:not(.open)")
    lab.empty()
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
        lab.empty()


@both_languages
def test_files_that_the_browser_knows_nothing_of(open_lab: OpenLab, tmp_path: Path, language: str) -> None:
    """A picture of no known type is taken, chosen or dropped; one of 21 MB, and what is none, are refused where one
    looks, in a sentence that stays, and in no passing word of Gradio's."""
    huge = tmp_path / "huge.jpg"
    huge.touch()
    os.truncate(huge, 21 * 2**20)
    unknown = {"name": "IMG_1.heic", "mimeType": "application/octet-stream", "buffer": PORTRAIT.read_bytes()}
    refused = {"name": "poem.txt", "mimeType": "text/plain", "buffer": b"I am a poem. " * 20}
    for tab, place, line in (("denoise", "#photo", "#denoised"), ("faces", "#face-photo", "#reconstructed")):
        lab = open_lab(language, f"{PAGES[language]}?lang={language}&tab={tab}")
        chooser, said = lab.page.locator(f"{place} input[type=file]"), lab.page.locator(f"{line} .sentence")
        lab.cross(place[1:]).click()  # it is on what the tab opens with
        for file, key in ((huge, "error.image_heavy"), (refused, "error.image_unreadable")):
            chooser.set_input_files(file)
            expect(said).to_have_text(lab.words[key].format(most=20))
        chooser.set_input_files(unknown)
        expect(lab.page.locator(f"{line} .figures")).to_be_visible()
        lab.cross(place[1:]).click()
        drop = lab.page.evaluate_handle("new DataTransfer()")
        drop.evaluate("(drop) => drop.items.add(new File(['I am a poem. '.repeat(20)], 'poem'))")
        lab.page.locator(f"{place} button.upload-container").dispatch_event("drop", {"dataTransfer": drop})
        expect(said).to_have_text(lab.words["error.image_unreadable"])
        assert lab.page.locator("[data-testid=toast-body]").count() == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_can_be_read(open_lab: OpenLab, theme: str) -> None:
    """The address chooses the theme, which is the class of the test above; and what is faint is found."""
    lab = open_lab(path=f"/?__theme={theme}")
    assert lab.page.evaluate("document.body.classList.contains('dark')") == (theme == "dark")
    assert lab.page.evaluate(FAINT) == []
    lab.page.add_style_tag(content=".sentence { color: var(--line) !important; }")
    assert lab.page.evaluate(FAINT) != []


def test_what_does_not_come(open_lab: OpenLab) -> None:
    """It hides the rest of the page, which it would move, for a while only."""
    lab = open_lab(path="")
    lab.page.add_init_script(
        "const look = document.querySelector.bind(document);"
        "document.querySelector = (one) => (one === '#label' ? null : look(one));"
    )
    lab.open("/")
    expect(lab.canvas).to_be_visible(timeout=2 * PATIENCE)


@both_languages
def test_a_phone_has_room_for_a_table(open_lab: OpenLab, language: str) -> None:
    """No cell of the comparison comes nearer than eight pixels to its neighbour."""
    lab = open_lab(language, **PHONE)
    lab.ask_all()
    assert lab.page.evaluate(GAP) >= 8


def test_a_phone_shows_a_sliders_number(open_lab: OpenLab) -> None:
    """Its box is high enough for a finger, and nothing cuts it."""
    lab = open_lab(path="/?tab=denoise", **PHONE)
    box = lab.page.locator("#sigma input[type=number]")
    shown = box.evaluate("(box) => [box, box.parentElement].map((one) => one.getBoundingClientRect().height)")
    assert shown[1] >= shown[0] >= 40


def test_a_phone_shows_the_answer_below_the_pad(empty_lab: OpenLab) -> None:
    """Without scrolling the visitor sees the whole numeral and the sentence."""
    lab = empty_lab()
    for width, height in ((360, 640), (390, 844)):
        lab.page.set_viewport_size({"width": width, "height": height})
        lab.draw_anew(SEVEN)
        for part in (lab.numeral, lab.sentence):
            box = part.bounding_box()
            assert box["y"] > 0 and box["y"] + box["height"] <= height, width


def test_a_guess_on_a_phone(open_lab: OpenLab) -> None:
    """The face is large enough to see what is wrong with an eye, and stays where it is once the others are shown."""
    lab = at_faces(open_lab(**PHONE | {"viewport": {"width": 390, "height": 844}}))
    strip, made = lab.page.locator("#face-strip"), lab.page.locator("#face-strip img").nth(1)
    before = made.bounding_box()
    assert before["width"] == before["height"] > 200
    strip.locator(".eyes button").first.tap()
    expect(strip.locator("img").first).to_be_visible()
    assert made.bounding_box() == before
    assert max(one.bounding_box()["y"] + one.bounding_box()["height"] for one in strip.locator("img").all()) < 600


def test_no_picture_is_said_as_long_as_there_is_none(open_lab: OpenLab, tmp_path: Path) -> None:
    """Nothing that was said of none, or of a bad one, stays while the next is worked on."""
    lab = open_lab(path="/?tab=denoise")
    said, place = lab.page.locator("#denoised .sentence"), lab.page.locator("#before-after")
    large = saved(tmp_path / "large.jpg", scene(3000, 2000), 20)
    (tmp_path / "poem.png").write_bytes(b"I am a poem.\n" * 40)
    lab.cross("photo").click()
    expect(said).to_have_text(lab.words["error.image_missing"])
    for bad in (False, True):
        if bad:
            replace(lab, tmp_path / "poem.png", "photo")
            expect(said).to_have_text(lab.words["error.image_unreadable"])
        lab.page.locator("#photo input[type=file]").set_input_files(large)
        expect(place).to_contain_text(lab.words["photo.working"])
        expect(said).to_be_hidden()
        lab.page.locator("#denoise-stop").click()
        expect(said).to_have_text(lab.words["photo.stopped"])


def test_each_tab_asks_a_question(empty_lab: OpenLab) -> None:
    """One that makes a visitor try, on a phone as well."""
    lab = empty_lab(**PHONE)
    lab.page.set_viewport_size({"width": 390, "height": 844})
    for name in ("digits", "sample", "denoise", "faces"):
        lab.page.locator(f"#tab-{name}-button").click()
        expect(lab.page.locator(f"#tab-{name} .question")).to_contain_text(lab.words[f"question.{name}"])
        expect(lab.page.locator(f"#tab-{name} .question")).to_be_in_viewport()
