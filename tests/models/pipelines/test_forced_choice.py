"""A person's digit beside a network's: fair pairs, that do not come again."""

from collections import Counter

import pytest

import models
from models.errors import InputError
from models.pictures import images, mnist
from models.pipelines import PAIRS, classifier, pairs, sampler

GENERATORS = models.names(task="generation")
WRITTEN = {picture.tobytes() for picture in images.from_tensor(mnist.examples()[0])}


def test_a_round() -> None:
    """Ten pairs: the one is a test digit of MNIST, the other what the network draws, every network as often."""
    dealt = pairs(3)
    assert len(dealt) == PAIRS
    assert {one.written.tobytes() for one in dealt} <= WRITTEN
    assert Counter(one.network for one in dealt) == dict.fromkeys(GENERATORS, PAIRS // len(GENERATORS))
    for one in dealt:
        assert one.drawn.tobytes() in {picture.tobytes() for picture in sampler(one.network)(64, seed=3)}
        assert one.drawn.tobytes() not in WRITTEN


def test_only_the_hand_tells_them_apart() -> None:
    """Both are taken for the same digit, but where the classifier is wrong on the person's."""
    dealt = [one for seed in range(5) for one in pairs(seed)]
    digits = [
        [one.digit for one in classifier("mnist-resnet").readings(list(side))]
        for side in zip(*((one.written, one.drawn) for one in dealt), strict=True)
    ]
    assert sum(a == b for a, b in zip(*digits, strict=True)) >= len(dealt) - 1


def test_ten_rounds_show_nobody_twice() -> None:
    for first in (0, 70, 2**32 - 96):
        seen = [one.written.tobytes() for seed in range(first, first + 10) for one in pairs(seed)]
        assert len(set(seen)) == len(seen) == 10 * PAIRS


def test_one_seed_one_round() -> None:
    """The same again, and another from another seed; the person is on either side."""
    assert pairs(8) == pairs(8) != pairs(9)
    sides = Counter(one.left for seed in range(20) for one in pairs(seed))
    assert min(sides.values()) > 60


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "1", None])
def test_a_seed_that_is_none(seed: object) -> None:
    with pytest.raises(InputError, match="seed"):
        pairs(seed)
