"""The sample tab as a visitor uses it: new digits, the map, the walk between two digits, noise on a code."""

import re
from base64 import b64decode
from io import BytesIO

import pytest
from lab import PHONE, Lab, OpenLab, both_languages
from PIL import Image
from playwright.sync_api import Locator, expect

from models.pipelines import classifier

PARTS = ("new", "map", "morph", "rebuild")
TODO = (("map", "#map", "hint"), ("morph", "#morph-from", "from"), ("morph", "#morph-to", "to"))


def go(lab: Lab, part: str) -> None:
    """Open a part of the tab."""
    lab.page.get_by_role("tab", name=lab.words["tab.sample"], exact=True).click()
    lab.page.get_by_role("tab", name=lab.words[f"sample.{part}"], exact=True).click()


def network(lab: Lab, name: str) -> None:
    """Choose what draws."""
    lab.page.locator("#sample-network").get_by_text(lab.words[f"network.{name}"], exact=True).click()


def more(lab: Lab) -> None:
    """Unfold the other settings, and wait until they are all there: what one types before, the page may overwrite."""
    lab.page.locator("#sample-more button").first.click()
    lab.settle()


def pictures(place: Locator) -> list[str]:
    """The addresses of the digits there, once there are any."""
    expect(place.locator("img").first).to_be_visible(timeout=20_000)
    return [picture.get_attribute("src") for picture in place.locator("img").all()]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_nothing_is_empty(empty_lab: OpenLab, language: str) -> None:
    """Each part opens with digits in it and a text that explains it, at any width."""
    for context in ({}, PHONE):
        lab = empty_lab(language, **context)
        for part, place in zip(PARTS, ("#sample-gallery", "#map-digit", "#morph-strip", "#rebuilt"), strict=True):
            go(lab, part)
            assert pictures(lab.page.locator(place))
            assert lab.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        plane = lab.page.locator("#map .plane").evaluate("plane => getComputedStyle(plane).backgroundImage")
        assert plane.startswith('url("data:image/png')


def test_one_seed_twice(open_lab: OpenLab) -> None:
    """The same seed draws the same digits, another others; the dice choose another."""
    lab = open_lab()
    go(lab, "new")
    gallery, seed = lab.page.locator("#sample-gallery"), lab.page.locator("#sample-seed input")
    first = pictures(gallery)
    assert len(first) == 36
    seen = []
    for number in ("7", "0", "7"):
        seed.fill(number)
        seed.blur()
        lab.settle()
        seen.append(pictures(gallery))
    assert seen[1] == first
    assert seen[0] == seen[2] != first
    lab.page.locator("#sample-dice").click()
    lab.settle()
    assert seed.input_value() not in ("", "7")
    assert pictures(gallery) != seen[2]


def test_the_last_choice_stays(open_lab: OpenLab) -> None:
    """An answer that comes late does not take the place of one that was asked for after it."""
    lab = open_lab()
    go(lab, "new")
    gallery, count = lab.page.locator("#sample-gallery"), lab.page.locator("#sample-count input[type=number]")
    pictures(gallery)
    more(lab)
    lab.page.evaluate("""() => {
        const fetch = window.fetch;
        window.fetch = async (...request) => {
            const answer = await fetch(...request);
            const late = String(request[1]?.body).includes('"mnist-cvae","any",63');
            if (late) await new Promise(go => setTimeout(go, 2000));
            return answer;
        };
    }""")
    count.fill("63")
    network(lab, "mnist-vae")
    lab.page.wait_for_timeout(3500)
    lab.settle()
    seen = pictures(gallery)
    assert len(seen) == 63
    count.fill("62")
    count.blur()
    lab.settle()
    assert pictures(gallery) == seen[:62]


def test_a_number_out_of_range(open_lab: OpenLab) -> None:
    """The box brings it into range, and what is seen is what the box says; no error stays."""
    lab = open_lab()
    go(lab, "new")
    gallery, count = lab.page.locator("#sample-gallery"), lab.page.locator("#sample-count input[type=number]")
    pictures(gallery)
    more(lab)
    for typed, held in (("100", 64), ("0", 1)):
        count.fill(typed)
        count.blur()
        lab.settle()
        expect(count).to_have_value(str(held))
        expect(gallery.locator("img")).to_have_count(held)
    go(lab, "rebuild")
    place, noise = lab.page.locator("#rebuilt"), lab.page.locator("#noise input[type=number]")
    pictures(place)
    noise.fill("99")
    expect(place).to_contain_text("3")
    expect(place.locator("img")).to_have_count(0)
    noise.blur()
    lab.settle()
    expect(noise).to_have_value("3")
    assert pictures(place)


def test_the_sheet_is_what_is_seen(empty_lab: OpenLab) -> None:
    """The PNG to download holds as many digits as the page."""
    lab = empty_lab()
    go(lab, "new")
    pictures(lab.page.locator("#sample-gallery"))
    lab.settle()
    with lab.page.expect_download() as download:
        lab.page.locator("#sample-download").click()
    sheet = Image.open(BytesIO(download.value.path().read_bytes()))
    assert (sheet.format, sheet.size) == ("PNG", (224, 140))


def test_a_network_that_cannot_be_told(open_lab: OpenLab) -> None:
    """Its choice of digits rests on any."""
    lab = open_lab()
    go(lab, "new")
    digit, line = lab.page.locator("#sample-digit input").first, lab.page.locator(".source").first
    expect(digit).to_be_enabled()
    lab.page.locator("#sample-digit").get_by_text("3", exact=True).click()
    expect(line).to_contain_text(lab.words["sample.means"])
    network(lab, "mnist-vae")
    expect(digit).to_be_disabled(timeout=10_000)
    expect(digit).to_be_checked()  # any
    network(lab, "mnist-dcgan")
    expect(digit).to_be_enabled(timeout=10_000)
    expect(line).not_to_contain_text(lab.words["sample.means"])  # a GAN's are not


def test_a_click_on_the_map(open_lab: OpenLab) -> None:
    """It decodes that point: other points other digits, the same point the same; the arrow keys move it too."""
    lab = open_lab()
    go(lab, "map")
    digit, plane = lab.page.locator("#map-digit"), lab.page.locator("#map .plane")
    seen = [pictures(digit)]
    for x, y in ((40, 60), (400, 300), (40, 60)):
        plane.click(position={"x": x, "y": y})
        lab.settle()
        seen.append(pictures(digit))
    assert seen[1] == seen[3] != seen[2]
    assert seen[0] != seen[1]
    plane.focus()
    lab.page.keyboard.press("ArrowRight")
    lab.settle()
    assert pictures(digit) != seen[3]
    lab.page.locator("#map-overlay input").check()
    expect(lab.page.locator(".legend b")).to_have_count(10)
    assert plane.evaluate("plane => getComputedStyle(plane).backgroundImage").startswith('url("data:image/svg')


@both_languages
def test_what_to_do_is_seen(open_lab: OpenLab, language: str) -> None:
    """What is done with the map and with each pad of a morph stands above it, on a phone too, and names the pad."""
    for context in ({}, PHONE):
        lab = open_lab(language, **context)
        for part, place, key in TODO:
            go(lab, part)
            said = lab.page.get_by_text(lab.words[f"{part}.{key}"], exact=True)
            expect(said).to_be_visible()
            does = lab.page.locator(f"{place} :is(canvas, .plane)")
            assert said.bounding_box()["y"] + said.bounding_box()["height"] <= does.bounding_box()["y"]
            if part == "morph":
                expect(does).to_have_accessible_name(re.compile(re.escape(lab.words[f"morph.{key}"])))


def test_morph(open_lab: OpenLab) -> None:
    """Another digit makes another walk; the animation can be downloaded; without a digit a sentence says so."""
    lab = open_lab()
    go(lab, "morph")
    strip = lab.page.locator("#morph-strip")
    first = pictures(strip)
    assert len(set(first)) > 6
    lab.page.locator("#morph-to [data-strokes]").nth(1).click()
    lab.settle()
    second = pictures(strip)
    assert second != first
    with lab.page.expect_download() as download:
        lab.page.locator("#morph-download").click()
    animation = Image.open(BytesIO(download.value.path().read_bytes()))
    assert (animation.format, animation.n_frames) == ("GIF", 22)
    lab.page.locator("#morph-from .pad-clear").click()
    expect(strip).to_contain_text(lab.words["error.digit_missing"])


def test_the_first_pads_answer_comes_last(open_lab: OpenLab) -> None:
    """As the part opens both pads draw and ask; what is said to the first alone takes nothing away, however late."""
    lab = open_lab()
    lab.page.evaluate("""() => {
        const fetch = window.fetch;
        window.late = 0;
        window.fetch = async (...request) => {
            const answer = await fetch(...request);
            const asked = String(request[0]).includes('/run/') ? JSON.parse(request[1].body).data : [];
            if (asked[2] !== 'mnist-cvae' || asked.length !== 3 || asked[1]) return answer;
            await new Promise(go => setTimeout(go, 3000));
            window.late += 1;
            return answer;
        };
    }""")
    go(lab, "morph")
    strip = lab.page.locator("#morph-strip")
    pictures(strip)
    lab.page.wait_for_function("window.late === 1")
    lab.page.wait_for_timeout(500)
    expect(strip.locator("img").first).to_be_visible()


def test_rebuild(open_lab: OpenLab) -> None:
    """Every autoencoder has its picture and its error; noise changes all but what they see."""
    lab = open_lab()
    go(lab, "rebuild")
    place = lab.page.locator("#rebuilt")
    clean = pictures(place)
    titles = place.locator("figcaption").all_inner_texts()
    for name in ("mnist-ae", "mnist-sparse-ae", "mnist-contractive-ae", "mnist-dae", "mnist-vae", "mnist-cvae"):
        assert any(lab.words[f"network.{name}"] in title and "0.0" in title for title in titles)
    box = lab.page.locator("#noise input[type=number]")
    box.fill("2")
    box.blur()
    lab.settle()
    noisy = pictures(place)
    assert noisy[0] == clean[0]
    assert all(before != after for before, after in zip(clean[1:], noisy[1:], strict=True))
    # What stands below each picture is what ResNet reads in it.
    captions = place.locator("figcaption").all_inner_texts()
    shown = [Image.open(BytesIO(b64decode(url.partition(",")[2]))) for url in noisy]
    for reading, caption in zip(classifier("mnist-resnet").readings(shown), captions, strict=True):
        assert (f" {reading.digit}:" if reading.is_digit else lab.words["rebuild.none"]) in caption
    lab.page.locator("#rebuild-pad .pad-clear").click()
    expect(place).to_contain_text(lab.words["rebuild.empty"])
