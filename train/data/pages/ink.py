"""What is written on a page: MNIST's digits, a pen of our own, print; each sign as (h, w) in [0, 1]."""

from collections.abc import Collection, Sequence
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import distance_transform_edt, maximum_filter
from skimage.measure import euler_number
from skimage.morphology import skeletonize

from train.data import strokes
from train.data.glyphs import IN_WORDS, LETTERS, MARKS, SHAPES

DENSE = 4  # a small drawing is made so many times larger than it will be, a large one half of that
SMALL = 60  # pixels: what counts as small
# All have the ten digits; they come with matplotlib.
FONTS = (
    *("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSansMono", "DejaVuSerif", "DejaVuSerif-Bold"),
    *("DejaVuSerif-Italic", "STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "cmr10", "cmss10", "cmtt10"),
)
MANY = 40  # times that a digit is looked for
STROKE, WIDER = 0.11, 0.07  # of a digit's height: MNIST's strokes with the thinnest pen; so much more with the thickest
PRINTED = 96  # pixels that print is cut at before it is brought to its size
LETTERS_ALONE = "ACDEFGHJKLMNPRTUVWXYacdefhkmnprtuvwxy"  # without those that are digits in some hand
LETTERS_IN_WORDS = "abcdefghijklmnopqrstuvwxyz"
MISTAKEN = "/∕⁄+()"  # marks that come twice as often: they are taken for digits
MARKS_IN_PRINT = "/()[]%-=+:.,'#$&@*"
ALPHABET = tuple(name for name in (*LETTERS, *IN_WORDS) if name.isascii() and name.isalpha() and len(name) == 1)
# Of a digit of seven segments: left, top, right, bottom of each as shares of its sides, and which of them it has.
SEGMENTS = (
    (0, 0, 1, 0),
    (0, 0, 0, 0.5),
    (1, 0, 1, 0.5),
    (0, 0.5, 1, 0.5),
    (0, 0.5, 0, 1),
    (1, 0.5, 1, 1),
    (0, 1, 1, 1),
)
LIT = ("012456", "25", "02346", "02356", "1235", "01356", "013456", "025", "0123456", "012356")


def enlarged(digit: np.ndarray, height: int, weight: float) -> np.ndarray:
    """A digit of MNIST, (28, 28) uint8, as sharp ink of this height; `weight` 0 is the thinnest pen, 1 the thickest
    with which it keeps its loops and its strokes stay whole."""
    picture = Image.fromarray(digit)
    picture = picture.crop(picture.getbbox() or (0, 0, 1, 1))
    scale = height / picture.height
    size = (max(1, round(scale * picture.width)), height)
    ink = np.asarray(picture.resize(size, Image.Resampling.BICUBIC), np.float32) / 255
    if scale > 1:  # the edges of few pixels become as sharp as those of many
        ink = ((ink - _edge(ink, 0.75 - 0.5 * weight)) * min(2 * scale, 8) + 0.5).clip(0, 1)
    return ink


def _edge(ink: np.ndarray, wanted: float) -> float:
    """How dark the edge of a stroke is: as nearly what is wanted as strokes and loops (Euler's number) allow.

    A pen parts no stroke and fills no loop for being thin or thick, but MNIST's few pixels have grey there.
    """
    whole = euler_number(ink > 0.5, 2)
    for share in (1, 0.75, 0.5, 0.25):
        level = 0.5 + share * (wanted - 0.5)
        if euler_number(ink > level, 2) == whole:
            return level
    return 0.5


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
        self.marks = _paths(strokes.drawn((*MARKS, *MISTAKEN), count // 2, generator), generator)
        self.alphabet = _paths(strokes.drawn(ALPHABET, count, generator), generator)

    def digit(
        self, height: int, pen: float, draw: np.random.Generator, among: Collection[int] = range(10)
    ) -> tuple[np.ndarray, int]:
        """A digit as ink of this height, and which; `pen` is its width in pixels."""
        index = one_of(self.labels, among, draw)
        return written(*self.digits[index], height, pen), self.labels[index]

    def other(self, height: int, pen: float, draw: np.random.Generator) -> np.ndarray:
        """A letter, a shape or a scribble."""
        some = (self.letters, self.shapes, self.scribbles)[draw.choice(3, p=[0.7, 0.15, 0.15])]
        return written(*some[draw.integers(len(some))], height, pen)

    def mark(self, height: int, pen: float, draw: np.random.Generator) -> tuple[np.ndarray, int]:
        """What stands between digits of this height, and how far below their top it begins."""
        return standing(*self.marks[draw.integers(len(self.marks))], height, pen)

    def word(self, height: int, pen: float, draw: np.random.Generator) -> tuple[np.ndarray, int]:
        """Two to seven letters in a row, any of them, beside digits of this height; and where it begins, as `mark`."""
        gap, x = height * draw.uniform(-0.05, 0.12), 0.0
        canvas = np.zeros((2 * height, 10 * height), np.float32)
        for _ in range(int(draw.integers(2, 8))):
            alpha, drop = standing(*self.alphabet[draw.integers(len(self.alphabet))], height, pen)
            place = canvas[max(0, height // 2 + drop) :, max(0, round(x)) :][: alpha.shape[0], : alpha.shape[1]]
            np.maximum(place, alpha[: place.shape[0], : place.shape[1]], out=place)
            x += alpha.shape[1] + gap
        rows, columns = (np.flatnonzero(canvas.any(axis)) for axis in (1, 0))
        return canvas[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], int(rows[0]) - height // 2

    def scribble(self, height: int, pen: float, draw: np.random.Generator) -> np.ndarray:
        return written(*self.scribbles[draw.integers(len(self.scribbles))], height, pen)


def _paths(segments: torch.Tensor, generator: torch.Generator) -> list[tuple[np.ndarray, np.ndarray]]:
    """Each drawing (POINTS, 4), and what the pen's width is multiplied by on the way, (POINTS,)."""
    return list(zip(segments.numpy(), strokes.pressure(segments, generator).numpy(), strict=True))


def one_of(labels: Sequence[int], among: Collection[int], draw: np.random.Generator) -> int:
    """The place of a label that is among these, as good as always."""
    for _ in range(MANY):
        if labels[index := int(draw.integers(len(labels)))] in among:
            break
    return index


def standing(segments: np.ndarray, pressure: np.ndarray, height: int, pen: float) -> tuple[np.ndarray, int]:
    """A drawing (POINTS, 4) as large as it is beside digits of this height, and how far below their top it begins."""
    low, high = segments.reshape(-1, 2).min(0), segments.reshape(-1, 2).max(0)
    own = max(high[1] - low[1], 0.5 * (high[0] - low[0]))  # as `written` measures
    return written(segments, pressure, max(2, round(own * (height - pen) + pen)), pen), round((low[1] + 0.5) * height)


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


def _cut(font: str, text: str) -> Image.Image:
    """Print with a pixel around it."""
    own = face(font)
    left, top, right, bottom = own.getbbox(text)
    canvas = Image.new("L", (int(right - left) + 2, int(bottom - top) + 2))
    ImageDraw.Draw(canvas).text((1 - left, 1 - top), text, fill=255, font=own)
    return canvas


@lru_cache(2000)
def _print(font: str, text: str) -> Image.Image:
    canvas = _cut(font, text)
    return canvas.crop(canvas.getbbox())


def printed(text: str, font: str, height: int) -> np.ndarray:
    """One sign in print."""
    glyph = _print(font, text)
    size = (max(1, round(glyph.width * height / glyph.height)), height)
    return np.asarray(
        glyph.resize(size, Image.Resampling.BOX if height < PRINTED else Image.Resampling.BICUBIC)
    ) / np.float32(255)


def printed_standing(text: str, font: str, height: int) -> tuple[np.ndarray, int]:
    """Print as large as it is beside digits of this height, and how far below their top it begins."""
    (_, top, _, bottom), (_, highest, _, lowest) = face(font).getbbox(text), face(font).getbbox("0")
    scale = height / (lowest - highest)
    return printed(text, font, max(2, round(scale * (bottom - top)))), round(scale * (top - highest))


@lru_cache(2000)
def middle(font: str, letter: str) -> tuple[np.ndarray, float]:
    """The middle line of a printed letter, points (n, 2), and how far on the next begins; digits reach from 0 to 1."""
    own = face(font)
    (left, top, _, _), (_, highest, _, lowest) = own.getbbox(letter), own.getbbox("0")
    rows, columns = np.nonzero(skeletonize(np.asarray(_cut(font, letter)) > 127))
    points = np.stack([columns + left - 1, rows + top - 1 - highest], 1) / (lowest - highest)
    return points, own.getlength(letter) / (lowest - highest)


def traced(text: str, font: str, height: int, pen: float, draw: np.random.Generator) -> tuple[np.ndarray, int]:
    """A word as somebody writes who once learned to from this typeface, beside digits of this height: leaning, bent,
    some letters joined. And how far below the digits' top it begins."""
    x, lean, joins, parts = 0.0, draw.normal(0.1, 0.2), 0.8 * (draw.random() < 0.3), []
    for letter in text:
        points, wide = middle(font, letter)
        angle, size = draw.normal(0, 0.06), draw.normal(1, 0.06)
        turn = size * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        points = points @ turn + (x, draw.normal(0, 0.03))
        if parts and draw.random() < joins:  # from its lower right to the next one's lower left
            ends = parts[-1][parts[-1].sum(1).argmax()], points[(points[:, 0] - points[:, 1]).argmin()]
            parts.append(np.linspace(*ends, 2 + int(80 * np.linalg.norm(ends[1] - ends[0]))))
        parts.append(points)
        x += wide * draw.uniform(0.88, 1.12)
    points = np.concatenate(parts)
    points[:, 0] += lean * (1 - points[:, 1])
    points = points + 0.04 * np.sin(points @ draw.normal(0, 4, (2, 2)) + draw.uniform(0, 6.3, 2))
    pen = max(pen, height / 30)  # such points lie no further apart
    low = points.min(0) * height - pen
    places = np.int64(points * height - low)
    bare = np.ones(places.max(0)[::-1] + int(pen) + 2, bool)
    bare[places[:, 1], places[:, 0]] = False
    return np.float32(0.5 + pen / 2 - distance_transform_edt(bare)).clip(0, 1), round(low[1])


def segments(digit: int, height: int, pen: float, lean: float) -> np.ndarray:
    """A digit as displays have it; `lean` is how far its top lies to the right, as a share of its height."""
    high, thick = 2 * height, 2 * max(1.0, pen)  # drawn twice as large as it will be
    size, gap = np.array([0.55 * high, high]) - thick, 0.6 * thick
    canvas = Image.new("L", (round(size[0] + thick + lean * high), high))
    pencil = ImageDraw.Draw(canvas)
    for name in LIT[digit]:
        start, end = np.array(SEGMENTS[int(name)]).reshape(2, 2) * size + thick / 2
        apart = (end - start) / np.linalg.norm(end - start) * gap
        ends = [(x + lean * (high - y), y) for x, y in (start + apart, end - apart)]
        pencil.line(ends, fill=255, width=round(thick))
    return np.asarray(canvas.crop(canvas.getbbox()).reduce(2), np.float32) / 255


def letters(draw: np.random.Generator) -> str:
    """Two to nine of them, the first sometimes a capital, or all."""
    text = "".join(draw.choice(list(LETTERS_IN_WORDS), int(draw.integers(2, 10))))
    return (text, text.capitalize(), text.upper())[draw.choice(3, p=[0.6, 0.3, 0.1])]
