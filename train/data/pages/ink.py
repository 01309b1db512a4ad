"""What is written on a page: MNIST's digits, a pen of our own, print; each sign as (h, w) in [0, 1]."""

from functools import cache, lru_cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import maximum_filter

from train.data import strokes
from train.data.glyphs import LETTERS, SHAPES

DENSE = 4  # a small drawing is made so many times larger than it will be, a large one half of that
SMALL = 60  # pixels: what counts as small
# All have the ten digits; they come with matplotlib.
FONTS = (
    *("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSansMono", "DejaVuSerif", "DejaVuSerif-Bold"),
    *("DejaVuSerif-Italic", "STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "cmr10", "cmss10", "cmtt10"),
)
PRINTED = 96  # pixels that print is cut at before it is brought to its size
LETTERS_ALONE = "ACDEFGHJKLMNPRTUVWXYacdefhkmnprtuvwxy"  # without those that are digits in some hand
LETTERS_IN_WORDS = "abcdefghijklmnopqrstuvwxyz"


def enlarged(digit: np.ndarray, height: int, weight: float) -> np.ndarray:
    """A digit of MNIST, (28, 28) uint8, as sharp ink of this height; `weight` 0 is the thinnest pen, 1 the thickest."""
    picture = Image.fromarray(digit)
    picture = picture.crop(picture.getbbox() or (0, 0, 1, 1))
    scale = height / picture.height
    size = (max(1, round(scale * picture.width)), height)
    ink = np.asarray(picture.resize(size, Image.Resampling.BICUBIC), np.float32) / 255
    if scale > 1:  # the edges of few pixels become as sharp as those of many
        ink = ((ink - (0.75 - 0.5 * weight)) * min(2 * scale, 8) + 0.5).clip(0, 1)
    return ink


def swollen(ink: np.ndarray, by: int) -> np.ndarray:
    """The same strokes by so many pixels wider: a felt pen's, a brush's."""
    return maximum_filter(np.pad(ink, -(-by // 2)), by)


class Hands:
    """Drawings of our own pen to take from, each in a hand of its own: so many at once cost little more than one."""

    def __init__(self, count: int, draw: np.random.Generator, others: tuple[str, ...] = (*LETTERS, *SHAPES)):
        generator = torch.Generator().manual_seed(int(draw.integers(2**62)))
        digits, labels = strokes.digits(count, generator)
        self.labels = labels.tolist()
        self.digits = _paths(digits, generator)
        letters = tuple(name for name in others if name in LETTERS)
        self.letters = _paths(strokes.drawn(letters, count, generator), generator)
        shapes = tuple(name for name in others if name in SHAPES)
        self.shapes = _paths(strokes.drawn(shapes, count // 2, generator), generator)
        self.scribbles = _paths(strokes.scribbles(count // 4, generator), generator)

    def digit(self, height: int, pen: float, draw: np.random.Generator) -> tuple[np.ndarray, int]:
        """A digit as ink of this height, and which; `pen` is its width in pixels."""
        index = int(draw.integers(len(self.labels)))
        return written(*self.digits[index], height, pen), self.labels[index]

    def other(self, height: int, pen: float, draw: np.random.Generator) -> np.ndarray:
        """A letter, a shape or a scribble."""
        some = (self.letters, self.shapes, self.scribbles)[draw.choice(3, p=[0.7, 0.15, 0.15])]
        return written(*some[draw.integers(len(some))], height, pen)

    def scribble(self, height: int, pen: float, draw: np.random.Generator) -> np.ndarray:
        return written(*self.scribbles[draw.integers(len(self.scribbles))], height, pen)


def _paths(segments: torch.Tensor, generator: torch.Generator) -> list[tuple[np.ndarray, np.ndarray]]:
    """Each drawing (POINTS, 4), and what the pen's width is multiplied by on the way, (POINTS,)."""
    return list(zip(segments.numpy(), strokes.pressure(segments, generator).numpy(), strict=True))


def written(segments: np.ndarray, pressure: np.ndarray, height: int, pen: float) -> np.ndarray:
    """One drawing (POINTS, 4) as ink of this height; the pen is `pen` times `pressure` (POINTS,) pixels wide."""
    dense = DENSE if height < SMALL else DENSE // 2
    widths = pen * dense * pressure
    points = segments.reshape(-1, 2)
    low, high = points.min(0), points.max(0)
    # As wide as it is high at most twice: a lying line is no drawing of that height.
    scale = (dense * height - widths.max()) / max(high[1] - low[1], 0.5 * (high[0] - low[0]), 1e-6)
    points = (points - low) * max(scale, 0.0) + widths.max() / 2
    size = np.ceil(points.max(0) + widths.max() / 2).astype(int).clip(1)
    canvas = Image.new("L", (int(size[0]), int(size[1])))
    pencil = ImageDraw.Draw(canvas)
    for (x, y, x_end, y_end), width in zip(points.reshape(-1, 4).tolist(), widths.tolist(), strict=True):
        pencil.line((x, y, x_end, y_end), fill=255, width=max(1, round(width)))
        if width > 2:  # round ends, which close the joints
            half = width / 2
            pencil.ellipse((x_end - half, y_end - half, x_end + half, y_end + half), fill=255)
    return np.asarray(canvas.reduce(dense), np.float32) / 255


@cache
def face(font: str) -> ImageFont.FreeTypeFont:
    """One of `FONTS`, at the size that print is cut at."""
    from matplotlib import get_data_path

    return ImageFont.truetype(str(Path(get_data_path(), "fonts", "ttf", f"{font}.ttf")), PRINTED)


@lru_cache(2000)
def _print(font: str, text: str) -> Image.Image:
    own = face(font)
    left, top, right, bottom = own.getbbox(text)
    canvas = Image.new("L", (int(right - left) + 2, int(bottom - top) + 2))
    ImageDraw.Draw(canvas).text((1 - left, 1 - top), text, fill=255, font=own)
    return canvas.crop(canvas.getbbox())


def printed(text: str, font: str, height: int) -> np.ndarray:
    """One sign in print."""
    glyph = _print(font, text)
    size = (max(1, round(glyph.width * height / glyph.height)), height)
    return np.asarray(
        glyph.resize(size, Image.Resampling.BOX if height < PRINTED else Image.Resampling.BICUBIC)
    ) / np.float32(255)


def word(font: str, height: int, draw: np.random.Generator) -> np.ndarray:
    """Three to nine letters in print, the first of them sometimes a capital, or all."""
    text = "".join(draw.choice(list(LETTERS_IN_WORDS), int(draw.integers(3, 10))))
    return printed((text, text.capitalize(), text.upper())[draw.choice(3, p=[0.6, 0.3, 0.1])], font, height)
