"""The public Python interface: a picture in, ten probabilities out."""

import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import pytest
import tiny
import torch
from app_process import drawn
from huggingface_hub import ModelCard
from ink import ink_of, on_glass
from PIL import Image, ImageDraw

import models
from models import hub, pipelines
from models.errors import InputError
from models.pictures import images
from models.pictures.drawing import Drawing
from models.pipelines import DigitClassifier, Reading, common
from models.pipelines.explain import AGAINST, FOR

NAMES = models.names(task="classification")


@pytest.mark.parametrize("name", NAMES)
def test_probabilities_are_those_of_the_network(name: str) -> None:
    """The pipeline's own, faster network says what the one that `load` gives says, for any picture of MNIST's form."""
    pipeline, net = DigitClassifier(name), models.load(name)
    for picture in tiny.bars(20, seed=4)[0]:
        image = Image.fromarray(picture)
        shares = pipeline(image)
        assert list(shares) == [str(digit) for digit in range(10)]
        with torch.no_grad():
            wanted = net(images.to_tensor(image)).softmax(1)[0]
        assert list(shares.values()) == pytest.approx(wanted.tolist(), abs=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_a_drawing_is_read(name: str) -> None:
    """A seven is a seven, at any size and in any mode."""
    pipeline = DigitClassifier(name)
    for image in (drawn(), drawn().convert("RGBA").resize((999, 700)), drawn().resize((40, 40))):
        shares = pipeline(image)
        assert max(shares, key=shares.get) == "7"
        assert sum(shares.values()) == pytest.approx(1, abs=1e-5)


def test_what_it_sees() -> None:
    """`prepare` shows the picture that is read: reading it again gives the same."""
    pipeline = DigitClassifier("mnist-dense")
    seen = pipeline.prepare(drawn())
    assert (seen.mode, seen.size) == ("L", (28, 28))
    assert pipeline(seen) == pipeline(drawn())


def test_nothing_is_not_guessed() -> None:
    with pytest.raises(InputError, match="empty"):
        DigitClassifier("mnist-dense")(Image.new("L", (200, 200), 255))


@pytest.mark.parametrize("name", NAMES)
def test_facts(name: str) -> None:
    """They are those of the network and of its card."""
    facts = DigitClassifier(name).facts
    card = ModelCard.load(hub.CHECKPOINTS / name / "README.md").data
    accuracy = next(result for result in card.eval_results if result.metric_type == "accuracy")
    assert facts.accuracy == accuracy.metric_value
    assert facts.parameters == sum(parameter.numel() for parameter in models.create(name).parameters())
    assert facts.weights == hub.CHECKPOINTS / name / "model.safetensors"
    assert facts.provenance.source == "embedded"


def test_what_is_no_classifier_is_refused() -> None:
    """A network that does something else is named, with those that could be meant."""
    with pytest.raises(ValueError, match="mnist-ae does something else: choose one of mnist-dense, "):
        DigitClassifier("mnist-ae")


def test_many_visitors_at_once() -> None:
    """The first calls of several visitors come together, while the networks are still being made."""

    def visit(index: int) -> str:
        shares = DigitClassifier(NAMES[index % len(NAMES)])(drawn())
        return max(shares, key=shares.get)

    with ThreadPoolExecutor(8) as visitors:
        assert list(visitors.map(visit, range(24))) == ["7"] * 24


ONE = [[(0.3, 0), (0.3, 1)]]
FOUR = [[(0.3, 0), (0, 0.6), (0.6, 0.6)], [(0.45, 0.3), (0.45, 1)]]
FIVE = [[(0.08, 0.1), (0.08, 0.45), (0.4, 0.4), (0.55, 0.7), (0.4, 1), (0, 0.95)], [(0.18, 0.02), (0.62, 0)]]
SEVEN = [[(0, 0), (0.6, 0), (0.2, 1)]]


def written(*digits: list[list[tuple[float, float]]]) -> Image.Image:
    """Digits side by side on a sheet."""
    page = Image.new("L", (120 + 190 * len(digits), 300), 255)
    for number, strokes in enumerate(digits):
        for stroke in strokes:
            points = [(80 + 190 * number + 160 * x, 70 + 160 * y) for x, y in stroke]
            ImageDraw.Draw(page).line(points, fill=0, width=16, joint="curve")
    return page


def read(image: Image.Image) -> str:
    return "".join(reading.digit for reading in pipelines.classifier("mnist-resnet").read(image))


def test_one_digit_is_read_as_one() -> None:
    """What `read` gives for it is what `prepare` and the call give."""
    pipeline = pipelines.classifier("mnist-resnet")
    (reading,) = pipeline.read(drawn())
    assert reading.seen.tobytes() == pipeline.prepare(drawn()).tobytes()
    assert reading.shares == pipeline(drawn())


def test_a_number_is_read_from_left_to_right() -> None:
    """Two digits, three, in either order."""
    assert read(written(SEVEN, FOUR)) == "74"
    assert read(written(FOUR, SEVEN)) == "47"
    assert read(written(FIVE, ONE, SEVEN)) == "517"


def test_a_digit_of_two_strokes_is_one() -> None:
    """The hat of a five does not touch it."""
    assert read(written(FIVE)) == "5"


def pieces(second: tuple[int, int], height: int) -> Image.Image:
    """A bar 120 pixels tall and, beside it, a piece that runs from one x to another."""
    image = Image.new("LA", (400, 220))
    image.paste((0, 255), (40, 50, 60, 170))
    image.paste((0, 255), (second[0], 50, second[1], 50 + height))
    return image


@pytest.mark.parametrize(
    ("image", "whole", "parts", "count"),
    [
        (pieces((90, 120), 40), 0.95, (0.8, 0.99), 1),
        (pieces((90, 120), 40), 0.95, (0.95, 0.99), 2),  # they make a sure number
        (pieces((90, 120), 40), 0.8, (0.7, 0.99), 2),  # the whole is no sure digit
        (pieces((90, 120), 110), 0.95, (0.8, 0.99), 2),  # one as tall as the other
        (pieces((190, 230), 40), 0.95, (0.8, 0.99), 2),  # wider than a digit
    ],
    ids=["one", "sure parts", "unsure whole", "equal parts", "wide"],
)
def test_whole_or_parts(
    image: Image.Image, whole: float, parts: tuple[float, float], count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pieces are one digit where they make no sure number, the whole is a sure digit, and its form is a digit's."""
    pipeline = DigitClassifier("mnist-mlp")
    assert len(Drawing(image).digits()) == 2
    order = iter(parts)

    def shares(seen: list[Image.Image]) -> list[dict[str, float]]:
        tops = (whole if one.tobytes() == Drawing(image).whole().tobytes() else next(order) for one in seen)
        return [{"1": top, "7": 1 - top} | dict.fromkeys("02345689", 0.0) for top in tops]

    monkeypatch.setattr(pipeline, "_shares", shares)
    monkeypatch.setattr(pipeline, "on_page", lambda _: [])  # paper tells nothing of it
    found = pipeline.read(image)
    assert [reading.confidence for reading in found] == ([whole] if count == 1 else list(parts))


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_not_read(name: str) -> None:
    blank = Image.new("L", (200, 200), 255)
    for ask in (pipelines.classifier(name).read, DigitClassifier.compare):
        with pytest.raises(InputError, match="empty"):
            ask(blank)


def reading(*best: float) -> Reading:
    """A reading whose largest probabilities are `best`, of 3, 8 and so on; the rest is spread over the others."""
    digits = ["3", "8", "5", "0", "1", "2", "4", "6", "7", "9"]
    rest = (1 - sum(best)) / (10 - len(best))
    return Reading(Image.new("L", (28, 28)), dict(zip(digits, [*best, *[rest] * (10 - len(best))], strict=True)))


def test_a_reading_says_how_sure_it_is() -> None:
    """The likeliest digit and its probability; sure from `SURE` on; a digit from `KNOWN` on for the best two."""
    one = reading(0.6, 0.3)
    assert (one.digit, one.confidence) == ("3", 0.6)
    sure, known = pipelines.SURE, pipelines.KNOWN
    assert reading(sure).is_sure and not reading(sure - 0.01).is_sure
    assert reading(known - 0.3, 0.3 + 1e-9).is_digit and not reading(known - 0.31, 0.3).is_digit
    assert reading(0.5, 0.5).is_digit and not reading(0.5, 0.5).is_sure  # of two it may be either
    assert not reading(0.1).is_digit


def test_letters_are_no_digits_to_the_flagship() -> None:
    """It answers for digits, and does not for a big A, an X or a grid."""
    pipeline = pipelines.classifier("mnist-resnet")
    assert pipeline.read(drawn())[0].is_digit
    for lines in (
        [[(0, 1), (0.4, 0), (0.8, 1)], [(0.15, 0.65), (0.65, 0.65)]],
        [[(0, 0), (0.8, 1)], [(0.8, 0), (0, 1)]],
        [[(0.25, 0), (0.25, 1)], [(0.6, 0), (0.6, 1)], [(0, 0.3), (0.9, 0.3)], [(0, 0.7), (0.9, 0.7)]],
    ):
        assert not any(reading.is_digit for reading in pipeline.read(written(lines)))


@pytest.mark.parametrize("name", NAMES)
def test_explain(name: str) -> None:
    """A picture of the digit's size in grey, orange and blue; where no ink is, it is black."""
    pipeline = pipelines.classifier(name)
    (seven,) = pipeline.read(drawn())
    found = pipeline.explain(seven)
    assert (found.mode, found.size) == ("RGB", (28, 28))
    pixels, ink = np.asarray(found, int), np.asarray(seven.seen)
    assert not pixels[ink == 0].any()
    warm = pixels[..., 0] - pixels[..., 2]
    assert warm.max() > 60 and warm[ink > 0].min() < 0  # something speaks for it, something against
    strongest = pixels[np.unravel_index(abs(warm).argmax(), warm.shape)]
    assert tuple(strongest) in (FOR, AGAINST)


def test_explain_explains_the_answer() -> None:
    """Another digit of the same picture is explained by other pixels."""
    pipeline = pipelines.classifier("mnist-resnet")
    (seven,) = pipeline.read(drawn())
    two = Reading(seven.seen, {digit: float(digit == "2") for digit in seven.shares})
    assert pipeline.explain(seven).tobytes() != pipeline.explain(two).tobytes()
    assert pipeline.explain(seven).tobytes() == pipeline.explain(seven).tobytes()


def test_compare_asks_everyone() -> None:
    """Every network in the order of their names, each with what it says itself, its time and the card's figures."""
    opinions = DigitClassifier.compare(drawn())
    assert [opinion.name for opinion in opinions] == NAMES
    for opinion in opinions:
        pipeline = pipelines.classifier(opinion.name)
        assert opinion.reading.seen.tobytes() == pipeline.prepare(drawn()).tobytes()
        assert opinion.reading.shares == pytest.approx(pipeline(drawn()), abs=1e-6)
        assert opinion.reading.digit == "7"
        assert 0 < opinion.milliseconds < 1000
        card = ModelCard.load(hub.CHECKPOINTS / opinion.name / "README.md").data
        accuracy = next(result for result in card.eval_results if result.metric_type == "accuracy")
        assert opinion.facts.accuracy == accuracy.metric_value
        assert opinion.facts.parameters == models.create(opinion.name).parameter_count


def test_compare_tells_the_median(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of several passes, so that a hiccup does not count; the first, which may still be compiled, is not among them."""
    pipeline, real, waits = (
        DigitClassifier("mnist-mlp"),
        DigitClassifier._shares,
        iter([0.2, 0.02, 0.2, 0.02, 0.02, 0.0]),
    )

    def slow(self: DigitClassifier, seen: Image.Image) -> dict[str, float]:
        time.sleep(next(waits))
        return real(self, seen)

    monkeypatch.setattr(DigitClassifier, "_shares", slow)
    assert 20 <= pipeline._compared("mnist-mlp", images.to_digit(drawn())).milliseconds < 150


def test_a_classifier_is_loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks by name gets the same one, even those who come together; an unknown name is refused each time."""
    loads: list[str] = []
    real = models.load

    def load(source: str) -> models.Model:
        loads.append(source)
        time.sleep(0.1)
        return real(source)

    # A memory of its own: who has loaded the page reader relies on its being there.
    monkeypatch.setattr(common, "_shared", cache(common._shared.__wrapped__))
    monkeypatch.setattr(models, "load", load)
    with ThreadPoolExecutor(8) as visitors:
        found = list(visitors.map(pipelines.classifier, ["mnist-mlp"] * 8))
    assert len({id(one) for one in found}) == 1
    assert loads == ["mnist-mlp"]
    for _ in range(2):
        with pytest.raises(ValueError, match="no model named 'mnist-dance'"):
            pipelines.classifier("mnist-dance")


@pytest.mark.parametrize("count", [1, 8, 25])
def test_a_long_number_is_drawn_as_large_as_a_short_one(count: int) -> None:
    """Each digit of a strip without a paper is read, however many there are."""
    digits = [(3 * index + 2) % 10 for index in range(count)]
    strip = Image.new("L", (120 * count, 60), 255)
    for index, digit in enumerate(digits):
        strip.paste(0, (120 * index + 40, 8), ink_of(digit, 0, 44))
    read = pipelines.classifier("mnist-resnet").read(on_glass(0)(strip))
    assert [int(one.digit) for one in read] == digits


@pytest.mark.parametrize(("side", "height"), [(900, 24), (1800, 60)])
def test_a_sheet_without_a_paper(side: int, height: int) -> None:
    """Nor does a sheet full of digits, as a notebook app saves it, make them smaller than can be read."""
    pitch, sheet = 3 * height // 2, Image.new("L", (side, side), 255)
    lines = [[(row + column) % 10 for column in range(12)] for row in range(9)]
    for row, line in enumerate(lines):
        for column, digit in enumerate(line):
            sheet.paste(0, (pitch * (column + 1), 2 * pitch * row + height), ink_of(digit, row % 4, height))
    read = pipelines.classifier("mnist-resnet").read(on_glass(0)(sheet))
    assert [[int(one.digit) for one in read if one.line == row] for row in range(9)] == lines
