"""Digits in MNIST's form: 28x28 'L', white on black, fitted into 20x20, the centre of mass in the middle."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageChops, ImageFilter, ImageOps

from models.pictures.modes import blank

EXAMPLES = Path(__file__).with_name("mnist-examples.png")
DIGIT_SIZE, DIGIT_BOX = 28, 20  # MNIST: a digit fitted into 20x20, its centre of mass in the middle of 28x28
FINE = 4  # the digit is prepared so many times larger than it will be
STROKES = (2.0, 3.5)  # pixels of 20: the middle of what MNIST has
VISIBLE = 51  # of 255: the ink that a digit's box is drawn around
FULL = 0.8  # of the strongest ink: from here on it is all ink, as in MNIST, whose strokes are white within
LEAST_CONTRAST = 15  # of 255 between paper and ink; below it a picture counts as blank


def examples() -> tuple[torch.Tensor, torch.Tensor]:
    """A hundred test images of MNIST of each digit: (1000, 1, 28, 28) in [0, 1], and labels (1000,)."""
    tiles = torch.from_numpy(np.array(Image.open(EXAMPLES), np.float32) / 255)  # a row of tiles for each digit
    pictures = tiles.unflatten(0, (-1, DIGIT_SIZE)).unflatten(2, (-1, DIGIT_SIZE)).transpose(1, 2)
    return pictures.flatten(0, 1)[:, None], torch.arange(len(pictures)).repeat_interleave(pictures.shape[1])


def is_mnist(image: Image.Image) -> bool:
    """Whether a picture has that form already."""
    if image.mode != "L" or image.size != (DIGIT_SIZE, DIGIT_SIZE):
        return False
    pixels = np.asarray(image, np.float32)
    rows, columns = np.nonzero(pixels.max(1))[0], np.nonzero(pixels.max(0))[0]
    if pixels.max() < 128 or max(np.ptp(rows), np.ptp(columns)) >= DIGIT_BOX:
        return False
    return all(DIGIT_SIZE / 2 - 0.1 <= centre <= DIGIT_SIZE / 2 + 1.1 for centre in _centre_of_mass(pixels))


def fitted(ink: Image.Image, mask: Image.Image | None = None) -> Image.Image:
    """Ink, 'L', from 0 where there is none to 255, as a digit of 28x28; the proportions are kept.

    Strokes far thicker or thinner than MNIST's are brought towards them, and the centre of mass is put in the middle
    (LeCun et al. 1998, section III).

    Args:
        mask: 'L', of the same size: what of the ink belongs to this digit.

    Raises:
        InputError: there is none.
    """
    visible = ink.point(lambda value: 255 * (value > VISIBLE))
    if mask:
        visible = ImageChops.multiply(visible, mask.point(lambda value: 255 * (value > 127)))
    box = visible.getbbox()
    if box is None:
        raise blank()
    scale = FINE * DIGIT_BOX / max(box[2] - box[0], box[3] - box[1])
    size = [max(1, round(scale * (box[side + 2] - box[side]))) for side in (0, 1)]
    # Ink is told from paper after enlarging: few pixels become sharp strokes, not blurred ones.
    large = ink.resize(size, Image.Resampling.BICUBIC, box=box).point(lambda value: min(255, round(value / FULL)))
    if mask:
        large = ImageChops.multiply(large, mask.resize(size, Image.Resampling.BILINEAR, box=box))
    large = _with_usual_strokes(large)
    scale = DIGIT_BOX / max(large.size)
    small = large.resize([max(1, round(side * scale)) for side in large.size], Image.Resampling.BOX)
    if small.getextrema()[1] == 0:
        raise blank()
    return _centre(np.asarray(small, np.float32))


def zoomed(digit: Image.Image, times: float) -> Image.Image:
    """A digit of 28x28 so many times as large around its middle, in 28x28."""
    away = DIGIT_SIZE / 2 * (1 - 1 / times)
    values = (1 / times, 0, away, 0, 1 / times, away)
    return digit.transform(digit.size, Image.Transform.AFFINE, values, Image.Resampling.BILINEAR)


def whole(grey: Image.Image) -> Image.Image:
    """All that differs from the paper, which is the median along the edge, as ink: 'L'.

    Raises:
        InputError: nothing does.
    """
    pixels = np.asarray(grey, np.float32)
    edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    differs = np.median(edge) - pixels
    if -differs.min() > differs.max():
        differs = -differs
    span = differs.max()
    if span < LEAST_CONTRAST:
        raise blank()
    # The paper's grain is no ink.
    grain = min(3 * float(np.quantile(abs(np.median(edge) - edge), 0.5)), span / 3)
    return Image.fromarray(np.uint8(255 * ((differs - grain) / (span - grain)).clip(0, 1)))


def _with_usual_strokes(ink: Image.Image) -> Image.Image:
    """Ink, its longer side `FINE` times 20 pixels, with strokes that are not far thicker or thinner than MNIST's."""
    width = _stroke_width(np.asarray(ink) > 127) / FINE
    usual = min(max(width, STROKES[0]), STROKES[1])
    # The radius by which each side of a stroke grows or shrinks. The picture does so with it, and is then brought to 20
    # pixels again: (width + 2 radius) * 20 / (20 + 2 radius) is the usual width.
    radius = round((usual - width) / (2 - 2 * usual / DIGIT_BOX) * FINE)
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
