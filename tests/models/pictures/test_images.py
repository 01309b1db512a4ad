"""Pictures: whatever a visitor brings comes into MNIST's form, or ends in one sentence."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tiny
import torch
from app_process import SEVEN, drawn
from hypothesis import given, settings
from hypothesis import strategies as st
from ink import BLANK, array, as_sixteen_bits, difference, on_glass, placed, refused
from PIL import ExifTags, Image, ImageDraw, ImageOps
from scipy.ndimage import distance_transform_edt, maximum_filter

from models.errors import InputError
from models.pictures import images


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
    """A stroke of 30 by 200 pixels becomes one of 3 by 20."""
    sheet = Image.new("L", (300, 300))
    sheet.paste(255, (20, 50, 50, 250))
    left, top, right, bottom = images.to_digit(sheet).point(lambda value: 255 * (value > 127)).getbbox()
    assert (right - left, bottom - top) == (3, 20)


def test_polarity_does_not_matter() -> None:
    """Dark on light and light on dark are the same digit."""
    dark = placed(250, 100, 80)
    assert difference(images.to_digit(dark), images.to_digit(ImageOps.invert(dark))) < 0.01


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
    "LAB": lambda image: Image.merge("LAB", [image, *[Image.new("L", image.size, 128)] * 2]),
    "16 bits, the other way round": lambda image: Image.frombytes(
        "I;16B", image.size, (np.asarray(image).astype(np.uint16) * 200 + 77).astype(">u2").tobytes()
    ),
    "palette with one colour of glass": lambda image: transparent(image.convert("P"), 255),
    "palette, glassy by degrees": lambda image: transparent(
        image.convert("P"), bytes(255 - grey for grey in range(256))
    ),
    "PA": lambda image: image.convert("P").convert("PA"),
    "premultiplied grey": lambda image: on_glass(245)(image).convert("La"),
    "premultiplied colour": lambda image: on_glass(245)(image).convert("RGBA").convert("RGBa"),
    "floats beyond reason": lambda image: Image.fromarray(
        (np.asarray(image, np.float32) / 128 - 1) * np.float32(3e38 if image.width < 1000 else 1e35)
    ),
    "floats with holes": lambda image: with_holes(image),
}


def transparent(image: Image.Image, which: int | bytes) -> Image.Image:
    image.info["transparency"] = which
    return image


def with_holes(image: Image.Image) -> Image.Image:
    """Black paper whose corners are no numbers at all."""
    values = 255 - np.asarray(image, np.float32)
    values[:9, :9], values[-9:, -9:], values[:9, -9:] = np.nan, np.inf, -np.inf
    values.view(np.uint32)[-9:, :9] = 0x7F800001  # a NaN that signals
    return Image.fromarray(values)


@pytest.mark.parametrize("size", [(600, 400), (1500, 1000)])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.filterwarnings("error")
def test_mode_does_not_matter(mode: str, size: tuple[int, int]) -> None:
    """One drawing in every mode that Pillow has is one digit, be it small or a large scan."""
    image = placed(250, 100, 80).resize(size)
    assert difference(images.to_digit(image), images.to_digit(MODES[mode](image))) < 0.15


@pytest.mark.parametrize("mode", ["1", "P", "I;16", "RGB"])
def test_thin_strokes_of_a_large_scan_stay(mode: str) -> None:
    """A sheet at 600 dots per inch, a pen of half a millimetre: the seven keeps its top, in any mode."""
    sheet = Image.new("L", (4960, 7016), 255)
    ImageDraw.Draw(sheet).line([(2200, 3000), (2700, 3000), (2400, 3700)], fill=0, width=12)
    scan = as_sixteen_bits(sheet) if mode == "I;16" else sheet.convert(mode)
    assert difference(images.to_digit(sheet), images.to_digit(scan)) < 0.15


def test_the_picture_is_not_changed() -> None:
    """`to_digit` works on a copy."""
    image = placed(300, 50, 20, width=2000, height=1500)
    before = image.tobytes()
    images.to_digit(image)
    assert (image.size, image.tobytes()) == ((2000, 1500), before)


@pytest.mark.parametrize("blank", BLANK)
def test_blank(blank: str) -> None:
    """A picture with nothing in it is said to be empty: there is never a guess."""
    refused("image_blank", lambda: images.to_digit(BLANK[blank]))


def test_too_large() -> None:
    """More than 50 megapixels are not worked on."""
    refused("image_too_large", lambda: images.to_digit(Image.new("1", (10_000, 5_001))))
    assert images.to_digit(placed(300, 10, 10).convert("1").resize((9_000, 5_000))).size == (28, 28)


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


ARRAYS: dict[str, Callable[[np.ndarray], object]] = {
    "grey, uint8": lambda pixels: pixels,
    "bool": lambda pixels: pixels > 127,
    "floats": lambda pixels: pixels / 255,
    "one channel first": lambda pixels: pixels[None],
    "one channel last": lambda pixels: pixels[..., None],
    "colours first": lambda pixels: np.stack([pixels] * 3),
    "colours last": lambda pixels: np.stack([pixels] * 3, 2),
    "a tensor": lambda pixels: torch.from_numpy(pixels)[None],
    "a tensor of floats that is learned": lambda pixels: torch.nn.Parameter(torch.from_numpy(pixels)[None, None] / 255),
    "bfloat16": lambda pixels: (torch.from_numpy(pixels) / 255).bfloat16(),
    "whole numbers of 64 bits": lambda pixels: pixels.astype(np.int64),
    "a list": lambda pixels: pixels.tolist(),
}


@pytest.mark.parametrize("kind", ARRAYS)
def test_arrays_and_tensors_are_pictures(kind: str) -> None:
    """The same pixels, whatever they come in."""
    pixels = np.array(drawn())
    found = images.picture(ARRAYS[kind](pixels)).convert("L")
    wanted = 255 * (pixels > 127) if kind == "bool" else pixels
    assert found.size == drawn().size
    assert abs(np.asarray(found, int) - wanted).max() <= (1 if kind != "bfloat16" else 2)


def test_a_path_is_a_picture(tmp_path: Path) -> None:
    """As text, as a path, and what its file holds."""
    drawn().save(tmp_path / "seven.png")
    for source in (tmp_path / "seven.png", str(tmp_path / "seven.png"), (tmp_path / "seven.png").read_bytes()):
        assert images.picture(source).tobytes() == drawn().tobytes()
    assert images.picture(image := drawn()) is image
    refused("image_unreadable", lambda: images.picture(tmp_path / "eight.png"))


def test_a_picture_is_upright() -> None:
    """As its camera says that it was held, for a picture as Pillow opens it too."""
    camera = Image.Exif()
    camera[ExifTags.Base.Orientation] = 6  # its right is the top
    file = io.BytesIO()
    drawn().rotate(90, expand=True).save(file, "PNG", exif=camera)
    assert images.picture(Image.open(file)).tobytes() == drawn().tobytes()


@pytest.mark.parametrize(
    "wrong",
    [None, 7, {}, object(), [], np.zeros((0, 5)), np.zeros(9), np.zeros((2, 5, 5, 3)), np.zeros((5, 5, 7)),
     np.full((5, 5), np.nan), np.full((5, 5), 3.0), np.full((5, 5), -1), np.full((5, 5), 256), np.full((5, 5), 1j),
     np.full((5, 5), "a"), [[1, 2], [3]], torch.zeros(5, 5, 2)],
)  # fmt: skip
def test_what_is_no_picture(wrong: object) -> None:
    """One sentence that says what is one."""
    refused("image_no_picture", lambda: images.picture(wrong))


def test_to_tensor() -> None:
    """(1, 1, H, W) in [0, 1], row by row."""
    tensor = images.to_tensor(Image.fromarray(np.uint8([[0, 51], [102, 255], [5, 0]])))
    wanted = torch.tensor([[[[0, 0.2], [0.4, 1], [5 / 255, 0]]]])
    assert tensor.dtype == torch.float32
    assert torch.allclose(tensor, wanted)


def pen(width: float, size: int = 400) -> Image.Image:
    """The seven drawn with a round pen, 0.7 of the sheet."""
    large = Image.new("L", (4 * size, 4 * size), 255)
    points = [(4 * size * (0.7 * (x - 0.5) + 0.5), 4 * size * (0.7 * (y - 0.5) + 0.5)) for x, y in SEVEN]
    tool = ImageDraw.Draw(large)
    tool.line(points, fill=0, width=round(4 * width), joint="curve")
    for x, y in points:
        tool.ellipse([x - 2 * width, y - 2 * width, x + 2 * width, y + 2 * width], fill=0)
    return large.resize((size, size), Image.Resampling.BOX)


def stroke_width(ink: Image.Image) -> float:
    """Twice the distance of a stroke's middle line from its edge, in pixels of `ink`."""
    inside = np.asarray(ink.resize([8 * side for side in ink.size], Image.Resampling.BICUBIC)) > 127
    depth = distance_transform_edt(inside)
    ridge = (depth == maximum_filter(depth, 17)) & (depth > 2)
    return 2 * float(np.median(depth[ridge])) / 8


@pytest.mark.parametrize("width", [4, 6, 10, 16, 24, 32, 45, 60])
def test_strokes_come_near_mnists(width: int) -> None:
    """A ballpoint and a brush give what MNIST's pens gave, some 2 to 3.5 pixels; what lies between is left alone."""
    image = pen(width)
    left, top, right, bottom = ImageOps.invert(image).getbbox()
    usual = 20 * width / max(right - left, bottom - top)  # what mere scaling would give
    digit = images.to_digit(image)
    found = stroke_width(digit)
    assert 1.7 <= found <= 4.1
    assert abs(found - min(max(usual, 2.0), 3.5)) < 0.6
    box = digit.point(lambda value: 255 * (value > 51)).getbbox()
    assert 19 <= max(box[2] - box[0], box[3] - box[1]) <= 20


@pytest.mark.parametrize("place", [(0, 0), (900, 300), (940, 710)])
@pytest.mark.parametrize(("size", "most"), [(60, 0.75), (120, 0.5), (250, 0.3)])
def test_small_and_off_centre(size: int, most: float, place: tuple[int, int]) -> None:
    """In a corner of a large sheet, down to a height of 36 of 1,000 pixels: the same digit, as far as pixels go."""
    left, top = (min(at, side - size) for at, side in zip(place, (1000, 750), strict=True))
    digit = images.to_digit(placed(size, left, top, width=1000, height=750))
    assert difference(images.to_digit(drawn()), digit) < most


def test_as_large_as_the_sheet() -> None:
    """A digit that fills the picture from edge to edge."""
    ink = ImageOps.invert(drawn())
    full = ImageOps.expand(ImageOps.invert(ink.crop(ink.getbbox())), 1, 255)
    assert difference(images.to_digit(drawn()), images.to_digit(full.resize((900, 1200)).resize(full.size))) < 0.1


@pytest.mark.parametrize("form", ["PNG", "JPEG", "MPO", "WEBP", "AVIF", "GIF", "BMP", "TIFF", "PPM"])
def test_every_format_opens(form: str) -> None:
    """A whole file of each format is read, and holds what was written."""
    file = io.BytesIO()
    drawn().convert("RGB").save(file, form)
    opened = images.open_image(file.getvalue())
    assert opened.size == drawn().size
    assert abs(array(opened.convert("L")) - array(drawn().convert("L"))).mean() < 0.02
