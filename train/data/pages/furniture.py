"""What is on a page besides writing: rules, squares, margins, boxes, combs, cells, folds; each as an alpha (S, S)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

FINE = 2  # lines are drawn so many times larger than they will be


@dataclass(frozen=True)
class Row:
    """A line of writing: where each sign begins and ends, (left, right), the row's top and its height, in pixels."""

    spans: tuple[tuple[float, float], ...]
    top: float
    height: float

    @property
    def left(self) -> float:
        return self.spans[0][0]

    @property
    def right(self) -> float:
        return self.spans[-1][1]

    @property
    def bottom(self) -> float:
        return self.top + self.height


class Lines:
    """A canvas for lines, in pixels of the page."""

    def __init__(self, size: int, draw: np.random.Generator, width: float):
        self.size, self.draw, self.width = size, draw, width
        self.canvas = Image.new("L", (FINE * size, FINE * size))
        self.pencil = ImageDraw.Draw(self.canvas)

    def line(self, x: float, y: float, x_end: float, y_end: float, width: float | None = None) -> None:
        """A straight line; without `width` in that of the canvas."""
        ends = [FINE * side for side in (x, y, x_end, y_end)]
        self.pencil.line(ends, fill=255, width=max(1, round(FINE * (width or self.width))))

    def across(self, y: float, left: float = -1, right: float | None = None) -> None:
        """A horizontal line, over the whole page unless told."""
        self.line(left, y, self.size if right is None else right, y)

    def down(self, x: float, top: float = -1, bottom: float | None = None) -> None:
        """A vertical line, over the whole page unless told."""
        self.line(x, top, x, self.size if bottom is None else bottom)

    def alpha(self) -> np.ndarray:
        return np.asarray(self.canvas.reduce(FINE), np.float32) / 255


def _spaced(start: float, step: float, size: int) -> np.ndarray:
    return np.arange(start % step, size, step)


def ruled(lines: Lines, rows: Sequence[Row]) -> None:
    """Lines to write on, which some write on and some across."""
    row = rows[0]
    step = max(7.0, row.height * lines.draw.uniform(0.7, 2.2))
    start = row.bottom + row.height * (
        lines.draw.normal(0, 0.06) if lines.draw.random() < 0.5 else lines.draw.uniform(0, 2)
    )
    for y in _spaced(start, step, lines.size):
        lines.across(y)


def squared(lines: Lines, rows: Sequence[Row]) -> None:
    """Squares, from a quarter of a digit to more than one."""
    step = max(5.0, rows[0].height * lines.draw.uniform(0.25, 1.4))
    for place in _spaced(lines.draw.uniform(0, step), step, lines.size):
        lines.across(place)
    for place in _spaced(lines.draw.uniform(0, step), step, lines.size):
        lines.down(place)


def dotted(lines: Lines, rows: Sequence[Row]) -> None:
    """A grid of dots."""
    step = max(6.0, rows[0].height * lines.draw.uniform(0.3, 1.2))
    radius = max(0.6, lines.width / 2)
    for y in _spaced(lines.draw.uniform(0, step), step, lines.size):
        for x in _spaced(lines.draw.uniform(0, step), step, lines.size):
            lines.pencil.ellipse(
                [FINE * (x - radius), FINE * (y - radius), FINE * (x + radius), FINE * (y + radius)], fill=255
            )


def margin(lines: Lines, rows: Sequence[Row]) -> None:
    """A line, or two, down one side of the writing."""
    row, draw = rows[0], lines.draw
    gap = row.height * draw.uniform(0.05, 1.2)
    x = row.left - gap if draw.random() < 0.7 else row.right + gap
    lines.down(x)
    if draw.random() < 0.25:
        lines.down(x - max(3.0, 3 * lines.width))


def box(lines: Lines, rows: Sequence[Row]) -> None:
    """A frame around each row."""
    for row in rows:
        pad = [row.height * lines.draw.uniform(-0.02, 0.5) for _ in range(4)]
        left, top, right, bottom = row.left - pad[0], row.top - pad[1], row.right + pad[2], row.bottom + pad[3]
        for y in (top, bottom):
            lines.across(y, left, right)
        for x in (left, right):
            lines.down(x, top, bottom)


def _between(row: Row) -> list[float]:
    """The middles between the signs of a row, and the ends."""
    inner = [(one[1] + other[0]) / 2 for one, other in zip(row.spans, row.spans[1:], strict=False)]
    pad = max(2.0, 0.15 * row.height)
    return [row.left - pad, *inner, row.right + pad]


def comb(lines: Lines, rows: Sequence[Row]) -> None:
    """A form's comb: a line below, teeth between the digits."""
    for row in rows:
        places, bottom = _between(row), row.bottom + row.height * lines.draw.uniform(-0.03, 0.3)
        tooth = row.height * lines.draw.uniform(0.2, 1.4)
        lines.across(bottom, places[0], places[-1])
        for x in places:
            lines.down(x, bottom - tooth, bottom)
        if lines.draw.random() < 0.2:
            lines.across(bottom - tooth, places[0], places[-1])


def cells(lines: Lines, rows: Sequence[Row]) -> None:
    """A grid with a cell for each digit, some of its lines thick; the cells go on around them."""
    draw, row = lines.draw, rows[0]
    places = _between(row)
    step = float(np.mean(np.diff(places))) if len(places) > 2 else max(places[-1] - places[0], row.height * 1.2)
    xs = [*_more(places[0], -step, lines.size), *places, *_more(places[-1], step, lines.size)]
    high = row.height * draw.uniform(0.05, 0.5), row.height * draw.uniform(0.05, 0.5)
    top, bottom = row.top - high[0], row.bottom + high[1]
    ys = [*_more(top, top - bottom, lines.size), top, bottom, *_more(bottom, bottom - top, lines.size)]
    whole = draw.random() < 0.7
    thick = lines.width * draw.uniform(1, 3)
    for x in xs if whole else places:
        edges = (-1, lines.size) if whole else (top, bottom)
        lines.line(x, edges[0], x, edges[1], thick if draw.random() < 0.25 else None)
    for y in ys if whole else (top, bottom):
        edges = (-1, lines.size) if whole else (places[0], places[-1])
        lines.line(edges[0], y, edges[1], y, thick if draw.random() < 0.25 else None)


def _more(start: float, step: float, size: int) -> list[float]:
    return [start + step * number for number in range(1, 12) if 0 <= start + step * number <= size]


def cell(lines: Lines, rows: Sequence[Row]) -> None:
    """One cell, cut out of a grid anywhere: its lines lie along the edges of the picture, or are cut off."""
    draw, size = lines.draw, lines.size
    for side in range(4):
        if draw.random() < 0.3:
            continue
        width = size * draw.choice([draw.uniform(0.005, 0.03), draw.uniform(0.02, 0.12)])
        place, slope = size * draw.uniform(-0.02, 0.13), size * draw.normal(0, 0.01)
        if side >= 2:
            place = size - place
        if side % 2:
            lines.line(place - slope, -1, place + slope, size, width)
        else:
            lines.line(-1, place - slope, size, place + slope, width)


def baseline(lines: Lines, rows: Sequence[Row]) -> None:
    """A line to write on, below each row."""
    for row in rows:
        y = row.bottom + row.height * lines.draw.uniform(-0.1, 0.2)
        ends = row.height * lines.draw.uniform(-0.1, 1.5, 2)
        lines.across(y, row.left - ends[0], row.right + ends[1])


def crossed(lines: Lines, rows: Sequence[Row]) -> None:
    """A line across the writing: a rule that ignores it, a fold, a crack."""
    draw = lines.draw
    for row in rows:
        middle, slope = row.top + row.height * draw.uniform(0.1, 0.9), draw.normal(0, 0.05)
        reach = lines.size if draw.random() < 0.6 else row.height
        left, right = row.left - reach, row.right + reach
        lines.line(left, middle - slope * (right - left) / 2, right, middle + slope * (right - left) / 2)
    if draw.random() < 0.3:
        lines.down(draw.uniform(rows[0].left, rows[0].right))


KINDS: dict[str, Callable[[Lines, Sequence[Row]], None] | None] = {
    "plain": None,
    "ruled": ruled,
    "squared": squared,
    "dotted": dotted,
    "margin": margin,
    "box": box,
    "comb": comb,
    "cells": cells,
    "cell": cell,
    "baseline": baseline,
    "crossed": crossed,
}
