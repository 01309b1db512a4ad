"""Pages with digits on them, composed: what a page reader learns from, with the truth about every digit.

A page has a paper, one or two kinds of lines, rows of digits, other things that are written or printed, and is seen by
a camera. Digits come from MNIST, from the pen of `train.data.strokes`, and from print.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from train.data.glyphs import LETTERS, SHAPES
from train.data.pages import camera, furniture, ink
from train.data.pages.furniture import Row
from train.data.pages.writing import Sign, Writer

SMALLEST, LARGEST = 10, 200  # pixels that a digit is high
ROOM = 8  # of a page: the sheet is larger by this part, so that it can be turned
PLAIN = (0.13, 0.24)  # of a page's height: that of a digit which can well be seen
EMPTY = 0.2  # of the pages have no digits
# Lines that come more often: they lie in the writing, or so near that they are taken for a part of it.
OFTEN = ("ruled", "squared", "squared", "squared", "dotted", "crossed", "comb", "box", "margin")
ALONE = 0.33  # of the pages hold one number and lines, as people photograph it
MANY, LINES, FULL = (0.045, 0.06), 3, (8, 13)  # the like of many; in so many lines; digits of a line
CUT = 0.25  # of the pages are cut tightly
PRINT, THROUGH = 0.14, 0.08  # of the pages have a column of print or writing; the other side shines through them
LEAST = 0.25  # that ink and paper differ by, before light and camera
SEEN = 0.6  # of a digit's height: with less of it on the page it does not count


@dataclass(frozen=True)
class Page:
    """A picture, and the truth about it.

    Attributes:
        image: (S, S) uint8.
        ink: (S, S) uint8: how much ink of a digit there is.
        boxes: (n, 4) of the digits in reading order: left, top, right, bottom, in pixels.
        labels: (n,).
        rows: (n,): in which line each is.
        kind: of lines.
    """

    image: np.ndarray
    ink: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray
    rows: np.ndarray
    kind: str


def composed(
    images: torch.Tensor,
    labels: torch.Tensor,
    count: int,
    side: int,
    seed: int,
    letters: tuple[str, ...] = (*LETTERS, *SHAPES),
    **given: object,
) -> list[Page]:
    """So many pages with these digits, (N, 1, 28, 28) uint8 or in [0, 1].

    Args:
        letters: which letters and shapes are drawn on them.
        given: for `compose`.
    """
    draw = np.random.default_rng(seed)
    pixels, names = images[:, 0].cpu().numpy(), labels.tolist()
    digits = np.uint8(255 * pixels + 0.5) if images.is_floating_point() else pixels
    hands = ink.Hands(8 * count, draw, letters)
    return [compose(digits, names, hands, side, draw, **given) for _ in range(count)]


def compose(
    digits: Sequence[np.ndarray],
    labels: Sequence[int],
    hands: ink.Hands,
    size: int,
    draw: np.random.Generator,
    kind: str | None = None,
    empty: bool | None = None,
    number: bool = False,
    many: bool = False,
    words: bool = True,
) -> Page:
    """One page of `size` pixels on a side.

    Args:
        digits, labels: of MNIST, (28, 28) uint8 each; as many as there is room for are used, and others beside them.
        kind: of lines, one of `furniture.KINDS`; without it any, often two.
        empty: no digits at all; without it one page in five.
        number: one number of one to four digits of MNIST, well to be seen, and nothing else but lines: to measure with.
        many: the like with three lines of many small digits.
        words: there may be some, in which any letter stands, and marks between digits.
    """
    kind = kind or str(draw.choice([*furniture.KINDS, *OFTEN]))
    empty = draw.random() < EMPTY if empty is None else empty
    number = number or (not empty and not many and draw.random() < ALONE)
    sheet, sober = size + 2 * (size // ROOM), number or many
    height = draw.uniform(*(MANY if many else PLAIN)) * size if sober else _height(size, kind, draw)
    writer = Writer(digits, labels, hands, height, draw, sober, words)
    if many:
        signs, rows = writer.numbers(sheet, size, LINES, FULL)
    else:
        signs, rows = writer.numbers(sheet, size) if number else writer.rows(sheet, size, kind, empty)
    if empty and draw.random() < 0.25:
        signs = []  # the lines alone
    pixels, cover = _inked(writer, signs, rows, sheet, kind, draw)
    page = _pictured(pixels, cover, signs, size, height, kind, draw)
    return _cut(page, draw) if len(page.boxes) and not sober and draw.random() < CUT else page


def _cut(page: Page, draw: np.random.Generator) -> Page:
    """A smaller picture cut out of a page, around its digits, some so tightly that they touch its edges.

    What is cut off becomes as bright as the rest is on average, as a network fills up a picture.
    """
    size, height = len(page.image), np.median(page.boxes[:, 3] - page.boxes[:, 1])
    margins = height * draw.choice([draw.uniform(-0.05, 0.1, 4), draw.uniform(-0.1, 0.6, 4)])
    low, high = page.boxes[:, :2].min(0) - margins[:2], page.boxes[:, 2:].max(0) + margins[2:]
    (left, top), (right, bottom) = low.round().astype(int).clip(0, size - 8), high.round().astype(int).clip(8, size)
    inside = np.s_[top:bottom, left:right]
    image, ink = np.full_like(page.image, page.image[inside].mean()), np.zeros_like(page.ink)
    image[inside], ink[inside] = page.image[inside], page.ink[inside]
    edges = np.array([left, top, right, bottom], np.float32)
    boxes = np.clip(page.boxes, edges[[0, 1, 0, 1]], edges[[2, 3, 2, 3]])
    seen = np.prod(boxes[:, 2:] - boxes[:, :2], 1) >= SEEN * np.prod(page.boxes[:, 2:] - page.boxes[:, :2], 1)
    return Page(image, ink, boxes[seen], page.labels[seen], page.rows[seen], page.kind)


def _height(size: int, kind: str, draw: np.random.Generator) -> float:
    largest = min(LARGEST, 0.95 * size)
    if kind == "cell":
        return draw.uniform(0.4, 0.98) * size
    return float(np.exp(draw.uniform(np.log(SMALLEST), np.log(largest))))


def _inked(
    writer: Writer, signs: list[Sign], rows: list[Row], sheet: int, kind: str, draw: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The sheet (S, S) with everything on it, and the ink of its digits."""
    pixels, tone, contrast = _paper(sheet, draw)
    for alpha, strength in _lines(rows, sheet, writer, kind, draw):
        pixels = pixels + alpha * strength * contrast
    other, cover = np.zeros_like(pixels), np.zeros_like(pixels)
    for sign in signs:
        sign.put(other if sign.label is None else cover)
    if not writer.sober:
        other = np.maximum(other, writer.elsewhere(cover))
        if writer.words and draw.random() < PRINT:
            other = np.maximum(other, writer.print(sheet, cover))
    strength = draw.uniform(0.8, 1.0) if writer.sober or draw.random() < 0.7 else draw.uniform(0.2, 0.8)  # a pencil's
    written = np.maximum(cover, other) * strength
    if draw.random() < 0.3:
        written = written * (1 - draw.uniform(0, 0.4) * abs(camera.grain(sheet, sheet // 2, draw)).clip(0, 1))
    # Ink lies over lines: where it is, the page has its tone.
    pixels = pixels * (1 - written) + (tone + contrast) * written
    for faint in () if writer.sober else _faint(sheet, writer, draw):
        pixels = pixels + faint * contrast
    return pixels, cover


def _paper(sheet: int, draw: np.random.Generator) -> tuple[np.ndarray, float, float]:
    """The bare sheet, its tone, and what ink adds to that: less than nothing on light paper."""
    if draw.random() < 0.8:
        tone = draw.uniform(0.75, 1.0) if draw.random() < 0.7 else draw.uniform(0.4, 0.8)
        contrast = -max(LEAST, tone * draw.uniform(0.45, 1.0))
    else:
        tone = draw.uniform(0.0, 0.35)
        contrast = (1 - tone) * draw.uniform(0.45, 1.0)
    paper = np.full((sheet, sheet), tone, np.float32)
    if draw.random() < 0.6:
        paper += draw.uniform(0, 0.03) * camera.grain(sheet, int(draw.integers(3, 9)), draw)
        paper += draw.uniform(0, 0.02) * camera.grain(sheet, sheet // 2, draw)
    return paper, tone, contrast


def _lines(
    rows: list[Row], sheet: int, writer: Writer, kind: str, draw: np.random.Generator
) -> list[tuple[np.ndarray, float]]:
    """Each kind of lines on the page, and how dark they are beside the ink."""
    names = [kind]
    if kind != "plain" and draw.random() < 0.25:
        names.append(str(draw.choice(list(furniture.KINDS)[1:])))
    found = []
    for name in names:
        if furniture.KINDS[name] is None or not rows:
            continue
        width = draw.uniform(0.5, max(0.8, 0.07 * writer.height)) if draw.random() < 0.8 else writer.pen
        lines = furniture.Lines(sheet, draw, min(width, 12))
        furniture.KINDS[name](lines, rows)
        strength = draw.uniform(0.15, 0.7) if draw.random() < 0.5 else draw.uniform(0.6, 1.0)
        found.append((lines.alpha(), strength))
    return found


def _faint(sheet: int, writer: Writer, draw: np.random.Generator) -> Iterator[np.ndarray]:
    """Traces: of what was rubbed out or shines through, smudges, and folds."""
    if draw.random() < 0.12:
        yield writer.traces(sheet) * draw.uniform(0.03, 0.1)
    if writer.words and draw.random() < THROUGH:
        yield writer.mirrored(sheet) * draw.uniform(0.05, 0.22)
    if draw.random() < 0.15:
        yield (camera.grain(sheet, int(draw.integers(3, 12)), draw) - 1).clip(0, 1) * draw.uniform(0.05, 0.4)
    if draw.random() < 0.12:  # a fold: one side is lighter, and its ridge is dark or light
        across = np.linspace(0, 1, sheet, dtype=np.float32) - draw.uniform(0.1, 0.9)
        fold = draw.uniform(-0.1, 0.1) * (across > 0) + draw.uniform(-0.4, 0.4) * np.exp(-(across**2) / 2e-5)
        fold = np.broadcast_to(fold.astype(np.float32), (sheet, sheet))
        yield fold if draw.random() < 0.5 else fold.T


def _pictured(
    pixels: np.ndarray,
    cover: np.ndarray,
    signs: list[Sign],
    size: int,
    height: float,
    kind: str,
    draw: np.random.Generator,
) -> Page:
    """The sheet through a camera, and where each digit has come to lie."""
    on_table = kind != "cell" and draw.random() < 0.15
    view = camera.view(len(pixels), size, on_table, draw)
    image, mask = camera.warped(pixels, view, size), camera.warped(cover, view, size)
    if on_table:
        there = camera.warped(np.ones_like(pixels), view, size)
        tone = draw.uniform(0, 1)
        table = tone + 0.05 * camera.grain(size, int(draw.integers(3, 40)), draw)
        image = image * there + table * (1 - there)
    boxes, labels, rows = [], [], []
    for sign in signs:
        if sign.label is None:
            continue
        points = np.argwhere(sign.alpha > 0.3)[:, ::-1] + (sign.left + 0.5, sign.top + 0.5)
        if not len(points):
            continue
        found = camera.seen(points, view)
        inside = ((found >= 0) & (found < size)).all(1)
        if inside.mean() < SEEN:
            continue
        found = found[inside]
        half = 0.5 * np.linalg.norm(view[0, :2] / view[2, 2])
        boxes.append([*(found.min(0) - half).clip(0), *(found.max(0) + half).clip(max=size)])
        labels.append(sign.label)
        rows.append(sign.row)
    finest = min((box[3] - box[1] for box in boxes), default=height)
    image = camera.photograph(image.astype(np.float32), finest, draw)
    return Page(
        image,
        np.uint8(255 * mask.clip(0, 1) + 0.5),
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(labels, np.int64),
        np.array(rows, np.int64),
        kind,
    )
