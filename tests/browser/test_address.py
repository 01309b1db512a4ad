"""Everything has an address: what it opens, what is said in it, Back, what is copied."""

from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from lab import RING, Lab, OpenLab, both_languages, ink, is_open, tab
from playwright.sync_api import expect

from models.pictures.corruptions import DIGITS
from tabs.head import STATIC


def query(lab: Lab) -> dict[str, str]:
    """What the address says."""
    return {key: values[0] for key, values in parse_qs(urlsplit(lab.page.url).query).items()}


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


def test_the_browsers_keys_are_its_own(open_lab: OpenLab) -> None:
    """Arrows go along the tabs; with another key held they are the browser's, which goes back by them."""
    lab = open_lab()
    lab.show("denoise")
    for held in ("Alt", "Control", "Meta"):
        lab.page.evaluate("addEventListener('keydown', (event) => { window.taken = event.defaultPrevented; })")
        lab.page.locator("#tab-denoise-button").press(f"{held}+ArrowLeft")
        lab.page.wait_for_timeout(100)
        assert not lab.page.evaluate("window.taken")
        assert lab.page.locator("#tab-sample-button").get_attribute("aria-selected") == "false"
        lab.show("denoise")


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
    lab.settle()
    lab.cross("photo").click()  # that is no picture of one's own
    lab.page.locator(".copy-link").click()
    expect(said).to_have_text(lab.words["copy.done"])
    lab.page.locator("#photo input[type=file]").set_input_files(STATIC / "portraits" / "jose-rizal.jpg")
    lab.settle()
    assert "picture" not in query(lab)  # that of the one which was taken away


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


def test_what_alone_differs_is_computed(open_lab: OpenLab) -> None:
    """An address that says one thing gives what its sender saw, not what the page opens with."""
    lab = open_lab(path="/?tab=denoise&path=clean")
    expect(lab.page.locator("#denoised .figures")).to_contain_text("dB")
    expect(lab.page.locator("#photo-damage-kind")).to_be_visible()
    noisiest = []
    for strength in ("64", "100"):
        lab = open_lab(path=f"/?tab=denoise&part=digit&strength={strength}")
        lab.settle()
        expect(lab.page.locator("#digit-damage-strength input[type=number]")).to_have_value(strength)
        noisiest.append(lab.page.locator("#cleaned img").nth(1).get_attribute("src"))
    assert noisiest[0] != noisiest[1]


def test_what_is_usual_depends(open_lab: OpenLab) -> None:
    """A strength is said beside its kind, and beside an example whether it is clean, if only one is unusual."""
    lab = open_lab(path="/?tab=denoise")
    lab.page.locator("#photo-examples button").nth(1).click()
    expect(lab.page.locator("#photo-path input:checked")).to_have_value("clean")
    lab.settle()
    lab.page.locator("#photo-damage-kind").get_by_text(lab.words["damage.jpeg"], exact=True).click()
    lab.settle()
    strength = lab.page.locator("#photo-damage-strength input[type=number]")
    strength.fill("25")  # the usual one of another kind
    strength.blur()
    lab.page.locator("#photo-path").get_by_text(lab.words["photo.is_noisy"]).click()
    lab.settle()
    told = {"tab": "denoise", "picture": "coffee", "damage": "jpeg", "strength": "25", "path": "noisy"}
    assert query(lab) == told
    other = open_lab(path=lab.page.url.removeprefix(lab.url))
    other.settle()
    expect(other.page.locator("#photo-path input:checked")).to_have_value("noisy")
    assert query(other) == told
    other.page.locator("#photo-path").get_by_text(other.words["photo.is_clean"]).click()
    expect(other.page.locator("#photo-damage-strength input[type=number]")).to_have_value("25")
