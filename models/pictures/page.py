"""Paper and ink: finding what is written on a drawing, a scan or a photograph of a page."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from PIL import Image, ImageFilter, ImageStat
from scipy.ndimage import binary_erosion, binary_fill_holes, grey_closing, label, uniform_filter
from scipy.spatial import ConvexHull

from models.errors import InputError

WORKING_SIZE = 320  # pixels; a digit needs no more, and a photograph is large
LEAST_CONTRAST = 15  # of 255 between paper and ink; below it a picture counts as blank
VISIBLE = 51  # of 255: the ink that a digit's box is drawn around
COARSE_SIZE = 112  # pixels; enough to find paper, ink and the digit's box
CONNECTED = np.ones((3, 3))  # pixels that touch at a corner belong together
EVEN = 40  # of 255: within such a span lie seven tenths of the edge of an evenly lit page
PAPER_WINDOW = 5  # the longer side by this: wider than a stroke, narrower than a shadow
FULL = 0.8  # of the greatest contrast: from here on it is all ink, as in MNIST, whose strokes are white within
SPECK = 0.03  # of the largest piece's area: less is dust
OVERLAP = 0.3  # of the narrower of two pieces' widths: more, and they are one digit
SHEET = 0.2  # of the picture: a rectangle that is so large is the paper, and around it lies a table
RECTANGULAR = 0.85  # of the smallest rectangle around it: a page fills it, seen from the side too; an 0 does not
SMALL = 28  # pixels: with fewer there is no telling a shadow or a table from ink


def blank() -> InputError:
    """The error for a picture with nothing in it."""
    return InputError("image_blank", "This picture is empty: draw something, or choose another.")


@dataclass(frozen=True)
class Page:
    """A picture whose ink has been found.

    Attributes:
        grey: the picture, 'L', at most `WORKING_SIZE`.
        shades: how much ink each of the 256 greys is, 0 to 255.
        ink: (h, w) numbers the pieces of ink from 1, in the picture reduced by `factor`.
    """

    grey: Image.Image
    shades: list[int]
    ink: np.ndarray
    factor: int

    @classmethod
    def of(cls, image: Image.Image) -> Self:
        """Find the ink in a picture of any mode. Raises InputError when there is none."""
        image = _averageable(image)
        if max(image.size) > WORKING_SIZE:
            image = image.reduce(max(image.size) // WORKING_SIZE)  # without a copy of a large photograph
            image.thumbnail((WORKING_SIZE, WORKING_SIZE), Image.Resampling.BOX)
        grey = _grey(image)
        factor = -(-max(grey.size) // COARSE_SIZE)
        coarse = np.asarray(grey.reduce(factor))
        if paper := _on_a_table(grey, coarse):
            grey = paper
            factor = -(-max(grey.size) // COARSE_SIZE)
            coarse = np.asarray(grey.reduce(factor))
        if flat := _is_unevenly_lit(coarse):
            grey = _flattened(grey)
            coarse = np.asarray(grey.reduce(factor))
        shades = _shades(coarse)
        pieces, _ = label(shades[coarse] > VISIBLE, CONNECTED)
        return cls(grey, shades.tolist(), _without_specks(pieces, edges=flat), factor)


def _averageable(image: Image.Image) -> Image.Image:
    """The picture in a mode whose pixels Pillow can average: bits and palettes it would thin out instead."""
    mode = image.mode
    if mode in ("P", "PA"):
        mode = "RGBA" if image.has_transparency_data else "RGB"
    elif mode.startswith("I;"):
        mode = "I"
    mode = {"1": "L", "La": "LA", "RGBa": "RGBA"}.get(mode, mode)
    return image if mode == image.mode else image.convert(mode)


def _grey(image: Image.Image) -> Image.Image:
    """The picture as 'L'; a transparent one is laid on the paper that its ink stands out from."""
    if image.mode in ("I", "F"):
        values = np.nan_to_num(np.asarray(image, np.float64), posinf=0.0, neginf=0.0)
        low, high = values.min(), values.max()
        # Such files have no agreed white: their range is taken.
        return Image.fromarray(np.uint8(255 * ((values - low) / max(high - low, 1e-6))))
    if image.mode == "LAB":  # which Pillow does not convert; its first channel is the lightness
        return image.getchannel(0)
    if not image.has_transparency_data:
        return image.convert("L")
    image = image.convert("RGBA")
    grey, alpha = image.convert("L"), image.getchannel("A")
    if alpha.getbbox() is None:
        return Image.new("L", image.size)
    paper = Image.new("L", image.size, 255 if ImageStat.Stat(grey, alpha).mean[0] < 128 else 0)
    paper.paste(grey, mask=alpha)
    return paper


def _on_a_table(grey: Image.Image, coarse: np.ndarray) -> Image.Image | None:
    """The page that lies within the picture, what is around it made paper too; None where the picture is the page."""
    differs = abs(coarse - float(np.median(_edge(coarse)))) > EVEN
    if np.count_nonzero(differs) < SHEET * differs.size or min(differs.shape) < SMALL:
        return None
    pieces, _ = label(differs, CONNECTED)
    page = binary_fill_holes(pieces == 1 + np.bincount(pieces.ravel())[1:].argmax())
    # A shadow runs off the picture; a drawing, however thick its strokes, has not the form of a page.
    if _edge(page).any() or page.sum() < max(SHEET * page.size, RECTANGULAR * _rectangle(np.argwhere(page))):
        return None
    inside = binary_erosion(page, iterations=max(2, max(page.shape) // 40))
    if not inside.any() or np.ptp(coarse[inside]) < 2 * LEAST_CONTRAST:  # a blot with nothing on it is no page
        return None
    mask = Image.fromarray(np.uint8(255 * inside)).resize(grey.size, Image.Resampling.NEAREST)
    around = Image.new("L", grey.size, int(np.median(coarse[inside])))
    return Image.composite(grey, around, mask).crop(mask.getbbox())


def _rectangle(points: np.ndarray) -> float:
    """The area of the smallest rectangle, at any angle, around points (n, 2): one of its sides lies on their hull."""
    corners = points[ConvexHull(points).vertices].astype(float)
    sides = np.roll(corners, -1, 0) - corners
    along = sides / np.linalg.norm(sides, axis=1, keepdims=True)
    across = np.stack([-along[:, 1], along[:, 0]], 1)
    return float(((np.ptp(corners @ along.T, 0) + 1) * (np.ptp(corners @ across.T, 0) + 1)).min())


def _is_unevenly_lit(grey: np.ndarray) -> bool:
    edge = np.sort(_edge(grey)).astype(int)
    tenth = len(edge) // 10
    return min(grey.shape) > SMALL and min(np.ptp(edge[: -3 * tenth]), np.ptp(edge[3 * tenth :])) > EVEN


def _flattened(grey: Image.Image) -> Image.Image:
    """Dark ink on white: what the paper's own brightness explains is divided out.

    The brightness of the paper is a morphological closing: it fills whatever is narrower than its window, as strokes
    are, and keeps the edges of shadows, which are wide.
    """
    pixels = np.asarray(grey.filter(ImageFilter.MedianFilter(3)), np.float32) + 1
    local = pixels - uniform_filter(pixels, max(grey.size) // 3)
    if (local**3).sum() > 0:  # the few that stand out are light: chalk on a board
        pixels = 257 - pixels
    paper = grey_closing(pixels, max(grey.size) // PAPER_WINDOW)
    return Image.fromarray(np.uint8(255 * np.clip(pixels / paper, 0, 1)))


def _edge(pixels: np.ndarray) -> np.ndarray:
    return np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])


def _shades(grey: np.ndarray) -> np.ndarray:
    """How much ink each of the 256 greys is, 0 to 255: its distance from the paper, on the side where the ink lies."""
    edge = np.sort(_edge(grey)).astype(int)
    paper = edge[len(edge) // 2]
    darker, lighter = paper - int(grey.min()), int(grey.max()) - paper
    span = max(darker, lighter)
    if span < LEAST_CONTRAST:
        raise blank()
    values = np.arange(256)
    differences = paper - values if span == darker else values - paper
    # The paper's grain is no ink: three times its quartile on the side where no ink is, for ink may reach the edge.
    quartile = edge[3 * len(edge) // 4] - paper if span == darker else paper - edge[len(edge) // 4]
    grain = min(3 * quartile, span / 3)
    return np.uint8(255 * np.clip((differences - grain) / (FULL * span - grain), 0, 1))


def _without_specks(pieces: np.ndarray, edges: bool) -> np.ndarray:
    """Pieces of ink without those far smaller than the largest; with `edges`, without what runs off the picture."""
    areas = np.bincount(pieces.ravel())
    areas[0] = 0
    if len(areas) < 3:
        return pieces
    if edges:
        inside = areas.copy()
        inside[np.unique(_edge(pieces))] = 0
        areas = inside if inside.max() > SPECK * areas.max() else areas
    return np.where(areas[pieces] > SPECK * areas.max(), pieces, 0)


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
    return [np.where(np.isin(pieces, list(numbers)), pieces, 0) for _, _, numbers in merged]
