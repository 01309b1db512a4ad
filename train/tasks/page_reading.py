"""Page reading: where on a page digits are, and which of its ink is theirs."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, l1_loss, logsigmoid

from models.base import Model
from models.pictures.detections import PLACE, detections, overlap
from train.data.splits import Split
from train.recipe import Count, Recipe, whole
from train.tasks.task import Task

BOX_WEIGHT, INK_WEIGHT = 0.5, 10.0  # beside the heat map's loss
SPREAD = 9  # of a digit's side: the deviation of its hill on the heat map is that part
PAGES = 200  # that an epoch is judged by
SHOWN, SHOWN_DIGITS = 8, 100  # pages of a snapshot, and the digits that they are composed of
FOUND = 0.5  # of intersection over union


@dataclass(frozen=True)
class PageRecipe(Recipe):
    """The penalty-reduced focal loss of CenterNet, L1 of offsets and log sizes, cross-entropy of the ink.

    Attributes:
        side: pixels of a page.
        digits_a_page: how many digits of a batch there are to each page that is composed of them.
    """

    side: Annotated[int, whole(64, 1024)] = 192
    digits_a_page: Count = 8


class PageReading(Task):
    """Composed pages; chosen by F1."""

    recipes: ClassVar = {
        "page-reader": PageRecipe(
            dataset="ylecun/mnist",
            epochs=16,
            batch_size=128,
            lr=2e-3,
            optimizer="adamw",
            weight_decay=0.02,
            warmup=0.03,
            schedule="cosine",
            ema=0.999,
            clip=5.0,
            mixed_precision="bf16",
            source="Ours: after CenterNet (Zhou et al. 2019), on pages that are composed while it learns.",
        ),
    }
    score = "f1"
    percent = True
    pipeline_tag = "object-detection"
    metrics: ClassVar = {
        "f1": "F1 of digits found",
        "precision": "precision",
        "recall": "recall",
        "ink": "IoU of the ink",
    }
    interface = "It takes pages `(N, 1, H, W)` in [0, 1] and gives three maps, as its `forward` says."
    limits = ""

    def loss(self, nets, turn, images, labels, recipe, done):
        count = max(1, len(images) // recipe.digits_a_page)
        pages = composed(images, labels, count, recipe.side, int(torch.randint(2**62, ())))
        heat, boxes, ink = nets[turn](_pictures(pages).to(images.device))
        return _loss(pages, heat.float(), boxes.float(), ink.float())

    @torch.inference_mode()
    def snapshot(self, net: Model, validation: Split) -> torch.Tensor:
        digits = validation.take(slice(0, SHOWN_DIGITS))
        frames = [_frame(page, net) for page in composed(digits, validation.labels[:SHOWN_DIGITS], SHOWN, 192, seed=1)]
        return torch.cat([torch.cat(frames[row : row + 4], 1) for row in range(0, SHOWN, 4)])

    @torch.inference_mode()
    def evaluate(self, net: Model, split: Split) -> dict[str, float]:
        pages = composed(split.take(slice(None)), split.labels, PAGES, 192, seed=0)
        right = found = there = common = either = 0.0
        for page in pages:
            heat, boxes, ink = net(_pictures([page]))
            guesses = [one.box for one in detections(heat[0], boxes[0])]
            right += matched(guesses, page.boxes)
            found, there = found + len(guesses), there + len(page.boxes)
            seen, truth = ink[0, 0] > 0, _halved(page.ink) > 0.5
            common, either = common + (seen & truth).sum().item(), either + (seen | truth).sum().item()
        precision, recall = right / max(found, 1), right / max(there, 1)
        return {
            "f1": 2 * precision * recall / max(precision + recall, 1e-9),
            "precision": precision,
            "recall": recall,
            "ink": common / max(either, 1),
        }


def _frame(page, net: Model) -> torch.Tensor:
    """A page (S, S, 3) uint8 with what the network finds on it."""
    from train.figures.pages import marked

    heat, boxes, ink = net(_pictures([page]))
    return torch.from_numpy(np.array(marked(page.image, detections(heat[0], boxes[0]), ink[0, 0].numpy() > 0)))


def composed(images: torch.Tensor, labels: torch.Tensor, count: int, side: int, seed: int) -> list:
    """So many pages with these digits, (N, 1, 28, 28) in [0, 1]; each page has a seed of its own."""
    from train.data import pages
    from train.data.pages import ink

    draw = np.random.default_rng(seed)
    digits, names = np.uint8(255 * images[:, 0].cpu().numpy() + 0.5), labels.tolist()
    hands = ink.Hands(8 * count, draw)
    return [pages.compose(digits, names, hands, side, draw) for _ in range(count)]


def matched(guesses: list[tuple], truth: np.ndarray) -> int:
    """How many of the true boxes (n, 4) have a guess that fits, each guess counting once."""
    left, count = list(guesses), 0
    for box in truth.tolist():
        best = max(left, key=lambda one: overlap(one, box), default=None)
        if best is not None and overlap(best, box) > FOUND:
            left.remove(best)
            count += 1
    return count


def _pictures(pages: list) -> torch.Tensor:
    stacked = torch.from_numpy(np.stack([page.image for page in pages]))[:, None] / 255
    return stacked.contiguous(memory_format=torch.channels_last)


def _halved(ink: np.ndarray) -> torch.Tensor:
    """(S, S) uint8 -> (S / 2, S / 2) in [0, 1]."""
    height, width = ink.shape
    return torch.from_numpy(ink).view(height // 2, 2, width // 2, 2).float().mean((1, 3)) / 255


def _loss(pages: list, heat: torch.Tensor, boxes: torch.Tensor, ink: torch.Tensor) -> torch.Tensor:
    hills, places, targets = _truth(pages, heat.shape[2:])
    hills = hills.to(heat.device)
    centres = sum(map(len, (page.boxes for page in pages)))
    peak = hills == 1
    # CenterNet's equation 1: near a centre a false alarm costs less.
    right = -((1 - heat.sigmoid()) ** 2 * logsigmoid(heat))[peak].sum()
    wrong = -((1 - hills) ** 4 * heat.sigmoid() ** 2 * logsigmoid(-heat))[~peak].sum()
    loss = (right + wrong) / max(1, centres)
    truth = torch.stack([_halved(page.ink) for page in pages])[:, None].to(ink.device)
    loss = loss + INK_WEIGHT * binary_cross_entropy_with_logits(ink, truth)
    if centres:
        told = boxes[places[0], :, places[1], places[2]]
        loss = loss + BOX_WEIGHT * l1_loss(told, targets.to(told.device), reduction="sum") / centres
    return loss


def _truth(pages: list, size: torch.Size) -> tuple[torch.Tensor, tuple, torch.Tensor]:
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
    return hills, (numbers, tops, lefts), torch.tensor(targets, dtype=torch.float32)
