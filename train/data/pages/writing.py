"""Who writes what on a page: rows of digits, and what is none between them and elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from train.data.pages import camera, ink
from train.data.pages.furniture import Row

MNIST, PEN, PRINT = range(3)


@dataclass
class Sign:
    """Ink (h, w) at a place of the sheet; `label` is None where it is no digit; `row` in which it stands."""

    alpha: np.ndarray
    label: int | None = None
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
        words: it may print some.
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
        self.source = MNIST if sober else draw.choice([MNIST, PEN, PRINT], p=[0.5, 0.37, 0.13])
        self.felt = 0 if sober or draw.random() < 0.85 else draw.uniform(0.04, 0.25)
        self.font, self.weight = str(draw.choice(ink.FONTS)), draw.random()
        self.uneven = draw.uniform(0.05, 0.2) if sober or draw.random() < 0.7 else draw.uniform(0.2, 0.5)

    def size(self) -> int:
        """A height in pixels, about as large as the others."""
        return max(6, round(self.height * self.draw.uniform(1 - self.uneven, 1 + self.uneven / 2)))

    def digit(self) -> Sign:
        source = self.draw.choice([MNIST, PEN]) if not self.sober and self.draw.random() < 0.1 else self.source
        if source == MNIST:
            chosen = int(self.draw.integers(len(self.digits)))
            alpha = ink.enlarged(self.digits[chosen], self.size(), self.weight)
            wider = round(self.felt * self.height)
            return Sign(ink.swollen(alpha, wider) if wider else alpha, int(self.labels[chosen]))
        if source == PEN:
            return Sign(*self.hands.digit(self.size(), self.pen, self.draw))
        label = int(self.draw.integers(10))
        return Sign(ink.printed(str(label), self.font, self.size()), label)

    def other(self) -> Sign:
        """What is no digit, where one could stand: a letter, a shape, a scribble, a digit that is crossed out."""
        if self.draw.random() < 0.1:
            alpha, _ = self.hands.digit(self.size(), self.pen, self.draw)
            scribble = Image.fromarray(self.hands.scribble(self.size(), self.pen, self.draw))
            return Sign(np.maximum(alpha, np.asarray(scribble.resize(alpha.shape[::-1]))))
        if self.source == PRINT:
            return Sign(ink.printed(str(self.draw.choice(list(ink.LETTERS_ALONE))), self.font, self.size()))
        return Sign(self.hands.other(self.size(), self.pen, self.draw))

    def rows(self, sheet: int, size: int, kind: str, empty: bool) -> tuple[list[Sign], list[Row]]:
        """Rows of signs, one below the other, somewhere on the sheet; `size` is what of it is seen."""
        draw, height, edge = self.draw, self.height, (sheet - size) / 2
        gap = height * (draw.uniform(-0.06, 0.35) if draw.random() < 0.75 else draw.uniform(0.3, 2.0))
        lines = 1 if kind == "cell" or height > size / 3 else int(draw.integers(1, 5))
        spacing, slope = height * draw.uniform(1.15, 2.2), draw.normal(0, 0.02)
        free = max(1.0, size - height - (lines - 1) * spacing)
        top = edge + (draw.uniform(-0.15, 0.15) * height if draw.random() < 0.08 else draw.uniform(0, free))
        others = draw.choice([0.0, 0.0, 0.1, 0.5])  # of the signs between digits that are none
        signs, rows = [], []
        for number in range(lines):
            y = top + number * spacing
            if y + height > edge + size + 0.2 * height:
                break
            most = 1 if kind == "cell" else int(draw.integers(1, 9))
            alone = edge + size / 2 + size * draw.normal(0, 0.08) - 0.3 * height
            x, spans = alone if most == 1 else edge + draw.uniform(0, 0.5) * size, []
            for _ in range(most):
                sign = self.other() if empty or draw.random() < others else self.digit()
                high, wide = sign.alpha.shape
                if spans and x + wide > edge + size + 0.1 * height:
                    break
                away = (height - high) / 2 + height * draw.normal(0, 0.04) + slope * (x - sheet / 2)
                sign.left, sign.top, sign.row = round(x), round(y + away), number
                signs.append(sign)
                spans.append((x, x + wide))
                x += wide + gap + height * draw.uniform(-0.04, 0.08)
            rows.append(Row(tuple(spans), y, height))
        return signs, rows

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
            while (wide := sum(sign.alpha.shape[1] + gap for sign in line) - gap) > 0.9 * size:
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
            return [ink.word(str(draw.choice(ink.FONTS)), height, draw) for _ in range(int(draw.integers(1, 5)))]
        count = int(draw.integers(1, 8))
        if sort < 0.45:
            font = str(draw.choice(ink.FONTS))
            return [ink.printed(str(draw.choice(list(ink.LETTERS_ALONE))), font, height) for _ in range(count)]
        if sort < 0.85:
            return [self.hands.other(height, self.pen, draw) for _ in range(count)]
        return [_blot(max(3, height // 3), draw) for _ in range(count)]

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
