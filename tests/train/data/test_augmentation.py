"""Warps, pens and scanners against formulas written out."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from train.data.augmentation import Augment

NOTHING = {"rotation": 0.0, "scale": 0.0, "shear": 0.0, "shift": 0.0, "elastic": 0.0}


def noise(n: int = 4) -> torch.Tensor:
    return torch.rand(n, 1, 28, 28, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def extreme(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every uniform draw gives its upper bound."""
    monkeypatch.setattr(torch.Tensor, "uniform_", lambda self, low, high: self.fill_(high))


def test_warp_of_nothing_is_the_image() -> None:
    """All bounds zero: the pictures come back."""
    assert torch.allclose(Augment(**NOTHING)(noise()), noise(), atol=1e-5)


@pytest.mark.parametrize("quarters", [1, 2])
def test_rotation(extreme: None, quarters: int) -> None:
    """90 degrees is exactly `rot90`, one way or the other, about the middle of the picture; 180 is twice that."""
    warped = Augment(**NOTHING | {"rotation": 90.0 * quarters})(noise())
    ways = [torch.rot90(noise(), quarters * way, (2, 3)) for way in (1, -1)]
    assert min((warped - way).abs().max() for way in ways) < 1e-4


def test_shift_scale_and_shear(extreme: None) -> None:
    """Three pixels are three pixels, exp(ln 2) is a factor of two, and a shear moves a row by its height times it."""
    moved = torch.zeros(4, 1, 28, 28)
    moved[..., :25, :25] = noise()[..., 3:, 3:]
    assert torch.allclose(Augment(**NOTHING | {"shift": 3.0})(noise()), moved, atol=1e-4)
    halved = torch.zeros(4, 1, 28, 28)  # an image of half the size: each pixel the mean of four
    halved[..., 7:21, 7:21] = nn.functional.avg_pool2d(noise(), 2)
    assert torch.allclose(Augment(**NOTHING | {"scale": math.log(2)})(noise()), halved, atol=1e-4)
    sheared = Augment(**NOTHING | {"shear": 2.0})(noise())[0, 0]
    for row in range(28):
        by = 2 * (row - 13.5)  # half of 2 * 13.5 pixels is a whole number
        for column in range(28):
            source = column + by
            expected = noise()[0, 0, row, int(source)] if 0 <= source <= 27 else 0.0
            assert abs(sheared[row, column] - expected) < 1e-3


def centres(warp: Augment, n: int = 4000) -> torch.Tensor:
    """By how many pixels a small spot in the middle moves: (n, 2)."""
    y, x = torch.meshgrid(torch.arange(28) - 13.5, torch.arange(28) - 13.5, indexing="ij")
    torch.manual_seed(0)
    warped = warp(torch.exp(-(x**2 + y**2) / 0.6).expand(n, 1, 28, 28))[:, 0]
    return torch.stack([(warped * x).sum((1, 2)), (warped * y).sum((1, 2))], 1) / warped.sum((1, 2))[:, None]


def test_statistics_of_shift_and_bend() -> None:
    """A shift is uniform within its bound, a bend is normal with its standard deviation at the middle knot."""
    moved = centres(Augment(**NOTHING | {"shift": 2.0}))
    assert 1.95 < moved.abs().max() <= 2.001
    assert moved.mean(0).tolist() == pytest.approx([0, 0], abs=0.1)
    assert moved.std(0).tolist() == pytest.approx([2 / math.sqrt(3)] * 2, rel=0.05)
    assert abs(torch.corrcoef(moved.T)[0, 1]) < 0.05
    bent = centres(Augment(**NOTHING | {"elastic": 0.8}))
    assert bent.std(0).tolist() == pytest.approx([0.8] * 2, rel=0.15)
    turned = centres(Augment(**NOTHING | {"rotation": 30.0, "scale": 0.1, "shear": 0.1}))
    assert turned.abs().max() < 0.01  # these leave the middle where it is


def test_warp_is_drawn_from_the_global_seed() -> None:
    """The same seed gives the same pictures, another seed others, and each picture of a batch its own."""
    warp = Augment(rotation=10, scale=0.1, shear=0.1, shift=2, elastic=0.5)
    results = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        results.append(warp(noise(1).expand(3, 1, 28, 28)))
    assert torch.equal(results[0], results[1])
    assert not torch.allclose(results[0], results[2], atol=0.1)
    assert not torch.allclose(results[0][0], results[0][1], atol=0.1)
    assert all(result.min() >= 0 and result.max() <= 1 for result in results)


def still(**values: float) -> Augment:
    """An augmentation that moves nothing."""
    return Augment(**NOTHING, **values)


def digits(n: int = 4) -> torch.Tensor:
    """Strokes of three pixels' width on black, at full contrast."""
    pictures = torch.zeros(n, 1, 28, 28)
    pictures[:, :, 6:22, 12:15] = 1
    pictures[:, :, 6:9, 8:20] = 0.8
    return pictures


def by_neighbours(picture: np.ndarray, choose: Callable) -> np.ndarray:
    """Each pixel the largest, or smallest, of the nine around it, those outside of the picture left out."""
    return np.array(
        [[choose(picture[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2]) for x in range(28)] for y in range(28)]
    )


def test_nothing_is_redrawn_without_thickness() -> None:
    """0 and 0: not a bit more than the warp is done, nor drawn from the generator."""
    torch.manual_seed(0)
    warped = Augment(**NOTHING)(digits())
    state = torch.get_rng_state()
    torch.manual_seed(0)
    assert torch.equal(still(thickness=0.0, coarse=0.0)(digits()), warped)
    assert torch.equal(torch.get_rng_state(), state)


def test_thicker_and_thinner_strokes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Towards the dilation by a 3x3 square, or half as far towards the erosion; then at full contrast again."""
    monkeypatch.setattr(torch, "rand_like", torch.zeros_like)  # every image is redrawn
    plain = digits(1)[0, 0].numpy()
    for amount in (0.8, -0.8):
        monkeypatch.setattr(
            torch.Tensor, "uniform_", lambda self, low, high, sign=amount / 0.8: self.fill_(sign * high)
        )
        found = still(thickness=0.8)(digits())[:, 0].numpy()
        if amount > 0:
            wanted = plain + 0.8 * (by_neighbours(plain, np.max) - plain)
        else:
            wanted = plain + 0.4 * (by_neighbours(plain, np.min) - plain)
        wanted /= wanted.max()
        assert np.allclose(found, wanted, atol=1e-4)
        assert (found.sum() > digits().sum()) == (amount > 0)


def test_half_of_the_images_keep_their_strokes() -> None:
    """Of the others each has its own; the range stays [0, 1], for noise and for faint pictures too."""
    torch.manual_seed(0)
    plain = Augment(**NOTHING)(digits(1000))
    found = still(thickness=0.8)(digits(1000))
    same = ((found - plain).abs().amax((1, 2, 3)) < 1e-4).float().mean().item()
    assert same == pytest.approx(0.5, abs=0.06)
    ink = found.sum((1, 2, 3))
    assert (ink > plain.sum((1, 2, 3)) + 0.1).sum() > 200 and (ink < plain.sum((1, 2, 3)) - 0.1).sum() > 150
    assert len(ink.unique()) > 400
    for pictures in (noise(400), digits(400) * 0.2, torch.zeros(400, 1, 28, 28)):
        for kind in (still(thickness=1.0), still(coarse=1.0), still(thickness=1.0, coarse=0.5)):
            result = kind(pictures)
            assert result.shape == pictures.shape and result.isfinite().all()
            assert result.min() >= 0 and result.max() <= 1 + 1e-6


def test_fewer_pixels() -> None:
    """So many of the images lose what is finer than 8 to 20 pixels for 28; the others stay as they are."""
    torch.manual_seed(0)
    plain = Augment(**NOTHING)(noise(1000))
    found = still(coarse=0.3)(noise(1000))
    touched = (found - plain).abs().amax((1, 2, 3)) > 1e-3
    assert touched.float().mean().item() == pytest.approx(0.3, abs=0.05)
    sharp, dull = (pictures[touched].diff(dim=3).abs().mean() for pictures in (plain, found))
    assert dull < 0.8 * sharp
    assert found[touched].mean().item() == pytest.approx(plain[touched].mean().item(), abs=0.02)


@pytest.mark.parametrize("size", [8, 14, 20])
def test_fewer_pixels_are_means_enlarged_again(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture that is flat in squares as large as the new pixels keeps their middles."""
    monkeypatch.setattr(torch, "randint", lambda low, high, shape: torch.tensor(size))
    found = still(coarse=1.0)(noise(2))
    # The mean of each of `size` x `size` fields, pixel by pixel with the share of it that lies in the field.
    edges = np.linspace(0, 28, size + 1)
    starts, ends = np.floor(edges[:-1]).astype(int), np.ceil(edges[1:]).astype(int)
    source = noise(2).numpy()[:, 0]
    small = np.array(
        [[source[:, y0:y1, x0:x1].mean((1, 2)) for x0, x1 in zip(starts, ends, strict=True)]
         for y0, y1 in zip(starts, ends, strict=True)]
    ).transpose(2, 0, 1)  # fmt: skip
    again = nn.functional.interpolate(torch.tensor(small)[:, None], size=(28, 28), mode="bicubic").clamp(0, 1)
    assert torch.allclose(found, again.float(), atol=1e-4)
