"""The denoise tab as a visitor uses it: photographs that are clean or noisy, and digits."""

import re
from functools import partial
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import lab as page
import numpy as np
import pytest
from app_process import App
from lab import PHONE, Lab, OpenLab, saved, scene
from PIL import Image
from playwright.sync_api import expect

TABS = ("tab.digits", "tab.sample", "tab.denoise")
CLASSICAL = ("method.non-local-means", "method.total-variation", "method.wavelet", "method.median")
SIZE = "async one => (await one.decode(), [one.naturalWidth, one.naturalHeight])"
both, renewed = partial(page.both, slider="before-after"), partial(page.renewed, slider="before-after")
upload = partial(page.replace, place="photo")


def opened(lab: Lab, part: str = "photo") -> Lab:
    """Open a part of the tab, and wait for what it opens with."""
    lab.page.get_by_role("tab", name=lab.words["tab.denoise"], exact=True).click()
    lab.page.get_by_role("tab", name=lab.words[f"denoise.{part}"], exact=True).click()
    expect(lab.page.locator("#denoised .figures" if part == "photo" else "#cleaned img").first).to_be_visible()
    return lab


def line(lab: Lab) -> str:
    """What is said of the result."""
    return lab.page.locator("#denoised .figures").inner_text()


def gained(lab: Lab) -> tuple[float, float]:
    """PSNR before and after, in dB, as the page says."""
    pattern = re.sub(r"\\{\w+\\}", "(.+)", re.escape(lab.words["photo.gained"]))
    before, after, *_ = re.fullmatch(pattern, line(lab)).groups()
    return float(before), float(after)


def number(lab: Lab, elem_id: str, value: object) -> None:
    """Type a number beside a slider, or into a field."""
    box = lab.page.locator(f"#{elem_id} input[type=number]")
    box.fill(str(value))
    box.blur()


def choose(lab: Lab, elem_id: str, key: str) -> None:
    """Choose a kind of damage."""
    lab.page.locator(f"#{elem_id}-kind").get_by_text(lab.words[key], exact=True).click()


def say(lab: Lab, path: str) -> None:
    """Say that the picture is clean, or noisy."""
    lab.page.locator("#photo-path").get_by_text(lab.words[f"photo.is_{path}"]).click()


def said(lab: Lab, kind: str) -> float:
    """The sigma that the page names, of this kind of noise."""
    return float(re.fullmatch(re.escape(lab.words[f"noise.{kind}"]).replace(r"\{sigma\}", "(.+)"), line(lab))[1])


@pytest.mark.parametrize("language", ["en", "zh"])
def test_nothing_is_empty(empty_lab: OpenLab, language: str) -> None:
    """Both parts open with a result, at any width; on a phone no tab hides in a menu."""
    for context in ({}, PHONE):
        lab = empty_lab(language, **context)
        for tab in TABS:
            expect(lab.page.get_by_role("tab", name=lab.words[tab], exact=True)).to_be_in_viewport(ratio=1)
        opened(lab)
        renewed(lab, None)
        assert said(lab, "camera") > 4
        assert lab.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        opened(lab, "digit")
        assert lab.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_example_waits_for_a_visitor(open_lab: OpenLab, tmp_path: Path) -> None:
    """No network runs for what the page opens with; one's own picture is still there after another tab."""
    lab, asked = open_lab(), []
    lab.page.on("request", lambda request: asked.append(request.url) if "/queue/join" in request.url else None)
    lab.settle()
    first = renewed(opened(lab), None)
    lab.settle()
    assert not asked
    upload(lab, saved(tmp_path / "mine.png", scene()))
    mine = renewed(lab, first)
    lab.page.get_by_role("tab", name=lab.words["tab.digits"], exact=True).click()
    assert renewed(opened(lab), None) == mine


def test_an_own_clean_picture(open_lab: OpenLab, tmp_path: Path) -> None:
    """It gets noise and loses it again; what is seen and downloaded has all its pixels, and is nearer to it."""
    lab = opened(open_lab())
    first = renewed(lab, None)
    mine = saved(tmp_path / "mine.png", scene(900, 600))
    upload(lab, mine)
    first = renewed(lab, first)
    assert line(lab) == lab.words["noise.none"]
    say(lab, "clean")
    renewed(lab, first)
    for picture in both(lab).all():
        assert picture.evaluate(SIZE) == [900, 600]
    with lab.page.expect_download() as download:
        lab.page.locator("#denoise-download").click()
    file = Image.open(BytesIO(download.value.path().read_bytes()))
    assert (file.format, file.size) == ("PNG", (900, 600))
    before, after = gained(lab)
    found = 10 * np.log10(255**2 / np.mean((np.asarray(file, np.float64) - np.asarray(Image.open(mine))) ** 2))
    assert found == pytest.approx(after, abs=0.1)
    assert after > before + 3


def test_an_own_noisy_picture(open_lab: OpenLab, tmp_path: Path) -> None:
    """Its noise is estimated; the visitor may correct that, by the slider or by a number, and the last word counts."""
    lab = opened(open_lab())
    first = renewed(lab, None)
    upload(lab, saved(tmp_path / "noisy.png", scene(), sigma=20))
    third = renewed(lab, first)
    expect(lab.page.locator("#photo-damage-kind")).to_be_hidden()
    estimate = said(lab, "white")
    assert 14 < estimate < 27
    assert float(lab.page.locator("#sigma input[type=number]").input_value()) == pytest.approx(estimate, abs=0.8)
    number(lab, "sigma", 60)
    fourth = renewed(lab, third)
    assert line(lab) == lab.words["noise.told"].format(sigma="60.0")
    slider = lab.page.locator("#sigma input[type=range]")
    slider.click(position={"x": 3, "y": 3})
    fifth = renewed(lab, fourth)
    assert float(lab.page.locator("#sigma input[type=number]").input_value()) < 10
    slider.press("ArrowRight")
    renewed(lab, fifth)
    for sigma in (50, 30):
        number(lab, "sigma", sigma)
    last = lab.words["noise.told"].format(sigma="30.0")
    expect(lab.page.locator("#denoised .figures")).to_have_text(last)
    lab.page.wait_for_timeout(1000)
    assert line(lab) == last


def test_grain_is_left(open_lab: OpenLab, tmp_path: Path) -> None:
    """With all of it left the noise loses its colours, and keeps its brightness."""
    lab = opened(open_lab())
    first = renewed(lab, None)
    noisy = saved(tmp_path / "noisy.png", scene(), sigma=20)
    upload(lab, noisy)
    second = renewed(lab, first)
    number(lab, "grain", 1)
    renewed(lab, second)
    with lab.page.expect_download() as download:
        lab.page.locator("#denoise-download").click()
    found = np.asarray(Image.open(BytesIO(download.value.path().read_bytes())).convert("YCbCr"), float)
    given = np.asarray(Image.open(noisy).convert("YCbCr"), float)
    clean = np.asarray(Image.fromarray(np.uint8(scene())).convert("YCbCr"), float)
    assert np.abs(found - given)[..., 0].mean() < 1.5  # of a brightness that is off by 9 on average
    assert np.abs(found - clean)[..., 1:].mean() < 0.4 * np.abs(given - clean)[..., 1:].mean()


def test_noisy_pictures_of_any_kind(open_lab: OpenLab, tmp_path: Path) -> None:
    """They are cleaned, and the page says what of their files is lost."""
    lab = opened(open_lab())
    seen = renewed(lab, None)
    for name, mode, lost in (("a.png", "I;16", "lost.depth"), ("b.jpg", "CMYK", ""), ("c.tiff", "F", "lost.depth")):
        upload(lab, saved(tmp_path / name, scene(), sigma=20, mode=mode))
        seen = renewed(lab, seen)
        expect(lab.page.locator("#denoised")).to_contain_text(lab.words["noise.white"].split("{sigma}")[0])
        if lost:
            expect(lab.page.locator("#denoised")).to_contain_text(lab.words[lost])
        frame, can_show = lab.page.locator("#photo .image-frame"), not name.endswith("tiff")
        expect(frame.locator("img")).to_be_visible(visible=can_show)
        expect(lab.page.locator(f"#photo .image-frame[data-unseen='{name}']")).to_have_count(0 if can_show else 1)


def test_damage(open_lab: OpenLab, tmp_path: Path) -> None:
    """A kind comes with its usual strength; kind, strength and seed change the figures, and the dice the seed."""
    lab = opened(open_lab())
    seen = renewed(lab, None)
    upload(lab, saved(tmp_path / "mine.png", scene()))
    seen = renewed(lab, seen)
    say(lab, "clean")
    seen = renewed(lab, seen)
    figures = [line(lab)]
    for kind, usual in (("jpeg", "20"), ("salt-and-pepper", "0.05"), ("gaussian", "25")):
        choose(lab, "photo-damage", f"damage.{kind}")
        seen = renewed(lab, seen)
        expect(lab.page.locator("#photo-damage-strength input[type=number]")).to_have_value(usual)
        figures.append(line(lab))
    assert figures[0] == figures[3]
    assert len(set(figures)) == 3
    lab.page.locator("#photo-damage-dice").click()
    seen = renewed(lab, seen)
    assert lab.page.locator("#photo-damage-seed input").input_value() not in ("", "0")
    assert line(lab) != figures[3]
    before = gained(lab)[0]
    number(lab, "photo-damage-strength", 60)
    renewed(lab, seen)
    assert gained(lab)[0] < before - 4


def test_the_line_is_dragged(empty_lab: OpenLab) -> None:
    """More is seen of the picture on whose side there is more room; the keys move the line as well."""
    lab = opened(empty_lab())
    renewed(lab, None)
    slider = lab.page.get_by_role("slider", name=lab.words["photo.slider"])

    def covered() -> int:
        """How many hundredths of the width the first picture has: where one meets its layer."""
        return lab.page.evaluate(
            """() => {
              const whole = document.querySelector('#before-after .whole'), layer = whole.querySelector('.left');
              const box = whole.getBoundingClientRect(), place = (share) => box.left + (share * box.width) / 100;
              return Array.from({length: 99}, (_, index) => index + 1)
                .filter((share) => document.elementsFromPoint(place(share), box.top + 20).includes(layer)).length;
            }"""
        )

    for share, seen in ((0.25, range(15, 36)), (0.75, range(65, 86))):
        frame = slider.bounding_box()
        lab.page.mouse.move(frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2)
        lab.page.mouse.down()
        lab.page.mouse.move(frame["x"] + share * frame["width"], frame["y"] + frame["height"] / 2, steps=5)
        lab.page.mouse.up()
        assert covered() in seen
    at = covered()
    for _ in range(5):
        slider.press("ArrowLeft")
    assert at - 7 <= covered() <= at - 3


def test_all_methods(open_lab: OpenLab, tmp_path: Path) -> None:
    """A row for each with its figures, and their pictures; without a clean picture there is but the time to tell."""
    lab = opened(open_lab())
    seen = renewed(lab, None)
    upload(lab, saved(tmp_path / "noisy.png", scene(), sigma=20))
    seen = renewed(lab, seen)
    say(lab, "clean")
    seen = renewed(lab, seen)
    compare, rows = lab.page.locator("#denoise-compare"), lab.page.locator("#methods tbody tr")
    compare.click()
    expect(rows).to_have_count(6)
    methods = [lab.words[key] for key in ("methods.before", "network.photo-denoiser", *CLASSICAL)]
    assert rows.locator("th").all_inner_texts() == methods
    figures = [row.locator("td").all_inner_texts() for row in rows.all()]
    assert all(float(psnr) > float(figures[0][0]) for psnr, _, _ in figures[1:])
    best = max(range(6), key=lambda row: float(figures[row][0]))
    expect(lab.page.locator("#methods .best th")).to_have_text(methods[best])
    tiles = lab.page.locator("#attempts .tiles button")
    expect(tiles).to_have_count(7)
    expect(tiles.last).to_be_in_viewport()
    tiles.nth(2).click()
    expect(lab.page.locator("dialog img")).to_have_count(2)
    lab.page.keyboard.press("Escape")
    expect(lab.page.locator("dialog")).to_have_count(0)
    say(lab, "noisy")
    renewed(lab, seen)
    expect(rows).to_have_count(0)  # they were of another picture
    expect(lab.page.locator("#attempts")).to_be_hidden()
    compare.click()
    expect(rows).to_have_count(5)
    expect(rows.first.locator("td")).to_have_count(1)
    expect(tiles).to_have_count(6)


def test_stop(open_lab: OpenLab, tmp_path: Path) -> None:
    """The work on a large photograph ends without a result, and the next picture has not to wait for it."""
    lab = opened(open_lab())
    seen = renewed(lab, None)
    large = saved(tmp_path / "large.jpg", scene(3000, 2000), 20)
    upload(lab, large)
    place = lab.page.locator("#before-after")
    expect(place).to_contain_text(lab.words["photo.working"])
    lab.page.locator("#denoise-stop").click()
    expect(lab.page.locator("#denoised")).to_have_text(lab.words["photo.stopped"])
    expect(place).not_to_contain_text(lab.words["photo.working"])
    expect(lab.page.locator("#denoise-stop")).to_be_hidden()
    expect(both(lab)).to_have_count(0)
    upload(lab, large)
    expect(place).to_contain_text(lab.words["photo.working"])
    lab.page.locator("#denoise-stop").click()  # its tiles are under way; the next picture comes before they end
    upload(lab, saved(tmp_path / "small.png", scene()))
    expect(both(lab).nth(1)).not_to_have_attribute("src", seen)
    renewed(lab, None)
    assert both(lab).nth(1).evaluate(SIZE) == [320, 200]


def test_no_picture(open_lab: OpenLab, app: App, tmp_path: Path) -> None:
    """One sentence for a file that is none, and one where there is no file; the next picture is cleaned."""
    lab, before = opened(open_lab()), len(app.log)
    renewed(lab, None)
    (tmp_path / "poem.png").write_bytes(b"I am a poem.\n" * 40)
    upload(lab, tmp_path / "poem.png")
    expect(lab.page.locator("#photo img")).to_have_count(0)  # nor is there a broken one
    lab.page.wait_for_timeout(1000)  # what is said stays
    expect(lab.page.locator("#denoised .sentence")).to_have_text(lab.words["error.image_unreadable"])
    lab.page.locator("#denoise-compare").click()
    expect(lab.page.locator("#methods")).to_contain_text(lab.words["error.image_missing"])
    lab.page.locator("#photo input[type=file]").set_input_files(saved(tmp_path / "mine.png", scene()))
    expect(lab.page.locator("#denoised .figures")).to_be_visible()
    assert "Traceback" not in app.log[before:]


def test_digits(open_lab: OpenLab) -> None:
    """Every method has a row and a picture; another digit, another kind, an empty pad each change what is seen."""
    lab = opened(open_lab(), "digit")
    place = lab.page.locator("#cleaned")

    def pictures() -> list[str]:
        lab.settle()
        expect(place.locator("img")).to_have_count(8)
        return [picture.get_attribute("src") for picture in place.locator("img").all()]

    seen = [pictures()]
    methods = ("methods.before", "network.mnist-dae", "network.mnist-denoiser", *CLASSICAL)
    assert lab.page.locator("#cleaned-figures tbody th").all_inner_texts() == [lab.words[key] for key in methods]
    lab.page.locator("#noisy-take").click()
    seen.append(pictures())
    choose(lab, "digit-damage", "damage.masking")
    seen.append(pictures())
    assert seen[2][0] == seen[1][0]  # the digit that was taken stays
    lab.page.locator("#digit-damage-dice").click()
    seen.append(pictures())
    lab.page.locator("#noisy-pad [data-strokes]").nth(1).click()
    seen.append(pictures())
    assert all(after[1] != before[1] for before, after in pairwise(seen))
    lab.page.locator("#noisy-pad .pad-clear").click()
    expect(place).to_have_text(lab.words["digit.empty"])
