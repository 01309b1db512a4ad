"""For every hand and every eye: what is read aloud, what stands still, what a keyboard alone can do."""

import re
from io import BytesIO
from pathlib import Path

import pytest
from lab import PAGES, PATIENCE, PHONE, RING, Lab, OpenLab, both_languages
from PIL import Image
from playwright.sync_api import Locator, expect

from models.pipelines import classifier
from tabs import sample
from tabs.head import STATIC

FOCUS = """() => {
  const at = document.activeElement, faults = [];
  if (at === document.body) return ['BODY', faults];
  const width = (one) => {
    const {opacity, outlineStyle, outlineWidth, outlineOffset} = getComputedStyle(one);
    return opacity === '0' || outlineStyle === 'none' ? null : parseFloat(outlineWidth) + parseFloat(outlineOffset);
  };
  let ring = at;
  for (let up = 0; up < 3 && width(ring) === null; up++) ring = ring.parentElement;
  if (width(ring) === null) faults.push('no ring');
  const box = ring.getBoundingClientRect(), more = width(ring);
  for (let over = ring.parentElement; over && over !== document.body; over = over.parentElement) {
    if (getComputedStyle(over).overflow === 'visible') continue;
    const edge = over.getBoundingClientRect();
    const cuts = [edge.left - box.left, edge.top - box.top, box.right - edge.right, box.bottom - edge.bottom];
    if (Math.max(...cuts) + more > 0.6) faults.push(over.className);
  }
  return [`${at.tagName} ${at.id} ${at.ariaLabel ?? at.textContent}`, faults];
}"""

# What is seen or read aloud and has two English words in a row: a name or a key of Gradio's, and not one of ours.
FOREIGN = """(ours) => {
  const found = new Set(), note = (text) => {
    if (/[a-z]{2,}[ -][a-z]{2,}/i.test(text) && !ours.some((one) => one.includes(text))) found.add(text);
  };
  for (const one of document.querySelectorAll('body, body *')) {
    if (one.closest('.how, script, style') || !one.checkVisibility({visibilityProperty: true})) continue;
    for (const key of ['aria-label', 'title', 'alt', 'placeholder', 'aria-valuetext', 'aria-roledescription'])
      note(one.getAttribute(key) ?? '');
    for (const text of one.childNodes) if (text.nodeType === Node.TEXT_NODE) note(text.data.trim());
  }
  return [...found];
}"""
CAMERA = "navigator.mediaDevices.getUserMedia = async () => document.createElement('canvas').captureStream(1);"


def said(lab: Lab) -> Locator:
    """What a reader is told, and nothing else."""
    return lab.page.locator(".said[role=status]")


def hears(lab: Lab) -> None:
    """Note every text that is told from now on."""
    lab.page.evaluate("""() => {
        window.heard = [];
        const place = document.querySelector('.said');
        new MutationObserver(() => place.textContent && heard.push(place.textContent))
            .observe(place, {childList: true, characterData: true, subtree: true});
    }""")


@both_languages
def test_an_answer_is_told_once_it_is_still(open_lab: OpenLab, language: str) -> None:
    """One for a stroke with its many drafts, and none before the visitor did anything."""
    lab = open_lab(language)
    expect(lab.numeral).to_have_text("5")
    lab.page.wait_for_timeout(1200)
    expect(said(lab)).to_have_text("")
    hears(lab)
    lab.draw_anew(RING)
    expect(said(lab)).to_contain_text("0 ", timeout=5000)
    sentence = lab.sentence.inner_text()
    lab.page.wait_for_timeout(1000)
    answers = [one for one in lab.page.evaluate("heard") if one != lab.words["digits.empty"]]  # the pad was cleared
    assert answers == [f"0 {sentence}"]


@pytest.mark.parametrize(("language", "browser"), [("en", "zh-CN"), ("zh", "en-US")])
def test_gradio_speaks_the_language_of_the_page(open_lab: OpenLab, language: str, browser: str) -> None:
    """Whatever the browser's is: what is told while something is awaited, and when it is done, has words, and ours."""
    lab = open_lab(language, f"{PAGES[language]}?lang={language}&tab=faces", locale=browser)
    lab.page.evaluate("""() => {
        window.heard = [];
        new MutationObserver(() => {
            for (const one of document.querySelectorAll('[aria-live]')) heard.push(one.textContent.trim());
        }).observe(document.body, {childList: true, characterData: true, subtree: true});
    }""")
    lab.page.locator("#mask-dice").click()
    lab.page.wait_for_function("done => heard.includes(done)", arg=lab.words["gradio.complete"])
    assert not [one for one in lab.page.evaluate("heard") if re.fullmatch(r"[a-z]+\.[a-z_]+", one)]


def test_no_english_on_a_chinese_page(open_lab: OpenLab, tmp_path: Path) -> None:
    """Nor in what Gradio calls its own buttons: of pictures, sliders, the camera, of faces to choose from."""
    pair, portrait = Image.new("RGB", (800, 480), (110, 110, 110)), Image.open(STATIC / "portraits" / "jose-rizal.jpg")
    for left in (0, 400):
        pair.paste(portrait.resize((400, 480)), (left, 0))
    pair.save(tmp_path / "pair.png")
    lab = open_lab("zh", path="")
    lab.page.add_init_script(CAMERA)
    lab.open("/zh")
    ours, seen = list(lab.words.values()), {}

    def look(state: str) -> None:
        lab.settle()
        lab.page.wait_for_timeout(300)
        seen[state] = lab.page.evaluate(FOREIGN, ours)

    for view in ("digits", *(f"sample-{part}" for part in sample.PARTS), "denoise-digit", "faces"):
        lab.show(view)
        for closed in lab.page.locator("button.label-wrap:not(.open)").all():
            if closed.is_visible():
                closed.click()
        look(view)
    lab.cross("face-photo").click()
    lab.page.locator("#face-photo input[type=file]").set_input_files(tmp_path / "pair.png")
    expect(lab.page.locator("#whose .thumbnail-item")).to_have_count(2)
    expect(lab.page.locator("#face-slider .whole img")).to_have_count(2)  # nothing is awaited
    look("two faces")
    lab.show("denoise-photo")
    look("denoise")
    lab.page.locator("#photo").get_by_label(lab.words["gradio.camera"]).click()
    look("camera")
    lab.page.locator("#photo").get_by_title(lab.words["gradio.allow"]).get_by_role("button").click()
    expect(lab.page.locator("#photo video")).to_be_visible()
    look("photograph")
    assert {state: found for state, found in seen.items() if found} == {}


@pytest.mark.parametrize("path", ["?tab=digits", "?tab=sample", "?tab=sample&part=map", "?tab=denoise", "?tab=faces"])
def test_the_keyboards_ring_is_seen(open_lab: OpenLab, path: str) -> None:
    """Whatever has the focus, it or what is drawn in its place has a ring that nothing cuts, on a phone."""
    lab, seen = open_lab(path=PAGES["en"] + path, **PHONE), set()
    lab.settle()
    for _ in range(60):
        lab.page.keyboard.press("Tab")
        name, faults = lab.page.evaluate(FOCUS)
        seen.add(name)
        assert faults == [], name
        if name == "BODY":
            break
    assert name == "BODY" and len(seen) > 8


@pytest.mark.parametrize(
    ("path", "place", "told"),
    [
        ("?tab=sample", "#sample-dice", "sample.gallery"),
        ("?tab=sample&part=map", "#map .plane", "map.place"),
        ("?tab=sample&part=rebuild", "#rebuild-pad [data-strokes]", "rebuild.said"),
        ("?tab=digits", "#ask-all", "opinions.agree"),
    ],
)
def test_other_answers_are_told(open_lab: OpenLab, path: str, place: str, told: str) -> None:
    lab = open_lab(path=PAGES["en"] + path)
    lab.settle()
    lab.page.wait_for_timeout(1000)
    for key in ("ArrowRight", "Enter"):  # that moves a point, and presses a button
        lab.page.locator(place).first.press(key)
    pattern = re.sub(r"\\{\w+\\}", ".+", re.escape(lab.words[told]))
    expect(said(lab)).to_contain_text(re.compile(pattern), timeout=8000)


def test_a_place_on_the_map_has_a_text(open_lab: OpenLab) -> None:
    """It says what stands there; and where test digits lie is a table, too."""
    lab = open_lab(path="/?tab=sample&part=map&place=0.9800,0.9000&dots=true")
    picture = lab.page.locator("#map-digit img")
    expect(picture).to_have_attribute("alt", re.compile("read as 1"))  # the corner of slanted ones
    lab.page.locator(".legend summary").click()
    rows = lab.page.locator(".legend tbody tr")
    expect(rows).to_have_count(10)
    across, up = (float(text) for text in rows.nth(1).locator("td").all_inner_texts())
    assert across > 0.6 and up > 0.7


def test_nothing_moves_by_itself(open_lab: OpenLab) -> None:
    """Under reduced motion the animation is a picture that stands still, and no stroke is replayed."""
    lab = open_lab(path="/?tab=sample&part=morph")
    image = lab.page.locator("#morph-animation img")
    expect(image).to_be_visible()
    assert image.evaluate("image => image.currentSrc").startswith("data:image/png")
    moving = open_lab(path="/?tab=sample&part=morph", reduced_motion="no-preference")
    image = moving.page.locator("#morph-animation img")
    expect(image).to_be_visible()
    assert image.evaluate("image => image.currentSrc").startswith("data:image/gif")


@pytest.mark.parametrize(("motion", "replays"), [("reduce", False), ("no-preference", True)])
def test_the_replay(open_lab: OpenLab, motion: str, replays: bool) -> None:
    """Drafts come of a stroke that is drawn slowly; what is there has a text, until the visitor draws.

    A page that shows nothing new comes to ask for no frame any more.
    """
    lab = open_lab(reduced_motion=motion)
    drafts = []
    lab.page.on("request", lambda request: "draft=1" in (request.post_data or "") and drafts.append(request))
    lab.page.add_init_script(
        "window.asked = 0; const frame = requestAnimationFrame;"
        "window.requestAnimationFrame = (step) => { window.asked += 1; return frame(step); };"
    )
    lab.page.reload()
    lab.wait()
    expect(lab.numeral).to_have_text("5")
    lab.page.wait_for_timeout(1500)
    assert bool(drafts) == replays
    lab.page.wait_for_function("window.last === (window.last = window.asked)", polling=300, timeout=10_000)
    shown = lab.words["pad.shown"].format(digit=5)
    expect(lab.canvas).to_have_attribute("aria-label", re.compile(re.escape(shown)))
    lab.draw(RING)
    expect(lab.canvas).to_have_attribute("aria-label", lab.words["pad.label"])


def test_a_keyboard_alone(open_lab: OpenLab) -> None:
    """It draws, asks, compares, hides a part of a face, and downloads."""
    lab = open_lab()
    keys = lab.page.keyboard
    lab.page.locator("#pad .pad-clear").press("Enter")
    lab.canvas.focus()
    for key in (*["ArrowUp"] * 2, "Space", *["ArrowDown"] * 16, "Space"):
        keys.press(key)
    lab.settle()
    expect(lab.numeral).to_have_text("1")
    lab.page.locator("#ask-all").press("Enter")
    expect(lab.opinions.locator("tbody tr")).to_have_count(7)
    with lab.page.expect_download() as weights:
        lab.page.locator("#download").press("Enter")
    assert weights.value.path().read_bytes() == classifier("mnist-resnet").facts.weights.read_bytes()
    lab.page.locator("#tab-digits-button").focus()
    for _ in range(3):
        keys.press("ArrowRight")
    lab.page.locator("#mask-kind input:checked").focus()
    for _ in range(4):
        keys.press("ArrowRight")
    brush = lab.page.locator("#face-canvas canvas")
    expect(brush).to_be_visible()
    lab.settle()
    brush.focus()
    for key in ("Space", *["ArrowRight"] * 6, *["ArrowDown"] * 4, "Space"):
        keys.press(key)
    made = lab.page.locator("#face-strip img").nth(1)
    before = made.get_attribute("src")
    lab.page.locator("#faces-fill").press("Enter")
    expect(made).not_to_have_attribute("src", before)
    with lab.page.expect_download() as face:
        lab.page.locator("#faces-download").press("Enter")
    assert Image.open(BytesIO(face.value.path().read_bytes())).format == "PNG"
    lab.page.locator("#faces-compare").press("Enter")
    expect(lab.page.locator("#fillings .tiles button").first).to_be_visible(timeout=2 * PATIENCE)


def test_passing_by_corrects_nothing(open_lab: OpenLab) -> None:
    """Who goes past the noise that was judged, by keys or by the field, or leaves some grain, has told nothing."""
    lab = open_lab(path="/?tab=denoise")
    lab.settle()
    line = lab.page.locator("#denoised .figures")
    judged = line.inner_text()
    field = lab.page.locator("#sigma input[type=number]")
    field.click()
    for _ in range(4):
        lab.page.keyboard.press("Tab")
    lab.settle()
    grain = lab.page.locator("#grain input[type=number]")
    grain.fill("0.5")
    grain.blur()
    lab.settle()
    expect(line).to_have_text(judged)
    field.fill("20")
    field.blur()
    expect(line).to_have_text(lab.words["noise.told"].format(sigma="20.0"))
