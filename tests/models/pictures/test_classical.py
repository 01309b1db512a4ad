"""The methods without training, behind the networks' interface."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter, median_filter
from skimage.restoration import denoise_nl_means, denoise_tv_chambolle, denoise_wavelet

from models.pictures.classical import METHODS
from models.pictures.corruptions import gaussian


def scene(channels: int, height: int = 48, width: int = 60) -> torch.Tensor:
    """Two smooth pictures in [0, 1]."""
    smooth = gaussian_filter(np.random.default_rng(0).normal(size=(2, channels, height, width)), (0, 0, 6, 6))
    return torch.from_numpy(0.5 + 0.5 * smooth / abs(smooth).max()).float()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", METHODS)
def test_less_noise(name: str, channels: int) -> None:
    """Each brings a noisy picture nearer to the clean one, at any strength; shape and type stay."""
    clean = scene(channels)
    for sigma in (15.0, 50.0):
        noisy = gaussian(clean, sigma, torch.Generator().manual_seed(0))
        found = METHODS[name](noisy, torch.tensor([sigma, sigma]))
        assert (found.shape, found.dtype) == (noisy.shape, torch.float32)
        assert (found - clean).square().mean() < 0.7 * (noisy - clean).square().mean()


@pytest.mark.parametrize("name", METHODS)
def test_each_picture_has_its_own_sigma(name: str) -> None:
    """A batch is what its pictures are by themselves; without noise nothing is done."""
    noisy = gaussian(scene(3), 30, torch.Generator().manual_seed(0))
    together = METHODS[name](noisy, torch.tensor([0.0, 40.0]))
    assert torch.equal(together[0], noisy[0])
    assert torch.equal(together[1:], METHODS[name](noisy[1:], torch.tensor([40.0])))


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (2, 2), (3, 200), (7, 8)], ids=str)
@pytest.mark.parametrize("name", METHODS)
def test_any_size(name: str, size: tuple[int, int]) -> None:
    """The smallest pictures too, grey and colour, without a warning."""
    for channels in (1, 3):
        noisy = torch.rand(1, channels, *size)
        found = METHODS[name](noisy, torch.tensor([25.0]))
        assert found.shape == noisy.shape and found.isfinite().all()


def test_they_are_what_they_are_called() -> None:
    """The same as scikit-image's and scipy's functions, called by hand."""
    noisy = gaussian(scene(1), 25, torch.Generator().manual_seed(0))[:1]
    picture, sigma = noisy[0, 0].numpy(), 25 / 255
    by_hand = {
        "non-local-means": denoise_nl_means(picture, 5, 6, 0.8 * sigma, fast_mode=True, sigma=sigma),
        "total-variation": denoise_tv_chambolle(picture, weight=0.75 * sigma),
        "wavelet": denoise_wavelet(picture, sigma=sigma, rescale_sigma=True),
        "median": median_filter(picture, 3, mode="mirror"),
    }
    assert by_hand.keys() == METHODS.keys()
    for name, expected in by_hand.items():
        found = METHODS[name](noisy, torch.tensor([25.0]))[0, 0].numpy()
        assert np.allclose(found, expected, atol=1e-5), name
