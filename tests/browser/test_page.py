"""The page around the answers: addresses, Back, what is copied, keys, what assistive technology meets, one screen."""

import base64
import io
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from lab import PATIENCE, PHONE, RING, Lab, OpenLab, both_languages
from PIL import Image
from playwright.sync_api import expect

from models.pictures.corruptions import DIGITS
from tabs import denoise, sample
from tabs.head import STATIC

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


def tab(lab: Lab, name: str) -> None:
    lab.page.get_by_role("tab", name=lab.words[f"tab.{name}"], exact=True).click()


def query(lab: Lab) -> dict[str, str]:
    """What the address says."""
    return {key: values[0] for key, values in parse_qs(urlsplit(lab.page.url).query).items()}


def ink(lab: Lab) -> np.ndarray:
    """How much of it lies on each pixel of the pad, 0 to 255."""
    url = lab.canvas.evaluate("canvas => canvas.toDataURL()")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).getchannel("A"), float)


def is_open(lab: Lab, name: str) -> None:
    opened = lab.page.get_by_role("tab", name=lab.words[f"tab.{name}"], exact=True)
    expect(opened).to_have_attribute("aria-selected", "true")


@both_languages
def test_an_address_opens_what_it_names(open_lab: OpenLab, language: str) -> None:
    """A part of a tab with its values; a change of one is said in the address at once, without a new page."""
    path = {"en": "/", "zh": "/zh"}[language]
    lab = open_lab(language, path + "?tab=sample&part=new&network=mnist-dcgan&digit=4&seed=11")
    is_open(lab, "sample")
    expect(lab.page.locator("#sample-network input:checked")).to_have_value("mnist-dcgan")
    expect(lab.page.locator("#sample-digit input:checked")).to_have_value("4")
    seed = lab.page.locator("#sample-seed input")
    expect(seed).to_have_value("11")
    lab.page.evaluate("window.same = true")
    seed.fill("12")
    seed.blur()
    lab.page.wait_for_url("**seed=12**")
    assert query(lab) == {"tab": "sample", "network": "mnist-dcgan", "digit": "4", "seed": "12"}
    tab(lab, "faces")
    lab.page.wait_for_url("**tab=faces**")
    assert query(lab) == {"tab": "faces"}
    assert lab.page.evaluate("window.same")


def test_a_place_on_the_map_has_an_address(open_lab: OpenLab) -> None:
    lab = open_lab(path="/?tab=sample&part=map&place=0.2000,0.7000")
    expect(lab.page.locator("#map .cross")).to_have_attribute("data-place", "0.2000,0.7000")
    expect(lab.page.locator("#map-digit figcaption")).to_contain_text("0.20")


def test_how_strong_a_damage_is_has_an_address(open_lab: OpenLab) -> None:
    """Beside its kind, whose usual strength it replaces; a kind that is chosen afterwards has its own."""
    lab = open_lab(path="/?tab=denoise&part=digit&damage=masking&strength=0.2&seed=3")
    kinds, strength = lab.page.locator("#digit-damage-kind"), lab.page.locator("#digit-damage-strength")
    lab.settle()
    expect(kinds.locator("input:checked")).to_have_value("masking")
    expect(strength.locator("input[type=number]")).to_have_value("0.2")
    assert query(lab)["strength"] == "0.2"
    for kind in ("blur", "masking"):
        kinds.get_by_text(lab.words[f"damage.{kind}"], exact=True).click()
        usual = str(DIGITS[kind].usual)
        expect(strength.locator("input[type=number]")).to_have_value(usual)


def test_the_page_around_a_frame_is_told(open_lab: OpenLab) -> None:
    """On Spaces the page lies in a frame: the one around it is told what its own address should say."""
    lab = open_lab()
    lab.page.evaluate("""() => {
        window.told = [];
        window.postMessage = (message, origin) => 'queryString' in message && told.push([message, origin]);
        document.body.append(Object.assign(document.createElement('iframe'), {src: '/?tab=sample&__theme=dark'}));
    }""")
    inside = lab.page.frame_locator("iframe")
    expect(inside.locator("#source")).to_contain_text("·")
    inside.locator("#tab-faces-button").dispatch_event("click")
    lab.page.wait_for_function("told.some(([message]) => message.queryString === 'tab=faces')")
    assert lab.page.evaluate("told.map(([, origin]) => origin)") == ["https://huggingface.co"]


@pytest.mark.parametrize(
    "search", ["?tab=nonsense&seed=x", "?seed=-4&tab=", "?tab=digits&network=none&ink=%F0%9F%98%80"]
)
def test_nonsense_opens_the_first_tab(open_lab: OpenLab, search: str) -> None:
    lab = open_lab(path="/" + search)
    is_open(lab, "digits")
    lab.draw_anew(RING)
    expect(lab.numeral).to_have_text("0")


def test_values_that_are_none_change_nothing(open_lab: OpenLab) -> None:
    """A seed below zero, a network and a digit that are not there: the page is as it opens."""
    lab = open_lab(path="/?tab=sample&seed=-4&network=none&digit=12&temperature=9")
    is_open(lab, "sample")
    lab.settle()
    expect(lab.page.locator("#sample-seed input")).to_have_value("0")
    expect(lab.page.locator("#sample-network input:checked")).to_have_value("mnist-cvae")


def test_back_and_forward_go_between_tabs(empty_lab: OpenLab) -> None:
    lab = empty_lab()
    for name in ("sample", "denoise"):
        tab(lab, name)
        lab.page.wait_for_url(f"**tab={name}**")
    lab.page.go_back()
    is_open(lab, "sample")
    lab.page.go_back()
    is_open(lab, "digits")
    lab.page.go_forward()
    is_open(lab, "sample")


def test_the_other_language_stays_where_one_is(open_lab: OpenLab) -> None:
    """Tab, part and drawing come along."""
    lab = open_lab(path="/?tab=sample&part=morph")
    lab.page.get_by_role("link", name=lab.words["other_language"]).click()
    lab.page.wait_for_url("**/zh**")
    assert query(lab) == {"tab": "sample", "part": "morph"}
    expect(lab.page.get_by_role("tab", name="渐变")).to_have_attribute("aria-selected", "true")


def test_a_drawing_travels_in_a_link(open_lab: OpenLab) -> None:
    """What was copied draws the same for somebody else, all but to the pixel, and is short enough to be sent."""
    lab = open_lab(permissions=["clipboard-read", "clipboard-write"])
    lab.draw(RING)
    expect(lab.numeral).to_have_text("0")
    drawn = ink(lab)
    button = lab.page.locator(".copy-link")
    button.click()
    expect(button).to_have_text(lab.words["copy.done"])
    link = lab.page.evaluate("navigator.clipboard.readText()")
    assert "ink=" in link and len(link) < 1700
    assert "ink=" not in lab.page.url
    other = open_lab(path=link.removeprefix(lab.url))
    expect(other.numeral).to_have_text("0")
    assert np.abs(ink(other) - drawn).sum() < 0.03 * drawn.sum()


def test_a_link_does_without_an_own_picture(open_lab: OpenLab) -> None:
    """That is said where one looks, and not of a picture that everybody has."""
    lab = open_lab(path="/?tab=denoise", permissions=["clipboard-read", "clipboard-write"])
    said = lab.page.locator(".said")
    lab.cross("photo").click()
    lab.page.locator("#photo input[type=file]").set_input_files(STATIC / "portraits" / "jose-rizal.jpg")
    for is_own in (True, False):
        expect(lab.page.locator("#denoised .figures")).to_be_visible()
        lab.page.locator(".copy-link").click()
        expect(said).to_have_text(lab.words["copy.picture" if is_own else "copy.done"])
        size = said.evaluate("one => getComputedStyle(one).clipPath === 'none' && one.offsetHeight")
        assert (size > 15) == is_own
        assert ("picture=" in lab.page.evaluate("navigator.clipboard.readText()")) != is_own
        lab.page.locator("#photo-examples button").nth(2).click()


def test_an_older_link(open_lab: OpenLab) -> None:
    """Two letters a place, of 64 by 64 on the pad: they are drawn where they were."""
    lab = open_lab(path="/?ink=EEwE.wEww")
    down, across = np.nonzero(ink(lab))
    assert [across.min(), across.max(), down.min(), down.max()] == pytest.approx([10, 221, 10, 221], abs=3)


def test_a_long_drawing_is_shortened(open_lab: OpenLab) -> None:
    """Scribbles without end fit into an address."""
    lab = open_lab(permissions=["clipboard-read", "clipboard-write"])
    lab.draw([(0.1 + 0.8 * (step * 37 % 101) / 101, 0.1 + 0.8 * (step * 61 % 97) / 97) for step in range(160)])
    lab.page.locator(".copy-link").click()
    link = lab.page.evaluate("navigator.clipboard.readText()")
    assert 300 < len(link) < 1700


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
