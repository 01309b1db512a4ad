"""From a picture to a digit, or to a number of several."""

import time
from dataclasses import dataclass
from functools import cached_property

import torch
from PIL import Image

import models
from models.pictures import images
from models.pipelines.common import Facts, loaded, shared
from models.pipelines.explain import heat_map, integrated_gradients

# Validation images decide these (see the reliability curve and the table on each card): below SURE an answer is called
# unsure; where the two likeliest digits together stay below KNOWN, the picture is called no digit.
SURE, KNOWN = 0.9, 0.9

TIMINGS = 5

Shares = dict[str, float]  # the probability of each digit, "0" to "9"


@dataclass(frozen=True)
class Reading:
    """One digit of a picture: what the network saw, 28x28 'L', and what it makes of it."""

    seen: Image.Image
    shares: Shares

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
    def is_digit(self) -> bool:
        """Whether the network knows such pictures at all: on what is no digit, its two best guesses get little."""
        return sum(sorted(self.shares.values())[-2:]) >= KNOWN


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

    @cached_property  # the card is long, and all networks are asked at once
    def facts(self) -> Facts:
        """Size, test accuracy, and where the weights came from."""
        return Facts.of(self.net)

    def __call__(self, image: Image.Image) -> Shares:
        """The probability of each digit, `{"0": ..., ..., "9": ...}`, for a picture of any size, mode and polarity.

        Raises:
            InputError: there is nothing in the picture, or it is too large.
        """
        return self._shares(self.prepare(image))

    def prepare(self, image: Image.Image) -> Image.Image:
        """What the network sees: 28x28 'L', white on black. Raises InputError when there is nothing in the picture."""
        return images.to_digit(image)

    def read(self, image: Image.Image) -> list[Reading]:
        """The digits of a number written in one line, from left to right; a picture of one digit gives one.

        A digit may be drawn in pieces that lie side by side. They are read as one only where the pieces make no sure
        number, the whole makes a sure digit, and it is no wider than digits are. Digits that touch are not parted.

        Raises:
            InputError: there is nothing in the picture, or it is too large.
        """
        parts = [self._reading(seen) for seen in images.to_digits(image)]
        if len(parts) == 1 or all(part.is_sure and part.is_digit for part in parts):
            return parts
        if not images.may_be_one_digit(image):
            return parts
        whole = self._reading(images.to_digit(image))
        return [whole] if whole.is_sure and whole.is_digit else parts

    def explain(self, reading: Reading) -> Image.Image:
        """Which pixels decided, 28x28 'RGB': orange speaks for the digit, blue against it.

        By integrated gradients (Sundararajan, Taly & Yan 2017) of the digit's logit against a black picture.
        """
        values = integrated_gradients(self.net, images.to_tensor(reading.seen), int(reading.digit))
        return heat_map(reading.seen, values)

    @staticmethod
    def compare(image: Image.Image) -> list[Comparison]:
        """What every classifier of the house says to a picture of one digit, in the order of `models.names`.

        Raises:
            InputError: there is nothing in the picture, or it is too large.
            ValueError: there are no weights for one of them.
        """
        seen = images.to_digit(image)
        return [classifier(name)._compared(name, seen) for name in models.names(task="classification")]

    @torch.inference_mode()
    def _shares(self, seen: Image.Image) -> Shares:
        logits = self.net(images.to_tensor(seen))
        return {str(digit): share for digit, share in enumerate(logits.softmax(1)[0].tolist())}

    def _reading(self, seen: Image.Image) -> Reading:
        return Reading(seen, self._shares(seen))

    def _compared(self, name: str, seen: Image.Image) -> Comparison:
        reading, times = self._reading(seen), []
        for _ in range(TIMINGS):
            start = time.perf_counter()
            self._shares(seen)
            times.append(1000 * (time.perf_counter() - start))
        return Comparison(name, reading, sorted(times)[TIMINGS // 2], self.facts)


def classifier(name: str) -> DigitClassifier:
    """The pipeline of a registered network, loaded once and shared. Raises ValueError as `DigitClassifier` does."""
    return shared(DigitClassifier, name)
