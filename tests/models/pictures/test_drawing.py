"""Drawings without a paper: each digit by itself, from left to right."""

import math
from itertools import product

from app_process import drawn
from ink import difference, on_glass, refused
from PIL import Image, ImageDraw

from models.pictures import images
from models.pictures.drawing import Drawing, is_drawing

Strokes = list[list[tuple[float, float]]]


ONE: Strokes = [[(0.3, 0), (0.3, 1)]]


TWO: Strokes = [[(0, 0.2), (0.2, 0), (0.5, 0.05), (0.55, 0.3), (0, 1), (0.6, 1)]]


FOUR: Strokes = [[(0.3, 0), (0, 0.6), (0.6, 0.6)], [(0.45, 0.35), (0.45, 1)]]


FIVE: Strokes = [[(0.05, 0.05), (0.05, 0.45), (0.4, 0.4), (0.55, 0.7), (0.4, 1), (0, 0.95)], [(0.16, 0.03), (0.6, 0)]]


FIVE_AND_DOT = ((FIVE, 60, 100), ([[(0, 0.9), (0.05, 0.9)]], 260, 100))


SLANTED: Strokes = [[(0.55, 0), (0, 1)]]


def written(*digits: tuple[Strokes, float, float], size: int = 150) -> Image.Image:
    """A line of digits on a sheet of 600x400; each with the upper left corner of its place."""
    page = Image.new("LA", (600, 400), (40, 0))
    for strokes, left, top in digits:
        for stroke in strokes:
            points = [(left + size * x, top + size * y) for x, y in stroke]
            ImageDraw.Draw(page).line(points, fill=(40, 255), width=12, joint="curve")
    return page


def assert_read_one_by_one(*digits: tuple[Strokes, float, float]) -> None:
    """`to_digits` gives, from left to right, what `to_digit` gives for each digit on a sheet of its own."""
    found = Drawing(written(*digits)).digits()
    assert len(found) == len(digits)
    for one, digit in zip(digits, found, strict=True):
        assert difference(Drawing(written(one)).digit(), digit) < 0.1


def test_one_digit_is_one() -> None:
    """All of it and its only part are the same, in any mode that knows glass."""
    for image in (on_glass(0)(drawn()), written((TWO, 80, 90)), on_glass(245)(drawn()).convert("RGBA").convert("RGBa")):
        assert is_drawing(image)
        drawing = Drawing(image)
        (digit,) = drawing.digits()
        assert digit.tobytes() == drawing.digit().tobytes() == images.to_digit(image).tobytes()
        assert drawing.may_be_one()


def test_several_digits_from_left_to_right() -> None:
    """Two, three, four of them, each in MNIST's form."""
    assert_read_one_by_one((TWO, 60, 100), (ONE, 220, 100))
    assert_read_one_by_one((FOUR, 40, 100), (TWO, 200, 100), (FIVE, 360, 100))
    assert_read_one_by_one((ONE, 20, 100), (ONE, 120, 100), (TWO, 240, 100), (FOUR, 420, 100))


def test_a_hat_belongs_to_its_five() -> None:
    """Its second stroke touches nothing, and lies above the first."""
    assert_read_one_by_one((FIVE, 200, 100))
    assert_read_one_by_one((FIVE, 60, 100), (FIVE, 220, 100))


def test_digits_at_different_heights() -> None:
    """A line that runs up or down the sheet."""
    assert_read_one_by_one((TWO, 40, 20), (FOUR, 200, 120), (ONE, 380, 230))
    assert_read_one_by_one((FIVE, 40, 230), (TWO, 220, 20))


def test_lines() -> None:
    """Numbers below one another: each digit by itself, line by line; a hat stays with its five."""
    upper, lower = ((FIVE, 60, 20), (FIVE, 220, 30)), ((TWO, 40, 220), (FOUR, 200, 210), (ONE, 360, 215))
    found = Drawing(written(*upper, *lower))
    assert [len(line) for line in found.lines] == [2, 3]
    assert not found.may_be_one()
    assert_read_one_by_one(*upper, *lower)
    assert_read_one_by_one((ONE, 40, 20), (TWO, 200, 20), (FOUR, 190, 230))
    circle: Strokes = [[(0.5 + 0.3 * math.cos(turn), 0.5 + 0.3 * math.sin(turn)) for turn in range(8)]]
    assert [len(line) for line in Drawing(written((circle, 60, 20), (circle, 60, 200))).lines] == [1]


def test_a_column() -> None:
    """Each digit of a column is one, where there are more than two; lines that are near stay lines."""
    column = [(digit, 200, 130 * row) for row, digit in enumerate((FOUR, ONE, TWO))]
    found = Drawing(written(*column, size=100))
    assert [len(line) for line in found.lines] == [1, 1, 1]
    near = [(digit, 60 + 130 * place, 133 * row) for row in range(3) for place, digit in enumerate((ONE, TWO, FOUR))]
    assert [len(line) for line in Drawing(written(*near, size=100)).lines] == [3, 3, 3]


def test_how_close_it_is_looked_at() -> None:
    """As close as low digits and thin strokes need, and where the ink is; a pattern of dots is one thing."""
    sheet = Image.new("LA", (4000, 3000), (0, 0))
    sheet.paste(written((TWO, 60, 100), (FOUR, 260, 100), size=60), (3000, 2000))
    small = Drawing(written((TWO, 60, 100), (FOUR, 260, 100), size=60))
    assert all(difference(*pair) < 0.3 for pair in zip(small.digits(), Drawing(sheet).digits(), strict=True))
    hair = Image.new("LA", (1600, 1200), (0, 0))
    for number in range(4):
        for stroke in FOUR:
            points = [(100 + 380 * number + 300 * x, 400 + 300 * y) for x, y in stroke]
            ImageDraw.Draw(hair).line(points, fill=(0, 255), width=2)
    assert [len(line) for line in Drawing(hair).lines] == [4]
    dots = Image.new("LA", (320, 320), (0, 0))
    for x, y in product(range(2, 318, 8), repeat=2):
        dots.paste((0, 255), (x, y, x + 3, y + 3))
    assert len(Drawing(dots).groups) == 1


def test_one_of_several() -> None:
    """Asked for one digit it gives the largest, or all where it may be one; and tells how many are tall enough."""
    small, large = (ONE, 60, 100), (TWO, 300, 100)
    page, other = written(large), written(small, size=100)
    page.paste(other, mask=other.getchannel("A"))
    both = Drawing(page)
    assert difference(Drawing(written(large)).digit(), both.digit()) < 0.1
    assert both.low() == [False, False] and not both.is_narrow()
    assert Drawing(written(*FIVE_AND_DOT)).low() == [False, True]
    five = Drawing(written((FIVE, 200, 100)))
    assert five.digit().tobytes() == five.whole().tobytes()


def test_slanted_neighbours() -> None:
    """Their boxes overlap by a fifth of their width, and no ink of one is in the other's picture."""
    assert_read_one_by_one((SLANTED, 60, 100), (SLANTED, 132, 100))
    assert_read_one_by_one((SLANTED, 60, 100), (SLANTED, 132, 100), (SLANTED, 204, 100))


def test_what_is_no_drawing() -> None:
    """What has a paper, or colours: scans, photographs with round corners, cut-out pictures."""
    photograph = Image.radial_gradient("L").convert("LA")
    corners = Image.new("L", photograph.size)
    ImageDraw.Draw(corners).rounded_rectangle([0, 0, 255, 255], 60, fill=255)
    photograph.putalpha(corners)
    cut_out = Image.radial_gradient("L").convert("LA")
    cut_out.putalpha(Image.radial_gradient("L").point(lambda value: 255 * (value < 110)))
    veil = drawn().convert("RGBA")
    veil.putalpha(100)
    for image in (drawn(), drawn().convert("RGBA"), photograph, cut_out, veil):
        assert not is_drawing(image)


def test_pieces_of_one_digit() -> None:
    """By their form alone: a 5 with a hat far off could be one, two tall strokes side by side could not."""
    assert not Drawing(written((ONE, 100, 100), (TWO, 190, 100))).may_be_one()
    dot: Strokes = [[(0, 0.5), (0.05, 0.5)]]
    assert Drawing(written((ONE, 100, 100), (dot, 190, 100))).may_be_one()


def test_nothing_drawn() -> None:
    """It is said."""
    for image in (Image.new("LA", (50, 50)), Image.new("RGBA", (1, 1)), Image.new("LA", (90, 90), (0, 9))):
        refused("image_blank", lambda image=image: Drawing(image))
