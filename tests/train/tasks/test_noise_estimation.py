"""What a batch means to the estimator: its noise against what is said of it."""

import dataclasses
import math
from types import SimpleNamespace

import pytest
import torch

import models
from models.pictures import corruptions, raw
from models.pictures.photographs import luma
from train.data.splits import Photographs
from train.tasks.noise_estimation import TOLD, NoiseEstimation, grained, photographed, white

RECIPE = dataclasses.replace(NoiseEstimation.recipes["noise-level"], patch=64, clipped=0.0)


def plain(count: int, side: int = 64) -> torch.Tensor:
    """One colour each, in the middle of the range."""
    torch.manual_seed(0)
    return torch.empty(count, 3, 1, 1).uniform_(0.4, 0.6).expand(-1, -1, side, side).contiguous()


def grey(x: torch.Tensor) -> torch.Tensor:
    """Which pictures have three equal channels, (N,) bool."""
    return (x.amax(1) - x.amin(1)).amax((1, 2)) < 1e-6


def alike(noise: torch.Tensor) -> torch.Tensor:
    """Of each picture, how much a pixel's noise is like that of its neighbour on the right: correlation, (N,)."""
    noise = noise - noise.mean((2, 3), keepdim=True)
    return (noise[..., 1:] * noise[..., :-1]).mean((1, 2, 3)) / noise.square().mean((1, 2, 3))


def test_grain() -> None:
    """It keeps the deviation and is alike as far as a Gaussian of that radius reaches; at 0 it is each pixel's own."""
    torch.manual_seed(1)
    radius = torch.tensor([0.0, 0.5, 0.8, 1.0])
    grain = grained(torch.randn(4, 3, 128, 128), radius)
    assert grain.std((1, 2, 3)).tolist() == pytest.approx([1] * 4, abs=0.01)
    places = torch.arange(-8, 9.0)
    for one, found in zip(radius[1:], alike(grain)[1:], strict=True):
        kernel = torch.exp(-(places**2) / (2 * one**2))
        expected = (kernel[1:] * kernel[:-1]).sum() / kernel.square().sum()
        assert found.item() == pytest.approx(expected.item(), abs=0.02)
    assert alike(grain)[0].item() == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_white(share: float) -> None:
    """The deviation is what is said, grain or not, grey or not; and the shares are those of the recipe."""
    clean = plain(200)
    noisy, sigma = white(clean, dataclasses.replace(RECIPE, sigma=20.0, grain=share))
    noise = noisy - clean  # of one colour, also where the patch became grey
    noise = 255 * (noise - noise.mean((2, 3), keepdim=True))
    rounding = 1 / 12
    found, said = noise.std((1, 2, 3)), (sigma**2 + rounding).sqrt()
    assert found[sigma > 1].tolist() == pytest.approx(said[sigma > 1].tolist(), rel=0.06)
    assert (found[sigma <= 1] < 1.2).all()
    assert (sigma == 0).float().mean().item() == pytest.approx(RECIPE.clean, abs=0.07)
    assert grey(noisy).float().mean().item() == pytest.approx(RECIPE.grey, abs=0.1)
    strong = alike(noise)[sigma > 5]
    assert (strong > 0.1).float().mean().item() == pytest.approx(0.6 * share, abs=0.15)  # from a radius of 0.4


def test_cameras() -> None:
    """Told is their deviation times a number; grey ones are grey, quiet ones without noise, and the shares hold."""
    clean = plain(120)
    noisy, sigma = photographed(clean, 64, grey=0.3, quiet=0.2)
    assert noisy.shape == clean.shape and sigma.shape == (120,)
    assert grey(noisy).float().mean().item() == pytest.approx(0.3, abs=0.12)
    assert (sigma == 0).float().mean().item() == pytest.approx(0.2, abs=0.12)
    some = sigma > 0
    spread = 255 * (noisy - noisy.mean((2, 3), keepdim=True)).square().mean((1, 2, 3)).sqrt()
    assert spread[some].tolist() == pytest.approx((sigma[some] / TOLD).tolist(), rel=0.2, abs=1.2)
    assert spread[~some].max() < 2  # of one colour: JPEG leaves it alone
    colours = [luma(noisy - clean).std((1, 2, 3)), (noisy - clean).std((1, 2, 3))]
    assert (colours[0] < colours[1])[some & ~grey(noisy)].all()


def test_a_grey_picture_is_the_coloured_one_in_grey() -> None:
    """The same cameras draw the same noise: a picture is made grey after it, as by a phone's filter."""
    torch.manual_seed(3)
    clean = torch.nn.functional.interpolate(torch.rand(6, 3, 8, 8), (64, 64), mode="bicubic").clamp(0.1, 0.9)
    pictures = []
    for share in (0.0, 1.0):
        torch.manual_seed(4)
        pictures.append(photographed(clean, 64, share))
    (coloured, _), (in_grey, sigma) = pictures
    assert grey(in_grey).all() and not grey(coloured).any()
    error = 255 * (luma(coloured) - luma(in_grey)).square().mean((1, 2, 3)).sqrt()
    assert (error < 0.25 * sigma / TOLD + 2.5).all()  # JPEG rounds the two otherwise


def test_on_another_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is drawn by chance comes to where the photographs are: seen without a GPU, by tensors without content."""
    monkeypatch.setattr(raw, "cameras", lambda count: SimpleNamespace(quiet=lambda: None))
    for name in ("photographed", "reduced"):
        monkeypatch.setattr(raw, name, lambda clean, *_: clean)
    monkeypatch.setattr(corruptions, "jpeg", lambda image, quality: image)
    noisy, sigma = photographed(torch.rand(2, 3, 64, 64, device="meta"), 64, grey=0.3, quiet=0.2)
    assert noisy.device.type == sigma.device.type == "meta" and noisy.shape == (2, 3, 64, 64)


def test_a_batch_too_small_for_a_camera() -> None:
    """A share of one photograph, or none of cameras: the others are learned from."""
    net, recipe = models.create("noise-level"), dataclasses.replace(RECIPE, camera=0.4)
    for count, camera in ((1, 0.4), (4, 0.0)):
        some = dataclasses.replace(recipe, camera=camera, screens=0.0)
        loss = NoiseEstimation().loss({"net": net}, "net", plain(count), torch.zeros(count), some, 0.0)
        assert loss.isfinite()


def test_small_and_unequal_photographs() -> None:
    """One's own may be smaller than what the published ones are judged by, and of any shapes."""
    torch.manual_seed(0)
    split = Photographs(
        [torch.randint(256, (3, *size), dtype=torch.uint8) for size in ((90, 200), (240, 70), (99, 99))]
    )
    net, task = models.create("noise-level").eval(), NoiseEstimation()
    assert all(math.isfinite(figure) for figure in task.evaluate(net, split).values())
    assert task.snapshot(net, split).shape == (96, 96)
