"""Numbers: each digit by itself, from left to right."""

import numpy as np
import tiny
from app_process import drawn
from ink import BLANK, difference, refused
from PIL import Image, ImageDraw

from models.pictures import images

Strokes = list[list[tuple[float, float]]]


ONE: Strokes = [[(0.3, 0), (0.3, 1)]]


TWO: Strokes = [[(0, 0.2), (0.2, 0), (0.5, 0.05), (0.55, 0.3), (0, 1), (0.6, 1)]]


FOUR: Strokes = [[(0.3, 0), (0, 0.6), (0.6, 0.6)], [(0.45, 0.35), (0.45, 1)]]


FIVE: Strokes = [[(0.05, 0.05), (0.05, 0.45), (0.4, 0.4), (0.55, 0.7), (0.4, 1), (0, 0.95)], [(0.16, 0.03), (0.6, 0)]]


SLANTED: Strokes = [[(0.55, 0), (0, 1)]]


def written(*digits: tuple[Strokes, float, float], size: int = 150) -> Image.Image:
    """A line of digits on a sheet of 600x400; each with the upper left corner of its place."""
    page = Image.new("L", (600, 400), 255)
    for strokes, left, top in digits:
        for stroke in strokes:
            points = [(left + size * x, top + size * y) for x, y in stroke]
            ImageDraw.Draw(page).line(points, fill=0, width=12, joint="curve")
    return page


def assert_read_one_by_one(*digits: tuple[Strokes, float, float]) -> None:
    """`to_digits` gives, from left to right, what `to_digit` gives for each digit on a sheet of its own."""
    found = images.to_digits(written(*digits))
    assert len(found) == len(digits)
    for one, digit in zip(digits, found, strict=True):
        assert difference(images.to_digit(written(one)), digit) < 0.1


def test_one_digit_is_one() -> None:
    """`to_digits` gives what `to_digit` gives."""
    for image in (drawn(), written((TWO, 80, 90)), Image.fromarray(tiny.bars(1, seed=3)[0][0])):
        (digit,) = images.to_digits(image)
        assert digit.tobytes() == images.to_digit(image).tobytes()


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


def test_slanted_neighbours() -> None:
    """Their boxes overlap by a fifth of their width, and no ink of one is in the other's picture."""
    assert_read_one_by_one((SLANTED, 60, 100), (SLANTED, 132, 100))
    assert_read_one_by_one((SLANTED, 60, 100), (SLANTED, 132, 100), (SLANTED, 204, 100))


def test_digits_under_uneven_light() -> None:
    """Several digits on a photograph."""
    page = np.asarray(written((TWO, 60, 100), (FOUR, 300, 100)), np.float64) * 0.8 + 20
    light = 1 - 0.5 * np.mgrid[0:400, 0:600][1] / 600
    assert len(images.to_digits(Image.fromarray(np.uint8(page * light)))) == 2


def test_to_digits_refuses_what_to_digit_refuses() -> None:
    for blank in BLANK.values():
        refused("image_blank", lambda blank=blank: images.to_digits(blank))
    refused("image_too_large", lambda: images.to_digits(Image.new("1", (10_000, 5_001))))
