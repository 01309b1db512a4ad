"""The faces tab as a visitor uses it: the example, a box, a brush, one of several faces, all methods, the download."""

import math
import re
from functools import partial
from io import BytesIO
from pathlib import Path

import lab as page
import numpy as np
import pytest
from app_process import App
from lab import PHONE, Lab, OpenLab, at_faces
from PIL import Image
from playwright.sync_api import expect
from skimage import data

from models.pictures.formats import TOLD
from tabs.head import STATIC

TABS = ("tab.digits", "tab.sample", "tab.denoise", "tab.faces")
SHOWN = "network.face-gan"
PORTRAITS = STATIC / "portraits"
COS, SIN = math.cos(math.radians(30)), math.sin(math.radians(30))
METHODS = ("network.face-ae", "network.face-unet", SHOWN, "method.biharmonic")
both = partial(page.both, slider="face-slider")
upload = partial(page.replace, place="face-photo")
SIZE = "async one => (await one.decode(), [one.naturalWidth, one.naturalHeight])"


def renewed(lab: Lab, before: str | None) -> str:
    """The address of what was made of the face, once it is another than `before`."""
    made = lab.page.locator("#face-strip img").nth(1)
    expect(made).to_be_visible()
    if before is not None:
        expect(made).not_to_have_attribute("src", before)
        lab.page.wait_for_timeout(100)
    return made.get_attribute("src")


def choose(lab: Lab, kind: str) -> None:
    """Choose what is hidden."""
    lab.page.locator("#mask-kind").get_by_text(lab.words[f"mask.{kind}"], exact=True).click()


def download(lab: Lab) -> Image.Image:
    """What the button gives."""
    with lab.page.expect_download() as found:
        lab.page.locator("#faces-download").click()
    return Image.open(BytesIO(found.value.path().read_bytes()))


def portrait(width: int = 200, height: int = 240) -> Image.Image:
    """The astronaut's head, larger."""
    return Image.fromarray(data.astronaut()).crop((130, 20, 330, 260)).resize((width, height))


def changed(found: Image.Image, given: Image.Image) -> tuple[int, int, int, int]:
    """The box in which two pictures differ: left, top, right, bottom."""
    where = (np.asarray(found.convert("RGB")) != np.asarray(given.convert("RGB"))).any(2)
    rows, columns = np.nonzero(where)
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


@pytest.mark.parametrize("language", ["en", "zh"])
def test_nothing_is_empty(empty_lab: OpenLab, language: str) -> None:
    """It opens with a result and with what one must know, at any width; on a phone no tab hides in a menu."""
    for context in ({}, PHONE):
        lab = empty_lab(language, **context)
        for tab in TABS:
            expect(lab.page.get_by_role("tab", name=lab.words[tab], exact=True)).to_be_in_viewport(ratio=1)
        at_faces(lab)
        renewed(lab, None)
        expect(lab.page.locator("#face-strip img")).to_have_count(3)
        for key in ("faces.plausible", "faces.licence"):
            expect(lab.page.locator("#reconstructed")).to_contain_text(lab.words[key])
        assert lab.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_example_waits_for_a_visitor(open_lab: OpenLab) -> None:
    """No network runs for what the page opens with; the dice ask one."""
    lab, asked = open_lab(), []
    lab.page.on("request", lambda request: asked.append(request.url) if "/queue/join" in request.url else None)
    seen = renewed(at_faces(lab), None)
    lab.settle()
    assert not asked
    lab.page.locator("#mask-dice").click()
    renewed(lab, seen)
    assert asked


@page.both_languages
def test_the_visitor_guesses_first(open_lab: OpenLab, language: str) -> None:
    """What was hidden, and what is true, is shown after the guess; the real eye is the one that never was hidden."""
    hidden, true = (Image.open(STATIC / f"first/faces/{name}.webp") for name in ("hidden", "true"))
    gone = np.abs(np.asarray(hidden.convert("L"), int) - np.asarray(true.convert("L"))) > 64
    is_left = gone[:, :128].sum() > gone[:, 128:].sum()
    for place in (0, 1):
        lab = at_faces(open_lab(language))
        strip, eyes = lab.page.locator("#face-strip img"), lab.page.locator("#face-strip .eyes button")
        assert [one.is_visible() for one in strip.all()] == [False, True, False]
        eyes.nth(place).press("Enter")
        answer = lab.words["faces.right" if place == is_left else "faces.wrong"]
        expect(lab.page.locator(".eyes")).to_have_text(answer)
        assert [one.is_visible() for one in strip.all()] == [True, True, True]
        expect(lab.page.locator(".said[role=status]")).to_contain_text(answer)
    seen = strip.nth(1).get_attribute("src")
    lab.page.locator("#mask-dice").click()
    renewed(lab, seen)
    expect(strip).to_have_count(3)
    assert all(one.is_visible() for one in strip.all())


def test_portraits_to_choose_from(open_lab: OpenLab) -> None:
    """Each has a name that is read; another one is hidden, filled, and in the address."""
    lab = at_faces(open_lab())
    seen, some = renewed(lab, None), lab.page.locator("#face-examples button")
    names = [one.get_attribute("title") for one in some.all()]
    assert len(set(names)) == len(names) == 8 and all(names)
    some.nth(2).click()
    renewed(lab, seen)
    expect(some.nth(2)).to_have_attribute("aria-pressed", "true")
    assert "tab=faces" in lab.page.url and "picture=grace-hopper" in lab.page.url


def test_an_own_photograph(open_lab: OpenLab, tmp_path: Path) -> None:
    """What is downloaded has all its pixels, and is the photograph but for the box, which the dice move."""
    lab = at_faces(open_lab())
    seen = renewed(lab, None)
    portrait(600, 720).save(tmp_path / "mine.png")
    upload(lab, tmp_path / "mine.png")
    seen, found = renewed(lab, seen), download(lab)
    assert (found.format, found.size) == ("PNG", (600, 720))
    left, top, right, bottom = changed(found, portrait(600, 720))
    assert 50 < right - left < 90 and abs((right - left) - (bottom - top)) < 4  # 28 of the face's 128 pixels
    for picture in both(lab).all():
        assert picture.evaluate(SIZE) == [600, 720]
    rolled = lab.page.locator("#mask-seed input")
    before = rolled.input_value()
    lab.page.locator("#mask-dice").click()
    seen = renewed(lab, seen)
    assert rolled.input_value() not in ("", before)
    assert changed(download(lab), portrait(600, 720)) != (left, top, right, bottom)
    choose(lab, "half")
    renewed(lab, seen)
    left, top, right, bottom = changed(download(lab), portrait(600, 720))
    assert max(right - left, bottom - top) > 200


def test_a_brush(open_lab: OpenLab, tmp_path: Path) -> None:
    """What is painted over goes, and nothing else, once the visitor has done; a stroke can be taken back."""
    lab = at_faces(open_lab())
    seen = renewed(lab, None)
    portrait().save(tmp_path / "mine.png")
    upload(lab, tmp_path / "mine.png")
    seen = renewed(lab, seen)
    choose(lab, "brush")
    expect(lab.page.locator("#reconstructed .sentence")).to_have_text(lab.words["faces.paint"])
    canvas = lab.page.locator("#face-canvas canvas")
    expect(canvas).to_be_visible()
    canvas.scroll_into_view_if_needed()
    lab.page.wait_for_timeout(300)
    box = canvas.bounding_box()
    across, down = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    lab.page.mouse.move(across - 15, down)
    lab.page.mouse.down()
    lab.page.mouse.move(across + 15, down, steps=8)
    lab.page.mouse.up()
    expect(lab.page.locator("#face-strip")).to_have_class(re.compile(r"\bold\b"))  # it is of another hole
    lab.page.mouse.move(across, down - 90)
    lab.page.mouse.down()
    lab.page.mouse.move(across + 20, down - 90, steps=4)
    lab.page.mouse.up()
    lab.page.locator("#face-canvas .pad-undo").click()  # that one was too much
    lab.settle()
    lab.page.locator("#faces-fill").click()
    renewed(lab, seen)
    expect(lab.page.locator("#face-strip")).not_to_have_class(re.compile(r"\bold\b"))
    lab.page.mouse.move(across, down - 90)
    lab.page.mouse.down()
    lab.page.mouse.up()
    lab.page.locator("#face-canvas .pad-undo").click()
    expect(lab.page.locator("#face-strip")).to_have_class(re.compile(r"\bold\b"))
    lab.settle()
    lab.page.locator("#faces-fill").click()  # the same again
    expect(lab.page.locator("#face-strip")).not_to_have_class(re.compile(r"\bold\b"))
    expect(lab.page.locator("#reconstructed .figures")).to_be_visible()
    left, top, right, bottom = changed(download(lab), portrait())
    assert 60 < (left + right) / 2 < 140 and 80 < (top + bottom) / 2 < 160  # of 200x240, in whose middle the face is
    assert 10 < right - left < 80 and 5 < bottom - top < 60


@page.both_languages
def test_a_mask_of_ones_own(open_lab: OpenLab, tmp_path: Path, language: str) -> None:
    """A colour is taken as what it means, which is said; a photograph, and a file of another kind, are called that."""
    lab = at_faces(open_lab(language))
    seen = renewed(lab, None)
    portrait().save(tmp_path / "mine.png")
    red = Image.new("RGB", (200, 240))
    red.paste((255, 0, 0), (60, 100, 110, 130))
    red.save(tmp_path / "red.png")
    (tmp_path / "mask.png").write_bytes(b"%PDF-1.7 of a mask")
    upload(lab, tmp_path / "mine.png")
    seen = renewed(lab, seen)
    choose(lab, "own")
    said = lab.page.locator("#reconstructed .sentence")
    expect(said).to_have_text(lab.words["faces.bring"])
    upload(lab, tmp_path / "red.png")
    expect(lab.page.locator("#face-strip img")).to_have_count(0)  # the answer to another photograph
    upload(lab, tmp_path / "mine.png")
    lab.page.locator("#face-mask input[type=file]").set_input_files(tmp_path / "red.png")
    renewed(lab, seen)
    expect(lab.page.locator("#reconstructed")).to_contain_text(lab.words["hidden.red"])
    left, top, right, bottom = changed(download(lab), portrait())
    assert 60 <= left < 64 and 100 <= top < 104 and 106 < right <= 110 and 126 < bottom <= 130
    page.replace(lab, tmp_path / "mine.png", "face-mask")
    expect(said).to_have_text(lab.words["error.mask_photograph"])
    page.replace(lab, tmp_path / "mask.png", "face-mask")
    expect(said).to_have_text(lab.words["error.image_format"].format(kind="PDF", read=TOLD))


def test_one_of_several(open_lab: OpenLab, tmp_path: Path) -> None:
    """The visitor picks whose face it is."""
    lab = at_faces(open_lab())
    seen = renewed(lab, None)
    pair = Image.new("RGB", (500, 240), (180, 180, 180))
    pair.paste(portrait(), (0, 0))
    pair.paste(portrait(), (300, 0))
    pair.save(tmp_path / "pair.png")
    upload(lab, tmp_path / "pair.png")
    renewed(lab, seen)
    seen = page.renewed(lab, None, "face-slider")
    faces = lab.page.locator("#whose .thumbnail-item")
    expect(faces.nth(1)).to_be_visible()
    sides = set()
    for number in range(faces.count() - 1, -1, -1):  # the first is there to begin with
        faces.nth(number).click()
        seen = page.renewed(lab, seen, "face-slider")
        left, _, right, _ = changed(download(lab), pair)
        sides.add((left + right) / 2 > 250)
    assert sides == {True, False}


def test_a_tilted_face(open_lab: OpenLab, tmp_path: Path) -> None:
    """What is hidden leans as the head does: of the upright box around a square that is turned by 30 degrees, it has
    1 / (sin 30° + cos 30°)^2, a half, and of one that is not turned, all."""
    lab = at_faces(open_lab())
    seen = renewed(lab, None)
    upright = Image.open(PORTRAITS / "katherine-johnson.jpg").convert("RGB")
    tilted = upright.rotate(30, Image.Resampling.BICUBIC, expand=True, fillcolor=(120, 120, 120))
    tilted.save(tmp_path / "tilted.png")
    upload(lab, tmp_path / "tilted.png")
    renewed(lab, seen)
    found = download(lab)
    left, top, right, bottom = changed(found, tilted)
    gone = (np.asarray(found.convert("RGB")) != np.asarray(tilted)).any(2).sum()
    assert 0.4 < gone / ((right - left) * (bottom - top)) < 0.75
    # Her face is at (392, 368) of 787x900 pixels, as one sees; the picture has been turned about its middle.
    across, down = 392 - 787 / 2, 368 - 900 / 2
    turned = np.array([across * COS + down * SIN, down * COS - across * SIN]) + np.array(tilted.size) / 2
    assert np.abs(turned - [(left + right) / 2, (top + bottom) / 2]).max() < 125  # half of the face's side


def test_thirty_faces(open_lab: OpenLab, tmp_path: Path) -> None:
    """Each can be picked; a picture of the last is hidden where it is."""
    lab = at_faces(open_lab())
    first = renewed(lab, None)
    group, portraits = Image.new("RGB", (6 * 240, 5 * 240), (110, 110, 110)), sorted(PORTRAITS.glob("*.jpg"))
    for number in range(30):
        one = Image.open(portraits[number % len(portraits)]).convert("RGB")
        one = one.resize((220, round(220 * one.height / one.width))).crop((0, 0, 220, 230))
        group.paste(one, (10 + number % 6 * 240, 5 + number // 6 * 240))
    group.save(tmp_path / "group.png")
    upload(lab, tmp_path / "group.png")
    renewed(lab, first)
    seen = page.renewed(lab, None, "face-slider")
    faces = lab.page.locator("#whose .thumbnail-item")
    expect(faces).to_have_count(30)
    cells = set()
    for number in (29, 17):
        faces.nth(number).click()
        seen = page.renewed(lab, seen, "face-slider")
        left, top, right, bottom = changed(download(lab), group)
        assert right - left < 60 and bottom - top < 60  # 28 of 128 of a face that fits in a cell
        cells.add(((left + right) // 480, (top + bottom) // 480))
    assert len(cells) == 2


def test_all_methods(open_lab: OpenLab) -> None:
    """A row for each with its figures, and their pictures beside the hidden and the true one."""
    lab = at_faces(open_lab())
    seen = renewed(lab, None)
    lab.page.locator("#faces-compare").click()
    rows = lab.page.locator("#face-methods tbody tr")
    expect(rows).to_have_count(len(METHODS))
    assert rows.locator("th").all_inner_texts() == [lab.words[key] for key in METHODS]
    figures = [float(row.locator("td").first.inner_text()) for row in rows.all()]
    expect(lab.page.locator("#face-methods .best th")).to_have_text(lab.words[METHODS[int(np.argmax(figures))]])
    expect(lab.page.locator("#face-methods thead th")).to_have_count(4)
    expect(lab.page.locator("#fillings .tiles img")).to_have_count(len(METHODS) + 2)
    expect(lab.page.locator("#fillings .tiles button").last).to_be_in_viewport()
    said = lab.page.locator("#reconstructed .figures").text_content()  # the exact figure is folded away
    assert f"{figures[METHODS.index(SHOWN)]:.2f}" in said
    lab.page.locator("#mask-dice").click()
    renewed(lab, seen)
    expect(rows).to_have_count(0)  # they were of another box


def test_no_face_and_no_picture(open_lab: OpenLab, app: App, tmp_path: Path) -> None:
    """A drawing: said, and the middle is offered. A file that is none, and no file: one sentence; then all is well."""
    lab, before = at_faces(open_lab()), len(app.log)
    seen = renewed(lab, None)
    Image.linear_gradient("L").resize((300, 200)).save(tmp_path / "drawing.png")
    upload(lab, tmp_path / "drawing.png")
    renewed(lab, seen)
    expect(lab.page.locator("#reconstructed")).to_contain_text(lab.words["faces.none"])
    (tmp_path / "poem.png").write_bytes(b"I am a poem.\n" * 40)
    upload(lab, tmp_path / "poem.png")
    sentence = lab.page.locator("#reconstructed .sentence")
    expect(sentence).to_have_text(lab.words["error.image_unreadable"])
    expect(lab.page.locator("#face-photo img")).to_have_count(0)  # nor is there a broken one
    lab.page.wait_for_timeout(1000)
    expect(sentence).to_have_text(lab.words["error.image_unreadable"])  # that stays
    portrait().save(tmp_path / "mine.png")
    lab.page.locator("#face-photo input[type=file]").set_input_files(tmp_path / "mine.png")
    expect(lab.page.locator("#reconstructed .figures")).to_be_visible()
    assert "Traceback" not in app.log[before:]
