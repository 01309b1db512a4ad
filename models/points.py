"""Points in the plane, of two classes or more, as courses on neural networks begin with: numpy alone."""

from collections.abc import Callable

import numpy as np

Points = tuple[np.ndarray, np.ndarray]  # (N, 2) float64, and the class of each, (N,) int64


def moons(count: int, noise: float, seed: int) -> Points:
    """Two half circles that reach into one another: scikit-learn's `make_moons` to the last bit."""
    chance = np.random.RandomState(seed)
    outer, inner = (np.linspace(0, np.pi, some) for some in (count // 2, count - count // 2))
    x = np.append(np.cos(outer), 1 - np.cos(inner))
    y = np.append(np.sin(outer), 1 - np.sin(inner) - 0.5)
    return _shuffled(np.stack([x, y], 1), np.repeat([0, 1], [len(outer), len(inner)]), noise, chance)


def circles(count: int, noise: float, seed: int) -> Points:
    """A circle within another, of half its radius."""
    turns = [np.linspace(0, 2 * np.pi, some, endpoint=False) for some in (count // 2, count - count // 2)]
    points = [radius * np.stack([np.cos(t), np.sin(t)], 1) for radius, t in zip((1.0, 0.5), turns, strict=True)]
    labels = np.repeat([0, 1], [len(t) for t in turns])
    return _shuffled(np.concatenate(points), labels, noise, np.random.RandomState(seed))


def blobs(count: int, noise: float, seed: int) -> Points:
    """Two clouds around (-1, -1) and (1, 1)."""
    labels = np.arange(count) % 2
    return _shuffled(np.stack([2.0 * labels - 1] * 2, 1), labels, noise, np.random.RandomState(seed))


def spiral(count: int, noise: float, seed: int) -> Points:
    """Two arms that wind one and a half times around the middle."""
    labels = np.arange(count) % 2
    way = np.sqrt(np.arange(count) // 2 / max(1, (count - 1) // 2))  # as many points on each piece of an arm
    turn = 3 * np.pi * way + np.pi * labels
    return _shuffled(
        way[:, None] * np.stack([np.cos(turn), np.sin(turn)], 1), labels, noise, np.random.RandomState(seed)
    )


SHAPES: dict[str, Callable[[int, float, int], Points]] = {
    "moons": moons,
    "circles": circles,
    "blobs": blobs,
    "spiral": spiral,
}


def standardised(points: np.ndarray) -> np.ndarray:
    """Each of the two numbers with mean 0 and deviation 1 over all points."""
    return (points - points.mean(0)) / points.std(0)


def _shuffled(points: np.ndarray, labels: np.ndarray, noise: float, chance: np.random.RandomState) -> Points:
    """In a random order, each moved by normal noise of that deviation."""
    order = np.arange(len(points))
    chance.shuffle(order)
    points = points[order]
    return points + chance.normal(scale=noise, size=points.shape), labels[order]
