"""Pictures: whatever a visitor brings comes into MNIST's form, or ends in one sentence."""

import io
from collections.abc import Callable

import numpy as np
import pytest
import tiny
import torch
from app_process import bomb, drawn, png
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from models import images
from models.errors import InputError


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


def test_mnists_form_is_left_alone() -> None:
    """What has the form already comes back byte for byte, and as another picture, not the same one."""
    for picture in tiny.bars(50, seed=3)[0]:
        image = Image.fromarray(picture)
        digit = images.to_digit(image)
        assert digit.tobytes() == image.tobytes()
        assert digit is not image


@pytest.mark.parametrize("size", [60, 150, 390])
@pytest.mark.parametrize("place", [(0, 0), (200, 5)])
def test_size_and_place_do_not_matter(size: int, place: tuple[int, int]) -> None:
    """The longer side of the ink is 20 pixels and its centre of mass lies in pixel (14, 14), wherever it was drawn."""
    digit = images.to_digit(placed(size, *place))
    assert (digit.mode, digit.size) == ("L", (28, 28))
    pixels = array(digit)
    left, top, right, bottom = digit.point(lambda value: 255 * (value > 20)).getbbox()
    assert 18 <= max(right - left, bottom - top) <= 21
    rows, columns = np.mgrid[0:28, 0:28] + 0.5
    for centre in (np.average(rows, weights=pixels), np.average(columns, weights=pixels)):
        assert 13.9 <= centre <= 15.1
    assert pixels.max() == 1
    assert difference(images.to_digit(drawn()), digit) < 0.35


def test_proportions_are_kept() -> None:
    """A stroke of 40 by 200 pixels becomes one of 4 by 20."""
    sheet = Image.new("L", (300, 300))
    sheet.paste(255, (20, 50, 60, 250))
    left, top, right, bottom = images.to_digit(sheet).point(lambda value: 255 * (value > 127)).getbbox()
    assert (right - left, bottom - top) == (4, 20)


def test_polarity_does_not_matter() -> None:
    """Dark on light and light on dark are the same digit."""
    dark = placed(250, 100, 80)
    assert difference(images.to_digit(dark), images.to_digit(ImageOps.invert(dark))) < 0.01


def as_sixteen_bits(image: Image.Image) -> Image.Image:
    return Image.fromarray(np.asarray(image).astype(np.uint16) * 200 + 77)


def on_glass(ink: int) -> Callable[[Image.Image], Image.Image]:
    """Ink of one grey on nothing, as the pad sends it."""

    def make(image: Image.Image) -> Image.Image:
        sheet = Image.new("LA", image.size, (ink, 0))
        sheet.putalpha(ImageOps.invert(image))
        return sheet

    return make


MODES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "grey on beige": lambda image: ImageOps.colorize(image, (60, 60, 90), (235, 225, 200)),
    "palette": lambda image: image.convert("P"),
    "bits": lambda image: image.convert("1"),
    "CMYK": lambda image: image.convert("RGB").convert("CMYK"),
    "RGBA, opaque": lambda image: image.convert("RGBA"),
    "dark ink on glass": on_glass(10),
    "light ink on glass": on_glass(245),
    "16 bits": as_sixteen_bits,
    "32 bits": lambda image: image.convert("I"),
    "floats": lambda image: Image.fromarray(np.asarray(image, np.float32) * 3e4 - 7),
    "HSV": lambda image: image.convert("RGB").convert("HSV"),
}


@pytest.mark.parametrize("mode", MODES)
def test_mode_does_not_matter(mode: str) -> None:
    """One drawing in every mode that Pillow has is one digit."""
    image = placed(250, 100, 80)
    assert difference(images.to_digit(image), images.to_digit(MODES[mode](image))) < 0.15


def test_the_picture_is_not_changed() -> None:
    """`to_digit` works on a copy."""
    image = placed(300, 50, 20, width=2000, height=1500)
    before = image.tobytes()
    images.to_digit(image)
    assert (image.size, image.tobytes()) == ((2000, 1500), before)


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


@pytest.mark.parametrize("blank", BLANK)
def test_blank(blank: str) -> None:
    """A picture with nothing in it is said to be empty: there is never a guess."""
    refused("image_blank", lambda: images.to_digit(BLANK[blank]))


def test_too_large() -> None:
    """More than 50 megapixels are not worked on."""
    refused("image_too_large", lambda: images.to_digit(Image.new("1", (10_000, 5_001))))
    assert images.to_digit(placed(300, 10, 10).convert("1").resize((9_000, 5_000))).size == (28, 28)


def test_open_image() -> None:
    """What was saved is what is opened, from bytes."""
    assert images.open_image(png(drawn())).tobytes() == drawn().tobytes()


def test_a_photograph_is_turned_upright() -> None:
    """A camera's orientation mark is obeyed."""
    image = placed(250, 20, 20)
    mark = Image.Exif()
    mark[0x0112] = 6  # the top of the scene is at the right side of the file: turn it clockwise
    file = io.BytesIO()
    image.save(file, "PNG", exif=mark)
    assert images.open_image(file.getvalue()).tobytes() == image.rotate(-90, expand=True).tobytes()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "image_unreadable"),
        (b"I am a poem.", "image_unreadable"),
        (png(drawn())[:-200], "image_unreadable"),
        (bomb(), "image_too_large"),
        (bomb(7_500), "image_too_large"),
        (bomb(10)[:40], "image_unreadable"),
        ("/nowhere/at/all.png", "image_unreadable"),
    ],
    ids=["empty", "text", "cut short", "bomb", "too large for us", "header alone", "no file"],
)
def test_bad_files(data: bytes | str, code: str) -> None:
    """One sentence, and nothing is decoded that is too large."""
    refused(code, lambda: images.open_image(data))


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["L", "RGB", "RGBA", "LA", "P", "1", "CMYK", "I", "F", "YCbCr", "HSV", "LAB"]),
    st.tuples(st.integers(1, 700), st.integers(1, 700)),
    st.binary(min_size=1, max_size=64),
)
def test_any_picture_becomes_a_digit_or_is_refused(mode: str, size: tuple[int, int], noise: bytes) -> None:
    """Every mode, any size, any pixels: 28x28 with something in it, or an `InputError`."""
    count = len(Image.new(mode, size).tobytes())
    image = Image.frombytes(mode, size, (noise * (count // len(noise) + 1))[:count])
    try:
        digit = images.to_digit(image)
    except InputError:
        return
    assert (digit.mode, digit.size) == ("L", (28, 28))
    assert digit.getextrema()[1] > 0


def test_to_tensor() -> None:
    """(1, 1, H, W) in [0, 1], row by row."""
    tensor = images.to_tensor(Image.fromarray(np.uint8([[0, 51], [102, 255], [5, 0]])))
    wanted = torch.tensor([[[[0, 0.2], [0.4, 1], [5 / 255, 0]]]])
    assert tensor.dtype == torch.float32
    assert torch.allclose(tensor, wanted)
