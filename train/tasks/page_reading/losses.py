"""What a page reader's loss is made of: where centres, boxes and ink should be, and how much each counts."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, l1_loss, logsigmoid

from models.pictures.detections import PLACE

if TYPE_CHECKING:
    from train.data.pages import Page

BOX_WEIGHT, INK_WEIGHT = 0.5, 10.0  # beside the heat map's loss
# What a digit's ink and all around it count in sum, in places of half of the page's size, beside 1 for each place: so
# that small digits are learned as well as large ones. A single place counts so much more at most.
EVENLY, AROUND, MOST = 1000.0, 0.25, 8.0
SPREAD = 9  # of a digit's side: the deviation of its hill on the heat map is that part


def halved(ink: np.ndarray) -> torch.Tensor:
    """(S, S) uint8 -> (S / 2, S / 2) in [0, 1]: the most of each two by two, so that a hair is ink as well."""
    height, width = ink.shape
    return torch.from_numpy(ink).view(height // 2, 2, width // 2, 2).amax((1, 3)).float() / 255


def loss(pages: list["Page"], heat: torch.Tensor, boxes: torch.Tensor, ink: torch.Tensor) -> torch.Tensor:
    """The penalty-reduced focal loss of CenterNet, L1 of offsets and log sizes, cross-entropy of the ink: together."""
    hills, places, targets = truth(pages, heat.shape[2:])
    hills = hills.to(heat.device)
    centres = sum(map(len, (page.boxes for page in pages)))
    peak = hills == 1
    # CenterNet's equation 1: near a centre a false alarm costs less.
    right = -((1 - heat.sigmoid()) ** 2 * logsigmoid(heat))[peak].sum()
    wrong = -((1 - hills) ** 4 * heat.sigmoid() ** 2 * logsigmoid(-heat))[~peak].sum()
    total = (right + wrong) / max(1, centres)
    wanted = torch.stack([halved(page.ink) for page in pages])[:, None].to(ink.device)
    total = total + INK_WEIGHT * binary_cross_entropy_with_logits(ink, wanted, counting(pages, ink))
    # Without a digit too this is a part of the graph, or processes that train together would wait for its gradient.
    told = boxes[places[0], :, places[1], places[2]]
    return total + BOX_WEIGHT * l1_loss(told, targets.to(told.device), reduction="sum") / max(1, centres)


def counting(pages: list["Page"], ink: torch.Tensor) -> torch.Tensor:
    """How much each place of the ink (N, 1, h, w) counts in its loss."""
    counts = torch.ones_like(ink)
    for page, place in zip(pages, counts[:, 0], strict=True):
        for left, top, right, bottom in (page.boxes / 2).tolist():
            width, height = right - left, bottom - top
            rows, columns = (
                slice(max(0, round(low - AROUND * height)), round(high + AROUND * height))
                for low, high in ((top, bottom), (left, right))
            )
            place[rows, columns] += min(EVENLY / max(1.0, width * height), MOST)
    return counts


def truth(pages: list["Page"], size: torch.Size) -> tuple[torch.Tensor, tuple, torch.Tensor]:
    """The heat map (N, 1, h, w), where on it centres are, and what the boxes' map should say there, (n, 4)."""
    hills = torch.zeros(len(pages), 1, *size)
    rows, columns = torch.arange(size[0])[:, None] + 0.5, torch.arange(size[1])[None] + 0.5
    numbers, tops, lefts, targets = [], [], [], []
    for number, page in enumerate(pages):
        for left, top, right, bottom in (page.boxes / PLACE).tolist():
            width, height, x, y = right - left, bottom - top, (left + right) / 2, (top + bottom) / 2
            row, column = min(int(y), size[0] - 1), min(int(x), size[1] - 1)
            across = ((columns - column - 0.5) / max(width / SPREAD, 0.4)) ** 2
            hill = torch.exp(-(across + ((rows - row - 0.5) / max(height / SPREAD, 0.4)) ** 2) / 2)
            torch.maximum(hills[number, 0], hill, out=hills[number, 0])
            numbers.append(number)
            tops.append(row)
            lefts.append(column)
            targets.append((x - column - 0.5, y - row - 0.5, np.log(width), np.log(height)))
    places = tuple(torch.tensor(one, dtype=torch.int64) for one in (numbers, tops, lefts))
    return hills, places, torch.tensor(targets, dtype=torch.float32).view(-1, 4)
