"""What the digits page says beyond one digit: what decided, doubts, numbers, photographs, every network's opinion."""

import re
from pathlib import Path
from typing import Self

import numpy as np
from app_process import SEVEN, drawn, png
from ink import number
from lab import LETTER_K, PHONE, RING, SCRIBBLE, SEVENTEEN, Lab, OpenLab, both_languages, doubtful, scan, tally
from PIL import Image, ImageDraw
from playwright.sync_api import Route, expect

import models
from models.pipelines import classifier
from tabs.digits import MOST
from tabs.widgets.picture import read

NETWORKS = models.names(task="classification")


def pattern(text: str) -> re.Pattern[str]:
    """Matches a locale's text, whatever is filled in."""
    return re.compile("^" + re.sub(r"\\{\w+\\}", r"\\S+", re.escape(text)).replace("\\ ", r"\s") + "$")


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
        self.lab.page.unroute("**/run/**")

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
def test_what_decided_is_shown_and_changes(empty_lab: OpenLab, language: str) -> None:
    """A coloured 28x28 picture beside what the network saw, named after its method; another drawing gets another."""
    lab = empty_lab(language)
    lab.draw()
    (seven,) = lab.heat_maps()
    assert seven.size == (28, 28)
    pixels = np.asarray(seven, int)
    assert (pixels[..., 0] - pixels[..., 2]).max() > 80  # orange
    expect(lab.page.get_by_text(lab.words["digits.decided"])).to_be_visible()
    assert "Sundararajan" in lab.words["how.digits"]
    lab.draw_anew(RING)
    expect(lab.numeral).to_have_text("0")
    (ring,) = lab.heat_maps()
    assert ring.tobytes() != seven.tobytes()
    before = lab.heat_urls()
    lab.choose("Dense")
    lab.settle()
    lab.heat_maps()
    assert lab.heat_urls() != before


def test_what_decided_is_never_shown_beside_another_answer(empty_lab: OpenLab) -> None:
    """It comes too late, when there is another drawing: it is not shown."""
    lab = empty_lab()
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


def test_a_doubtful_digit_is_called_so(empty_lab: OpenLab, tmp_path: Path) -> None:
    """Between a 9 and a 4 the network is unsure, and names both."""
    (tmp_path / "picture.png").write_bytes(doubtful())
    lab = empty_lab()
    lab.upload(tmp_path / "picture.png")
    expect(lab.sentence).to_have_text(pattern(lab.words["digits.unsure"]))
    assert set(re.findall(r"\b[49]\b", lab.sentence.inner_text())) == {"4", "9"}
    expect(lab.numeral).to_have_class("numeral muted")


@both_languages
def test_what_is_no_digit_is_called_so(empty_lab: OpenLab, language: str) -> None:
    """A scribble, a K: no numeral, one sentence; a digit after it is named again."""
    lab = empty_lab(language)
    for strokes in ((SCRIBBLE,), LETTER_K):
        lab.draw_anew(*strokes)
        expect(lab.sentence).to_have_text(lab.words["digits.no_digit"])
        expect(lab.numeral).to_have_text("?")
        lab.draw_anew(SEVEN)
        expect(lab.numeral).to_have_text("7")


@both_languages
def test_two_digits_are_read_as_a_number(empty_lab: OpenLab, language: str) -> None:
    """From left to right, with the least confidence, each with its pictures and its bar; networks read it as well."""
    lab = empty_lab(language)
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
def test_a_photograph_is_read(empty_lab: OpenLab, language: str, tmp_path: Path) -> None:
    """Paper in the shadow is darker than ink in the light; both digits are read all the same."""
    picture = scan()
    left, right = (np.asarray(picture.convert("L"))[:, columns] for columns in (slice(0, 120), slice(360, 420)))
    assert right.mean() < np.quantile(left, 0.1)
    picture.save(tmp_path / "scan.jpg", quality=85)
    lab = empty_lab(language)
    lab.upload(tmp_path / "scan.jpg")
    expect(lab.numeral).to_have_text("47")
    assert len(lab.heat_maps()) == 2


def test_what_is_transparent_is_no_ink(empty_lab: OpenLab, tmp_path: Path) -> None:
    """A phone's photograph goes out as JPEG, which knows no transparency: black on nothing is read as on paper."""
    ink = Image.fromarray(255 - np.asarray(drawn(SEVEN, 300).convert("L")))
    clear = Image.new("RGBA", ink.size, (0, 0, 0, 0))
    clear.paste((0, 0, 0, 255), mask=ink)
    clear.save(tmp_path / "seven.png")
    lab = empty_lab(**PHONE)
    lab.page.locator("#photograph input[type=file]").set_input_files(tmp_path / "seven.png")
    expect(lab.numeral).to_have_text("7")


def test_a_page_of_text_is_no_number(empty_lab: OpenLab, tmp_path: Path) -> None:
    """As many digits as the page reads are read; more are counted, and that is said."""
    lab = empty_lab()
    for count in (MOST, MOST + 1):
        (tmp_path / f"{count}.png").write_bytes(tally(count))
    lab.upload(tmp_path / f"{MOST}.png")
    expect(lab.numeral).to_have_text("3" * MOST)
    lab.take_away()
    lab.upload(tmp_path / f"{MOST + 1}.png")
    expect(lab.sentence).to_have_text(lab.words["digits.too_many"].format(count=MOST + 1, most=MOST))
    expect(lab.numeral).to_have_text("?")


@both_languages
def test_all_networks_are_asked(empty_lab: OpenLab, language: str) -> None:
    """A row for each with its own figures, at most six columns, and a dot in the chart."""
    lab = empty_lab(language)
    expect(lab.page.locator("#ask-all")).to_contain_text(str(len(NETWORKS)))
    lab.draw()
    rows = lab.ask_all()
    heads = lab.opinions.locator("thead th")
    assert heads.count() <= 6
    expect(heads.nth(1)).to_have_text(lab.words["opinions.answer"])
    assert [cells[0] for cells in rows] == [lab.words[f"network.{name}"] for name in NETWORKS]
    for name, (_, answer, confidence, time, parameters, wrong) in zip(NETWORKS, rows, strict=True):
        facts = classifier(name).facts
        assert answer == "7"
        assert 50 < int(confidence.removesuffix("%")) <= 99
        assert 0.001 < float(time) < 2000
        assert parameters == f"{facts.parameters:,}"
        assert 1 - int(wrong) / 10_000 == round(facts.accuracy, 4)
    dots = lab.opinions.locator("svg circle")
    expect(dots).to_have_count(len(NETWORKS))
    heights = [float(dot.get_attribute("cy")) for dot in dots.all()]
    best = max(NETWORKS, key=lambda name: classifier(name).facts.accuracy)
    assert heights.index(min(heights)) == NETWORKS.index(best)


def test_what_all_networks_say_comes_into_sight(empty_lab: OpenLab) -> None:
    """It stands below the fold, and the button that asked for it stays in sight."""
    lab = empty_lab(viewport={"width": 1280, "height": 900})
    lab.draw()
    lab.ask_all()
    for place in (lab.opinions.locator("tbody tr").last, lab.page.locator("#ask-all")):
        expect(place).to_be_in_viewport(ratio=1)


def test_all_networks_are_asked_about_what_was_used_last(empty_lab: OpenLab, tmp_path: Path) -> None:
    """Nothing, the picture, or the drawing; what they said of another one is gone, even if it comes too late."""
    lab = empty_lab()
    lab.page.locator("#pad .pad-clear").click()
    lab.expect_nothing()
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


def page_of(*rows: str) -> Image.Image:
    """Numbers on lined paper, a row each."""
    page = Image.new("L", (480, 130 * len(rows) + 120), 235)
    for y in range(10, page.height, 44):
        ImageDraw.Draw(page).line([(0, y), (480, y)], fill=120, width=2)
    for row, text in enumerate(rows):
        ink, _ = number(text, row + 1)
        page.paste(40, (0, 130 * row), ink)
    return page


@both_languages
def test_a_page_is_read_line_by_line(empty_lab: OpenLab, language: str, tmp_path: Path) -> None:
    """The numbers below each other, and the page with a box around each digit and a thread through each line."""
    page_of("314", "59").save(tmp_path / "page.png")
    lab = empty_lab(language)
    lab.upload(tmp_path / "page.png")
    expect(lab.numeral).to_have_text("31459")
    assert lab.numeral.inner_html() == "314<br>59"
    shown = lab.page.locator("#answer .read-page")
    expect(shown.locator("rect")).to_have_count(5)
    expect(shown.locator("polyline")).to_have_count(2)
    expect(shown.locator("figcaption")).to_have_text(lab.words["digits.page"].format(count=5))
    inside = shown.locator("svg").bounding_box()
    for box in shown.locator("rect").all():
        place = box.bounding_box()
        assert inside["x"] <= place["x"] and place["x"] + place["width"] <= inside["x"] + inside["width"]
        assert place["height"] > 10


@both_languages
def test_a_page_without_digits(empty_lab: OpenLab, language: str, tmp_path: Path) -> None:
    """It is said, in its language, and there is no page to show."""
    page_of("").save(tmp_path / "page.png")
    lab = empty_lab(language)
    lab.upload(tmp_path / "page.png")
    expect(lab.sentence).to_have_text(lab.words["digits.none"])
    expect(lab.page.locator("#answer .read-page")).to_have_count(0)


def test_a_telephone_photographs_a_number(empty_lab: OpenLab, tmp_path: Path) -> None:
    """The button opens the camera; the photograph is made small, and its answer comes into sight."""
    page_of("407").resize((2400, 1250)).save(tmp_path / "photo.jpg")
    lab = empty_lab(**PHONE)
    button = lab.page.locator("#photograph label")
    expect(button).to_be_visible()
    camera = lab.page.locator("#photograph input")
    assert camera.get_attribute("capture") == "environment" and camera.get_attribute("accept") == "image/*"
    with lab.page.expect_request(lambda request: "data:image/jpeg" in (request.post_data or "")) as sent:
        camera.set_input_files(tmp_path / "photo.jpg")
    photo = read(sent.value.post_data_json["data"][0])
    assert photo.size == (1600, 833)
    expect(lab.numeral).to_have_text("407")
    expect(lab.page.locator("#answer .read-page rect")).to_have_count(3)
    expect(lab.numeral).to_be_in_viewport()
    lab.choose("Dense")
    expect(lab.page.locator("#answer .read-page rect")).to_have_count(3)
    (tmp_path / "photo.jpg").write_bytes(b"no picture")
    camera.set_input_files(tmp_path / "photo.jpg")
    expect(lab.page.get_by_text(lab.words["error.image_unreadable"])).to_be_visible()


def test_a_desk_has_no_camera(empty_lab: OpenLab) -> None:
    """With a mouse a picture is dropped, pasted or chosen."""
    expect(empty_lab().page.locator("#photograph")).to_be_hidden()
