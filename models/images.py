"""Pictures in, pictures out: reading what a stranger sends, and bringing a drawing into MNIST's form."""

import io
import math
import warnings
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch
from PIL import Image, ImageChops, ImageFilter, ImageOps, ImageStat
from scipy.ndimage import binary_erosion, binary_fill_holes, grey_closing, label, uniform_filter
from scipy.spatial import ConvexHull

from models.errors import InputError

MAX_PIXELS = 50_000_000
# Without those that hold pictures of another size than they say, such as icons.
FORMATS = ("PNG", "JPEG", "MPO", "WEBP", "AVIF", "GIF", "BMP", "TIFF", "PPM")
TIFF_TILE = (322, 323)  # the tags with a tile's width and height, which may be far beyond the picture's
WORKING_SIZE = 320  # pixels; a digit needs no more, and a photograph is large
DIGIT_SIZE, DIGIT_BOX = 28, 20  # MNIST: a digit fitted into 20x20, its centre of mass in the middle of 28x28
LEAST_CONTRAST = 15  # of 255 between paper and ink; below it a picture counts as blank
VISIBLE = 51  # of 255: the ink that a digit's box is drawn around
COARSE_SIZE = 112  # pixels; enough to find paper, ink and the digit's box
CONNECTED = np.ones((3, 3))  # pixels that touch at a corner belong together
EVEN = 40  # of 255: within such a span lie seven tenths of the edge of an evenly lit sheet
PAPER_WINDOW = 5  # the longer side by this: wider than a stroke, narrower than a shadow
FULL = 0.8  # of the greatest contrast: from here on it is all ink, as in MNIST, whose strokes are white within
SPECK = 0.03  # of the largest piece's area: less is dust
OVERLAP = 0.3  # of the narrower of two pieces' widths: more, and they are one digit
WIDEST = 1.2  # times its height: wider, and it is no one digit
AS_TALL = 0.8  # of the tallest part's height: the pieces of one digit are not all so tall
SHEET = 0.2  # of the picture: a rectangle that is so large is the paper, and around it lies a table
RECTANGULAR = 0.85  # of the smallest rectangle around it: a sheet fills it, seen from the side too; an 0 does not
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
        raise _blank()


def _blank() -> InputError:
    return InputError("image_blank", "This picture is empty: draw something, or choose another.")


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
    sheet = _Sheet.of(image)
    return _fitted(sheet, sheet.ink)


def to_digits(image: Image.Image) -> list[Image.Image]:
    """Every digit of a number written in one line, from left to right, each as `to_digit` gives it.

    Ink that lies above other ink belongs to the same digit; digits that touch stay one.

    Raises:
        InputError: the picture is blank, or too large.
    """
    check_size(image)
    if _is_mnist(image):
        return [image.copy()]
    sheet = _Sheet.of(image)
    found = []
    for group in _columns(sheet.ink):
        with suppress(InputError):  # specks so faint that they are lost on the way
            found.append(_fitted(sheet, group))
    return found or [_fitted(sheet, sheet.ink)]


def may_be_one_digit(image: Image.Image) -> bool:
    """Whether the ink that `to_digits` parts could be one digit drawn in pieces, by its form alone.

    It could not where it is wider than a digit, or where every part is about as tall as the tallest.

    Raises:
        InputError: the picture is blank, or too large.
    """
    check_size(image)
    if _is_mnist(image):
        return True
    sheet = _Sheet.of(image)
    parts = [np.argwhere(part) for part in _columns(sheet.ink)]
    height, width = np.ptp(np.concatenate(parts), 0) + 1
    heights = [np.ptp(part[:, 0]) + 1 for part in parts]
    return len(parts) == 1 or (width <= WIDEST * height and min(heights) < AS_TALL * max(heights))


def to_tensor(image: Image.Image) -> torch.Tensor:
    """An 'L' picture as (1, 1, H, W) in [0, 1], float32."""
    return torch.from_numpy(np.array(image, np.float32) / 255)[None, None]


def _is_mnist(image: Image.Image) -> bool:
    if image.mode != "L" or image.size != (DIGIT_SIZE, DIGIT_SIZE):
        return False
    pixels = np.asarray(image, np.float32)
    rows, columns = np.nonzero(pixels.max(1))[0], np.nonzero(pixels.max(0))[0]
    if pixels.max() < 128 or max(np.ptp(rows), np.ptp(columns)) >= DIGIT_BOX:
        return False
    return all(DIGIT_SIZE / 2 - 0.1 <= centre <= DIGIT_SIZE / 2 + 1.1 for centre in _centre_of_mass(pixels))


def _averageable(image: Image.Image) -> Image.Image:
    """The picture in a mode whose pixels Pillow can average: bits and palettes it would thin out instead."""
    mode = image.mode
    if mode in ("P", "PA"):
        mode = "RGBA" if image.has_transparency_data else "RGB"
    elif mode.startswith("I;"):
        mode = "I"
    mode = {"1": "L", "La": "LA", "RGBa": "RGBA"}.get(mode, mode)
    return image if mode == image.mode else image.convert(mode)


def _grey(image: Image.Image) -> Image.Image:
    """The picture as 'L'; a transparent one is laid on the paper that its ink stands out from."""
    if image.mode in ("I", "F"):
        values = np.nan_to_num(np.asarray(image, np.float64), posinf=0.0, neginf=0.0)
        low, high = values.min(), values.max()
        # Such files have no agreed white: their range is taken.
        return Image.fromarray(np.uint8(255 * ((values - low) / max(high - low, 1e-6))))
    if image.mode == "LAB":  # which Pillow does not convert; its first channel is the lightness
        return image.getchannel(0)
    if not image.has_transparency_data:
        return image.convert("L")
    image = image.convert("RGBA")
    grey, alpha = image.convert("L"), image.getchannel("A")
    if alpha.getbbox() is None:
        return Image.new("L", image.size)
    paper = Image.new("L", image.size, 255 if ImageStat.Stat(grey, alpha).mean[0] < 128 else 0)
    paper.paste(grey, mask=alpha)
    return paper


@dataclass(frozen=True)
class _Sheet:
    """A picture whose ink has been found.

    Attributes:
        grey: the picture, 'L', at most `WORKING_SIZE`.
        shades: how much ink each of the 256 greys is, 0 to 255.
        ink: (h, w) numbers the pieces of ink from 1, in the picture reduced by `factor`.
    """

    grey: Image.Image
    shades: list[int]
    ink: np.ndarray
    factor: int

    @classmethod
    def of(cls, image: Image.Image) -> Self:
        image = _averageable(image)
        if max(image.size) > WORKING_SIZE:
            image = image.reduce(max(image.size) // WORKING_SIZE)  # without a copy of a large photograph
            image.thumbnail((WORKING_SIZE, WORKING_SIZE), Image.Resampling.BOX)
        grey = _grey(image)
        factor = -(-max(grey.size) // COARSE_SIZE)
        coarse = np.asarray(grey.reduce(factor))
        if paper := _on_a_table(grey, coarse):
            grey = paper
            factor = -(-max(grey.size) // COARSE_SIZE)
            coarse = np.asarray(grey.reduce(factor))
        if flat := _is_unevenly_lit(coarse):
            grey = _flattened(grey)
            coarse = np.asarray(grey.reduce(factor))
        shades = _shades(coarse)
        pieces, _ = label(shades[coarse] > VISIBLE, CONNECTED)
        return cls(grey, shades.tolist(), _without_specks(pieces, edges=flat), factor)


def _on_a_table(grey: Image.Image, coarse: np.ndarray) -> Image.Image | None:
    """The sheet that lies within the picture, what is around it made paper too; None where the picture is the sheet."""
    differs = abs(coarse - float(np.median(_edge(coarse)))) > EVEN
    if np.count_nonzero(differs) < SHEET * differs.size or min(differs.shape) < DIGIT_SIZE:
        return None
    pieces, _ = label(differs, CONNECTED)
    sheet = binary_fill_holes(pieces == 1 + np.bincount(pieces.ravel())[1:].argmax())
    # A shadow runs off the picture; a drawing, however thick its strokes, has not the form of a sheet.
    if _edge(sheet).any() or sheet.sum() < max(SHEET * sheet.size, RECTANGULAR * _rectangle(np.argwhere(sheet))):
        return None
    inside = binary_erosion(sheet, iterations=max(2, max(sheet.shape) // 40))
    if not inside.any() or np.ptp(coarse[inside]) < 2 * LEAST_CONTRAST:  # a blot with nothing on it is no sheet
        return None
    mask = Image.fromarray(np.uint8(255 * inside)).resize(grey.size, Image.Resampling.NEAREST)
    around = Image.new("L", grey.size, int(np.median(coarse[inside])))
    return Image.composite(grey, around, mask).crop(mask.getbbox())


def _rectangle(points: np.ndarray) -> float:
    """The area of the smallest rectangle, at any angle, around points (n, 2): one of its sides lies on their hull."""
    corners = points[ConvexHull(points).vertices].astype(float)
    sides = np.roll(corners, -1, 0) - corners
    along = sides / np.linalg.norm(sides, axis=1, keepdims=True)
    across = np.stack([-along[:, 1], along[:, 0]], 1)
    return float(((np.ptp(corners @ along.T, 0) + 1) * (np.ptp(corners @ across.T, 0) + 1)).min())


def _is_unevenly_lit(grey: np.ndarray) -> bool:
    edge = np.sort(_edge(grey)).astype(int)
    tenth = len(edge) // 10
    return min(grey.shape) > DIGIT_SIZE and min(np.ptp(edge[: -3 * tenth]), np.ptp(edge[3 * tenth :])) > EVEN


def _flattened(grey: Image.Image) -> Image.Image:
    """Dark ink on white: what the paper's own brightness explains is divided out.

    The brightness of the paper is a morphological closing: it fills whatever is narrower than its window, as strokes
    are, and keeps the edges of shadows, which are wide.
    """
    pixels = np.asarray(grey.filter(ImageFilter.MedianFilter(3)), np.float32) + 1
    local = pixels - uniform_filter(pixels, max(grey.size) // 3)
    if (local**3).sum() > 0:  # the few that stand out are light: chalk on a board
        pixels = 257 - pixels
    paper = grey_closing(pixels, max(grey.size) // PAPER_WINDOW)
    return Image.fromarray(np.uint8(255 * np.clip(pixels / paper, 0, 1)))


def _edge(pixels: np.ndarray) -> np.ndarray:
    return np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])


def _shades(grey: np.ndarray) -> np.ndarray:
    """How much ink each of the 256 greys is, 0 to 255: its distance from the paper, on the side where the ink lies."""
    edge = np.sort(_edge(grey)).astype(int)
    paper = edge[len(edge) // 2]
    darker, lighter = paper - int(grey.min()), int(grey.max()) - paper
    span = max(darker, lighter)
    if span < LEAST_CONTRAST:
        raise _blank()
    values = np.arange(256)
    differences = paper - values if span == darker else values - paper
    # The paper's grain is no ink: three times its quartile on the side where no ink is, for ink may reach the edge.
    quartile = edge[3 * len(edge) // 4] - paper if span == darker else paper - edge[len(edge) // 4]
    grain = min(3 * quartile, span / 3)
    return np.uint8(255 * np.clip((differences - grain) / (FULL * span - grain), 0, 1))


def _without_specks(pieces: np.ndarray, edges: bool) -> np.ndarray:
    """Pieces of ink without those far smaller than the largest; with `edges`, without what runs off the picture."""
    areas = np.bincount(pieces.ravel())
    areas[0] = 0
    if len(areas) < 3:
        return pieces
    if edges:
        inside = areas.copy()
        inside[np.unique(_edge(pieces))] = 0
        areas = inside if inside.max() > SPECK * areas.max() else areas
    return np.where(areas[pieces] > SPECK * areas.max(), pieces, 0)


def _columns(pieces: np.ndarray) -> list[np.ndarray]:
    """The pieces in groups from left to right; what lies above one another, for the larger part, is one group."""
    spans: list[tuple[int, int, set[int]]] = []
    for number in np.unique(pieces[pieces > 0]).tolist():
        columns = np.nonzero((pieces == number).any(0))[0]
        spans.append((int(columns[0]), int(columns[-1]) + 1, {number}))
    merged: list[tuple[int, int, set[int]]] = []
    for left, right, numbers in sorted(spans, key=lambda span: span[:2]):
        before = merged[-1] if merged else (0, 0, set())
        if before[1] - left > OVERLAP * min(right - left, before[1] - before[0]):
            merged[-1] = (before[0], max(before[1], right), before[2] | numbers)
        else:
            merged.append((left, right, numbers))
    return [np.where(np.isin(pieces, list(numbers)), pieces, 0) for _, _, numbers in merged]


def _fitted(sheet: _Sheet, pieces: np.ndarray) -> Image.Image:
    """The ink of these pieces as a digit of 28x28."""
    kept = Image.fromarray(np.uint8(255 * (pieces > 0)))
    box = kept.getbbox() or (0, 0, 1, 1)
    digit = sheet.grey.crop(tuple(side * sheet.factor for side in box))
    visible = digit.point([255 * (shade > VISIBLE) for shade in sheet.shades])
    mask = None
    if sheet.ink.max() > 1 and (sheet.ink != pieces).any():  # other ink may reach into the box
        mask = kept.crop(box).filter(ImageFilter.MaxFilter(3)).resize(digit.size, Image.Resampling.NEAREST)
        visible = ImageChops.multiply(visible, mask)
    exact = visible.getbbox()  # the box above is as coarse as the pieces are
    if exact is None:  # specks so faint that they are lost on the way
        raise _blank()
    scale = FINE * DIGIT_BOX / max(exact[2] - exact[0], exact[3] - exact[1])
    size = [max(1, round(scale * (exact[side + 2] - exact[side]))) for side in (0, 1)]
    # Ink is told from paper after enlarging: few pixels become sharp strokes, not blurred ones.
    ink = digit.resize(size, Image.Resampling.BICUBIC, box=exact).point(sheet.shades)
    if mask:
        ink = ImageChops.multiply(ink, mask.resize(size, Image.Resampling.BILINEAR, box=exact))
    ink = _with_usual_strokes(ink)
    scale = DIGIT_BOX / max(ink.size)
    ink = ink.resize([max(1, round(side * scale)) for side in ink.size], Image.Resampling.BOX)
    if ink.getextrema()[1] == 0:
        raise _blank()
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
