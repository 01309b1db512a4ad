"""The page reader: digits where people write them, and no digits where they wrote none."""

import numpy as np
import pytest
import torch
from app_process import SEVEN, drawn
from ink import BLANK, difference, ink_of, number, refused
from PIL import Image, ImageDraw, ImageOps
from skimage.morphology import dilation, disk
from torch import nn

import models
from models.pictures import images
from models.pipelines import DigitClassifier, page_reader, to_digit
from models.pipelines.common import fused


def sheet(ink: int = 20, paper: int = 230) -> np.ndarray:
    """The drawn seven on a sheet of 480x640, evenly lit."""
    cover = Image.new("L", (480, 640))
    cover.paste(ImageOps.invert(drawn()), (100, 200))
    return np.where(np.asarray(cover) > 127, ink, paper).astype(np.float64)


Y, X = np.mgrid[0:640, 0:480]
LIGHTS = {
    "gradient": 1 - 0.6 * X / 480,
    "sharp shadow": np.where(X + 0.5 * Y < 300, 0.5, 1.0),
    "gradient and shadow": (1 - 0.4 * Y / 640) * np.where(X - 0.3 * Y > 100, 0.55, 1.0),
    "lamp in a corner": 0.35 + 0.65 * np.exp(-((X / 480) ** 2 + (Y / 640) ** 2)),
}
NOISE = {"clean": 0.0, "noisy": 8.0}


def photograph(even: np.ndarray, light: str, noise: str) -> Image.Image:
    grain = np.random.default_rng(0).normal(0, NOISE[noise], even.shape)
    return Image.fromarray(np.uint8((even * LIGHTS[light] + grain).clip(0, 255)))


def named(image: Image.Image) -> str:
    """The digit that the flagship sees in a picture."""
    shares = DigitClassifier("mnist-resnet")(image)
    return max(shares, key=shares.get)


@pytest.mark.parametrize("noise", NOISE)
@pytest.mark.parametrize("light", LIGHTS)
def test_light_does_not_matter(light: str, noise: str) -> None:
    """A slope of light, a sharp shadow across the digit, grain, on paper and on a board: the digit is read."""
    assert named(photograph(sheet(), light, noise)) == "7"
    assert named(photograph(sheet(ink=225, paper=60), light, noise)) == "7"


@pytest.mark.parametrize("light", [None, "gradient"])
def test_dust_is_left_out(light: str | None) -> None:
    """Specks far from the digit do not keep it from being read."""
    dusty, draw = sheet(), np.random.default_rng(1)
    for y, x in zip(draw.integers(10, 630, 25), draw.integers(10, 470, 25), strict=True):
        if not (180 < y < 500 and 80 < x < 400):
            dusty[y : y + 5, x : x + 5] = 20
    assert (dusty != sheet()).sum() > 200
    image = photograph(dusty, light, "clean") if light else Image.fromarray(np.uint8(dusty))
    assert named(image) == "7"


def on(tool: ImageDraw.ImageDraw, box: tuple[int, int, int, int], kind: str) -> None:
    """Draw the lines of one kind of paper, about the writing."""
    left, top, right, bottom = box
    lines = {
        "plain": [],
        "ruled": [(0, y, 480, y) for y in range(8, 260, 40)],
        "squared": [(x, 0, x, 260) for x in range(5, 480, 27)] + [(0, y, 480, y) for y in range(12, 260, 27)],
        "margin": [(left - 25, 0, left - 25, 260)],
        "box": [(left - 12, top - 12, right + 12, top - 12), (left - 12, bottom + 12, right + 12, bottom + 12),
                (left - 12, top - 12, left - 12, bottom + 12), (right + 12, top - 12, right + 12, bottom + 12)],
        "base line": [(left - 30, bottom - 2, right + 60, bottom - 2)],
        "fold": [(0, 118, 480, 131)],
    }  # fmt: skip
    for line in lines[kind]:
        tool.line(line, fill=105, width=2)


@pytest.mark.parametrize("kind", ["plain", "ruled", "squared", "margin", "box", "base line", "fold"])
def test_papers_that_people_have_at_hand(kind: str) -> None:
    """Numbers on them are read, digit by digit, and no line for a digit."""
    read, wrong = DigitClassifier("mnist-resnet").read, []
    for which, text in enumerate(("407", "1358", "29", "66170", "8", "512")):
        ink, box = number(text, which + 3)
        page = Image.new("L", ink.size, 232)
        on(ImageDraw.Draw(page), box, kind)
        page.paste(40, mask=ink)
        found = "".join(reading.digit for reading in read(page))
        wrong += [(text, found)] if found != text else []
    assert len(wrong) <= 1, wrong


def test_boxes_lie_around_the_digits() -> None:
    """Each within a tenth of a digit's height, in pixels of the picture that was given, however large that is."""
    for height, size in ((60, (480, 260)), (60, (1920, 1040)), (60, (160, 87))):
        ink, (left, top, right, bottom) = number("257", 5, height)
        page = ImageOps.invert(ink).resize(size, Image.Resampling.BICUBIC)
        found = page_reader.page(page)
        scale = size[0] / 480
        assert len(found) == 3 and [one.line for one in found] == [0, 0, 0]
        assert all(0 < one.share <= 1 for one in found)
        away = np.array([
            found[0].box[0] - left * scale, found[0].box[1] - top * scale,
            found[-1].box[2] - right * scale, found[-1].box[3] - bottom * scale,
        ])  # fmt: skip
        assert abs(away).max() < 0.12 * height * scale, size


def test_lines_are_read_one_after_the_other() -> None:
    """From the top, each from the left, though the sheet lies a little askew."""
    page, rows = Image.new("L", (640, 480), 240), ("3140", "59", "27182")
    for row, text in enumerate(rows):
        ink, _ = number(text, row + 1)
        page.paste(30, (0, 120 * row), ink)
    page = page.rotate(4, Image.Resampling.BICUBIC, fillcolor=240)
    found = DigitClassifier("mnist-resnet").read(page)
    for line, text in enumerate(rows):
        assert "".join(reading.digit for reading in found if reading.line == line) == text
    assert [reading.line for reading in found] == sorted(reading.line for reading in found)


def test_digits_that_touch_are_parted() -> None:
    """Two that run into each other are two, and each sees its own ink alone."""
    ink, _ = number("25", 4, gap=-3)
    first, second = page_reader.page(ImageOps.invert(ink))
    for digit, found in ((2, first), (5, second)):
        alone = Image.new("L", (200, 200))
        one = ink_of(digit, 4, 60)
        alone.paste(one, (60, 60))
        assert difference(images.to_digit(ImageOps.invert(alone)), found.seen) < 0.5


@pytest.mark.parametrize("short", [False, True])
def test_a_fast_processor_reads_the_same(short: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """With numbers of 16 bits and without, faint pencil and ink are read, digit by digit, where they were written."""
    monkeypatch.setattr(page_reader, "SHORT", short)
    read = DigitClassifier("mnist-resnet").read
    for darkness in (190, 40):
        ink, box = number("4071", 3)
        page = Image.new("L", ink.size, 232)
        page.paste(darkness, (0, 0), ink)
        found = read(page)
        assert "".join(one.digit for one in found) == "4071"
        boxes = np.array([one.box for one in found])
        assert [*boxes[:, :2].min(0), *boxes[:, 2:].max(0)] == pytest.approx(box, abs=5)


@pytest.mark.parametrize("share", [0.05, 0.1, 0.2, 0.4])
def test_tight_crops(share: float) -> None:
    """Cut at the ink's edge, a pen up to two fifths of the width, of both polarities: as with paper around it."""
    for digit in range(10):
        ink = ink_of(digit, 2, 120)
        reach = max(0, round(share * ink.width / 2) - 6)
        thick = Image.fromarray(dilation(np.pad(np.asarray(ink), reach), disk(reach)))
        tight = ImageOps.invert(thick.crop(thick.point(lambda value: value > 64 and 255).getbbox()))
        padded = ImageOps.expand(tight, 10, 255)
        for left, right in ((tight, padded), (ImageOps.invert(tight), ImageOps.invert(padded))):
            found, expected = page_reader.page(left), page_reader.page(right)
            assert [one.seen.tobytes() for one in found] == [one.seen.tobytes() for one in expected]
            assert np.allclose([np.add(one.box, 10) for one in found], [one.box for one in expected])
        assert len(page_reader.page(tight)) == 1


def test_nothing_is_found_where_no_digit_is() -> None:
    """An empty form gives no digit; a classifier that is asked for one all the same takes all the ink."""
    empty = Image.new("L", (400, 300), 235)
    for y in range(30, 300, 60):
        ImageDraw.Draw(empty).line([(20, y), (380, y)], fill=90, width=2)
    assert DigitClassifier("mnist-resnet").read(empty) == []
    assert DigitClassifier("mnist-resnet")(empty).keys() == {str(digit) for digit in range(10)}


def test_what_is_empty_is_said_to_be() -> None:
    for blank in BLANK.values():
        for read in (to_digit, page_reader.page, DigitClassifier("mnist-mlp").read):
            refused("image_blank", lambda blank=blank, read=read: read(blank))
    refused("image_too_large", lambda: page_reader.page(Image.new("1", (10_000, 5_001))))


def test_without_a_reader_all_is_one_digit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its weights are not sound: the whole picture is taken, and why is told."""
    monkeypatch.setattr(page_reader, "missing", lambda: "There are no weights for page-reader.")
    (found,) = page_reader.page(drawn())
    assert found.box == (0, 0, *drawn().size) and found.seen.tobytes() == images.to_digit(drawn()).tobytes()
    (reading,) = DigitClassifier("mnist-resnet").read(drawn())
    assert reading.digit == "7"


def test_looks_are_averaged() -> None:
    """The ink of a look counts twice as much as the mean of the next ones', as large as its own; others not at all."""
    rng = np.random.default_rng(0)
    fine, own, coarse, far = (rng.random((side, side + 8), np.float32) for side in (64, 32, 16, 8))
    flat = page_reader._Look(np.full_like(own, 0.9), 4)
    others = [
        page_reader._Look(np.full_like(ink, level), size) for ink, level, size in ((fine, 0.3, 2), (coarse, 0.6, 8))
    ]
    found = flat.beside([flat, *others, page_reader._Look(far, 16)])
    assert found.size == 4 and found.ink.shape == own.shape and np.allclose(found.ink, (2 * 0.9 + 0.45) / 3, atol=1e-6)
    spot = np.zeros_like(coarse)
    spot[4, 6] = 1  # a place of the wider look is two by two of this one's
    mean = page_reader._Look(np.zeros_like(own), 4).beside([page_reader._Look(spot, 8)]).ink
    rows, columns = np.average(np.argwhere(mean > 0), axis=0, weights=mean[mean > 0])
    assert (rows, columns) == pytest.approx((8.5, 12.5))
    assert page_reader._Look(own, 4).beside([]).ink.tolist() == own.tolist()


def looks(image: Image.Image) -> tuple[str, int]:
    """What is read on a picture at its size, and how often the network looked at it."""
    reader, seen = page_reader.shared(page_reader.PageReader, page_reader.NAME), []
    counted = reader.fast.register_forward_hook(lambda *_: seen.append(1))
    try:
        found = page_reader.page(image)
        return "".join(reading.digit for reading in DigitClassifier("mnist-resnet").named(found)), len(seen)
    finally:
        counted.remove()


@pytest.mark.parametrize("paper", [255, 90])
def test_what_is_alone_is_looked_at_once(paper: int) -> None:
    """A digit on bare paper needs one look; not where anything else is there, be it small and faint, or noise."""
    alone = Image.new("L", (280, 280), paper)
    alone.paste(Image.eval(drawn(SEVEN, 200), lambda level: min(level, paper)), (0, 76))
    assert looks(alone) == ("7", 1)
    two = alone.copy()
    two.paste(drawn(SEVEN, 70).point(lambda level: min(level, paper)), (205, 5))
    assert looks(two) == ("77", 3)
    speck = alone.copy()
    speck.paste(paper - 40, (260, 260, 264, 264))
    noise = np.random.default_rng(0).normal(0, 12, (280, 280))
    grainy = Image.fromarray(np.uint8((np.asarray(alone) + noise).clip(0, 255)))
    assert looks(speck) == looks(grainy) == ("7", 3)


def test_a_sure_digit_speaks_for_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """What may be a digit is one beside one that surely is, or where nothing else is, and none in a line of its own
    among others; what is none stays none."""
    pipeline, face = DigitClassifier("mnist-resnet"), Image.new("L", (28, 28))
    found = [
        page_reader.Found(face, (20.0 * place, 0.0, 20.0 * place + 9, 9.0), line, share)
        for place, (line, share) in enumerate([(0, 0.9), (0, 0.5), (0, 0.31), (1, 0.5)])
    ]
    known = {"1": 0.98, "7": 0.01} | dict.fromkeys("02345689", 0.00125)
    doubt = dict.fromkeys("0123456789", 0.1)
    monkeypatch.setattr(pipeline, "_shares", lambda seen: [known, known, doubt, known])
    assert [one.box for one in pipeline.named(found)] == [found[0].box, found[1].box]
    monkeypatch.setattr(pipeline, "_shares", lambda seen: [known])
    assert [one.box for one in pipeline.named(found[3:])] == [found[3].box]


def test_lines_are_counted_without_what_is_no_digit(monkeypatch: pytest.MonkeyPatch) -> None:
    """From 0, without a gap, where a line above, between or below holds nothing that is read."""
    pipeline, face = DigitClassifier("mnist-resnet"), Image.new("L", (28, 28))
    found = [
        page_reader.Found(face, (0.0, 40.0 * line, 20.0, 40.0 * line + 30), line, 0.9 if line in (1, 3) else 0.26)
        for line in range(5)
    ]
    monkeypatch.setattr(pipeline, "_shares", lambda seen: [{"1": 0.99} | dict.fromkeys("023456789", 0.01 / 9)] * 5)
    assert [(one.line, one.box) for one in pipeline.named(found)] == [(0, found[1].box), (1, found[3].box)]


@pytest.mark.parametrize("size", [(301, 121), (300, 122), (97, 143)])
def test_boxes_end_with_the_picture(size: tuple[int, int]) -> None:
    """Of digits that touch its edges, too, whatever its sides are divided by."""
    sheet, digit = Image.new("L", size, 255), ink_of(3, 0, 60)
    for place in ((0, 0), (size[0] - digit.width, size[1] - digit.height)):
        sheet.paste(20, place, digit)
    boxes = [one.box for one in DigitClassifier("mnist-resnet").read(sheet)]
    assert len(boxes) == 2
    for left, top, right, bottom in boxes:
        assert 0 <= left < right <= size[0] and 0 <= top < bottom <= size[1]


def test_two_of_a_line_speak_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """As neither would alone, nor in lines of their own; and nobody speaks for what the network has no idea of."""
    pipeline, face = DigitClassifier("mnist-resnet"), Image.new("L", (28, 28))
    known, doubt = {"1": 0.99} | dict.fromkeys("023456789", 0.01 / 9), dict.fromkeys("0123456789", 0.1)

    def read(lines: list[int], shares: list[float], named: list[dict[str, float]]) -> list[int]:
        monkeypatch.setattr(pipeline, "_shares", lambda seen: named)
        boxes = [(20.0 * place, 0.0, 20.0 * place + 9, 9.0) for place in range(len(lines))]
        found = [page_reader.Found(face, *one) for one in zip(boxes, lines, shares, strict=True)]
        return [boxes.index(one.box) for one in pipeline.named(found)]

    assert read([0, 0], [0.65, 0.65], [known] * 2) == [0, 1]
    assert read([0, 1], [0.65, 0.65], [known] * 2) == []
    assert read([0, 0], [0.99, 0.99], [known, doubt]) == [0]
    assert read([0], [0.99], [doubt]) == []


@pytest.mark.parametrize("name", ["mnist-resnet", "page-reader"])
def test_norms_are_a_part_of_the_convolutions(name: str) -> None:
    """The same is computed without them, whatever they hold; and what is told is told of the network as it was."""
    net, chance = models.create(name).eval(), torch.Generator().manual_seed(0)
    for norm in (module for module in net.modules() if isinstance(module, nn.BatchNorm2d)):
        for values in (norm.weight, norm.bias, norm.running_mean, norm.running_var):
            values.data = 0.5 + torch.rand(values.shape, generator=chance)
    before = {key: value.clone() for key, value in net.state_dict().items()}
    picture = torch.rand(2, 1, 28, 28, generator=chance)
    with torch.inference_mode():
        fast = fused(net)
        for one, same in zip(net(picture), fast(picture), strict=True):
            assert torch.allclose(one, same, rtol=1e-4, atol=1e-4)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in fast.modules())
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())
    published = page_reader.PageReader() if name == "page-reader" else DigitClassifier(name)
    assert published.facts.parameters == net.parameter_count


@pytest.mark.parametrize(("shares", "wanted"), [((0.9, 0.6), 1), ((0.9, 0.3), 0), ((0.4, 0.3), 0), ((0.3, 0.4), 1)])
def test_the_largest_is_a_digit(monkeypatch: pytest.MonkeyPatch, shares: tuple[float, float], wanted: int) -> None:
    """Not the corner of a label, nor a letter, which is larger and hardly one."""
    seen, boxes = Image.new("L", (28, 28)), ((0, 0, 20, 30), (40, 0, 90, 80))
    found = [page_reader.Found(seen, box, 0, share) for box, share in zip(boxes, shares, strict=True)]
    monkeypatch.setattr(page_reader, "page", lambda *_: found)
    assert page_reader.largest(Image.new("L", (100, 100))) is found[wanted]


@pytest.mark.parametrize("size", [(4032, 3024), (1600, 1200), (2000, 1001), (8000, 6000)])
def test_a_photograph_is_looked_at_as_large_as_may_be(size: tuple[int, int]) -> None:
    photo = Image.new("L", size, 230)
    photo.paste(20, (600, 400, 900, 800))
    grey, scale, _ = page_reader._looked_at(photo)
    assert grey.width * grey.height <= page_reader.MOST_PIXELS
    assert scale == 1 or size[0] * size[1] / (1 / scale - 1) ** 2 > page_reader.MOST_PIXELS
