"""Drawings without a paper: what is not transparent is ink, as on a drawing pad."""

import math

import numpy as np
from PIL import Image, ImageFilter, ImageStat
from scipy.ndimage import find_objects, label

from models.pictures import mnist
from models.pictures.modes import backing, blank

WORKING_SIZE = 320  # pixels on a side of a square of as many; a digit needs no more
LARGEST_SIZE = 1280  # likewise, of a sheet of many digits
COARSE = 112 / 320  # of that side is enough to find the pieces
SMALL, THIN = 24, 0.95  # pixels of a digit's height, and of its stroke: of less, it is looked at closer
MOST = 500  # pieces: more are a pattern
CONNECTED = np.ones((3, 3))  # pixels that touch at a corner belong together
SPECK = 0.03  # of the largest piece's area: less is dust
OVERLAP = 0.3  # of the narrower of two pieces' widths: more, and they are one digit
BARE = 0.4  # of the pixels are transparent: it is a drawing, not a photograph with rounded corners
ONE_COLOUR = 24  # of 255: the deviation of ink of one colour
WIDEST = 1.2  # times its height: wider, and it is no one digit
PART = 0.25  # of the height of all: no digit is that low
AS_TALL = 0.8  # of the tallest part's height: the pieces of one digit are not all so tall
GAP, LOW = 0.1, 0.5  # of the tallest piece's height: between two lines there is more, and no line is so low


def is_drawing(image: Image.Image) -> bool:
    """Whether a picture has no paper: it is transparent but for ink of one colour, which is written on nothing."""
    if not image.has_transparency_data:
        return False
    factor, image = max(1, max(image.size) // WORKING_SIZE), _with_alpha(image)
    alpha = image.getchannel("A").reduce(factor)
    histogram = alpha.histogram()
    if sum(histogram[:128]) < BARE * sum(histogram):
        return False
    ink, grey = alpha.point(lambda value: 255 * (value > 127)), image.convert("L").reduce(factor)
    if ink.getbbox() is None:
        return alpha.getextrema()[0] < mnist.LEAST_CONTRAST
    return ImageStat.Stat(grey, ink).stddev[0] < ONE_COLOUR and backing(grey, alpha) is None


class Drawing:
    """The ink of a drawing, in pieces.

    Attributes:
        ink: 'L', of at most about `WORKING_SIZE` squared pixels; more where most digits would be smaller than `SMALL`.
        lines: for each digit of each line, from left to right, its pieces, (h, w) bool, in `ink` reduced by `factor`.
    """

    def __init__(self, image: Image.Image):
        """Raises InputError when there is no ink."""
        alpha = _cropped(_with_alpha(image).getchannel("A"))
        if alpha.getextrema()[1] < mnist.LEAST_CONTRAST:
            raise blank()
        size, most = WORKING_SIZE, min(_side(alpha), LARGEST_SIZE)
        self._look(alpha, size)
        while size < most and self._is_fine():
            size *= 2
            self._look(alpha, size)
        if not self.groups:
            raise blank()

    def _look(self, alpha: Image.Image, size: int) -> None:
        """Find the pieces, with at most so many pixels on a side."""
        self.ink = alpha
        if (times := _side(alpha) / size) > 1:
            sides = [max(1, round(side / times)) for side in alpha.size]
            self.ink = alpha.reduce(int(times))  # without a copy of a large picture
            self.ink.thumbnail(sides, Image.Resampling.BOX)
        high = max(self.ink.getextrema()[1], 1)
        self.stroke = high / alpha.getextrema()[1]  # of a pixel's width, where it is no wider
        self.ink = self.ink.point(lambda value: round(255 * value / high))
        self.factor = math.ceil(_side(self.ink) / (COARSE * size))
        pieces, _ = label(np.asarray(self.ink.reduce(self.factor)) > mnist.VISIBLE, CONNECTED)
        pieces = _without_specks(pieces)
        self.lines = _lines(pieces) if len(np.unique(pieces)) <= MOST else [[pieces > 0]]
        self.groups = [group for line in self.lines for group in line]

    def _is_fine(self) -> bool:
        """Whether digits or strokes are too small for what they were looked at with."""
        heights = [_height(group) for group in self.groups] or [0]
        return self.stroke < THIN or self.factor * np.median(heights) < SMALL

    def digits(self) -> list[Image.Image]:
        """Every digit, 28x28 'L', line by line; in a line, ink that lies above other ink belongs to the same one."""
        return [self._fitted(group) for group in self.groups]

    def whole(self) -> Image.Image:
        """All of it as one digit."""
        return self._fitted(np.logical_or.reduce(self.groups))

    def digit(self) -> Image.Image:
        """All of it where it may be one digit, or pieces so small that they are none; else the largest of several."""
        sizes = [_height(group) * _height(group.T) for group in self.groups]
        largest = self.groups[int(np.argmax(sizes))]
        if self.may_be_one() or _height(largest) < PART * _height(np.logical_or.reduce(self.groups)):
            return self.whole()
        return self._fitted(largest)

    def low(self) -> list[bool]:
        """Which parts are too low for digits: signs between them, and dust. Two dots above one another are low."""
        heights = [_tallest(group) for group in self.groups]
        tallest = max(heights)
        return [height <= LOW * tallest for height in heights]

    def is_narrow(self) -> bool:
        """Whether all of it is no wider than digits are."""
        height, width = np.ptp(np.argwhere(np.logical_or.reduce(self.groups)), 0) + 1
        return bool(width <= WIDEST * height)

    def is_plain(self) -> bool:
        """Whether it is one stroke, or strokes that touch, no wider than a digit."""
        return len(self.groups) == 1 and self.is_narrow() and label(self.groups[0], CONNECTED)[1] == 1

    def may_be_one(self) -> bool:
        """Whether it could be one digit drawn in pieces, by its form alone.

        It could not where there are lines, it is wider than a digit, or every part is about as tall as the tallest.
        """
        heights = [_height(part) for part in self.groups]
        return len(self.lines) == 1 and (
            len(heights) == 1 or (self.is_narrow() and min(heights) < AS_TALL * max(heights))
        )

    def _fitted(self, group: np.ndarray) -> Image.Image:
        mask = Image.fromarray(np.uint8(255 * group))
        left, top, right, bottom = mask.getbbox()
        mask = mask.crop((left - 1, top - 1, right + 1, bottom + 1))
        mask = mask.filter(ImageFilter.MaxFilter(3))  # the pieces are as coarse as the reduced picture is
        mask = mask.crop((1, 1, mask.width - 1, mask.height - 1))
        mask = mask.resize([side * self.factor for side in mask.size], Image.Resampling.NEAREST)
        return mnist.fitted(self.ink.crop([side * self.factor for side in (left, top, right, bottom)]), mask)


def _height(group: np.ndarray) -> int:
    return int(np.ptp(group.any(1).nonzero()[0])) + 1


def _tallest(group: np.ndarray) -> int:
    """The height of the tallest piece of a group, which is looked for where the group is alone."""
    (place,) = find_objects(group.astype(np.uint8))
    pieces, _ = label(group[place], CONNECTED)
    return max(rows.stop - rows.start for rows, _ in find_objects(pieces))


def _side(image: Image.Image) -> float:
    """Of a square of as many pixels: a long number is written in digits as large as a short one's."""
    return math.sqrt(image.width * image.height)


def _cropped(alpha: Image.Image) -> Image.Image:
    """The ink of a sheet too large to be looked at closely, without the empty room around it."""
    if _side(alpha) <= LARGEST_SIZE:
        return alpha
    return alpha.crop(alpha.point(lambda value: 255 * (value >= mnist.LEAST_CONTRAST)).getbbox())


def _with_alpha(image: Image.Image) -> Image.Image:
    """The picture as 'LA', 'PA' or 'RGBA'."""
    image = image.convert({"La": "LA", "RGBa": "RGBA"}.get(image.mode, image.mode))
    return image if "A" in image.getbands() else image.convert("RGBA")


def _without_specks(pieces: np.ndarray) -> np.ndarray:
    """Pieces of ink without those far smaller than the largest."""
    areas = np.bincount(pieces.ravel())
    areas[0] = 0
    return np.where(areas[pieces] > SPECK * areas.max(), pieces, 0)


def _lines(pieces: np.ndarray) -> list[list[np.ndarray]]:
    """The digits of each line; all are in one where no two would stand above one another."""
    rows = [np.nonzero((pieces == number).any(1))[0] for number in np.unique(pieces[pieces > 0])]
    spans = sorted((int(filled[0]), int(filled[-1]) + 1) for filled in rows)
    tallest = max((bottom - top for top, bottom in spans), default=0)  # before any are joined: lines grow by it
    while near := _near(spans, tallest):
        first, second = spans[near - 1 : near + 1]
        spans[near - 1 : near + 1] = [(first[0], max(first[1], second[1]))]
    whole = columns(pieces)
    if len(spans) < 2:
        return [whole]
    lines = []
    for top, bottom in spans:
        line = np.zeros_like(pieces)
        line[top:bottom] = pieces[top:bottom]
        lines.append(columns(line))
    # Two circles above one another may be an 8; what runs up or down the sheet stands side by side.
    several = len(lines) > 2 or max(map(len, lines)) > 1
    return lines if several and sum(map(len, lines)) > len(whole) else [whole]


def _near(spans: list[tuple[int, int]], tallest: int) -> int:
    """Which of these, from top to bottom, is of one line with that before it, the nearest of them; 0 for none."""
    heights = [bottom - top for top, bottom in spans]
    gaps = {after: spans[after][0] - spans[after - 1][1] for after in range(1, len(spans))}
    one = [n for n, gap in gaps.items() if gap <= GAP * tallest or min(heights[n - 1 : n + 1]) < LOW * tallest]
    return min(one, key=gaps.__getitem__, default=0)


def columns(pieces: np.ndarray) -> list[np.ndarray]:
    """The pieces in groups from left to right; what lies above one another, for the larger part, is one group."""
    spans: list[tuple[int, int, set[int]]] = []
    for number in np.unique(pieces[pieces > 0]).tolist():
        filled = np.nonzero((pieces == number).any(0))[0]
        spans.append((int(filled[0]), int(filled[-1]) + 1, {number}))
    merged: list[tuple[int, int, set[int]]] = []
    for left, right, numbers in sorted(spans, key=lambda span: span[:2]):
        before = merged[-1] if merged else (0, 0, set())
        if before[1] - left > OVERLAP * min(right - left, before[1] - before[0]):
            merged[-1] = (before[0], max(before[1], right), before[2] | numbers)
        else:
            merged.append((left, right, numbers))
    return [np.isin(pieces, list(numbers)) for _, _, numbers in merged]
