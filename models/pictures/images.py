"""Pictures in, pictures out: reading what a stranger sends, and what networks take."""

import io
import math
import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from PIL import ExifTags, Image, ImageChops, ImageOps

from models.errors import InputError
from models.pictures import formats, mnist
from models.pictures.drawing import WORKING_SIZE, Drawing, is_drawing
from models.pictures.modes import averageable, blank, to_grey

MAX_PIXELS = 50_000_000
# Of no use to a JPEG that is whole: what would be pixels, and the marks from which they may go on.
ASTRAY = b"".join(b"\xfe" * 64 + bytes((0xFF, 0xD0 + number)) for number in range(8)) + b"\xfe" * 64
TIFF_TILE = (322, 323)  # the tags with a tile's width and height, which may be far beyond the picture's


def picture(source: Any) -> Image.Image:
    """A picture of whatever people hand over as one.

    Args:
        source: a PIL image, which is turned upright if its Exif data say how; a path; or an array or a tensor, (H, W),
            (H, W, C) or (C, H, W) of 1, 3 or 4 channels, uint8, bool, or floats in [0, 1].

    Raises:
        InputError: it is none of these, or a file that is no picture, or too large.
    """
    if isinstance(source, Image.Image):
        return _upright(source)
    if isinstance(source, str | os.PathLike):
        return open_image(Path(source))
    if isinstance(source, bytes):
        return open_image(source)
    if isinstance(source, torch.Tensor):
        source = source.detach().cpu().float() if source.is_floating_point() else source.detach().cpu()
    try:
        return Image.fromarray(_pixels(np.asarray(source)))
    except (TypeError, ValueError) as error:
        raise InputError(
            "image_no_picture",
            "This is no picture: give a PIL image, a path, or an array or tensor (H, W), (H, W, C) or (C, H, W) of "
            "uint8, or of floats from 0 to 1.",
        ) from error


def _upright(image: Image.Image) -> Image.Image:
    """A picture turned as its Exif data say; as it is where they say nothing, or are damaged: they are a hint."""
    try:
        turns = image.getexif().get(ExifTags.Base.Orientation) in range(2, 9)
        return ImageOps.exif_transpose(image) if turns else image
    except Exception:  # Pillow's readers raise anything on broken data
        return image


def _pixels(values: np.ndarray) -> np.ndarray:
    """(H, W), (H, W, 3) or (H, W, 4), uint8. Raises ValueError or TypeError."""
    if values.ndim == 4 and len(values) == 1:
        values = values[0]
    channels = (1, 3, 4)
    if values.ndim == 3 and values.shape[2] not in channels and values.shape[0] in channels:
        values = values.transpose(1, 2, 0)
    if values.ndim not in (2, 3) or (values.ndim == 3 and values.shape[2] not in channels) or 0 in values.shape:
        raise ValueError("no picture's shape")
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[:, :, 0]
    if values.dtype == bool:
        values = values * np.uint8(255)
    if np.issubdtype(values.dtype, np.floating):
        if not np.isfinite(values).all() or values.min() < -0.01 or values.max() > 1.01:
            raise ValueError("floats out of range")
        values = np.uint8(255 * values.clip(0, 1) + 0.5)
    if not np.issubdtype(values.dtype, np.integer) or values.min() < 0 or values.max() > 255:
        raise ValueError("no 8 bits")
    return np.ascontiguousarray(values, np.uint8)


def open_image(source: str | Path | bytes) -> Image.Image:
    """Read a picture from a file or from bytes, turned upright, whole, in its own mode.

    The size is looked at before a pixel is decoded, so a decompression bomb costs nothing.

    Raises:
        InputError: no picture, a broken one, one in a format that is not read (by its name), or one of more than
            `MAX_PIXELS`.
    """
    head = b""
    try:
        head = source[: formats.HEAD] if isinstance(source, bytes) else _head(source)
        return _read(io.BytesIO(source) if isinstance(source, bytes) else source, head)
    except InputError:
        raise
    except Image.DecompressionBombError as error:
        raise _too_large("") from error
    except Exception as error:  # Pillow's readers raise anything from SyntaxError to struct.error on broken files
        raise formats.refused(head) from error


def _head(path: str | Path) -> bytes:
    with open(path, "rb") as file:
        return file.read(formats.HEAD)


def pixels(source: str | Path | bytes) -> int:
    """How many pixels a file holds that `open_image` would decode, by its head; 0 where it would decode none."""
    try:
        head = source[: formats.HEAD] if isinstance(source, bytes) else _head(source)
        with _opened(io.BytesIO(source) if isinstance(source, bytes) else source, head) as image:
            return image.width * image.height
    except Exception:  # as above
        return 0


def _read(source: BinaryIO | str | Path, head: bytes) -> Image.Image:
    """What `open_image` reads, from a file that begins so."""
    image = _loaded(source, head)
    tags = getattr(image, "tag_v2", {})
    if formats.is_overflown(image, tags):
        raise formats.strange_tiff()
    if tags.get(formats.PHOTOMETRIC) == formats.WHITE_IS_ZERO and image.mode == "I;16":  # of 8 bits Pillow knows
        image.im = image.point(lambda value: 65535 - value).im
    try:
        ImageOps.exif_transpose(image, in_place=True)  # without a second copy of a large photograph
    except Exception:  # of damaged data, some after it was turned: they are a hint, and nobody is to read them again
        image.info.pop("exif", None)
    return image


def _loaded(source: BinaryIO | str | Path, head: bytes) -> Image.Image:
    """A picture with its pixels, also of a JPEG that is cut off before the mark of its end, if none of them is lacking.

    If some were, they would be read from whatever stood there instead.
    """
    image = _opened(source, head)
    try:
        image.load()
        return image
    except OSError:
        if not head.startswith(formats.JPEG):
            raise
        del image
        data = source.getvalue() if isinstance(source, io.BytesIO) else Path(source).read_bytes()
        data = data.rstrip(b"\xff")  # of the mark, if half of it is there
        whole, other = (_opened(io.BytesIO(data + more + formats.JPEG_END), head) for more in (b"", ASTRAY))
        if ImageChops.difference(whole, other).getbbox():
            raise
        return whole


def _opened(source: BinaryIO | str | Path, head: bytes) -> Image.Image:
    """A picture of which no pixel is decoded yet. Raises InputError for one that is not to be."""
    if formats.is_heic(head):
        import pillow_heif  # a large library, which few pictures need

        pillow_heif.register_heif_opener()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # our own limit is lower than Pillow's warning
        image = Image.open(source, formats=[one for one in formats.READ if one != "HEIF" or formats.is_heic(head)])
        check_size(image)
        tags = getattr(image, "tag_v2", {})
        if math.prod(tags.get(side, 0) for side in TIFF_TILE) > MAX_PIXELS:
            raise _too_large("")
        if formats.is_raw(tags):
            raise formats.foreign("RAW")
        if formats.is_garbled(tags):
            raise formats.strange_tiff()
        if any(formats.is_deep(tile.args) for tile in image.tile):
            image.info[formats.DEEP] = True
        return image


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
    """Bring a drawing or a clean scan of one digit into MNIST's form: 28x28 'L', white on black.

    Any size, mode and polarity; ink is whatever differs from the paper, which is the median along the edge. What is
    on lined paper, or photographed, `models.pipelines.to_digit` reads. A picture that has this form already comes back
    as it is.

    Raises:
        InputError: the picture is blank, or too large.
    """
    if (known := without_paper(image)) is not None:
        return known
    image = averageable(image)
    grey = to_grey(image.reduce(max(1, max(image.size) // WORKING_SIZE)))
    return mnist.fitted(mnist.whole(grey))


def without_paper(image: Image.Image) -> Image.Image | None:
    """The digit, 28x28 'L', of a picture that has MNIST's form already, or is a drawing; None where there is a paper.

    Raises:
        InputError: the picture is blank, or too large.
    """
    check_size(image)
    if mnist.is_mnist(image):
        return image.copy()
    return Drawing(image).digit() if is_drawing(image) else None


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
