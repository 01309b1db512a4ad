"""Two-alternative forced choice: of a digit that a person wrote and one that a network drew, which is the person's?"""

import random
from dataclasses import dataclass
from functools import cache

from PIL import Image

import models
from models.pictures import images, mnist
from models.pipelines.classifier import classifier
from models.pipelines.common import LARGEST_SEED, whole
from models.pipelines.sampler import MOST, sampler

PAIRS = 10
JUDGE = "mnist-resnet"


@dataclass(frozen=True)
class Pair:
    """Two pictures of the same digit, 28x28 'L': one that a person wrote, and one by the network of that name.

    `left` tells whether the person's is to stand on the left.
    """

    written: Image.Image
    drawn: Image.Image
    network: str
    left: bool


@cache
def _written() -> list[list[Image.Image]]:
    """Of each digit a hundred test images of MNIST."""
    pictures, digits = mnist.examples()
    return [images.from_tensor(pictures[digits == digit]) for digit in range(10)]


def pairs(seed: int) -> list[Pair]:
    """A round of ten, every network of the house as often as any other; the same seed gives the same.

    The person's digit is the one that the house's best classifier takes the network's for, so that only the hand tells
    them apart. Of the seeds from 10 k to 10 k + 9 no two show the same picture by a person.

    Raises:
        InputError: the seed is no whole number from 0 to 2^32 - 1.
        ValueError: there are no weights for a network.
    """
    seed = whole("seed", seed, 0, LARGEST_SEED)
    block, place = divmod(seed, PAIRS)
    names, chance = models.names(task="generation"), random.Random(seed)
    turns = [names[turn % len(names)] for turn in range(PAIRS)]
    chance.shuffle(turns)
    sheets = {name: sampler(name)(MOST, seed=seed) for name in names}
    drawn = [sheets[name][turn] for turn, name in enumerate(turns)]
    order = [random.Random(block).sample(row, len(row)) for row in _written()]
    found = classifier(JUDGE).readings(drawn)
    return [
        Pair(order[int(one.digit)][PAIRS * place + turn], one.seen, name, chance.random() < 0.5)
        for turn, (one, name) in enumerate(zip(found, turns, strict=True))
    ]
