"""The steps of a camera: each against its inverse, and its noise against the formula."""

import pytest
import torch
from torch.nn.functional import interpolate

from models.pictures import raw
from models.pictures.photographs import luma


def smooth(count: int = 2, side: int = 32) -> torch.Tensor:
    """Colours that vary slowly, from 0.05 to 0.85."""
    knots = torch.rand(count, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    return (0.05 + 0.8 * interpolate(knots, size=(side, side), mode="bilinear", align_corners=True)).clamp(0, 1)


def quiet(count: int = 2) -> raw.Camera:
    """Cameras without noise."""
    return raw.cameras(count, torch.Generator().manual_seed(1)).quiet()


def test_tone_and_gamma() -> None:
    """There and back is the same, and black and white stay."""
    x = torch.linspace(0, 1, 101)
    for there, back in ((raw.tone, raw.untone), (raw.gamma, raw.ungamma)):
        assert torch.allclose(back(there(x)), x, atol=1e-3)
        assert torch.allclose(there(back(x)), x, atol=1e-3)
        assert there(x[[0, -1]]).tolist() == pytest.approx([0, 1], abs=1e-3)


def test_colours_and_balance() -> None:
    """The inverse matrix and the gains bring every colour back; white stays white through both."""
    x, camera = smooth(), quiet()
    assert torch.allclose(raw.colours(raw.colours(x, camera.matrix), torch.linalg.inv(camera.matrix)), x, atol=1e-3)
    assert torch.allclose(raw.balance(raw.unbalance(x, camera.gains), camera.gains), x, atol=1e-5)
    white = torch.ones(2, 3, 2, 2)
    assert torch.allclose(raw.colours(white, camera.matrix), white, atol=1e-5)
    assert torch.allclose(raw.unbalance(white, camera.gains), white)


def test_a_sensor_sees_one_colour_a_place() -> None:
    """Red, green, green, blue; what varies evenly is found again, border aside."""
    x = smooth(1, 8)
    kept = raw.mosaic(x)[0, 0]
    assert kept[0, 0] == x[0, 0, 0, 0] and kept[0, 1] == x[0, 1, 0, 1]
    assert kept[1, 0] == x[0, 1, 1, 0] and kept[1, 1] == x[0, 2, 1, 1]
    slope = (torch.arange(16.0)[:, None] + 2 * torch.arange(16.0)).expand(1, 3, 16, 16) / 60
    assert torch.allclose(raw.demosaic(raw.mosaic(slope))[..., 1:-1, 1:-1], slope[..., 1:-1, 1:-1], atol=1e-6)


def test_noise_is_as_told() -> None:
    """Of a value v it has the variance shot * v + read."""
    shot, read = torch.tensor([0.01, 0.001]), torch.tensor([0.0001, 0.002])
    camera = raw.Camera(torch.eye(3).expand(2, 3, 3), torch.ones(2, 3), shot, read)
    for value in (0.0, 0.2, 0.9):
        x = torch.full((2, 1, 256, 256), value)
        noise = raw.expose(x, camera, torch.Generator().manual_seed(2)) - x
        assert torch.allclose(noise.var((1, 2, 3)), shot * value + read, rtol=0.03)


def test_a_photograph_there_and_back() -> None:
    """Without noise a smooth photograph comes back; with it, it is noisy, the same for the same seed."""
    x = smooth()
    back = raw.photographed(x, quiet())
    assert (back - x)[..., 2:-2, 2:-2].square().mean().sqrt() < 0.01
    noisy = [raw.photographed(x, raw.cameras(2, torch.Generator().manual_seed(3)), torch.Generator().manual_seed(4))
             for _ in range(2)]  # fmt: skip
    assert torch.equal(*noisy)
    assert (noisy[0] - x).std() > 2 * (back - x).std()


def test_cameras_differ_as_the_paper_says() -> None:
    """Gains and shot noise lie within the bounds of section 3, and read noise follows shot noise."""
    many = raw.cameras(500, torch.Generator().manual_seed(5))
    ratios = many.gains / many.gains[:, 1:2]
    for values, low, high in ((ratios[:, 0], 1.9, 2.4), (ratios[:, 2], 1.5, 1.9), (many.shot, 1e-4, 0.012)):
        assert low * 0.999 <= values.min() < low * 1.2 and high * 0.8 < values.max() <= high * 1.001
    off = many.read.log() - 2.18 * many.shot.log() - 1.20
    assert abs(off.mean()) < 0.05 and off.std() == pytest.approx(0.26, rel=0.15)
    assert torch.allclose(many.matrix.sum(2), torch.ones(500, 3), atol=1e-5)


def test_noise_reduction_blurs_noise_alone() -> None:
    """The picture stays; the noise of colours becomes weaker and smoother than that of brightness."""
    clean = smooth(1, 64)
    noisy = clean + 0.05 * torch.randn(clean.shape, generator=torch.Generator().manual_seed(6))
    radii = torch.tensor([0.6]), torch.tensor([2.0])
    assert torch.allclose(raw.reduced(clean, clean, *radii), clean)
    left = raw.reduced(noisy, clean, *radii) - clean
    grey = luma(left)
    for part, before in ((grey, luma(noisy - clean)), (left - grey, noisy - clean - luma(noisy - clean))):
        assert part.std() < 0.8 * before.std()
    assert (left - grey).std() / grey.std() < 0.5 * (noisy - clean).std() / luma(noisy - clean).std()
