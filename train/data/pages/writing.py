"""Who writes what on a page: rows of digits, and what is none between them and elsewhere."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from train.data.pages import camera, ink
from train.data.pages.furniture import Row

MNIST, PEN, PRINT, DISPLAY = range(4)


@dataclass
class Sign:
    """Ink (h, w) at a place of the sheet; `label` is None where it is no digit; `row` in which it stands.

    `drop` is how far below its line's top it begins; without it, it stands in the line's middle.
    """

    alpha: np.ndarray
    label: int | None = None
    drop: int | None = None
    left: int = 0
    top: int = 0
    row: int = 0

    def put(self, canvas: np.ndarray) -> None:
        """Ink a canvas, as far as the sign lies on it."""
        top, left = max(0, self.top), max(0, self.left)
        part = self.alpha[top - self.top :, left - self.left :]
        place = canvas[top : top + part.shape[0], left : left + part.shape[1]]
        if place.size:
            np.maximum(place, part[: place.shape[0], : place.shape[1]], out=place)


class Writer:
    """One hand, or one typeface, that mostly writes all of a page.

    Attributes:
        height: of its digits, in pixels.
        pen: its width in pixels.
        felt: by how much of the height MNIST's strokes are wider than they were.
        sober: it writes digits of MNIST, and nothing else.
        words: it may write and print some, and marks between digits: what is a digit beside others is none there.
    """

    def __init__(
        self,
        digits: Sequence[np.ndarray],
        labels: Sequence[int],
        hands: ink.Hands,
        height: float,
        draw: np.random.Generator,
        sober: bool = False,
        words: bool = True,
    ):
        self.sober, self.words = sober, words
        self.digits, self.labels, self.hands, self.height, self.draw = digits, labels, hands, height, draw
        # From a hair to a ballpoint to a felt pen.
        widest = (0.05, 0.35) if draw.random() < 0.12 else (0.03, 0.22)
        self.pen = max(0.7, height * np.exp(draw.uniform(*np.log(widest))))
        self.source = MNIST if sober else draw.choice([MNIST, PEN, PRINT, DISPLAY], p=[0.5, 0.32, 0.12, 0.06])
        self.felt = 0 if sober or draw.random() < 0.8 else draw.uniform(0.04, 0.25)
        self.font, self.weight = str(draw.choice(ink.FONTS)), draw.random()
        if self.source == MNIST:  # nothing beside its digits is of a wider pen, nor are lines
            self.pen = min(self.pen, max(0.7, height * (ink.STROKE + ink.WIDER * self.weight + self.felt)))
        self.lean, self.bar = draw.uniform(0, 0.2), height * draw.uniform(0.05, 0.1)  # of a display's segments
        self.uneven = draw.uniform(0.05, 0.2) if sober or draw.random() < 0.7 else draw.uniform(0.2, 0.5)

    def size(self) -> int:
        """A height in pixels, about as large as the others."""
        return max(6, round(self.height * self.draw.uniform(1 - self.uneven, 1 + self.uneven / 2)))

    def digit(self, among: Collection[int] = range(10)) -> Sign:
        source = self.draw.choice([MNIST, PEN]) if not self.sober and self.draw.random() < 0.1 else self.source
        if source == MNIST:
            chosen = ink.one_of(self.labels, among, self.draw)
            alpha = ink.enlarged(self.digits[chosen], self.size(), self.weight)
            wider = round(self.felt * self.height)
            return Sign(ink.swollen(alpha, wider) if wider else alpha, int(self.labels[chosen]))
        if source == PEN:
            return Sign(*self.hands.digit(self.size(), self.pen, self.draw, among))
        label = int(self.draw.choice(list(among)))
        if source == PRINT:
            return Sign(ink.printed(str(label), self.font, self.size()), label)
        return Sign(ink.segments(label, round(self.height), self.bar, self.lean), label)

    def mark(self) -> Sign:
        """What stands between digits: a slash, a bracket, a point."""
        draw, height = self.draw, round(self.height)
        if self.source == PRINT:
            alpha, drop = ink.printed_standing(str(draw.choice(list(ink.MARKS_IN_PRINT))), self.font, height)
        else:
            larger = round(height * draw.uniform(0.9, 1.6))
            alpha, drop = self.hands.mark(larger, self.pen, draw)
            drop -= (larger - height) // 2  # as far above as below
        return Sign(alpha, drop=drop)

    def word(self) -> Sign:
        """What stands before a number, or behind it."""
        draw, height = self.draw, round(self.height)
        if self.source == PRINT or draw.random() < 0.3:
            alpha, drop = ink.printed_standing(ink.letters(draw), str(draw.choice(ink.FONTS)), height)
        else:
            alpha, drop = self.by_hand(height)
        return Sign(alpha, drop=drop)

    def by_hand(self, height: int) -> tuple[np.ndarray, int]:
        """A word in our own pen's letters or in a typeface's, and how far below the digits' top it begins."""
        if self.draw.random() < 0.5:
            return self.hands.word(height, self.pen, self.draw)
        return ink.traced(ink.letters(self.draw), str(self.draw.choice(ink.FONTS)), height, self.pen, self.draw)

    def ring(self, sign: Sign) -> Sign:
        """A ring around a sign that has its place."""
        draw, (high, wide) = self.draw, sign.alpha.shape
        larger = self.height * draw.uniform(0.15, 0.5)
        angle = np.linspace(0, 2 * np.pi + draw.uniform(-0.3, 0.6), 49) + draw.uniform(0, 6.3)
        points = np.c_[np.cos(angle) * (0.5 * max(wide, 0.7 * high) + larger), np.sin(angle) * (0.5 * high + larger)]
        points *= 1 + 0.04 * np.sin(angle * 2 + draw.uniform(0, 6.3))[:, None]
        alpha = ink.written(np.c_[points[:-1], points[1:]], np.ones(48), round(high + 2 * larger), self.pen)
        left, top = sign.left + (wide - alpha.shape[1]) / 2, sign.top + (high - alpha.shape[0]) / 2
        return Sign(alpha, None, None, round(left), round(top), sign.row)

    def other(self) -> Sign:
        """What is no digit, where one could stand: a letter, a shape, a scribble, a digit that is crossed out."""
        if self.draw.random() < 0.1:
            alpha, _ = self.hands.digit(self.size(), self.pen, self.draw)
            scribble = Image.fromarray(self.hands.scribble(self.size(), self.pen, self.draw))
            return Sign(np.maximum(alpha, np.asarray(scribble.resize(alpha.shape[::-1]))))
        letter, size = str(self.draw.choice(list(ink.LETTERS_ALONE))), self.size()
        if self.source == PRINT:
            return Sign(ink.printed(letter, self.font, size))
        if self.draw.random() < 0.3:
            return Sign(ink.traced(letter, self.font, size, self.pen, self.draw)[0])
        return Sign(self.hands.other(size, self.pen, self.draw))

    def rows(self, sheet: int, size: int, kind: str, empty: bool) -> tuple[list[Sign], list[Row]]:
        """Rows of signs, one below the other, somewhere on the sheet; `size` is what of it is seen."""
        draw, height, edge = self.draw, self.height, (sheet - size) / 2
        gap = height * (draw.uniform(-0.06, 0.35) if draw.random() < 0.75 else draw.uniform(0.3, 2.0))
        lines = 1 if kind == "cell" or height > size / 3 else int(draw.integers(1, 5))
        spacing, slope = height * draw.uniform(1.15, 2.2), draw.normal(0, 0.02)
        free = max(1.0, size - height - (lines - 1) * spacing)
        top = edge + (draw.uniform(-0.15, 0.15) * height if draw.random() < 0.08 else draw.uniform(0, free))
        others = draw.choice([0.0, 0.0, 0.1, 0.5])  # of the signs between digits that are none
        marks = draw.choice([0.0, 0.15, 0.5], p=[0.65, 0.2, 0.15]) if self.words else 0.0
        texts = 0.5 if self.words and draw.random() < 0.22 else 0.0
        rings = 0.4 if draw.random() < 0.1 else 0.0
        signs, rows = [], []
        for number in range(lines):
            y = top + number * spacing
            if y + height > edge + size + 0.2 * height:
                break
            most = 1 if kind == "cell" else int(draw.integers(1, 9))
            alone = edge + size / 2 + size * draw.normal(0, 0.08) - 0.3 * height
            x, spans = alone if most == 1 else edge + draw.uniform(0, 0.5) * size, []
            for sign in self._line(most, empty, others, marks, texts):
                high, wide = sign.alpha.shape
                if spans and x + wide > edge + size + 0.1 * height:
                    break
                drop = (height - high) / 2 + height * draw.normal(0, 0.04) if sign.drop is None else sign.drop
                sign.left, sign.top, sign.row = round(x), round(y + drop + slope * (x - sheet / 2)), number
                signs.append(sign)
                spans.append((x, x + wide))
                if draw.random() < rings:
                    signs.append(self.ring(sign))
                x += wide + gap + height * draw.uniform(-0.04, 0.08)
            rows.append(Row(tuple(spans), y, height))
        return signs, rows

    def _line(self, most: int, empty: bool, others: float, marks: float, texts: float) -> Iterator[Sign]:
        """The signs of a line: so many digits or others, marks between them, words around them."""
        draw = self.draw
        among = draw.choice(10, 2) if draw.random() < 0.15 else range(10)  # a number may be of few digits: 11, 707
        if draw.random() < texts:
            yield self.word()
        if draw.random() < marks:
            yield self.mark()
        for place in range(most):
            if place and draw.random() < marks:
                yield self.mark()
            yield self.other() if empty or draw.random() < others else self.digit(among)
        if draw.random() < marks:
            yield self.mark()
        if draw.random() < texts:
            yield self.word()

    def numbers(
        self, sheet: int, size: int, lines: int = 1, digits: tuple[int, int] = (1, 4)
    ) -> tuple[list[Sign], list[Row]]:
        """Lines of digits, from so many to so many, all of which are seen."""
        draw, height, edge = self.draw, self.height, (sheet - size) / 2
        apart = height * draw.uniform(1.6, 2.4)
        y = edge + draw.uniform(0.1 * size, 0.9 * size - height - (lines - 1) * apart)
        signs, rows = [], []
        for number in range(lines):
            line = [self.digit() for _ in range(int(draw.integers(digits[0], digits[1] + 1)))]
            gap = height * draw.uniform(0.1, 0.5)
            while (wide := sum(sign.alpha.shape[1] + gap for sign in line) - gap) > 0.9 * size and len(line) > 1:
                line.pop()
            x = edge + draw.uniform(0.05 * size, max(0.06 * size, 0.95 * size - wide))
            spans = []
            for sign in line:
                sign.left, sign.top = round(x), round(y + (height - sign.alpha.shape[0]) / 2)
                sign.row = number
                spans.append((x, x + sign.alpha.shape[1]))
                x += sign.alpha.shape[1] + gap
            signs += line
            rows.append(Row(tuple(spans), y, height))
            y += apart
        return signs, rows

    def elsewhere(self, cover: np.ndarray) -> np.ndarray:
        """Words, print, scribbles and blots where the digits' ink (S, S) is not; they may come near it."""
        draw, sheet, other = self.draw, len(cover), np.zeros_like(cover)
        for _ in range(int(draw.choice([0, 0, 1, 2, 5]))):
            high = max(6, round(min(self.height * np.exp(draw.uniform(-1, 0.6)), 0.6 * sheet)))
            x, y = (int(draw.integers(-high // 2, sheet)) for _ in range(2))
            for alpha in self._text(high):
                around = cover[max(0, y - 2) : y + alpha.shape[0] + 2, max(0, x - 2) : x + alpha.shape[1] + 2]
                if around.size == 0 or around.max() < 0.2:
                    Sign(alpha, left=x, top=y).put(other)
                x += alpha.shape[1] + round(high * draw.uniform(0.03, 0.3))
        return other

    def _text(self, height: int) -> list[np.ndarray]:
        """A few signs or words in a row, of one sort."""
        draw, sort = self.draw, self.draw.random()
        if sort < 0.3 and self.words:  # in a word every letter is one, whatever it looks like alone
            font = str(draw.choice(ink.FONTS))
            return [ink.printed(ink.letters(draw), font, height) for _ in range(int(draw.integers(1, 5)))]
        count = int(draw.integers(1, 8))
        if sort < 0.5 and self.words:
            return [self.by_hand(height)[0] for _ in range(int(draw.integers(1, 4)))]
        if sort < 0.57:
            font = str(draw.choice(ink.FONTS))
            return [ink.printed(str(draw.choice(list(ink.LETTERS_ALONE))), font, height) for _ in range(count)]
        if sort < 0.87:
            return [self.hands.other(height, self.pen, draw) for _ in range(count)]
        return [_blot(max(3, height // 3), draw) for _ in range(count)]

    def print(self, sheet: int, cover: np.ndarray) -> np.ndarray:
        """A column of print or of writing, (S, S), where there is no ink of a digit."""
        draw, other, is_print = self.draw, np.zeros_like(cover), self.draw.random() < 0.6
        font, high = str(draw.choice(ink.FONTS)), max(6, round(sheet * np.exp(draw.uniform(-3.5, -2.2))))
        pen = high * draw.uniform(0.05, 0.15)
        left, y, right = draw.uniform(-0.1, 0.4) * sheet, draw.uniform(-0.1, 0.6) * sheet, draw.uniform(0.6, 1) * sheet
        for _ in range(int(draw.integers(2, 9))):
            x = left
            while x < right:
                text = ink.letters(draw)
                if is_print:
                    alpha, drop = ink.printed_standing(text, font, high)
                else:
                    alpha, drop = ink.traced(text, font, high, pen, draw)
                Sign(alpha, left=round(x), top=round(y) + drop).put(other)
                x += alpha.shape[1] + 0.4 * high
            y += high * 1.8
        return other * (camera.blurred(cover, 2) < 0.02)

    def mirrored(self, sheet: int) -> np.ndarray:
        """Lines of writing from the other side of the sheet, (S, S)."""
        shown, draw = np.zeros((sheet, sheet), np.float32), self.draw
        y = draw.uniform(0, 0.6) * sheet
        for _ in range(int(draw.integers(1, 5))):
            x = draw.uniform(0, 0.4) * sheet
            for sign in self._line(int(draw.integers(2, 9)), False, 0.2, 0.1, 0.3):
                sign.left, sign.top = round(x), round(y)
                sign.put(shown)
                x += sign.alpha.shape[1] + 0.2 * self.height
            y += self.height * draw.uniform(1.2, 2)
        return camera.blurred(shown, draw.uniform(0.5, 1.5))[:, ::-1]

    def traces(self, sheet: int) -> np.ndarray:
        """Digits that were rubbed out, or shine through: (S, S)."""
        trace = np.zeros((sheet, sheet), np.float32)
        for _ in range(int(self.draw.integers(1, 5))):
            alpha, _ = self.hands.digit(max(8, round(self.height)), self.pen, self.draw)
            left, top = (int(self.draw.integers(0, sheet)) for _ in range(2))
            Sign(alpha, left=left, top=top).put(trace)
        return camera.blurred(trace, self.draw.uniform(0.5, 2))


def _blot(size: int, draw: np.random.Generator) -> np.ndarray:
    """A blot, a speck or a stain's edge."""
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j].astype(np.float32)
    radius = np.hypot(x, y * draw.uniform(0.5, 2)) + 0.15 * camera.grain(size, 4, draw)
    alpha = ((0.7 - radius) * size / 4).clip(0, 1)
    return alpha * (radius > 0.5) if draw.random() < 0.3 else alpha
