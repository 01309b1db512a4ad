"""Points in the plane against scikit-learn's, and against the shapes that they are named after."""

import numpy as np
import pytest
from sklearn.datasets import make_moons
from sklearn.preprocessing import StandardScaler

from models import points


@pytest.mark.parametrize(("count", "noise", "seed"), [(1000, 0.2, 42), (7, 0.0, 0), (2, 1.5, 9)])
def test_moons(count: int, noise: float, seed: int) -> None:
    """Those of `make_moons`, to the last bit."""
    found, labels = points.moons(count, noise, seed)
    wanted, classes = make_moons(count, noise=noise, random_state=seed)
    assert np.array_equal(found, wanted) and np.array_equal(labels, classes)


def test_circles() -> None:
    """Without noise each point is as far from the middle as its class says."""
    found, labels = points.circles(301, 0.0, 3)
    assert np.allclose(np.hypot(*found.T), np.where(labels, 0.5, 1.0))
    assert np.allclose(found[labels == 1].mean(0), 0)


def test_blobs() -> None:
    """Means and deviations are those that are asked for."""
    found, labels = points.blobs(20_000, 0.4, 1)
    for label, middle in enumerate((-1, 1)):
        assert np.allclose(found[labels == label].mean(0), middle, atol=0.02)
        assert np.allclose(found[labels == label].std(0), 0.4, atol=0.02)


def test_spiral() -> None:
    """An arm's angle grows with the distance from the middle; the other arm is the same, turned by half a turn."""
    found, labels = points.spiral(400, 0.0, 0)
    order = np.argsort(np.hypot(*found.T), kind="stable")
    arms = [found[order][labels[order] == label] for label in (0, 1)]
    assert np.allclose(arms[0], -arms[1])
    far, turn = np.hypot(*arms[0][1:].T), np.unwrap(np.arctan2(*arms[0][1:].T[::-1]))
    assert np.allclose(turn - turn[0], 3 * np.pi * (far - far[0]))


@pytest.mark.parametrize("shape", points.SHAPES)
def test_every_shape(shape: str) -> None:
    """As many points as asked for, half of each class, in no order; the seed decides."""
    draw = points.SHAPES[shape]
    found, labels = draw(101, 0.1, 5)
    assert found.shape == (101, 2) and sorted(np.bincount(labels).tolist()) == [50, 51]
    assert 0 < labels[:50].mean() < 1
    assert np.array_equal(found, draw(101, 0.1, 5)[0]) and not np.array_equal(found, draw(101, 0.1, 6)[0])


def test_standardised() -> None:
    """As `StandardScaler` has it."""
    found, _ = points.moons(50, 0.3, 1)
    assert np.allclose(points.standardised(found), StandardScaler().fit_transform(found))
