"""The page around the answers: keys, what assistive technology meets, one screen."""

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from lab import PATIENCE, PHONE, RING, OpenLab, both_languages, ink, is_open, tab
from playwright.sync_api import expect

from tabs import denoise, sample

TABS = ("digits", "sample", "denoise", "faces")
PARTS = {"sample": sample.PARTS, "denoise": denoise.PARTS}
CONTROLS = {  # of each tab and part: what is changed, and where its result is seen
    "digits": ("#pad canvas", "#answer .numeral"),
    "sample": ("#sample-seed input", "#sample-gallery"),
    "sample-rebuild": ("#noise input[type=range]", "#rebuilt"),
    "denoise": ("#sigma input[type=range]", "#before-after"),
    "denoise-digit": ("#digit-damage-strength input[type=range]", "#cleaned"),
    "faces": ("#mask-kind label", "#face-strip"),
}


def test_keys_alone(open_lab: OpenLab) -> None:
    """Arrows go along the tabs, move the pen, and hide another part of a face."""
    lab = open_lab()
    lab.page.locator("#pad .pad-clear").press("Enter")
    lab.expect_nothing()
    lab.canvas.focus()
    for key in (*["ArrowUp"] * 2, " ", *["ArrowDown"] * 16, " "):
        lab.page.keyboard.press(key)
    lab.settle()
    expect(lab.numeral).to_have_text("1")
    lab.page.locator("#tab-digits-button").focus()
    for _ in range(3):
        lab.page.keyboard.press("ArrowRight")
    is_open(lab, "faces")
    made = lab.page.locator("#face-strip img").nth(1)
    before = made.get_attribute("src")
    lab.page.locator("#mask-kind input:checked").focus()
    lab.page.keyboard.press("ArrowRight")
    expect(made).not_to_have_attribute("src", before)


def test_the_digit_that_is_shown_makes_way(open_lab: OpenLab) -> None:
    """With motion the page draws a digit by itself, and the first touch takes its place."""
    lab, sent = open_lab(reduced_motion="no-preference"), []
    expect(lab.numeral).to_have_text("5")
    lab.settle()  # a draft of it is a 5 already, and the whole of it is still to be sent
    lab.page.on("request", lambda request: sent.append(request.post_data or ""))
    lab.draw(RING)
    expect(lab.numeral).to_have_text("0")
    assert any("data:image/png;base64" in data for data in sent) and not any("ours=1" in data for data in sent)


def test_it_makes_way_for_a_picture(open_lab: OpenLab, tmp_path: Path) -> None:
    """No digit that nobody drew stands beside the answer to a file, or its refusal; what a visitor drew stays."""
    (tmp_path / "poem.png").write_bytes(b"I am a poem.\n" * 40)
    for draws in (False, True):
        lab = open_lab()
        expect(lab.numeral).to_have_text("5")
        if draws:
            lab.draw(RING)
        lab.upload(tmp_path / "poem.png")
        expect(lab.sentence).to_have_text(lab.words["error.image_unreadable"])
        assert bool(ink(lab).sum()) == draws


@both_languages
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_assistive_technology(open_lab: OpenLab, language: str, theme: str) -> None:
    """No violation of serious or critical rank on any tab (axe-core)."""
    lab = open_lab(language, {"en": "/", "zh": "/zh"}[language] + f"?__theme={theme}")
    assert lab.page.evaluate("document.documentElement.lang") == language
    found = []
    for name in TABS:
        tab(lab, name)
        lab.page.wait_for_timeout(300)
        for one in Axe().run(lab.page).response["violations"]:
            if one["impact"] in ("serious", "critical"):
                found += [(name, one["id"], node["target"], node["html"][:160]) for node in one["nodes"]]
    assert found == []


def test_one_screen_on_a_phone(open_lab: OpenLab) -> None:
    """What is changed and what changes are on one screen of 390 x 844, wherever it is seen, neither over the other."""
    lab = open_lab(**PHONE | {"viewport": {"width": 390, "height": 844}})
    for name, (control, result) in CONTROLS.items():
        lab.show(name)
        changed, place = lab.page.locator(control).first, lab.page.locator(result)
        for block in ("end", "center"):
            changed.evaluate("(one, block) => one.scrollIntoView({block})", block)
            lab.page.wait_for_timeout(200)
            above, below = sorted((one.bounding_box() for one in (changed, place)), key=lambda box: box["y"])
            assert above["y"] >= -1 and below["y"] + below["height"] <= 845, (name, block)
            assert above["y"] + above["height"] <= below["y"] + 1, (name, block)


def test_targets_on_a_phone(empty_lab: OpenLab) -> None:
    """What is touched is 44 pixels high and no sliver, but for links and figures within a text."""
    lab = empty_lab(**PHONE)
    lab.page.set_viewport_size({"width": 390, "height": 844})
    small = """() => [...document.querySelectorAll('button, label, input, [role=tab], select')].filter((one) => {
      const target = one.closest('label') ?? one, box = target.getBoundingClientRect();
      const isSeen = target.checkVisibility() && box.width && one.type !== 'file';
      const isHidden = getComputedStyle(one).opacity === '0' || one.matches('[data-testid=block-label]');
      return isSeen && !isHidden && !target.matches('[for^=range_id]') && (box.height < 43.5 || box.width < 30);
    }).map((one) => one.outerHTML.slice(0, 140))"""
    for name in TABS:
        tab(lab, name)
        lab.page.wait_for_timeout(300)
        assert lab.page.evaluate(small) == [], name
        for part in PARTS.get(name, ()):
            lab.page.locator(f"#part-{name}-{part}-button").click()
            lab.settle()
            assert lab.page.evaluate(small) == [], (name, part)


@pytest.mark.parametrize("context", [{}, PHONE], ids=["desk", "phone"])
def test_nothing_jumps(open_lab: OpenLab, context: dict) -> None:
    """The layout shift of each tab, opened by its address, is at most 0.05, though Gradio's files come one by one:
    so each kind of component comes by itself, as on a very busy machine."""
    lab, held = open_lab(path="", **context), []
    lab.page.route("**/assets/*", lambda route: held.append(route))
    for name in TABS:
        held.clear()
        lab.page.goto(f"{lab.url}/?tab={name}", wait_until="commit")
        for _ in range(PATIENCE // 10):
            lab.page.wait_for_timeout(10)
            if held:
                held.pop(0).continue_()
            elif lab.source.get_by_text("·").count():
                break
        lab.wait()
        lab.settle()
        shift = lab.page.evaluate(
            """() => new Promise((done) => {
              let sum = 0;
              new PerformanceObserver((list) => list.getEntries().forEach((one) => {
                sum += one.hadRecentInput ? 0 : one.value;
              })).observe({type: 'layout-shift', buffered: true});
              setTimeout(() => done(sum), 500);
            })"""
        )
        assert shift <= 0.05, name


def test_the_foot(empty_lab: OpenLab) -> None:
    """What this is, its licence, and what becomes of what one draws."""
    lab = empty_lab()
    foot = lab.page.locator(".foot")
    for key in ("foot.what", "foot.licence", "foot.privacy"):
        expect(foot).to_contain_text(lab.words[key])
    assert not re.search(r"huggingface\.co/spaces", foot.inner_html())
