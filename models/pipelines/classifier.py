"""From a picture to a digit, or to a number of several."""

import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from PIL import Image

import models
from models.base import fast_bf16
from models.errors import InputError
from models.pictures import images, mnist
from models.pictures.detections import Box, reading_order, same
from models.pictures.drawing import Drawing, is_drawing
from models.pipelines import page_reader
from models.pipelines.common import Facts, fused, loaded, shared
from models.pipelines.explain import heat_map, integrated_gradients
from models.pipelines.page_reader import Found

# Validation images decide these (see the reliability curve and the table on each card): below SURE an answer is called
# unsure; where the two likeliest digits together stay below KNOWN, the picture is called no digit.
SURE, KNOWN = 0.9, 0.9
# What is found on a page is a digit where the reader's log odds, so many times, and those of the two likeliest digits
# come to ENOUGH. Among others the network counts as SETTLED at most, since it knows nothing but the stroke, and is sure
# that a slash is a 1; and what it has no idea of, below NOTHING, is none whatever the reader says. Of what is found
# ALONE less is asked, since print and letters come in numbers, and of what stands BESIDE a digit, in its line, as along
# an edge of Canny's (1986). Two of a line that come to BOTH speak for each other. Chosen on composed pages of
# validation digits, before a page was looked at again.
READER, ENOUGH, BOTH, ALONE, BESIDE = 4.0, 6.5, 9.5, 3.0, 1.0
NOTHING, SETTLED = -1.2, 4.0

# A page is in doubt where something comes that near to what is asked of it, or is read as an unsure digit. Then it is
# looked at again, so many times as large, until two looks read the same; else what most of them found is there.
NEAR, AGAIN = 6.0, (0.8, 1.25)
ZOOMS = (1.0, 0.9, 1.1)  # of a digit on paper, whose place and size nobody chose

TIMINGS = 5

Shares = dict[str, float]  # the probability of each digit, "0" to "9"


@dataclass(frozen=True)
class Reading:
    """One digit of a picture: what the network saw, and what it makes of it.

    Attributes:
        seen: 28x28 'L', white on black.
        shares: the probability of each digit.
        box: where it stands on the picture: left, top, right, bottom in pixels; None on a drawing, which has no paper.
        line: in which line, from 0.
    """

    seen: Image.Image
    shares: Shares
    box: Box | None = None
    line: int = 0

    @property
    def digit(self) -> str:
        """The likeliest digit."""
        return max(self.shares, key=self.shares.__getitem__)

    @property
    def confidence(self) -> float:
        """Its probability."""
        return self.shares[self.digit]

    @property
    def is_sure(self) -> bool:
        return self.confidence >= SURE

    @property
    def known(self) -> float:
        """The probability of the two likeliest digits: on what is no digit, they get little."""
        return sum(sorted(self.shares.values())[-2:])

    @property
    def is_digit(self) -> bool:
        """Whether the network knows such pictures at all."""
        return self.known >= KNOWN


@dataclass(frozen=True)
class Comparison:
    """What one of several networks answers, and how long one forward pass takes it, in milliseconds (a median)."""

    name: str
    reading: Reading
    milliseconds: float
    facts: Facts


class DigitClassifier:
    """Names the digit in a picture.

    Args:
        source: what `models.load` takes; a network whose task is classification.

    Raises:
        ValueError: there are no weights for it, or it does something else.
    """

    def __init__(self, source: str):
        self.net = loaded(source, models.names(task="classification"))
        self.fast = fused(self.net)  # the same, sooner

    @cached_property  # the card is long, and all networks are asked at once
    def facts(self) -> Facts:
        """Size, test accuracy, and where the weights came from."""
        return Facts.of(self.net)

    def __call__(self, image: Image.Image) -> Shares:
        """The probability of each digit, `{"0": ..., ..., "9": ...}`, for a picture of any size, mode and polarity.

        A digit on paper is seen in several views, of which `prepare` shows the first. Where not all are surely the same
        digit, it is the mean of what is said to each, which is less often sure and wrong. Of several digits it is the
        largest that is told.

        Args:
            image: a PIL image, a path, or an array or tensor as `models.pictures.images.picture` takes it.

        Raises:
            InputError: there is nothing in the picture, it is too large, or it is none.
        """
        views = _views(images.picture(image))
        each = self.readings(views[:1]) + self.readings(views[1:])  # the first alone: a batch rounds otherwise
        if len(each) == 1 or all(one.is_sure and one.digit == each[0].digit for one in each):
            return each[0].shares
        return {digit: sum(one.shares[digit] for one in each) / len(each) for digit in each[0].shares}

    def prepare(self, image: Image.Image) -> Image.Image:
        """What the network sees: 28x28 'L', white on black. Raises InputError when there is nothing in the picture."""
        return page_reader.to_digit(images.picture(image))

    def read(self, image: Image.Image) -> list[Reading]:
        """The digits on a page in reading order, line by line; none where it has none.

        What is transparent around its ink is a drawing, and has no paper: there one digit may be drawn in pieces that
        lie side by side. They are read as one only where the pieces make no sure number, the whole makes a sure digit,
        and it is no wider than digits are. Where strokes alone do not tell, as of signs, frames, leaning lines and
        digits that touch, it is read as if it lay on paper.

        Args:
            image: as the call takes it; one that says how the camera was held is turned upright first.

        Raises:
            InputError: there is nothing in the picture, it is too large, or it is none.
        """
        image = images.picture(image)
        images.check_size(image)
        if mnist.is_mnist(image):
            return self.readings([image.copy()])
        if is_drawing(image):
            return self._drawn(image)
        # A place of ink at the edge may lie half outside.
        return [replace(one, box=tuple(np.clip(one.box, 0, 2 * image.size).tolist())) for one in self.on_page(image)]

    def on_page(self, image: Image.Image, find: Callable[..., list[Found]] = page_reader.page) -> list[Reading]:
        """The digits of a picture of a page, as `read` gives them; once more at other sizes where that leaves doubt.

        Args:
            image: the picture.
            find: finds what may be a digit, on a picture or on one that many times as large.

        Raises:
            InputError: there is nothing in the picture, or it is too large.
        """
        first, in_doubt = self._judged(find(image))
        if not in_doubt:
            return first
        looks = [first]
        for larger in AGAIN:
            looks.append(self.named(find(image, larger)))
            if [one.digit for one in looks[-1]] == [one.digit for one in first]:
                return first
        return _agreed(looks)

    def named(self, found: list[Found]) -> list[Reading]:
        """What is found on a page, named; without what the page reader and the network together hold for no digit."""
        return self._judged(found)[0]

    def _judged(self, found: list[Found]) -> tuple[list[Reading], bool]:
        """The same, and whether it leaves doubt."""
        readings = [
            Reading(one.seen, shares, one.box, one.line)
            for one, shares in zip(found, self._shares([one.seen for one in found]), strict=True)
        ]
        enough, settled = (ALONE, math.inf) if len(found) == 1 else (ENOUGH, SETTLED)
        odds = [_odds(one, reading, settled) for one, reading in zip(found, readings, strict=True)]
        written = set()
        for line in {one.line for one in found}:
            best = sorted(own for one, own in zip(found, odds, strict=True) if one.line == line)[-2:]
            if best[-1] > enough or (len(best) == 2 and sum(best) > BOTH):
                written.add(line)
        beyond = [
            own - (BESIDE if reading.line in written else enough) for reading, own in zip(readings, odds, strict=True)
        ]
        kept = [reading for reading, more in zip(readings, beyond, strict=True) if more > 0]
        lines = {line: number for number, line in enumerate(sorted({one.line for one in kept}))}
        kept = [replace(one, line=lines[one.line]) for one in kept]
        return kept, any(abs(more) < NEAR for more in beyond) or not all(reading.is_sure for reading in kept)

    def _drawn(self, image: Image.Image) -> list[Reading]:
        """The digits of a drawing. What its strokes alone do not tell is read as if it lay on paper: signs between
        digits, lines below and around them, digits that touch, lines that lean."""
        drawing = Drawing(image)
        places = [line for line, groups in enumerate(drawing.lines) for _ in groups]
        parts = [replace(part, line=line) for part, line in zip(self.readings(drawing.digits()), places, strict=True)]
        low = drawing.low()
        # A comma is surely a 1 to a network that sees nothing else.
        doubtful = [part.digit == "1" or not part.is_sure for part in parts]
        has_signs = any(is_low and is_doubtful for is_low, is_doubtful in zip(low, doubtful, strict=True))
        is_clear, is_one = _is_clear(parts), len(parts) == 1
        if is_clear and (drawing.is_plain() if is_one else not has_signs):
            return parts
        one = [] if is_clear or is_one else self.readings([drawing.whole()])
        if _is_clear(one) and drawing.may_be_one():
            return one
        are_digits = len(drawing.lines) == 1 and all(part.is_digit for part in parts) and not has_signs
        if are_digits and not is_one:
            return parts
        on_paper: list[Reading] = []
        with suppress(InputError):  # what is faint may be lost there
            on_paper = [replace(found, box=None) for found in self.on_page(image)]
        if is_one and (are_digits or drawing.is_narrow()) and not (len(on_paper) > 1 and _is_clear(on_paper)):
            return parts
        tall = [part for is_low, part in zip(low, parts, strict=True) if not is_low]
        if len(on_paper) == len(tall) and all(part.is_digit for part in tall):
            return [replace(part, line=found.line) for part, found in zip(tall, on_paper, strict=True)]
        if _is_clear(on_paper) and len(on_paper) >= len(tall):
            return on_paper
        return one if _is_clear(one) and drawing.is_narrow() else parts

    def explain(self, reading: Reading) -> Image.Image:
        """Which pixels decided, 28x28 'RGB': orange speaks for the digit, blue against it.

        By integrated gradients (Sundararajan, Taly & Yan 2017) of the digit's logit against a black picture, with
        numbers of 16 bits where they are fast: for mnist-resnet they err by less than the steps of the integral.
        """
        values = integrated_gradients(self.fast, images.to_tensor(reading.seen), int(reading.digit), short=fast_bf16())
        return heat_map(reading.seen, values)

    @staticmethod
    def compare(image: Image.Image) -> list[Comparison]:
        """What every classifier of the house says to a picture of one digit, in the order of `models.names`.

        Raises:
            InputError: there is nothing in the picture, or it is too large.
            ValueError: there are no weights for one of them.
        """
        seen = page_reader.to_digit(images.picture(image))
        return [classifier(name)._compared(name, seen) for name in models.names(task="classification")]

    @staticmethod
    def verdicts(seen: list[Image.Image]) -> dict[str, list[Reading]]:
        """The same without times, in one pass each, for pictures in MNIST's form. Raises ValueError as `compare`."""
        return {name: classifier(name).readings(seen) for name in models.names(task="classification")}

    @torch.inference_mode()
    def _shares(self, seen: list[Image.Image]) -> list[Shares]:
        if not seen:
            return []
        logits = self.fast(torch.cat([images.to_tensor(one) for one in seen]))
        return [{str(digit): share for digit, share in enumerate(row)} for row in logits.softmax(1).tolist()]

    def readings(self, seen: list[Image.Image]) -> list[Reading]:
        """What it makes of pictures of one digit each, in MNIST's form as they are: 28x28 'L', white on black."""
        return [Reading(one, shares) for one, shares in zip(seen, self._shares(seen), strict=True)]

    def _compared(self, name: str, seen: Image.Image) -> Comparison:
        (reading,), times = self.readings([seen]), []
        for _ in range(TIMINGS):
            start = time.perf_counter()
            self._shares([seen])
            times.append(1000 * (time.perf_counter() - start))
        return Comparison(name, reading, sorted(times)[TIMINGS // 2], self.facts)


def _views(image: Image.Image) -> list[Image.Image]:
    """The digit in a picture, the largest of several: of one on paper, as two looks see it, in some sizes each."""
    if (known := images.without_paper(image)) is not None:
        return [known]
    first = page_reader.largest(image)
    found = page_reader.page(image, AGAIN[0])
    again = [found[index].seen for index in same(first.box, [one.box for one in found]).nonzero()[0]]
    return [mnist.zoomed(seen, times) for seen in (first.seen, *again) for times in ZOOMS]


def _is_clear(readings: list[Reading]) -> bool:
    return bool(readings) and all(reading.is_sure and reading.is_digit for reading in readings)


def _agreed(looks: list[list[Reading]]) -> list[Reading]:
    """What more than half of the looks at a page found, in reading order, as they name it together, and as the least
    sure of those that name it so saw it."""
    found: list[dict[int, Reading]] = []
    for look, readings in enumerate(looks):
        known, boxes = found.copy(), [next(iter(one.values())).box for one in found]
        for one in readings:
            free = (known[index] for index in same(one.box, boxes).nonzero()[0] if look not in known[index])
            if (other := next(free, None)) is not None:
                other[look] = one
            else:
                found.append({look: one})
    kept = []
    for each in (list(one.values()) for one in found if 2 * len(one) > len(looks)):
        digit = max((one.digit for one in each), key=lambda digit: sum(one.shares[digit] for one in each))
        kept.append(min((one for one in each if one.digit == digit), key=lambda one: one.confidence))
    return [replace(kept[index], line=line) for line, index in reading_order([one.box for one in kept])]


def classifier(name: str) -> DigitClassifier:
    """The pipeline of a registered network, loaded once and shared. Raises ValueError as `DigitClassifier` does."""
    return shared(DigitClassifier, name)


def _odds(found: Found, reading: Reading, settled: float) -> float:
    """What reader and network together have for its being a digit; the network at most so much."""
    known = _log_odds(reading.known)
    return READER * _log_odds(found.share) + min(known, settled) if known > NOTHING else -math.inf


def _log_odds(share: float) -> float:
    share = min(max(share, 1e-6), 1 - 1e-6)
    return math.log(share / (1 - share))
