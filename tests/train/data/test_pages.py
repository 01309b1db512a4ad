"""Composed pages: boxes and masks against what was drawn, and that one seed is one page."""

import numpy as np
import pytest
import tiny
import torch
from PIL import Image, ImageDraw
from scipy.ndimage import distance_transform_edt, label
from skimage.morphology import skeletonize

from models.pictures import mnist
from train.data import pages, strokes
from train.data.pages import camera, composers, furniture, ink
from train.data.pages.writing import Writer

SIZE = 192
PICTURES, LABELS = mnist.examples()
DIGITS = np.uint8(255 * PICTURES[:, 0].numpy())


def page(seed: int, **given: object) -> pages.Page:
    draw = np.random.default_rng(seed)
    return pages.compose(DIGITS, LABELS.tolist(), ink.Hands(24, draw), SIZE, draw, **given)


@pytest.mark.parametrize("kind", furniture.KINDS)
def test_a_page_and_its_truth(kind: str) -> None:
    """Every kind of paper: pictures of the size asked for, boxes within them, a label and a line for each."""
    found = [page(seed, kind=kind, empty=False) for seed in range(12)]
    assert any(len(one.boxes) for one in found)
    for one in found:
        assert one.image.shape == one.ink.shape == (SIZE, SIZE)
        assert one.image.dtype == one.ink.dtype == np.uint8
        assert len(one.boxes) == len(one.labels) == len(one.rows) and one.kind == kind
        assert (one.boxes >= 0).all() and (one.boxes <= SIZE).all()
        assert (one.boxes[:, 2:] > one.boxes[:, :2]).all()
        assert set(one.labels.tolist()) <= set(range(10))


def test_boxes_are_those_of_the_ink() -> None:
    """A digit that stands alone: its box is that of its ink on the mask, however it is turned, to two pixels."""
    compared = 0
    for seed in range(150):
        one = page(seed, empty=False)
        pieces, count = label(one.ink > 80, np.ones((3, 3)))
        if len(one.boxes) != 1 or count != 1:
            continue
        rows, columns = np.nonzero(pieces)
        wanted = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert abs(one.boxes[0] - wanted).max() <= 2.5, seed
        compared += 1
    assert compared > 10


def test_all_ink_lies_in_a_box() -> None:
    """And every box holds ink: of digits, not of letters."""
    for seed in range(60):
        one = page(seed, empty=False)
        inside = np.zeros((SIZE, SIZE), bool)
        for left, top, right, bottom in one.boxes.round().astype(int):
            assert one.ink[top:bottom, left:right].max() > 60
            inside[max(0, top - 2) : bottom + 2, max(0, left - 2) : right + 2] = True
        shown = (one.ink > 128).sum()
        # Digits that are cut off by more than a third have ink, and no box.
        assert (one.ink > 128)[~inside].sum() <= max(0.5 * shown, 40) or len(one.boxes) < 3


def test_empty_pages_have_no_digit() -> None:
    for seed in range(30):
        one = page(seed, empty=True)
        assert len(one.boxes) == 0 and not one.ink.any()


def test_one_seed_one_page() -> None:
    first, again, other = page(3), page(3), page(4)
    assert (first.image == again.image).all() and (first.boxes == again.boxes).all()
    assert (first.image != other.image).any()


def test_ink_shows_on_the_picture() -> None:
    """Where the mask has ink the picture is darker or lighter than around it, on nearly every page."""
    told = 0
    for seed in range(40):
        one = page(seed, empty=False)
        if (one.ink > 200).sum() < 50:
            told += 1
            continue
        paper, written = np.median(one.image[one.ink == 0]), np.median(one.image[one.ink > 200])
        told += abs(paper - written) > 12
    assert told >= 35


def test_enlarged_keeps_the_digit() -> None:
    """Reduced again it is what it was, whatever the pen; a thicker pen has more ink."""
    for digit in DIGITS[::100]:
        thin, thick = (ink.enlarged(digit, 80, weight) for weight in (0.1, 0.9))
        assert thin.shape == thick.shape and thin.shape[0] == 80 and thin.sum() < thick.sum()
        box = Image.fromarray(digit).getbbox()
        small = np.asarray(Image.fromarray(ink.enlarged(digit, 80, 0.5)).resize((box[2] - box[0], box[3] - box[1])))
        whole = digit[box[1] : box[3], box[0] : box[2]] / 255
        assert np.corrcoef(small.ravel(), whole.ravel())[0, 1] > 0.9


@pytest.mark.parametrize("grey", [0.35, 0.65], ids=["in a loop", "in a stroke"])
def test_no_pen_parts_a_stroke_or_fills_a_loop(grey: float) -> None:
    """A ring with grey in its narrow loop, or at one place of its stroke, is a ring with every pen."""
    y, x = np.mgrid[:28, :28] - 13.5
    radius = np.hypot(x, y)
    ring = np.where((radius > 2.5) & (radius < 6), 1.0, 0.0)
    ring[(radius <= 2.5) if grey < 0.5 else (abs(x) < 1) & (y < 0) & (ring > 0)] = grey
    for weight in (0.0, 0.2, 0.5, 0.8, 1.0):
        drawn = np.pad(ink.enlarged(np.uint8(255 * ring), 90, weight) > 0.5, 1)
        assert label(drawn)[1] == 1 and label(~drawn)[1] == 2


def test_written_has_its_height_and_its_pen() -> None:
    """A vertical stroke: as high as asked for, and its ink is width times height."""
    y = np.linspace(0, 1, 49)
    stroke = np.stack([np.zeros(48), y[:-1], np.zeros(48), y[1:]], 1)
    for height, pen in ((40, 4.0), (120, 9.0)):
        alpha = ink.written(stroke, np.ones(48), height, pen)
        assert abs(alpha.shape[0] - height) <= 1
        assert alpha.sum() == pytest.approx(pen * height, rel=0.15)


def test_marks_stand_where_they_belong() -> None:
    """Beside a digit of 100 pixels: a comma and a point below its middle, a dash about it, a slash as high as it is."""
    draw = np.random.default_rng(0)
    for mark, top, bottom in ((",", 80, 115), (".", 80, 115), ("-", 20, 85), ("/", -20, 120)):
        segments = strokes.drawn((mark,), 20, torch.Generator().manual_seed(1)).numpy()
        for one in segments:
            alpha, drop = ink.standing(one, np.ones(strokes.POINTS), 100, 6.0)
            assert top <= drop + 5 and drop + alpha.shape[0] - 5 <= bottom, mark
        alpha, drop = ink.printed_standing(mark, str(draw.choice(ink.FONTS)), 100)
        assert top <= drop + 20 and drop + alpha.shape[0] - 20 <= bottom, mark


@pytest.mark.parametrize("font", ink.FONTS[::3])
def test_a_middle_line_is_the_letter(font: str) -> None:
    """It lies in the print, whose strokes lie around it no further than they are wide."""
    (_, highest, _, lowest), size = ink.face(font).getbbox("0"), 200
    for letter in "kwS":
        canvas = Image.new("L", (size, size))
        ImageDraw.Draw(canvas).text((50, 50 - highest), letter, fill=255, font=ink.face(font))
        print_ = np.asarray(canvas) > 127
        points, wide = ink.middle(font, letter)
        columns, rows = (points * (lowest - highest) + 50).round().astype(int).T
        assert print_[rows, columns].all(), letter
        line = np.ones_like(print_)
        line[rows, columns] = False
        assert distance_transform_edt(line)[print_].max() < 2 * distance_transform_edt(print_).max(), letter
        assert wide * (lowest - highest) == pytest.approx(np.ptp(np.nonzero(print_)[1]), rel=0.4), letter


def test_traced_words_stand_beside_digits() -> None:
    """Beside digits of 100 pixels: without tails down to their foot, with one below it; as thick as the pen is wide."""
    draw = np.random.default_rng(4)
    for font in ink.FONTS:
        for text, low, high in (("xvx", 85, 125), ("pqp", 105, 160)):
            alpha, drop = ink.traced(text, font, 100, 8.0, draw)
            rows = drop + np.flatnonzero((alpha > 0.5).any(1))
            assert 5 < rows[0] < 60 and low < rows[-1] < high, (font, text)
        middle = distance_transform_edt(alpha > 0.5)[skeletonize(alpha > 0.5)]
        assert 2 * np.median(middle) == pytest.approx(8.0, abs=1.5), font


def test_words_and_marks_are_no_digits() -> None:
    """Digits are as many as rows have of them, whatever stands between; nothing of it is ink of a digit."""
    draw = np.random.default_rng(2)
    writer = Writer(DIGITS, LABELS.tolist(), ink.Hands(60, draw), 30.0, draw)
    line = list(writer._line(5, False, 0.0, 1.0, 1.0))
    assert [sign.label is None for sign in line] == [True, *[True, False] * 5, True, True]
    assert all(sign.alpha.max() > 0.5 for sign in line)
    assert all(sign.label is None for sign in writer._line(5, True, 0.0, 1.0, 1.0))


def test_a_ring_goes_around() -> None:
    """It encloses what it is drawn around, and leaves it free."""
    draw = np.random.default_rng(3)
    writer = Writer(DIGITS, LABELS.tolist(), ink.Hands(60, draw), 40.0, draw)
    for _ in range(20):
        sign = writer.digit()
        sign.left, sign.top = 200, 200
        ring, canvas = writer.ring(sign), np.zeros((500, 500), np.float32)
        ring.put(canvas)
        high, wide = sign.alpha.shape
        middle = canvas[200 + high // 4 : 200 + 3 * high // 4, 200 + wide // 4 : 200 + 3 * wide // 4]
        assert ring.label is None and canvas.max() > 0.5 and middle.max() < 0.5
        rows, columns = np.nonzero(canvas > 0.5)
        assert rows.min() < 200 and rows.max() >= 200 + high and columns.min() < 200 and columns.max() >= 200 + wide


def test_segments_are_those_of_displays() -> None:
    """Which are lit, against the usual codes of such displays (bits from a, the top, clockwise, to g, the middle)."""
    codes = (0x3F, 0x06, 0x5B, 0x4F, 0x66, 0x6D, 0x7D, 0x07, 0x7F, 0x6F)
    places = ((0.5, 0.02), (0.95, 0.25), (0.95, 0.75), (0.5, 0.98), (0.05, 0.75), (0.05, 0.25), (0.5, 0.5))
    for digit, code in enumerate(codes):
        alpha = ink.segments(digit, 200, 8.0, 0.0)
        high, wide = alpha.shape
        if digit == 1:
            assert wide < 0.15 * high  # it has nothing else
            continue
        lit = [alpha[int(y * high), int(x * wide)] > 0.5 for x, y in places]
        assert lit == [bool(code >> bit & 1) for bit in range(7)], digit


@pytest.mark.parametrize("font", ink.FONTS)
def test_every_typeface_is_there(font: str) -> None:
    """And its digits differ."""
    shapes = {ink.printed(str(digit), font, 40).tobytes() for digit in range(10)}
    assert len(shapes) == 10


def test_a_view_takes_corners_to_corners() -> None:
    """The homography against its own definition, and a warped point lies where it says."""
    corners = np.array([[0, 0], [100, 0], [100, 100], [0, 100]], float)
    onto = np.array([[5, 8], [90, 2], [97, 88], [3, 95]], float)
    view = camera.homography(corners, onto)
    assert np.allclose(camera.seen(corners, view), onto)
    sheet = np.zeros((100, 100), np.float32)
    sheet[60:64, 30:34] = 1
    rows, columns = np.nonzero(camera.warped(sheet, view, 100) > 0.5)
    centre = camera.seen(np.array([[32.0, 62.0]]), view)[0]
    assert abs(centre - (columns.mean() + 0.5, rows.mean() + 0.5)).max() < 0.7


def test_few_digits_are_enough() -> None:
    """A dataset of two images, in which one is black."""
    images, labels = tiny.bars(2, seed=1)
    images[1] = 0
    draw = np.random.default_rng(0)
    hands = ink.Hands(8, draw)
    for _ in range(20):
        one = pages.compose(images, labels.tolist(), hands, 96, draw)
        assert one.image.shape == (96, 96)
    assert torch.from_numpy(one.boxes).isfinite().all()


def test_a_digit_wider_than_the_page_has_its_line() -> None:
    """What lies flat, as in a dataset of anything, stands alone among lines, and is no error."""
    flat = np.zeros((1, 28, 28), np.uint8)
    flat[0, 13] = 255
    draw = np.random.default_rng(0)
    for kind in furniture.KINDS:
        one = pages.compose(flat, [1], ink.Hands(24, draw), SIZE, draw, kind=kind, number=True, empty=False)
        assert one.image.shape == (SIZE, SIZE) and len(one.boxes) <= 1


def test_processes_compose_ahead() -> None:
    """Each page that was asked for comes once, the pages of one call at the next; all of them differ."""
    compose = composers.Composers(2)
    asked = [compose(PICTURES, LABELS, count, SIZE, seed) for seed, count in enumerate((3, 5, 1, 2))]
    compose.pool.shutdown(cancel_futures=True)
    assert [len(one) for one in asked] == [3, 3, 5, 1]
    assert [one.image.tobytes() for one in asked[0]] == [one.image.tobytes() for one in asked[1]]
    assert len({one.image.tobytes() for some in asked for one in some}) == 9
