"""From maps to digits: peaks, boxes, whose ink it is, and the order of reading."""

import math

import numpy as np
import pytest
import torch

from models.pictures.detections import (
    OVERLAP,
    WITHIN,
    Detection,
    detections,
    once,
    overlap,
    owners,
    reading_order,
    same,
    whole,
)


def maps(*digits: tuple[float, float, float, float, float], size: int = 30) -> tuple[torch.Tensor, torch.Tensor]:
    """Maps that say that digits are there: each with its share and its box in pixels."""
    heat, boxes = torch.full((1, size, size), -9.0), torch.zeros(4, size, size)
    for share, left, top, right, bottom in digits:
        x, y = (left + right) / 8, (top + bottom) / 8  # in places of four pixels
        row, column = int(y), int(x)
        heat[0, row, column] = math.log(share / (1 - share))
        heat[0, row, column + 1] = math.log(share / (1 - share)) - 0.5  # the hill's slope is no digit
        told = (x - column - 0.5, y - row - 0.5, math.log((right - left) / 4), math.log((bottom - top) / 4))
        boxes[:, row, column] = torch.tensor(told)
    return heat, boxes


def test_each_peak_is_a_digit_with_its_box() -> None:
    """The likeliest first, boxes to a hundredth of a pixel, what is unlikely left out."""
    wanted = [(0.9, 10.0, 12.0, 31.0, 40.0), (0.8, 50.5, 60.25, 70.0, 90.0), (0.1, 90.0, 90.0, 110.0, 110.0)]
    found = detections(*maps(*wanted))
    assert len(found) == 2
    for one, (share, *box) in zip(found, wanted, strict=False):
        assert abs(one.share - share) < 1e-5 and np.allclose(one.box, box, atol=0.01)


def test_a_digit_is_found_once() -> None:
    """Of two boxes over the same digit the likelier stays, and a part within a digit goes; neighbours both stay."""
    digit, again = Detection(0.9, (0, 0, 20, 30)), Detection(0.8, (2, 1, 21, 32))
    part, neighbour = Detection(0.7, (4, 2, 14, 14)), Detection(0.95, (18, 0, 38, 30))
    assert once([again, part, digit, neighbour]) == [neighbour, digit]


def test_many_are_found_once_as_few_are() -> None:
    """As by comparing each with all that are likelier, pixel by pixel."""
    rng = np.random.default_rng(0)
    corners, sides = rng.integers(0, 60, (80, 2)), rng.integers(4, 30, (80, 2))
    boxes = [tuple(map(int, box)) for box in np.hstack([corners, corners + sides])]

    def covered(box: tuple[int, ...]) -> np.ndarray:
        pixels = np.zeros((100, 100), bool)
        pixels[box[1] : box[3], box[0] : box[2]] = True
        return pixels

    def alike(one: np.ndarray, other: np.ndarray) -> bool:
        common = (one & other).sum()
        return common > OVERLAP * (one | other).sum() or common > WITHIN * min(one.sum(), other.sum())

    pixels = [covered(box) for box in boxes]
    assert same(boxes[0], boxes).tolist() == [alike(pixels[0], other) for other in pixels]
    kept: list[int] = []
    for index in range(len(boxes)):
        if not any(alike(pixels[index], pixels[other]) for other in kept):
            kept.append(index)
    found = [Detection(1 - index / 100, box) for index, box in enumerate(boxes)]
    assert 20 < len(kept) < 60 and once(found[::-1]) == [found[index] for index in kept]
    assert once([]) == [] and same(boxes[0], []).tolist() == []


def test_overlap_is_intersection_over_union() -> None:
    assert overlap((0, 0, 2, 2), (0, 0, 2, 2)) == 1
    assert overlap((0, 0, 2, 2), (1, 0, 3, 2)) == 2 / 6
    assert overlap((0, 0, 2, 2), (2, 0, 3, 2)) == 0


def test_whose_ink_it_is() -> None:
    """A piece of its own is a digit's to its last pixel, beyond the box; what two share is parted in the middle."""
    ink = np.zeros((40, 80), bool)
    ink[5:35, 5:15] = True
    ink[5:8, 5:24] = True  # a bar that reaches over the neighbour's box
    ink[10:34, 20:30] = True
    found = owners(ink, [(4, 4, 16, 36), (19, 9, 31, 35)])
    assert (found[5:8, 5:24] == 1).all() and (found[10:34, 20:30] == 2).all()
    assert (found[~ink] == 0).all()
    joined = np.zeros((40, 80), bool)
    joined[10:30, 10:50] = True
    found = owners(joined, [(10, 10, 30, 30), (30, 10, 50, 30)])
    assert (found[10:30, 10:29] == 1).all() and (found[10:30, 31:50] == 2).all()
    far = np.zeros((40, 80), bool)
    far[:, 75] = True
    assert not owners(far, [(4, 4, 16, 36)]).any() and not owners(far, []).any()


def test_rows_may_lean() -> None:
    """Three lines that run down to the right, in any order of boxes: each is one, from left to right."""
    places = [(row, x) for row in range(3) for x in range(0, 300, 30)]
    boxes = [(float(x), 60.0 * row + 0.12 * x, x + 20.0, 60.0 * row + 0.12 * x + 40) for row, x in places]
    order = np.random.default_rng(0).permutation(len(boxes))
    found = reading_order([boxes[index] for index in order])
    assert [row for row, _ in found] == [row for row, _ in places]
    assert [order[index] for _, index in found] == list(range(len(places)))
    assert reading_order([]) == []


@pytest.mark.parametrize("degrees", [0, 2, 4, 6, 9, -5])
@pytest.mark.parametrize(
    "columns",
    [[[*range(4), *range(14, 18)]] * 5, [range(25), range(3), range(25)], [range(3), range(9), range(2)], [[0]] * 3],
    ids=["two columns", "a short line between", "three short ones", "one below the other"],
)
def test_lines_are_kept_apart(columns: list, degrees: int) -> None:
    """However far a page leans: a gap parts no line, and a line that is short gets nothing of the next."""
    unsteady, lean = np.random.default_rng(1), math.tan(math.radians(degrees))
    places = [(row, 36.0 * column) for row, columns_ in enumerate(columns) for column in columns_]
    tops = [64 * row + lean * x + unsteady.normal(0, 3) for row, x in places]
    boxes = [(x, top, x + 30, top + 40 + unsteady.normal(0, 4)) for (_, x), top in zip(places, tops, strict=True)]
    found = reading_order(boxes)
    assert [(row, places[index][1]) for row, index in found] == places


@pytest.mark.parametrize("paper, pen", [(220, 90), (30, 180)])
def test_a_stroke_is_whole(paper: int, pen: int) -> None:
    """What is as dark as a digit's ink, hangs together with it and may be ink is its; not a line that runs through it,
    what another digit has a part in, what lies beside it, or a frame that touches it."""
    tones = np.full((60, 120), paper, np.float32)
    tones[10:40, 20:23] = tones[10:13, 20:35] = pen  # one stroke, a corner
    tones[20:24, 60:63] = pen  # a speck
    ink, boxes = np.zeros((60, 120), np.float32), [(18.0, 8.0, 37.0, 42.0)]
    ink[14:40, 20:23] = 0.9  # what is known of it
    ink[10:14, 20:23] = ink[10:13, 23:35] = 0.1  # and what may be

    def completed(boxes: list[tuple[float, float, float, float]]) -> tuple[np.ndarray, np.ndarray]:
        owner = owners(ink > 0.5, boxes)
        return whole(tones, ink, owner, boxes, 0.5), owner

    found, owner = completed(boxes)
    stroke = tones == pen
    stroke[:, 60:] = False
    assert np.array_equal(owner == 1, stroke) and np.array_equal(found > 0.5, stroke)
    assert found[11, 30] == pytest.approx(1) and found[20, 21] == pytest.approx(0.9)
    both = [*boxes, (24.0, 8.0, 37.0, 16.0)]
    ink[10:13, 30:35] = 0.9  # the other end is another's
    assert np.array_equal(completed(both)[0], ink)
    ink[10:13, 30:35] = 0.1
    tones[40:42, 20:40] = tones[10:42, 38:40] = pen  # it touches a frame, which is known to be no ink
    assert np.array_equal(completed(boxes)[0], ink)
    tones[40:42, 20:40] = tones[10:42, 38:40] = paper
    tones[40:42] = pen  # it stands on a line
    assert np.array_equal(completed(boxes)[0], ink)
