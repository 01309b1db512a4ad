"""A page that leaves doubt is looked at again, a digit on paper always: what most looks find is read; lines are not."""

from dataclasses import replace
from itertools import permutations, product

import numpy as np
import pytest
from ink import difference, number, on_glass, placed
from PIL import Image, ImageDraw

from models.pictures import images, mnist
from models.pictures.detections import overlap
from models.pipelines import DigitClassifier, page_reader, to_digit
from models.pipelines.classifier import AGAIN, Reading, _agreed
from models.pipelines.page_reader import Found

CLEAR, DOUBTFUL = 0.999, 0.66  # shares of the reader: far beyond what is asked of one among others, and hardly
FACES = [Image.new("L", (28, 28), level) for level in range(10)]


def shares(digit: str, confidence: float = 0.98) -> dict[str, float]:
    rest = (1 - confidence) / 9
    return {name: confidence if name == digit else rest for name in "0123456789"}


def reading(digit: str, left: float, confidence: float = 0.98, top: float = 0.0) -> Reading:
    return Reading(FACES[int(digit)], shares(digit, confidence), (left, top, left + 10, top + 20))


def spelled(readings: list[Reading]) -> str:
    return "".join(one.digit for one in readings)


def on_page(monkeypatch: pytest.MonkeyPatch, seen: dict[float, str], share: float) -> tuple[str, list[float]]:
    """What is read where the looks at a page find these digits, each as likely one; and which looks there were."""
    pipeline, asked = DigitClassifier("mnist-resnet"), []

    def find(image: Image.Image, larger: float = 1.0) -> list[Found]:
        asked.append(larger)
        return [
            Found(FACES[int(digit)], (20.0 * place, 0.0, 20.0 * place + 10, 20.0), 0, share)
            for place, digit in enumerate(seen[larger])
        ]

    levels = {face.getpixel((0, 0)): str(digit) for digit, face in enumerate(FACES)}
    monkeypatch.setattr(pipeline, "_shares", lambda faces: [shares(levels[one.getpixel((0, 0))]) for one in faces])
    return spelled(pipeline.on_page(Image.new("L", (200, 200)), find)), asked


def test_so_many_looks_as_the_doubt_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """One where all is clear, two that read the same, else three; a single look never has its way against two."""
    smaller, larger = AGAIN
    assert on_page(monkeypatch, {1: "47", smaller: "41", larger: "41"}, CLEAR) == ("47", [1])
    assert on_page(monkeypatch, {1: "47", smaller: "47", larger: "41"}, DOUBTFUL) == ("47", [1, smaller])
    assert on_page(monkeypatch, {1: "47", smaller: "41", larger: "41"}, DOUBTFUL) == ("41", [1, smaller, larger])
    assert on_page(monkeypatch, {1: "47", smaller: "41", larger: "47"}, DOUBTFUL) == ("47", [1, smaller, larger])
    assert on_page(monkeypatch, {1: "47", smaller: "4", larger: "4"}, DOUBTFUL)[0] == "4"
    assert on_page(monkeypatch, {1: "4", smaller: "47", larger: "47"}, DOUBTFUL)[0] == "47"
    assert on_page(monkeypatch, {1: "", smaller: "47", larger: ""}, DOUBTFUL) == ("", [1])


def test_the_order_of_the_looks_does_not_matter() -> None:
    """Three looks at two lines: what two of them found is there, once, in reading order, and nothing else."""
    looks = [
        [reading("3", 0), reading("5", 30), reading("8", 0, top=60)],
        [reading("3", 2), reading("6", 31), reading("8", 1, top=62), reading("1", 90)],
        [reading("3", 1), reading("6", 29)],
    ]
    for order in permutations(looks):
        read = _agreed(list(order))
        assert [(one.digit, one.line) for one in read] == [("3", 0), ("6", 0), ("8", 1)]


def test_no_surer_than_the_least_sure() -> None:
    """Of those that name a digit so, the least sure is told, with what it saw; its shares are of that picture."""
    unsure, sure, other = reading("4", 0, 0.6), reading("4", 1, 0.99), reading("9", 0, 0.7)
    (read,) = _agreed([[other], [sure], [unsure]])
    assert read.digit == "4" and read.shares == unsure.shares and read.box == unsure.box


def test_a_part_is_of_the_whole() -> None:
    """What one look found the lower half of is what another found whole."""
    whole = reading("1", 0)
    half = replace(whole, box=(0, 12, 10, 20))
    for looks in ([[half], [whole], []], [[], [whole], [half]]):
        assert spelled(_agreed(looks)) == "1"


def test_neighbours_are_not_one() -> None:
    """Digits that touch stay two, though their boxes overlap a little; one look finds each of them once."""
    looks = [[reading("1", 0), reading("1", 6)]] * 3
    assert spelled(_agreed(looks)) == "11"
    alone = [[reading("1", 0), reading("1", 6)], [], []]
    assert _agreed(alone) == []


@pytest.mark.parametrize("larger", AGAIN)
def test_boxes_are_of_the_picture_itself(larger: float) -> None:
    """However large a page is looked at, the digits are found at the same places of the picture."""
    ink, _ = number("4071", 3)
    page = Image.new("L", (ink.width + 120, ink.height + 80), 235)
    page.paste(40, (70, 30), ink)
    first, again = page_reader.page(page), page_reader.page(page, larger)
    assert len(first) == len(again) == 4
    assert all(overlap(one.box, other.box) > 0.7 for one, other in zip(first, again, strict=True))


def test_a_page_that_leaves_doubt_is_read_all_the_same() -> None:
    """By the real networks: whatever noise does to a page, no error, and no digit twice."""
    ink, _ = number("538", 1)
    for seed in range(3):
        grain = np.random.default_rng(seed).normal(0, 45, (ink.height + 60, ink.width + 60))
        page = Image.new("L", grain.shape[::-1], 200)
        page.paste(110, (30, 30), ink)
        noisy = Image.fromarray(np.uint8((np.asarray(page) + grain).clip(0, 255)))
        read = DigitClassifier("mnist-resnet").read(noisy)
        boxes = [one.box for one in read]
        assert all(overlap(one, other) < 0.5 for at, one in enumerate(boxes) for other in boxes[:at])


@pytest.mark.parametrize("side", [6, 10, 18])
@pytest.mark.parametrize("times", [0.9, 1.0, 1.1])
def test_zoomed_around_its_middle(side: int, times: float) -> None:
    """A square of ink keeps its place, and its area grows by the square of that."""
    pixels, edge = np.zeros((28, 28), np.uint8), (28 - side) // 2
    pixels[edge : edge + side, edge : edge + side] = 255
    zoomed = np.asarray(mnist.zoomed(Image.fromarray(pixels), times), float) / 255
    assert zoomed.sum() == pytest.approx((times * side) ** 2, rel=0.05)
    rows, columns = np.indices((28, 28))
    assert [(one * zoomed).sum() / zoomed.sum() for one in (rows, columns)] == pytest.approx([13.5, 13.5], abs=0.02)


@pytest.mark.parametrize("views", [["7"] * 6, ["7", "7", "7", "1", "7", "7"], ["7"] * 5 + [None]])
def test_a_digit_on_paper_is_answered_by_several_views(
    views: list[str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is said to the first, which `prepare` tells, where all are sure of the same; else the mean of what is said
    to each of them."""
    pipeline, seen, sheet = DigitClassifier("mnist-mlp"), [], placed(250, 180, 60)
    said = [shares(digit, 0.99 - 0.01 * place) if digit else shares("7", 0.6) for place, digit in enumerate(views)]
    monkeypatch.setattr(
        pipeline, "_shares", lambda faces: seen.extend(faces) or said[len(seen) - len(faces) : len(seen)]
    )
    answer = pipeline(sheet)
    assert len(seen) == len({one.tobytes() for one in seen}) == 6
    assert seen[0].tobytes() == pipeline.prepare(sheet).tobytes()
    each = np.array([list(one.values()) for one in said])
    expected = each[0] if views == ["7"] * 6 else each.mean(0)
    assert list(answer.values()) == pytest.approx(expected.tolist()) and list(answer) == list("0123456789")


@pytest.mark.parametrize("form", ["MNIST's", "a drawing"])
def test_what_has_no_paper_is_answered_as_it_is(form: str) -> None:
    """There nothing had to be found: one view, and the network's own probabilities."""
    pipeline = DigitClassifier("mnist-mlp")
    image = to_digit(placed(250, 180, 60)) if form == "MNIST's" else on_glass(0)(placed(250, 180, 60))
    expected = pipeline.net(images.to_tensor(to_digit(image))).softmax(1)[0].tolist()
    assert list(pipeline(image).values()) == pytest.approx(expected, abs=1e-7)


def test_another_digit_of_the_page_is_no_view(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the second look holds another one for the largest, it is still the first look's digit that is answered."""
    small, large = Found(FACES[3], (0, 0, 10, 18), 0, 0.9), Found(FACES[8], (40, 0, 50, 20), 0, 0.9)
    grown = Found(FACES[3], (0, 0, 11, 21), 0, 0.9)
    monkeypatch.setattr(page_reader, "page", lambda _, larger=1.0: [small, large] if larger == 1 else [grown, large])
    pipeline = DigitClassifier("mnist-mlp")
    seen: list[Image.Image] = []
    monkeypatch.setattr(pipeline, "_shares", lambda views: seen.extend(views) or [shares("8")] * len(views))
    pipeline(placed(250, 180, 60))
    assert {round(np.median(np.asarray(one))) for one in seen} == {8}


SQUARES, TONES = (24, 37, 55), ((235, 30, 60), (20, 230, 200), (150, 60, 90))  # apart; of paper, ink and lines
STROKES = {"1": [(163, 120), (150, 200)], "7": [(130, 122), (185, 122), (150, 200)],
           "2": [(135, 135), (150, 120), (175, 125), (178, 145), (135, 200), (185, 198)]}  # fmt: skip


def on_paper(strokes: list[tuple[int, int]], tones: tuple[int, int, int], apart: int | None = None) -> Image.Image:
    """A digit on plain paper, or on squares so far apart that lie a little askew."""
    paper, ink, line = tones
    page = Image.new("L", (320, 320), paper)
    draw = ImageDraw.Draw(page)
    for at in range(apart - 320, 640, apart) if apart else ():
        draw.line([(at, 0), (at + 16, 320)], line, 3)
        draw.line([(0, at), (320, at - 16)], line, 3)
    draw.line(strokes, ink, 7, joint="curve")
    return page


def test_lines_do_not_stick_to_digits() -> None:
    """What a classifier sees of a digit on squared paper is near what it sees of it on plain paper."""
    away = []
    for strokes, tones in product(STROKES.values(), TONES):
        plain = to_digit(on_paper(strokes, tones))
        away += [difference(plain, to_digit(on_paper(strokes, tones, apart))) for apart in SQUARES]
    assert np.mean(away) < 0.62
