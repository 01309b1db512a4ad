"""Pictures in, pictures out: reading what a stranger sends, and bringing a drawing into MNIST's form."""

import io
import warnings
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps

from models.errors import InputError

MAX_PIXELS = 50_000_000
WORKING_SIZE = 512  # pixels; a digit needs no more, and a photograph is large
DIGIT_SIZE, DIGIT_BOX = 28, 20  # MNIST: a digit fitted into 20x20, its centre of mass in the middle of 28x28
LEAST_CONTRAST = 0.06  # of the full range between paper and ink; below it a picture counts as blank


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
            return ImageOps.exif_transpose(image)
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
        raise InputError("image_blank", "This picture is empty: draw something, or choose another.")


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
    image = image.copy()
    image.thumbnail((WORKING_SIZE, WORKING_SIZE), Image.Resampling.BOX)
    ink = _ink(_grey(image))
    rows, columns = np.nonzero(ink.max(1) > 0.15)[0], np.nonzero(ink.max(0) > 0.15)[0]
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = DIGIT_BOX / max(ink.shape)
    size = [max(1, round(side * scale)) for side in reversed(ink.shape)]
    small = np.asarray(Image.fromarray(ink).resize(size, Image.Resampling.BILINEAR))
    return Image.fromarray(_centre(small / max(small.max(), 1e-6)))


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


def _grey(image: Image.Image) -> np.ndarray:
    """(H, W) float32 in [0, 1]; a transparent picture is laid on the paper that its ink stands out from."""
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        values = np.nan_to_num(np.asarray(image, np.float32), posinf=0.0, neginf=0.0)
        low, high = values.min(), values.max()
        return (values - low) / max(high - low, 1e-6)  # such files have no agreed white: their range is taken
    if image.has_transparency_data:
        rgba = np.asarray(image.convert("RGBA"), np.float32) / 255
        grey, alpha = rgba[..., :3] @ np.float32([0.299, 0.587, 0.114]), rgba[..., 3]
        paper = float((grey * alpha).sum() < 0.5 * alpha.sum())
        return grey * alpha + paper * (1 - alpha)
    return np.asarray(image.convert("L"), np.float32) / 255


def _ink(grey: np.ndarray) -> np.ndarray:
    """How much each pixel differs from the paper, in [0, 1], whichever of the two is the darker."""
    paper = np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]]))
    darker, lighter = paper - grey.min(), grey.max() - paper
    if max(darker, lighter) < LEAST_CONTRAST:
        raise InputError("image_blank", "This picture is empty: draw something, or choose another.")
    ink = paper - grey if darker >= lighter else grey - paper
    return np.clip(ink / ink.max(), 0, 1)


def _centre_of_mass(ink: np.ndarray) -> tuple[float, float]:
    """Row and column, where the middle of the first pixel is 0.5."""
    total = ink.sum()
    row = (ink.sum(1) * (np.arange(ink.shape[0]) + 0.5)).sum() / total
    column = (ink.sum(0) * (np.arange(ink.shape[1]) + 0.5)).sum() / total
    return float(row), float(column)


def _centre(ink: np.ndarray) -> np.ndarray:
    """(h, w) in [0, 1], at most 20x20 -> (28, 28) uint8 with the centre of mass in pixel (14, 14), nothing cut off.

    In MNIST's own files it lies between 14.0 and 15.0 from the upper left corner, hence the ceiling.
    """
    canvas = np.zeros((DIGIT_SIZE, DIGIT_SIZE), np.float32)
    top, left = (
        int(np.clip(np.ceil(DIGIT_SIZE / 2 - centre), 0, DIGIT_SIZE - side))
        for centre, side in zip(_centre_of_mass(ink), ink.shape, strict=True)
    )
    canvas[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return np.round(canvas * 255).astype(np.uint8)
