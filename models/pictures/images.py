"""Pictures in, pictures out: reading what a stranger sends, and bringing a drawing into MNIST's form."""

import io
import math
import warnings
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageChops, ImageFilter, ImageOps

from models.errors import InputError
from models.pictures.page import VISIBLE, Page, blank, columns

EXAMPLES = Path(__file__).with_name("mnist-examples.png")
MAX_PIXELS = 50_000_000
# Without those that hold pictures of another size than they say, such as icons.
FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "GIF", "BMP", "TIFF", "PPM")  # JPEG's reader knows MPO too
TIFF_TILE = (322, 323)  # the tags with a tile's width and height, which may be far beyond the picture's
DIGIT_SIZE, DIGIT_BOX = 28, 20  # MNIST: a digit fitted into 20x20, its centre of mass in the middle of 28x28
WIDEST = 1.2  # times its height: wider, and it is no one digit
AS_TALL = 0.8  # of the tallest part's height: the pieces of one digit are not all so tall
FINE = 4  # the digit is prepared so many times larger than it will be
STROKES = (2.0, 4.0)  # pixels of 20: the middle of what MNIST has


def open_image(source: str | Path | bytes) -> Image.Image:
    """Read a picture from a file or from bytes, turned upright, whole, in its own mode.

    The size is looked at before a pixel is decoded, so a decompression bomb costs nothing.

    Raises:
        InputError: no picture, a broken one, or one of more than `MAX_PIXELS`.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # our own limit is lower than Pillow's warning
            image = Image.open(io.BytesIO(source) if isinstance(source, bytes) else source, formats=FORMATS)
            check_size(image)
            if math.prod(getattr(image, "tag_v2", {}).get(side, 0) for side in TIFF_TILE) > MAX_PIXELS:
                raise _too_large("")
            image.load()
            ImageOps.exif_transpose(image, in_place=True)  # without a second copy of a large photograph
            return image
    except InputError:
        raise
    except Image.DecompressionBombError as error:
        raise _too_large("") from error
    except Exception as error:  # Pillow's readers raise anything from SyntaxError to struct.error on broken files
        raise InputError("image_unreadable", "This file is no picture, or it is damaged: choose another.") from error


def check_size(image: Image.Image) -> None:
    """Raise InputError if the picture has no pixels, or more than `MAX_PIXELS`."""
    if image.width * image.height > MAX_PIXELS:
        raise _too_large(f" ({image.width} × {image.height})")
    if image.width == 0 or image.height == 0:
        raise blank()


def _too_large(size: str) -> InputError:
    limit = MAX_PIXELS // 1_000_000
    message = f"This picture is too large{size}: choose one of at most {limit} megapixels."
    return InputError("image_too_large", message, size=size, limit=limit)


def to_digit(image: Image.Image) -> Image.Image:
    """Bring a drawing, scan or photograph of one digit into MNIST's form: 28x28 'L', white on black.

    Any size, mode and polarity. Uneven light is taken out, paper is the median along the edge, ink is what differs
    from it, specks are left out. The ink's box is fitted into 20x20 with its proportions kept, strokes far thicker or
    thinner than MNIST's are brought towards them, and the centre of mass is put in the middle (LeCun et al. 1998,
    section III).
    A picture that has this form already comes back as it is.

    Raises:
        InputError: the picture is blank, or too large.
    """
    check_size(image)
    if _is_mnist(image):
        return image.copy()
    page = Page.of(image)
    return _fitted(page, page.ink)


def to_digits(image: Image.Image) -> list[Image.Image]:
    """Every digit of a number written in one line, from left to right, each as `to_digit` gives it.

    Ink that lies above other ink belongs to the same digit; digits that touch stay one.

    Raises:
        InputError: the picture is blank, or too large.
    """
    check_size(image)
    if _is_mnist(image):
        return [image.copy()]
    page = Page.of(image)
    found = []
    for group in columns(page.ink):
        with suppress(InputError):  # specks so faint that they are lost on the way
            found.append(_fitted(page, group))
    return found or [_fitted(page, page.ink)]


def may_be_one_digit(image: Image.Image) -> bool:
    """Whether the ink that `to_digits` parts could be one digit drawn in pieces, by its form alone.

    It could not where it is wider than a digit, or where every part is about as tall as the tallest.

    Raises:
        InputError: the picture is blank, or too large.
    """
    check_size(image)
    if _is_mnist(image):
        return True
    page = Page.of(image)
    parts = [np.argwhere(part) for part in columns(page.ink)]
    height, width = np.ptp(np.concatenate(parts), 0) + 1
    heights = [np.ptp(part[:, 0]) + 1 for part in parts]
    return len(parts) == 1 or (width <= WIDEST * height and min(heights) < AS_TALL * max(heights))


def to_tensor(image: Image.Image) -> torch.Tensor:
    """An 'L' picture as (1, 1, H, W) in [0, 1], float32."""
    return torch.from_numpy(np.array(image, np.float32) / 255)[None, None]


def from_tensor(pictures: torch.Tensor) -> list[Image.Image]:
    """(N, 1, H, W) in [0, 1] as N 'L' pictures."""
    return [Image.fromarray(one) for one in (255 * pictures[:, 0].clamp(0, 1)).round().byte().cpu().numpy()]


def grid(pictures: Sequence[Image.Image], columns: int) -> Image.Image:
    """Pictures of one size and mode as one, from left to right; what is left of the last row is black."""
    width, height = pictures[0].size
    columns = min(columns, len(pictures))
    whole = Image.new(pictures[0].mode, (columns * width, math.ceil(len(pictures) / columns) * height))
    for place, picture in enumerate(pictures):
        whole.paste(picture, (place % columns * width, place // columns * height))
    return whole


def mnist_examples() -> tuple[torch.Tensor, torch.Tensor]:
    """A hundred test images of MNIST of each digit: (1000, 1, 28, 28) in [0, 1], and labels (1000,)."""
    tiles = torch.from_numpy(np.array(Image.open(EXAMPLES), np.float32) / 255)  # a row of tiles for each digit
    pictures = tiles.unflatten(0, (-1, DIGIT_SIZE)).unflatten(2, (-1, DIGIT_SIZE)).transpose(1, 2)
    return pictures.flatten(0, 1)[:, None], torch.arange(len(pictures)).repeat_interleave(pictures.shape[1])


def _is_mnist(image: Image.Image) -> bool:
    if image.mode != "L" or image.size != (DIGIT_SIZE, DIGIT_SIZE):
        return False
    pixels = np.asarray(image, np.float32)
    rows, columns = np.nonzero(pixels.max(1))[0], np.nonzero(pixels.max(0))[0]
    if pixels.max() < 128 or max(np.ptp(rows), np.ptp(columns)) >= DIGIT_BOX:
        return False
    return all(DIGIT_SIZE / 2 - 0.1 <= centre <= DIGIT_SIZE / 2 + 1.1 for centre in _centre_of_mass(pixels))


def _fitted(page: Page, pieces: np.ndarray) -> Image.Image:
    """The ink of these pieces as a digit of 28x28."""
    kept = Image.fromarray(np.uint8(255 * (pieces > 0)))
    box = kept.getbbox() or (0, 0, 1, 1)
    digit = page.grey.crop(tuple(side * page.factor for side in box))
    visible = digit.point([255 * (shade > VISIBLE) for shade in page.shades])
    mask = None
    if page.ink.max() > 1 and (page.ink != pieces).any():  # other ink may reach into the box
        mask = kept.crop(box).filter(ImageFilter.MaxFilter(3)).resize(digit.size, Image.Resampling.NEAREST)
        visible = ImageChops.multiply(visible, mask)
    exact = visible.getbbox()  # the box above is as coarse as the pieces are
    if exact is None:  # specks so faint that they are lost on the way
        raise blank()
    scale = FINE * DIGIT_BOX / max(exact[2] - exact[0], exact[3] - exact[1])
    size = [max(1, round(scale * (exact[side + 2] - exact[side]))) for side in (0, 1)]
    # Ink is told from paper after enlarging: few pixels become sharp strokes, not blurred ones.
    ink = digit.resize(size, Image.Resampling.BICUBIC, box=exact).point(page.shades)
    if mask:
        ink = ImageChops.multiply(ink, mask.resize(size, Image.Resampling.BILINEAR, box=exact))
    ink = _with_usual_strokes(ink)
    scale = DIGIT_BOX / max(ink.size)
    ink = ink.resize([max(1, round(side * scale)) for side in ink.size], Image.Resampling.BOX)
    if ink.getextrema()[1] == 0:
        raise blank()
    return _centre(np.asarray(ink, np.float32))


def _with_usual_strokes(ink: Image.Image) -> Image.Image:
    """Ink, its longer side `FINE` times 20 pixels, with strokes that are not far thicker or thinner than MNIST's."""
    width = _stroke_width(np.asarray(ink) > 127) / FINE
    # The radius by which each side of a stroke grows or shrinks; the picture grows and shrinks with it.
    radius = round((min(max(width, STROKES[0]), STROKES[1]) - width) / 2 * FINE)
    if radius > 0:
        ink = ImageOps.expand(ink, radius).filter(ImageFilter.MaxFilter(2 * radius + 1))
    elif radius < 0:
        thinner = ImageOps.expand(ink, 1).filter(ImageFilter.MinFilter(1 - 2 * radius))
        ink = thinner.crop(thinner.getbbox()) if thinner.getbbox() else ink
    return ink


def _stroke_width(ink: np.ndarray) -> float:
    """Mean width of strokes, in pixels: twice the area by the outline, which a grid makes 4 / pi too long."""
    padded = np.pad(ink, 1).astype(np.int8)
    outline = (padded[1:] != padded[:-1]).sum() + (padded[:, 1:] != padded[:, :-1]).sum()
    return 2 * ink.sum() / max(1.0, outline * np.pi / 4)


def _centre_of_mass(ink: np.ndarray) -> tuple[float, float]:
    """Row and column, where the middle of the first pixel is 0.5."""
    total = ink.sum()
    row = (ink.sum(1) * (np.arange(ink.shape[0]) + 0.5)).sum() / total
    column = (ink.sum(0) * (np.arange(ink.shape[1]) + 0.5)).sum() / total
    return float(row), float(column)


def _centre(ink: np.ndarray) -> Image.Image:
    """(h, w), at most 20x20 -> 28x28 'L' of full contrast with the centre of mass in pixel (14, 14), nothing cut off.

    In MNIST's own files it lies between 14.0 and 15.0 from the upper left corner, hence the ceiling.
    """
    canvas = np.zeros((DIGIT_SIZE, DIGIT_SIZE), np.float32)
    top, left = (
        int(np.clip(np.ceil(DIGIT_SIZE / 2 - centre), 0, DIGIT_SIZE - side))
        for centre, side in zip(_centre_of_mass(ink), ink.shape, strict=True)
    )
    canvas[top : top + ink.shape[0], left : left + ink.shape[1]] = ink * (255 / ink.max())
    return Image.fromarray(np.uint8(canvas + 0.5))
