"""Pages with digits on them, composed: what a page reader learns from, with the truth about every digit.

A page has a paper, one or two kinds of lines, rows of digits, other things that are written or printed, and is seen by
a camera. Digits come from MNIST, from the pen of `train.data.strokes`, and from print.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from train.data.pages import camera, furniture, ink
from train.data.pages.furniture import Row

SMALLEST, LARGEST = 10, 200  # pixels that a digit is high
ROOM = 8  # of a page: the sheet is larger by this part, so that it can be turned
CUT = 0.25  # of the pages are cut tightly
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


@dataclass
class _Sign:
    """Ink at a place of the sheet; `label` is None where it is no digit."""

    alpha: np.ndarray
    left: int
    top: int
    label: int | None
    row: int


def compose(
    digits: Sequence[np.ndarray],
    labels: Sequence[int],
    hands: ink.Hands,
    size: int,
    draw: np.random.Generator,
    kind: str | None = None,
    empty: bool | None = None,
) -> Page:
    """One page of `size` pixels on a side.

    Args:
        digits, labels: of MNIST, (28, 28) uint8 each; as many as there is room for are used, and others beside them.
        kind: of lines, one of `furniture.KINDS`; without it any, often two.
        empty: no digits at all; without it one page in twelve.
    """
    kind = kind or str(draw.choice(list(furniture.KINDS)))
    empty = draw.random() < 1 / 12 if empty is None else empty
    sheet = size + 2 * (size // ROOM)
    height = _height(size, kind, draw)
    # A pen for the whole page: from a hair to a felt pen.
    pen = max(0.7, height * np.exp(draw.uniform(np.log(0.03), np.log(0.22))))
    if kind == "plain" and draw.random() < 0.3:
        pen = height * draw.uniform(0.05, 0.35)  # a felt pen
    signs, rows = _writing(digits, labels, hands, sheet, size, height, pen, kind, empty, draw)
    if empty and draw.random() < 0.4:
        signs = []
    page = _seen(signs, rows, hands, sheet, size, height, pen, kind, draw)
    return _cut(page, draw) if len(page.boxes) and draw.random() < CUT else page


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
        return draw.uniform(0.4, 0.9) * size
    return float(np.exp(draw.uniform(np.log(SMALLEST), np.log(largest))))


def _writing(digits, labels, hands, sheet, size, height, pen, kind, empty, draw) -> tuple[list[_Sign], list[Row]]:
    """Rows of signs, one below the other, somewhere on the sheet."""
    edge = (sheet - size) / 2
    gap = height * (draw.uniform(-0.06, 0.35) if draw.random() < 0.75 else draw.uniform(0.3, 2.0))
    lines = 1 if kind == "cell" or height > size / 3 else int(draw.integers(1, 5))
    spacing = height * draw.uniform(1.15, 2.2)
    tight = draw.random() < 0.08
    top = edge + (
        draw.uniform(-0.15, 0.15) * height
        if tight
        else draw.uniform(0, max(1.0, size - height - (lines - 1) * spacing))
    )
    source = draw.choice(3, p=[0.5, 0.35, 0.15])  # MNIST, pen, print: a page is mostly in one hand
    font, weight = str(draw.choice(ink.FONTS)), draw.random()
    slope = draw.normal(0, 0.02)
    others = draw.choice([0.0, 0.0, 0.1, 0.5])  # of the signs between digits that are none
    signs, rows = [], []
    for number in range(lines):
        y = top + number * spacing
        if y + height > edge + size + 0.2 * height:
            break
        most = 1 if kind == "cell" else int(draw.integers(1, 9))
        x, spans = edge + draw.uniform(0, 0.5) * size, []
        if kind == "cell" or most == 1:
            x = edge + size / 2 + size * draw.normal(0, 0.08) - 0.3 * height
        for _ in range(most):
            high = max(6, round(height * draw.uniform(0.85, 1.12)))
            sign = _sign(digits, labels, hands, source, font, weight, high, pen, empty or draw.random() < others, draw)
            if spans and x + sign.alpha.shape[1] > edge + size + 0.1 * height:
                break
            sign.left, sign.row = round(x), number
            sign.top = round(
                y + (height - sign.alpha.shape[0]) / 2 + height * draw.normal(0, 0.04) + slope * (x - sheet / 2)
            )
            signs.append(sign)
            spans.append((x, x + sign.alpha.shape[1]))
            x += sign.alpha.shape[1] + gap + height * draw.uniform(-0.04, 0.08)
        rows.append(Row(tuple(spans), y, height))
    return signs, rows


def _sign(digits, labels, hands, source, font, weight, height, pen, other, draw) -> _Sign:
    if other:
        if draw.random() < 0.1:
            return _Sign(_crossed_out(hands, height, pen, draw), 0, 0, None, 0)
        if source == 2:
            return _Sign(ink.printed(str(draw.choice(list(ink.PRINT))), font, height), 0, 0, None, 0)
        return _Sign(hands.other(height, pen, draw), 0, 0, None, 0)
    if draw.random() < 0.1:
        source = draw.integers(2)
    if source == 0:
        chosen = int(draw.integers(len(digits)))
        return _Sign(ink.enlarged(digits[chosen], height, weight), 0, 0, int(labels[chosen]), 0)
    if source == 1:
        alpha, label = hands.digit(height, pen, draw)
        return _Sign(alpha, 0, 0, label, 0)
    label = int(draw.integers(10))
    return _Sign(ink.printed(str(label), font, height), 0, 0, label, 0)


def _crossed_out(hands, height, pen, draw) -> np.ndarray:
    """A digit with a scribble over it."""
    alpha, _ = hands.digit(height, pen, draw)
    scribble = Image.fromarray(hands.scribble(height, pen, draw)).resize(alpha.shape[::-1])
    return np.maximum(alpha, np.asarray(scribble))


def _seen(signs, rows, hands, sheet, size, height, pen, kind, draw) -> Page:
    """The sheet inked, and the picture of it."""
    paper, tone, contrast = _paper(sheet, draw)
    lines = _lines(rows, sheet, height, pen, kind, draw)
    pixels = paper
    for alpha, strength in lines:
        pixels = pixels + alpha * strength * contrast
    other, cover = np.zeros_like(paper), np.zeros_like(paper)
    for sign in signs:
        _ink(cover if sign.label is not None else other, sign)
    _elsewhere(other, cover, hands, height, pen, draw)
    strength = draw.uniform(0.8, 1.0) if draw.random() < 0.8 else draw.uniform(0.25, 0.8)  # a pencil's
    texture = 1 - (
        draw.uniform(0, 0.4) * abs(camera.grain(sheet, sheet // 2, draw)).clip(0, 1) if draw.random() < 0.3 else 0
    )
    written = np.maximum(cover, other) * strength * texture
    # Ink lies over lines: where it is, the page has its tone.
    pixels = pixels * (1 - written) + (tone + contrast) * written
    for faint in _faint(hands, sheet, height, pen, draw):
        pixels = pixels + faint * contrast
    return _pictured(pixels, cover, signs, sheet, size, height, kind, draw)


def _paper(sheet: int, draw: np.random.Generator) -> tuple[np.ndarray, float, float]:
    """The bare sheet, its tone, and what ink adds to that: less than nothing on light paper."""
    if draw.random() < 0.8:
        tone = draw.uniform(0.75, 1.0) if draw.random() < 0.7 else draw.uniform(0.4, 0.8)
        contrast = -tone * draw.uniform(0.45, 1.0)
    else:
        tone = draw.uniform(0.0, 0.35)
        contrast = (1 - tone) * draw.uniform(0.45, 1.0)
    paper = np.full((sheet, sheet), tone, np.float32)
    if draw.random() < 0.6:
        paper += draw.uniform(0, 0.03) * camera.grain(sheet, int(draw.integers(3, 9)), draw)
        paper += draw.uniform(0, 0.02) * camera.grain(sheet, sheet // 2, draw)
    return paper, tone, contrast


def _lines(rows, sheet, height, pen, kind, draw) -> list[tuple[np.ndarray, float]]:
    """Each kind of lines on the page, and how dark they are beside the ink."""
    names = [kind]
    if kind != "plain" and draw.random() < 0.25:
        names.append(str(draw.choice(list(furniture.KINDS)[1:])))
    found = []
    for name in names:
        if furniture.KINDS[name] is None or not rows:
            continue
        width = draw.uniform(0.5, max(0.8, 0.07 * height)) if draw.random() < 0.8 else pen
        lines = furniture.Lines(sheet, draw, min(width, 12))
        furniture.KINDS[name](lines, rows)
        strength = draw.uniform(0.15, 0.7) if draw.random() < 0.5 else draw.uniform(0.6, 1.0)
        found.append((lines.alpha(), strength))
    return found


def _ink(canvas: np.ndarray, sign: _Sign) -> None:
    """Put a sign onto a canvas, as far as it lies on it."""
    top, left = max(0, sign.top), max(0, sign.left)
    part = sign.alpha[top - sign.top :, left - sign.left :]
    place = canvas[top : top + part.shape[0], left : left + part.shape[1]]
    if place.size:
        np.maximum(place, part[: place.shape[0], : place.shape[1]], out=place)


def _elsewhere(
    other: np.ndarray, cover: np.ndarray, hands: ink.Hands, height: float, pen: float, draw: np.random.Generator
) -> None:
    """Words, print, scribbles and blots, where no digit is; they may come near."""
    sheet = len(other)
    for _ in range(int(draw.choice([0, 0, 1, 2, 5]))):
        high = max(6, round(min(height * np.exp(draw.uniform(-1, 0.6)), 0.6 * sheet)))
        sort = draw.random()
        x, y = (int(draw.integers(-high // 2, sheet)) for _ in range(2))
        font = str(draw.choice(ink.FONTS))
        for _ in range(int(draw.integers(1, 8))):
            if sort < 0.4:
                alpha = ink.printed(str(draw.choice(list(ink.PRINT))), font, high)
            elif sort < 0.85:
                alpha = hands.other(high, pen, draw)
            else:
                alpha = _blot(max(3, high // 3), draw)
            sign = _Sign(alpha, x, y, None, 0)
            around = cover[max(0, y - 2) : y + alpha.shape[0] + 2, max(0, x - 2) : x + alpha.shape[1] + 2]
            if around.size == 0 or around.max() < 0.2:
                _ink(other, sign)
            x += alpha.shape[1] + round(high * draw.uniform(0.03, 0.3))


def _blot(size: int, draw: np.random.Generator) -> np.ndarray:
    """A blot, a speck or a stain's edge."""
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j].astype(np.float32)
    radius = np.hypot(x, y * draw.uniform(0.5, 2)) + 0.15 * camera.grain(size, 4, draw)
    alpha = ((0.7 - radius) * size / 4).clip(0, 1)
    return alpha * (radius > 0.5) if draw.random() < 0.3 else alpha


def _faint(hands, sheet, height, pen, draw):
    """Traces: of what was rubbed out or shines through, smudges, and folds."""
    if draw.random() < 0.12:
        trace = np.zeros((sheet, sheet), np.float32)
        for _ in range(int(draw.integers(1, 5))):
            alpha, _ = hands.digit(max(8, round(height)), pen, draw)
            _ink(trace, _Sign(alpha, *(int(draw.integers(0, sheet)) for _ in range(2)), None, 0))
        yield camera.blurred(trace, draw.uniform(0.5, 2)) * draw.uniform(0.03, 0.1)
    if draw.random() < 0.15:
        yield (camera.grain(sheet, int(draw.integers(3, 12)), draw) - 1).clip(0, 1) * draw.uniform(0.05, 0.4)
    if draw.random() < 0.12:  # a fold: one side is lighter, and its ridge is dark or light
        across = np.linspace(0, 1, sheet, dtype=np.float32) - draw.uniform(0.1, 0.9)
        fold = draw.uniform(-0.1, 0.1) * (across > 0) + draw.uniform(-0.4, 0.4) * np.exp(-(across**2) / 2e-5)
        fold = np.broadcast_to(fold.astype(np.float32), (sheet, sheet))
        yield fold if draw.random() < 0.5 else fold.T


def _pictured(pixels, cover, signs, sheet, size, height, kind, draw) -> Page:
    """The sheet through a camera, and where each digit has come to lie."""
    on_table = kind != "cell" and draw.random() < 0.15
    view = _view(sheet, size, on_table, draw)
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


def _view(sheet: int, size: int, on_table: bool, draw: np.random.Generator) -> np.ndarray:
    """From places on the sheet to places in the picture."""
    corners = np.array([[0, 0], [sheet, 0], [sheet, sheet], [0, sheet]], float)
    edge = (sheet - size) / 2
    if on_table:  # all of the sheet is seen
        inset = size * draw.uniform(0.02, 0.12)
        onto = inset + corners * (size - 2 * inset) / sheet
        return camera.homography(corners, onto + draw.uniform(-inset, inset, (4, 2)))
    onto = corners - edge
    if draw.random() < 0.6:
        angle = np.radians(draw.normal(0, 3))
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        onto = (onto - size / 2) @ turn.T + size / 2 + draw.uniform(-0.3, 0.3, (4, 2)) * edge
    return camera.homography(corners, onto)
