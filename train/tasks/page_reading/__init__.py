"""Page reading: where on a page digits are, and which of its ink is theirs."""

from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
import torch
from PIL import Image

from models.base import Model
from models.errors import InputError
from models.pictures.detections import Box, Detection, detections, overlap, reading_order
from train.data.splits import Data, Split
from train.recipe import Count, Recipe, whole
from train.tasks.page_reading.losses import halved, loss
from train.tasks.task import Task

if TYPE_CHECKING:
    from train.data.pages import Page
    from train.data.pages.composers import Composers

PAGES, EACH, CARD = 200, 60, 12  # pages that an epoch is judged by; of each kind; shown on a card
SIDE, NUMBERS = 192, 320  # pixels of a page to measure with, and of one with a number
FULL, LARGE = 30, 640  # pages with many digits to measure with, and their pixels
SIZES = ((10, 16), (16, 25), (25, 50), (50, 100), (100, 201))  # heights of digits in pixels
FLAGSHIP = "mnist-resnet"
SHOWN, SHOWN_DIGITS = 8, 100  # pages of a snapshot, and the digits that they are composed of
FOUND = 0.5  # of intersection over union


@dataclass(frozen=True)
class PageRecipe(Recipe):
    """The penalty-reduced focal loss of CenterNet, L1 of offsets and log sizes, cross-entropy of the ink.

    Attributes:
        side: pixels of a page.
        also: how often the digits of a further dataset, `--also`, come in an epoch.
        digits_a_page: how many digits of a batch there are to each page that is composed of them.
    """

    side: Annotated[int, whole(64, 1024)] = SIDE
    digits_a_page: Count = 8
    also: Count = 5


class PageReading(Task):
    """Composed pages; chosen by F1."""

    recipes: ClassVar = {
        "page-reader": PageRecipe(
            dataset="ylecun/mnist",
            epochs=24,
            batch_size=128,
            lr=2e-3,
            optimizer="adamw",
            weight_decay=0.02,
            warmup=0.03,
            schedule="cosine",
            ema=0.999,
            clip=5.0,
            mixed_precision="bf16",
            source=(
                "Ours: after CenterNet (Zhou et al. 2019), on pages that are composed while it learns. With `--also` "
                "digits of six writers of Switzerland stand on them too (kensanata/numbers on GitHub, CC0)."
            ),
        ),
    }
    composers: "Composers | None" = None
    judged: "tuple[Split, list[Page]] | None" = None  # a split, and pages with its digits
    score = "f1"
    percent = True
    pipeline_tag = "object-detection"
    metrics: ClassVar = {
        "f1": "F1 of the digits on composed pages",
        "precision": "Precision",
        "recall": "Recall",
        "ink": "Intersection over union of their ink",
        "exact": "Numbers read exactly, mean of all papers",
        "many": "Digits read, in order, of pages with up to 39",
        "empty": "Pages without digits on which none is read",
    }
    interface = (
        "It takes pages `(N, 1, H, W)` in [0, 1] and gives the logits of digits' centres at a quarter of their size, "
        "boxes there, and the logits of digits' ink at a half; `models.pipelines.PageReader` makes digits of them."
    )
    limits = (
        "It learned from composed pages alone: digits of MNIST, of the writers whom its commands name with `--also`, "
        "of a pen of our own, of a few typefaces and displays. Digits below 10 pixels, joined handwriting, crossed-out "
        "digits and fractions are beyond it; letters that are digits in some hand (O, I, S, Z, B, l, o, z, q), "
        "slashes, brackets and round icons are often taken for one; a digit in a ring is misread now and then. It is "
        "for learning and play, not for reading cheques."
    )

    def prepare(self, train: Split, recipe: PageRecipe) -> None:
        """Have pages composed beside the training, where there are cores for it."""
        from train.data.pages import composers

        spare = composers.spare_cores()
        self.composers = composers.Composers(spare) if spare > 1 else None

    def loss(self, nets, turn, images, labels, recipe, done):
        from train.data.pages import composed

        count = max(1, len(images) // recipe.digits_a_page)
        compose = self.composers or composed
        pages = compose(images, labels, count, recipe.side, int(torch.randint(2**62, ())))
        heat, boxes, ink = nets[turn](_pictures(pages).to(images.device))
        return loss(pages, heat.float(), boxes.float(), ink.float())

    @torch.inference_mode()
    def snapshot(self, net: Model, validation: Split) -> torch.Tensor:
        from train.data.pages import composed

        some = slice(0, SHOWN_DIGITS)
        return _sheet(composed(validation.images[some], validation.labels[some], SHOWN, SIDE, 1), net)

    @torch.inference_mode()
    def evaluate(self, net: Model, split: Split) -> dict[str, float]:
        from train.data.pages import composed

        if self.judged is None or self.judged[0] is not split:  # the same pages every epoch: they take a while to make
            self.judged = split, composed(split.images, split.labels, PAGES, SIDE, 0)
        return _tally([_found(page, net) for page in self.judged[1]])

    @torch.inference_mode()
    def measure(self, net: Model, data: Data) -> dict[str, float]:
        """As an epoch is judged; by kind of lines and by size of the digits; and numbers as the flagship reads them."""
        from train.data.pages import composed, furniture

        images, labels, every = data.test.images, data.test.labels, []
        measured = {}
        for seed, kind in enumerate(furniture.KINDS, 10):  # other digits and papers for each
            pages = [_found(page, net) for page in composed(images, labels, EACH, SIDE, 2, kind=kind)]
            every += pages
            told = _tally(pages)
            measured |= {f"{kind}_{name}": told[name] for name in ("precision", "recall")}
            measured[f"{kind}_exact"] = exact(
                net, composed(images, labels, EACH, NUMBERS, seed, kind=kind, number=True, empty=False)
            )
        for low, high in SIZES:
            heights = [(one.right[n], box[3] - box[1]) for one in every for n, box in enumerate(one.page.boxes)]
            sized = [right for right, height in heights if low <= height < high]
            measured[f"recall_{low}"] = sum(sized) / max(1, len(sized))
        read = mean(measured[f"{kind}_exact"] for kind in furniture.KINDS)
        empty = exact(net, composed(images, labels, PAGES, NUMBERS, 4, empty=True))
        many = in_order(net, composed(images, labels, FULL, LARGE, 6, many=True, empty=False))
        return {**self.evaluate(net, data.test), "exact": read, "many": many, "empty": empty, **measured}

    @torch.inference_mode()
    def section(self, folder: Path, net: Model, figures: dict[str, float], data: Data) -> str:
        """Pages with what is found, by kind and by size."""
        from train.data.pages import composed, furniture

        pages = composed(data.test.images, data.test.labels, CARD, SIDE, 5, empty=False)
        Image.fromarray(_sheet(pages, net).numpy()).save(folder / "pages.jpg", quality=85)
        kinds = "\n".join(
            f"| {kind} | " + " | ".join(f"{figures[f'{kind}_{name}']:.1%}" for name in ("precision", "recall", "exact"))
            + " |" for kind in furniture.KINDS
        )  # fmt: skip
        sizes = "\n".join(f"| {low} to {high - 1} | {figures[f'recall_{low}']:.1%} |" for low, high in SIZES)
        return f"""Pages are composed by `train.data.pages` of the test images, of a pen of our own and of print, with
seeds that it never learned from. A digit counts as found where intersection over union is above {FOUND:.0%}. The last
column is of other pages, {EACH} of each kind: one number of one to four test digits and nothing else but lines, read by
`mnist-resnet`, right where every digit is.

| lines | precision | recall | numbers read exactly |
|---|---|---|---|
{kinds}

| height in pixels | recall |
|---|---|
{sizes}

On pages of three lines with 24 to 39 digits {figures["many"]:.1%} of them are read, in order.

On {figures["empty"]:.1%} of pages with letters, shapes, scribbles, print or lines alone no digit is read.

Found digits in boxes, their ink tinted, what was missed in grey; the first {CARD} by one seed:

![Composed pages](pages.jpg)
"""

    def usage(self, net: Model) -> str:
        return "heat, boxes, ink = net(torch.rand(1, 1, 240, 320))"

    def summary(self, figures: dict[str, float], section: str) -> str:
        return f"F1 {100 * figures['f1']:.1f} %; numbers on eleven papers read exactly: {100 * figures['exact']:.1f} %"


@dataclass
class _Page:
    """A page, what was found on it, and which of its digits were."""

    page: "Page"
    guesses: list[Detection]
    ink: np.ndarray
    right: list[bool]

    @property
    def missed(self) -> np.ndarray:
        return self.page.boxes[~np.array(self.right, bool)]


def _found(page: "Page", net: Model) -> _Page:
    heat, boxes, ink = net(_pictures([page]).to(next(net.parameters()).device))
    guesses = detections(heat[0].cpu(), boxes[0].cpu())
    return _Page(page, guesses, ink[0, 0].cpu().numpy() > 0, matched([one.box for one in guesses], page.boxes))


def _tally(pages: list[_Page]) -> dict[str, float]:
    right, guessed = sum(sum(one.right) for one in pages), sum(len(one.guesses) for one in pages)
    precision, recall = right / max(guessed, 1), right / max(1, sum(len(one.right) for one in pages))
    truths = [(halved(one.page.ink) > 0.5).numpy() for one in pages]
    common, either = (
        sum(both(one.ink, truth).sum() for one, truth in zip(pages, truths, strict=True))
        for both in (np.logical_and, np.logical_or)
    )
    return {
        "f1": 2 * precision * recall / max(precision + recall, 1e-9),
        "precision": precision,
        "recall": recall,
        "ink": float(common / max(either, 1)),
    }


def exact(net: Model, pages: list["Page"]) -> float:
    """The share of pages whose digits, in reading order, the flagship names all and no other."""
    return mean(found == wanted for found, wanted in _named(net, pages))


def in_order(net: Model, pages: list["Page"]) -> float:
    """The share of their digits that the flagship names right, in reading order: 1 less the character error rate."""
    from torchmetrics.functional.text import char_error_rate

    return 1 - char_error_rate(*zip(*_named(net, pages), strict=True)).item()


def _named(net: Model, pages: list["Page"]) -> list[tuple[str, str]]:
    """What the flagship reads on each page, and what stands there."""
    from models.pipelines import PageReader, classifier

    reader, flagship, told = PageReader.of(net), classifier(FLAGSHIP), []
    for page in pages:
        try:
            found = flagship.on_page(Image.fromarray(page.image), reader)
        except InputError:  # there is nothing to be seen on it
            found = []
        wanted = page.labels[[index for _, index in reading_order(page.boxes.tolist())]]
        told.append(("".join(one.digit for one in found), "".join(map(str, wanted))))
    return told


def _sheet(pages: list["Page"], net: Model) -> torch.Tensor:
    """Pages with what the network finds on them, four in a row, (H, W, 3) uint8."""
    from train.figures.pages import marked

    found = [_found(page, net) for page in pages]
    pictures = [np.array(marked(one.page.image, one.guesses, one.ink, one.missed)) for one in found]
    rows = [np.concatenate(pictures[start : start + 4], 1) for start in range(0, len(pictures), 4)]
    return torch.from_numpy(np.concatenate(rows))


def matched(guesses: list[Box], truth: np.ndarray) -> list[bool]:
    """Which of the true boxes (n, 4) have a guess that fits, each guess counting once."""
    left, right = list(guesses), []
    for box in truth.tolist():
        best = max(left, key=lambda one: overlap(one, box), default=None)
        right.append(best is not None and overlap(best, box) > FOUND)
        if right[-1]:
            left.remove(best)
    return right


def _pictures(pages: list["Page"]) -> torch.Tensor:
    stacked = torch.from_numpy(np.stack([page.image for page in pages]))[:, None] / 255
    return stacked.contiguous(memory_format=torch.channels_last)
