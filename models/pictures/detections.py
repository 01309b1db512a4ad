"""From the maps of a page reader to digits: their places, and which ink belongs to which."""

from dataclasses import dataclass

import torch
from torch.nn.functional import max_pool2d

PLACE = 4  # pixels on a side of a place of the heat map
LIKELY = 0.35  # from here on a peak of the heat map is a digit
OVERLAP = 0.45  # of two boxes, intersection over union: more, and they are one digit found twice
WITHIN = 0.75  # of the smaller box's area: it is a part of the larger digit


@dataclass(frozen=True)
class Detection:
    """A digit: how likely it is one, and its box, left, top, right, bottom in pixels."""

    share: float
    box: tuple[float, float, float, float]


def detections(heat: torch.Tensor, boxes: torch.Tensor, likely: float = LIKELY) -> list[Detection]:
    """The digits of one page by its maps (1, h, w) and (4, h, w), the likeliest first, each of them once."""
    share = heat.float().sigmoid()
    peaks = (share == max_pool2d(share[None], 3, 1, 1)[0]) & (share > likely)
    rows, columns = peaks[0].nonzero(as_tuple=True)
    x, y, width, height = boxes[:, rows, columns].float()
    x, y = columns + 0.5 + x, rows + 0.5 + y
    width, height = width.clamp(max=8).exp(), height.clamp(max=8).exp()
    sides = PLACE * torch.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], 1)
    found = [
        Detection(one, tuple(box)) for one, box in zip(share[0, rows, columns].tolist(), sides.tolist(), strict=True)
    ]
    return once(found)


def once(found: list[Detection]) -> list[Detection]:
    """Without those that are another's, or part of another that is as likely."""
    kept: list[Detection] = []
    for one in sorted(found, key=lambda one: -one.share):
        if not any(_same(one.box, other.box) for other in kept):
            kept.append(one)
    return kept


def _same(box: tuple[float, ...], other: tuple[float, ...]) -> bool:
    common = _area((max(box[0], other[0]), max(box[1], other[1]), min(box[2], other[2]), min(box[3], other[3])))
    one, two = _area(box), _area(other)
    return common > OVERLAP * (one + two - common) or common > WITHIN * min(one, two)


def overlap(box: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Intersection over union."""
    common = _area((max(box[0], other[0]), max(box[1], other[1]), min(box[2], other[2]), min(box[3], other[3])))
    return common / max(_area(box) + _area(other) - common, 1e-9)


def _area(box: tuple[float, ...]) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])
