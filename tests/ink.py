"""Ink on paper, as pictures of it are made and compared."""

from collections.abc import Callable

import numpy as np
import pytest
from app_process import drawn
from PIL import Image, ImageOps

from models.errors import InputError
from models.pictures import mnist


def array(image: Image.Image) -> np.ndarray:
    return np.asarray(image, np.float64) / 255


def difference(left: Image.Image, right: Image.Image) -> float:
    """Mean distance of two digits, as a share of the ink in the first."""
    return abs(array(left) - array(right)).sum() / array(left).sum()


def placed(size: int, left: int, top: int, width: int = 600, height: int = 400) -> Image.Image:
    """The drawn seven at some size and place on a larger sheet."""
    sheet = Image.new("L", (width, height), 255)
    sheet.paste(drawn().resize((size, size), Image.Resampling.LANCZOS), (left, top))
    return sheet


def refused(code: str, act: Callable[[], object]) -> None:
    with pytest.raises(InputError) as error:
        act()
    assert error.value.code == code
    assert str(error.value).endswith(".") and "\n" not in str(error.value)


def as_sixteen_bits(image: Image.Image) -> Image.Image:
    return Image.fromarray(np.asarray(image).astype(np.uint16) * 200 + 77)


def on_glass(ink: int) -> Callable[[Image.Image], Image.Image]:
    """Ink of one grey on nothing, as the pad sends it."""

    def make(image: Image.Image) -> Image.Image:
        sheet = Image.new("LA", image.size, (ink, 0))
        sheet.putalpha(ImageOps.invert(image))
        return sheet

    return make


BLANK = {
    "white": Image.new("L", (100, 100), 255),
    "black": Image.new("RGB", (100, 100)),
    "black, in MNIST's size": Image.new("L", (28, 28)),
    "glass": Image.new("RGBA", (100, 100)),
    "one pixel": Image.new("L", (1, 1), 128),
    "hardly any contrast": Image.fromarray(np.tile(np.uint8([200, 209]), (50, 25))),
    "not a number": Image.fromarray(np.full((20, 20), np.nan, np.float32)),
    "infinity": Image.fromarray(np.full((20, 20), np.inf, np.float32)),
}


PICTURES, DIGITS = mnist.examples()
BY_DIGIT = {digit: PICTURES[digit == DIGITS, 0].numpy() for digit in range(10)}


def ink_of(digit: int, which: int, height: int) -> Image.Image:
    """One of MNIST's test digits, sharp, as high as that."""
    image = Image.fromarray(np.uint8(255 * BY_DIGIT[digit][which]))
    image = image.crop(image.getbbox())
    large = image.resize((max(1, round(height * image.width / image.height)), height), Image.Resampling.BICUBIC)
    return large.point(lambda value: max(0, min(255, 3 * (value - 85))))


def number(text: str, which: int = 0, height: int = 60, gap: int = 14) -> tuple[Image.Image, tuple[int, int, int, int]]:
    """Ink of a number on a sheet of 480x260, and where it stands."""
    sheet, x = Image.new("L", (480, 260)), 90
    for digit in map(int, text):
        one = ink_of(digit, which, height)
        sheet.paste(one, (x, 100), one)
        x += one.width + gap
    return sheet, (90, 100, x - gap, 100 + height)
