"""What happens to pictures, held to its statistics."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter

from models.pictures import corruptions
from models.pictures.corruptions import DIGITS, PHOTOS

KINDS = {
    f"{where}-{name}": kind for where, kinds in (("photo", PHOTOS), ("digit", DIGITS)) for name, kind in kinds.items()
}
DRAWN = [name for name in KINDS if "blur" not in name and "jpeg" not in name]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def flat(value: float, side: int = 300, channels: int = 3) -> torch.Tensor:
    """A picture of one shade, (1, channels, side, side)."""
    return torch.full((1, channels, side, side), value)


def scene(count: int = 1, height: int = 60, width: int = 50, channels: int = 3) -> torch.Tensor:
    """Smooth shapes in [0.1, 0.9]."""
    noise = np.random.default_rng(0).normal(size=(count, channels, height, width))
    smooth = gaussian_filter(noise, (0, 0, 4, 4))
    return torch.from_numpy(0.5 + 0.4 * smooth / abs(smooth).max()).float()


def test_gaussian() -> None:
    """Deviation sigma / 255 around the picture, normal, each channel its own, not clipped."""
    off = corruptions.gaussian(flat(0.9), 50, seeded()) - 0.9
    assert off.mean().item() == pytest.approx(0, abs=0.002)
    assert 255 * off.std().item() == pytest.approx(50, rel=0.01)
    assert (off.abs() < 50 / 255).float().mean().item() == pytest.approx(0.6827, abs=0.005)
    assert off.max() > 0.3
    assert abs(np.corrcoef(off[0].flatten(1).numpy())[0, 1]) < 0.02


def test_poisson() -> None:
    """White is `peak` photons: the variance of x is x / peak; values are whole numbers of photons."""
    for shade in (0.1, 0.5, 1.0):
        seen = corruptions.poisson(flat(shade), 30, seeded())
        assert seen.mean().item() == pytest.approx(shade, rel=0.02)
        assert seen.var().item() == pytest.approx(shade / 30, rel=0.03)
        assert torch.allclose(30 * seen, (30 * seen).round(), atol=1e-4)
    assert not corruptions.poisson(flat(0.0), 30, seeded()).any()


def test_speckle() -> None:
    """The deviation grows with the shade; black stays black."""
    for shade in (0.2, 0.8):
        seen = corruptions.speckle(flat(shade), 51, seeded())
        assert seen.mean().item() == pytest.approx(shade, rel=0.01)
        assert seen.std().item() == pytest.approx(shade * 51 / 255, rel=0.02)
    assert not corruptions.speckle(flat(0.0), 51, seeded()).any()


def test_salt_and_pepper() -> None:
    """A share of the pixels, half of them white in all channels, half black; the others are untouched."""
    seen = corruptions.salt_and_pepper(flat(0.4), 0.2, seeded())[0]
    for value in (0.0, 1.0):
        hit = (seen == value).all(0)
        assert hit.float().mean().item() == pytest.approx(0.1, abs=0.01)
        assert torch.equal(hit, (seen == value).any(0))
    assert (seen == 0.4).all(0).float().mean().item() == pytest.approx(0.8, abs=0.01)


def test_masking() -> None:
    """A share of the pixels is black in all channels; the others are untouched."""
    clean = scene()
    seen = corruptions.masking(clean, 0.3, seeded())[0]
    gone = (seen == 0).all(0)
    assert gone.float().mean().item() == pytest.approx(0.3, abs=0.03)
    assert torch.equal(seen[:, ~gone], clean[0][:, ~gone])


@pytest.mark.parametrize("radius", [0.5, 1.5, 4.0])
def test_blur(radius: float) -> None:
    """As scipy's Gaussian filter with the border mirrored."""
    clean = scene()
    expected = gaussian_filter(clean.numpy(), (0, 0, radius, radius), mode="mirror", truncate=3 + 0.5 / radius)
    assert np.allclose(corruptions.blur(clean, radius).numpy(), expected, atol=0.004)
    assert torch.allclose(corruptions.blur(flat(0.3, 20), radius), flat(0.3, 20), atol=1e-5)


def test_jpeg() -> None:
    """As Pillow writes and reads it; the lower the quality, the further off."""
    clean = scene()
    for quality in (10, 90):
        file = io.BytesIO()
        pixels = (255 * clean[0]).round().byte().permute(1, 2, 0).numpy()
        Image.fromarray(pixels).save(file, "JPEG", quality=quality)
        expected = np.asarray(Image.open(file))
        seen = corruptions.jpeg(clean, quality)[0].permute(1, 2, 0).numpy()
        assert np.array_equal((255 * seen).round(), expected)
    off = [(corruptions.jpeg(clean, quality) - clean).square().mean() for quality in (5, 50, 95)]
    assert off[0] > off[1] > off[2]
    assert corruptions.jpeg(scene(channels=1), 50).shape == (1, 1, 60, 50)


def test_camera() -> None:
    """Shot and read noise together: their variances add up, where JPEG takes little away."""
    seen = corruptions.camera(flat(0.5, channels=1), 100, 10, 100, seeded())
    assert seen.var().item() == pytest.approx(0.5 / 100 + (10 / 255) ** 2, rel=0.05)


@pytest.mark.parametrize("name", KINDS)
def test_every_kind(name: str) -> None:
    """Harmless at one end, worst at the other; a strength for each picture; any size; nothing changes in place."""
    kind, clean = KINDS[name], scene(2)
    before = clean.clone()
    off = [(kind.apply(clean, at, seeded()) - clean).square().mean() for at in (kind.low, kind.usual, kind.high)]
    assert off[0] < off[1] < off[2]
    assert off[0] < 0.004
    assert torch.equal(clean, before)
    each = kind.apply(clean, torch.tensor([kind.low, kind.high]), seeded())
    assert (each[0] - clean[0]).square().mean() < (each[1] - clean[1]).square().mean()
    for shape in ((1, 3, 1, 1), (1, 1, 3, 200), (2, 3, 2, 5)):
        seen = kind.apply(torch.rand(shape), kind.usual, seeded())
        assert seen.shape == shape and seen.isfinite().all()


@pytest.mark.parametrize("name", DRAWN)
def test_a_seed_says_what_is_drawn(name: str) -> None:
    """The same seed twice, another one, and none."""
    kind, clean = KINDS[name], scene()
    first, second, other = (kind.apply(clean, kind.usual, seeded(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, second) and not torch.equal(first, other)
    assert not torch.equal(kind.apply(clean, kind.usual), kind.apply(clean, kind.usual))


def test_offered_strengths() -> None:
    """The usual lies within the limits, and a slider can stand there."""
    for kind in KINDS.values():
        low, high = sorted((kind.low, kind.high))
        assert low <= kind.usual <= high
        steps = (kind.usual - low) / kind.step
        assert steps == pytest.approx(round(steps))
