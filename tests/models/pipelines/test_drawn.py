"""Drawings without a paper, as a notebook app saves them: what strokes alone do not tell is read as if on paper."""

from collections.abc import Sequence

import numpy as np
import pytest
from ink import ink_of, on_glass
from PIL import Image, ImageDraw, ImageOps
from scipy.ndimage import label

from models.errors import InputError
from models.pipelines import DigitClassifier, Reading, classifier

HEIGHT, PITCH = 80, 92
Line = tuple[tuple[int, int], tuple[int, int]]


def sheet(*lines: str, apart: int = 130, which: int = 3) -> Image.Image:
    """Ink of digits, 'L'; among them dots, commas, colons and dashes."""
    ink = Image.new("L", (60 + PITCH * max(map(len, lines)), 80 + apart * len(lines)))
    pen = ImageDraw.Draw(ink)
    marks = {".": [(0, 72, 9, 81)], ",": [(2, 70, 11, 92)], ":": [(0, 22, 10, 32), (0, 60, 10, 70)]}
    marks |= {"-": [(0, 36, 30, 44)], "=": [(0, 28, 30, 35), (0, 50, 30, 57)]}
    for row, line in enumerate(lines):
        for place, sign in enumerate(line):
            x, y = 40 + PITCH * place, 40 + apart * row
            if sign.isdigit():
                one = ink_of(int(sign), which, HEIGHT)
                ink.paste(one, (x, y), one)
            for left, top, right, bottom in marks.get(sign, ()):
                pen.ellipse((x + 20 + left, y + top, x + 20 + right, y + bottom), fill=255)
    return ink


def read(ink: Image.Image) -> str:
    """The digits in lines, as they are read where nothing lies below the ink."""
    lines: dict[int, str] = {}
    for one in classifier("mnist-resnet").read(on_glass(0)(ImageOps.invert(ink))):
        assert one.box is None
        lines[one.line] = lines.get(one.line, "") + one.digit
    return "/".join(lines[line] for line in sorted(lines))


@pytest.mark.parametrize("text", ["3.14", "0.5", "12:30", "7-2=5", "1,234", "20-10"])
def test_signs_are_no_digits(text: str) -> None:
    assert read(sheet(text)) == "".join(filter(str.isdigit, text))


@pytest.mark.parametrize("kind", ["underlined", "framed", "ruled below"])
def test_lines_are_no_digits(kind: str) -> None:
    """Neither do they make one of all that stands on them."""
    ink = sheet("4729")
    pen, right, bottom = ImageDraw.Draw(ink), ink.width - 20, ink.height - 70
    lines: dict[str, Sequence[Line]] = {
        "underlined": [((30, bottom), (right, bottom))],
        "framed": [((15, 20), (right, 20)), ((right, 20), (right, bottom)), ((right, bottom), (15, bottom)),
                   ((15, bottom), (15, 20))],
        "ruled below": [((5, bottom - 6), (right, bottom - 3)), ((5, bottom + 30), (right, bottom + 32))],
    }  # fmt: skip
    for line in lines[kind]:
        pen.line(line, fill=255, width=5)
    assert read(ink) == "4729"


@pytest.mark.parametrize("angle", [0, 5, -6])
def test_lines_that_lean(angle: int) -> None:
    """So far that they lie above one another on no row of pixels alone."""
    ink = sheet("41723", "90862", "35174", apart=125)
    assert read(ink.rotate(angle, Image.Resampling.BICUBIC, expand=True)) == "41723/90862/35174"


def test_a_column() -> None:
    """One digit below the other: no two of them are one."""
    assert read(sheet("4", "7", "2", "9")) == "4/7/2/9"


@pytest.mark.parametrize("text", ["47", "50", "18", "96", "33"])
def test_one_below_the_other(text: str) -> None:
    """Two circles above one another may be an 8; two digits are not."""
    ink = Image.new("L", (200, 300))
    for number, digit in enumerate(text):
        ink.paste(one := ink_of(int(digit), 3, HEIGHT), (60 + 6 * number, 40 + 110 * number), one)
    assert read(ink).replace("/", "") == text


@pytest.mark.parametrize("text", ["03", "36", "46", "53", "56", "70", "83", "93"])
def test_digits_that_touch(text: str) -> None:
    """What hangs together and is surely one digit by itself may be two all the same."""
    first, second = (ink_of(int(digit), 3, 110) for digit in text)
    for overlap in range(first.width):
        ink = Image.new("L", (300, 200))
        ink.paste(first, (40, 40), first)
        ink.paste(second, (40 + first.width - overlap, 40), second)
        if label(np.asarray(ink) > 51, np.ones((3, 3)))[1] == 1:
            break
    assert read(ink) == text


def seen(*given: tuple[str, float]) -> list[Reading]:
    """Digits with their probabilities, as a page reader hands them on."""
    return [
        Reading(
            Image.new("L", (28, 28)), dict.fromkeys("0123456789", 0.0) | {digit: share, "8": 1 - share}, (0, 0, 9, 9)
        )
        for digit, share in given
    ]


@pytest.mark.parametrize(
    ("on_paper", "wanted"),
    [
        (seen(("4", 0.99), ("7", 0.99), ("1", 0.99), ("3", 0.99)), "4713"),
        (seen(("4", 0.99), ("7", 0.99), ("1", 0.99)), "471"),
        (seen(("4", 0.99), ("7", 0.99)), None),  # without what is as tall as a digit
        (seen(("4", 0.99), ("7", 0.6), ("1", 0.99)), None),  # unsure itself
        ([], None),
    ],
)
def test_when_paper_is_believed(on_paper: list[Reading], wanted: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is sure, and leaves out nothing that is as tall as digits; else the strokes count, as they are."""
    ink = sheet("47-")
    ImageDraw.Draw(ink).line([(235, 40), (235, 120), (265, 120), (265, 60)], fill=255, width=9)  # no digit
    given, network = on_glass(0)(ImageOps.invert(ink)), DigitClassifier("mnist-resnet")
    monkeypatch.setattr(DigitClassifier, "on_page", lambda *_: [])
    strokes = network.read(given)
    assert len(strokes) == 4 or not all(one.is_digit for one in strokes)
    monkeypatch.setattr(DigitClassifier, "on_page", lambda *_: on_paper)
    found = network.read(given)
    assert "".join(one.digit for one in found) == (wanted or "".join(one.digit for one in strokes))
    assert all(one.box is None for one in found)


def test_where_paper_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ink too faint for a page is still ink."""

    def faint(*_: object) -> list[Reading]:
        raise InputError("image_blank", "This picture is empty.")

    monkeypatch.setattr(DigitClassifier, "on_page", faint)
    assert read(sheet("7-2"))[0] == "7"


@pytest.mark.parametrize("text", ["10", "4729"])
def test_the_call_answers_the_largest(text: str) -> None:
    """Of several digits, as on paper: not all of them as one."""
    ink = sheet(text)
    large = ink_of(6, 3, 150)
    both = Image.new("L", (ink.width + 200, 240))
    both.paste(ink, (0, 30))
    both.paste(large, (ink.width, 40))
    for picture in (on_glass(0)(ImageOps.invert(both)), ImageOps.invert(both)):
        shares = classifier("mnist-resnet")(picture)
        assert max(shares, key=shares.get) == "6" and np.isclose(sum(shares.values()), 1)
