"""Pictures in, pictures out: reading what a stranger sends, and bringing a drawing into MNIST's form."""

import io
import warnings
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, ImageStat

from models.errors import InputError

MAX_PIXELS = 50_000_000
WORKING_SIZE = 512  # pixels; a digit needs no more, and a photograph is large
DIGIT_SIZE, DIGIT_BOX = 28, 20  # MNIST: a digit fitted into 20x20, its centre of mass in the middle of 28x28
LEAST_CONTRAST = 15  # of 255 between paper and ink; below it a picture counts as blank
VISIBLE = 38  # of 255: the ink that a digit's box is drawn around
COARSE_SIZE = 128  # pixels; enough to find paper, ink and the digit's box


def open_image(source: str | Path | bytes) -> Image.Image:
    """Read a picture from a file or from bytes, turned upright, whole, in its own mode.

    The size is looked at before a pixel is decoded, so a decompression bomb costs nothing.

    Raises:
        InputError: no picture, a broken one, or one of more than `MAX_PIXELS`.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # our own limit is lower than Pillow's warning
            image = Image.open(io.BytesIO(source) if isinstance(source, bytes) else source)
            check_size(image)
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

    Any size, mode and polarity. The paper is the median along the edge, ink is what differs from it; the ink's box is
    fitted into 20x20 with its proportions kept, and its centre of mass is put in the middle (LeCun et al. 1998,
    section III). A picture that has this form already comes back as it is.

    Raises:
        InputError: the picture is blank, or too large.
    """
    check_size(image)
    if _is_mnist(image):
        return image.copy()
    if max(image.size) > WORKING_SIZE:
        image = image.copy()
        image.thumbnail((WORKING_SIZE, WORKING_SIZE), Image.Resampling.BOX)
    grey = _grey(image)
    factor = max(1, max(grey.size) // COARSE_SIZE)
    coarse = grey.reduce(factor)
    shades = _shades(coarse)
    box = coarse.point([255 * (shade > VISIBLE) for shade in shades]).getbbox()
    digit = grey.crop(tuple(side * factor for side in box))
    scale = DIGIT_BOX / max(digit.size)
    size = [max(1, round(side * scale)) for side in digit.size]
    ink = digit.resize(size, Image.Resampling.BILINEAR).point(shades)
    if ink.getextrema()[1] == 0:  # specks so faint that they are lost on the way
        raise _blank()
    return _centre(np.asarray(ink, np.float32))


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


def _grey(image: Image.Image) -> Image.Image:
    """The picture as 'L'; a transparent one is laid on the paper that its ink stands out from."""
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        values = np.nan_to_num(np.asarray(image, np.float32), posinf=0.0, neginf=0.0)
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


def _shades(grey: Image.Image) -> list[int]:
    """How much ink each of the 256 greys is, 0 to 255: its distance from the paper, on the side where the ink lies."""
    pixels = np.asarray(grey)
    paper = np.median(np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]]))
    low, high = grey.getextrema()
    span = max(paper - low, high - paper)
    if span < LEAST_CONTRAST:
        raise _blank()
    values = np.arange(256)
    differences = paper - values if span == paper - low else values - paper
    return np.uint8(255 * np.clip(differences / span, 0, 1)).tolist()


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
