"""From the maps of a page reader to digits: their places, whose ink is whose, and in which order they are read."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import max_pool2d

from models.pictures.mnist import LEAST_CONTRAST

PLACE = 4  # pixels on a side of a place of the heat map
LIKELY = 0.25  # from here on a peak of the heat map is a digit
OVERLAP = 0.45  # of two boxes, intersection over union: more, and they are one digit found twice
WITHIN = 0.75  # of the smaller box's area: it is a part of the larger digit
BEYOND = 1.8  # times its box: ink that lies further away is not a digit's
SEARCHED = 0.8  # of a digit's longer side, around its box: there what hangs together with its ink is looked for
# Of a piece in the picture so much is known to be a digit's ink, and the rest is so likely ink on average, or it is a
# line or a frame that touches the digit.
KNOWN, HINTED = 0.33, 0.05
BESIDE, FEW = 2.5, 3  # heights to the digits beside a digit; of fewer such pairs nobody knows how a row leans
LEVEL = 0.02  # down for each pixel to the right: rows that lean less are read as they are
MOSTLY = 0.85  # of a piece of ink: it is all of that digit, whatever lies near another

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Detection:
    """A digit: how likely it is one, and its box, left, top, right, bottom in pixels."""

    share: float
    box: Box


def detections(heat: torch.Tensor, boxes: torch.Tensor, likely: float = LIKELY) -> list[Detection]:
    """The digits of one page by its maps (1, h, w) and (4, h, w), the likeliest first, each of them once."""
    share = heat.float().sigmoid()
    peaks = (share == max_pool2d(share[None], 3, 1, 1)[0]) & (share > likely)
    rows, columns = peaks[0].nonzero(as_tuple=True)
    x, y, width, height = boxes[:, rows, columns].float()
    x, y = columns + 0.5 + x, rows + 0.5 + y
    width, height = width.clamp(max=8).exp(), height.clamp(max=8).exp()
    sides = PLACE * torch.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], 1)
    found = zip(share[0, rows, columns].tolist(), sides.tolist(), strict=True)
    return once([Detection(one, tuple(box)) for one, box in found])


def once(found: Sequence[Detection]) -> list[Detection]:
    """The likeliest first, without those that are another's, or a part of one that is likelier or around it."""
    ranked = sorted(found, key=lambda one: -one.share)
    boxes, left = np.array([one.box for one in ranked]), np.ones(len(ranked), bool)
    for index in range(len(ranked)):
        if left[index]:
            left[index + 1 :] &= ~same(boxes[index], boxes[index + 1 :])
    return [one for one, is_left in zip(ranked, left, strict=True) if is_left]


def same(box: Box, others: Sequence[Box]) -> np.ndarray:
    """Which (n,) are of the same digit: those that it lies so much over, and those that lie in it or around it."""
    theirs = np.reshape(others, (-1, 4))
    common, areas = _common(box, theirs), _area(theirs)
    return (common > OVERLAP * (_area(box) + areas - common)) | (common > WITHIN * np.minimum(_area(box), areas))


def overlap(box: Box, other: Box) -> float:
    """Intersection over union."""
    common = _common(box, other)
    return float(common / max(_area(box) + _area(other) - common, 1e-9))


def _common(box: Box, others: np.ndarray) -> np.ndarray:
    """The area that a box has in common with each of (..., 4)."""
    own, theirs = np.asarray(box), np.asarray(others)
    low, high = np.maximum(own[:2], theirs[..., :2]), np.minimum(own[2:], theirs[..., 2:])
    return (high - low).clip(0).prod(-1)


def _area(boxes: np.ndarray) -> np.ndarray:
    return (np.asarray(boxes)[..., 2:] - np.asarray(boxes)[..., :2]).clip(0).prod(-1)


def owners(ink: np.ndarray, boxes: Sequence[Box]) -> np.ndarray:
    """Whose the ink (h, w), bool, is: 0 for nobody, else 1 for the first box and so on; boxes in its pixels.

    A pixel belongs to the box that it lies nearest to, as measured by that box's sides; a piece of ink that is one
    digit's for the most part is all its.
    """
    from scipy.ndimage import label  # every command of the training imports this module

    owner, nearest = np.zeros(ink.shape, np.int32), np.full(ink.shape, BEYOND, np.float32)
    for number, (left, top, right, bottom) in enumerate(boxes, 1):
        middle, half = ((left + right) / 2, (top + bottom) / 2), ((right - left) / 2 + 1, (bottom - top) / 2 + 1)
        rows, columns = (
            slice(max(0, int(centre - BEYOND * reach)), int(centre + BEYOND * reach) + 2)
            for centre, reach in zip(middle[::-1], half[::-1], strict=True)
        )
        place = nearest[rows, columns]
        y, x = np.ogrid[rows.start : rows.start + place.shape[0], columns.start : columns.start + place.shape[1]]
        away = np.maximum(abs(x + 0.5 - middle[0]) / half[0], abs(y + 0.5 - middle[1]) / half[1])
        closer = away < place
        place[closer] = away[closer]
        owner[rows, columns][closer] = number
    owner[~ink] = 0
    pieces, count = label(ink, np.ones((3, 3)))
    if not boxes or not count:
        return owner
    shares = np.zeros((count + 1, len(boxes) + 1), np.int64)
    np.add.at(shares, (pieces[ink], owner[ink]), 1)
    most = shares[:, 1:].argmax(1) + 1
    is_one = shares[np.arange(count + 1), most] > MOSTLY * shares[:, 1:].sum(1)
    return np.where(ink & is_one[pieces] & (owner > 0), most[pieces], owner)


def window(box: Box, reach: float) -> tuple[slice, slice]:
    """Rows and columns of a box, and so much around it."""
    left, top, right, bottom = box
    return tuple(slice(max(0, int(low - reach)), int(high + reach) + 1) for low, high in ((top, bottom), (left, right)))


def whole(tones: np.ndarray, ink: np.ndarray, owner: np.ndarray, boxes: Sequence[Box], inked: float) -> np.ndarray:
    """The ink (h, w), with what hangs together with a digit's in the picture itself, such as the faint part of a thin
    stroke; `owner` gets it, too. Of lines and frames, most is known to be no digit's.

    Args:
        tones: the picture, (h, w), 0-255.
        ink: how likely each place is ink.
        owner: whose it is, as `owners` gives it.
        inked: from here on a place is ink, as likely and as dark as that.
    """
    ink = ink.copy()
    for number, box in enumerate(boxes, 1):
        side = max(box[2] - box[0], box[3] - box[1])
        place = window(box, SEARCHED * side)
        whose, seen = owner[place], tones[place]
        own = whose == number
        if not own.any() or whose.all():
            continue
        paper, pen = float(np.median(seen[whose == 0])), float(np.median(seen[own]))
        if abs(pen - paper) < LEAST_CONTRAST:
            continue
        strength = (seen - paper) / (pen - paper)
        more = hanging_together(strength > inked, own, (whose > 0) & ~own, ink[place]) & ~own
        whose[more] = number
        ink[place][more] = np.maximum(ink[place][more], strength[more].clip(0, 1))
    return ink


def hanging_together(dark: np.ndarray, own: np.ndarray, others: np.ndarray, ink: np.ndarray) -> np.ndarray:
    """Which dark places (h, w) are of a piece that is own ink for a good part, is likely enough `ink` in the rest, has
    none of others, and ends inside."""
    from scipy.ndimage import label

    pieces, count = label(dark, np.ones((3, 3)))
    rest = pieces * ~own
    size, known, unknown = (np.bincount(part.ravel(), minlength=count + 1) for part in (pieces, pieces[own], rest))
    hinted = np.bincount(rest.ravel(), ink.ravel(), count + 1)
    is_own = (known >= KNOWN * size) & (hinted >= HINTED * unknown)
    is_own[np.concatenate([[0], pieces[others], pieces[0], pieces[-1], pieces[:, 0], pieces[:, -1]])] = False
    return is_own[pieces]


def reading_order(boxes: Sequence[Box]) -> list[tuple[int, int]]:
    """(row, index) of each box, row by row from the top, each from left to right; rows may lean."""
    boxes = _sheared(boxes, _lean(boxes))
    rows = sorted(_rows(boxes), key=lambda row: np.mean([boxes[index][1] + boxes[index][3] for index in row]))
    return [(number, index) for number, row in enumerate(rows) for index in row]


def _lean(boxes: Sequence[Box]) -> float:
    """How far rows go down for each pixel to the right; 0 where that is so little that it parts none."""
    sides = np.array(boxes, np.float64).reshape(-1, 4)
    middles, heights = (sides[:, :2] + sides[:, 2:]) / 2, sides[:, 3] - sides[:, 1]
    right, down = np.moveaxis(middles[None] - middles[:, None], 2, 0)
    beside = (right > 0) & (right < BESIDE * heights[:, None])
    beside &= np.abs(down) < np.maximum(heights[:, None], heights) / 2
    if beside.sum() < FEW:
        return 0.0
    rough = float(np.median(down[beside] / right[beside]))
    if abs(rough) < LEVEL:
        return 0.0
    # Whole rows say it more exactly than neighbours: the slope of all their least squares together.
    level = _sheared(boxes, rough)
    apart = np.concatenate([middles[row] - middles[row].mean(0) for row in map(np.array, _rows(level))])
    return float((apart[:, 0] * apart[:, 1]).sum() / (apart[:, 0] ** 2).sum())


def _sheared(boxes: Sequence[Box], lean: float) -> list[Box]:
    """The boxes where they would stand if rows that lean so were level."""
    return [(x0, y0 - lean * (x0 + x1) / 2, x1, y1 - lean * (x0 + x1) / 2) for x0, y0, x1, y1 in boxes]


def _rows(boxes: Sequence[Box]) -> list[list[int]]:
    """Which boxes stand in a row, each from left to right: what begins least above or below the end of one goes on."""
    rows: list[list[int]] = []
    for index in sorted(range(len(boxes)), key=lambda index: boxes[index][0] + boxes[index][2]):
        near = [(away, row) for row in rows if (away := _away(boxes[row[-1]], boxes[index])) < 1]
        if near:
            min(near, key=lambda one: one[0])[1].append(index)
        else:
            rows.append([index])
    return rows


def _away(box: Box, other: Box) -> float:
    """How far two middles lie above one another, in halves of the larger height."""
    return abs(box[1] + box[3] - other[1] - other[3]) / max(box[3] - box[1], other[3] - other[1], 1e-6)
