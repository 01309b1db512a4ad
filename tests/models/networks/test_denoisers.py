"""The denoising networks: any size, any noise level, and pixels depend on no more than they say."""

import pytest
import torch
from torch.nn.functional import interpolate, pad

import models
from models.networks.denoisers import UNet, mirrored

SMALL = {"widths": (8, 16, 24), "blocks": 1}


def awake(name: str, **kwargs: object) -> models.Model:
    """A network whose output is not zero, as it is at first."""
    torch.manual_seed(0)
    net = models.create(name, **kwargs).eval()
    for parameter in net.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.1)
    return net


def test_at_first_there_is_no_noise() -> None:
    """A fresh network gives back what it is given."""
    for name, channels in (("photo-denoiser", 3), ("mnist-denoiser", 1)):
        x = torch.rand(2, channels, 28, 28)
        assert torch.equal(models.create(name)(x, torch.tensor([5.0, 50.0])), x)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (3, 500), (16, 16), (17, 23), (2, 2), (5, 64)], ids=str)
def test_any_size(size: tuple[int, int]) -> None:
    """What comes out is as large as what went in; colour and grey."""
    net = awake("photo-denoiser", **SMALL)
    for channels in (1, 3):
        x = torch.rand(2, channels, *size)
        assert net(x, torch.tensor([5.0, 50.0])).shape == x.shape
        assert net.estimate(x).shape == (2,)


def test_odd_sizes_are_mirrored() -> None:
    """The same as of the picture whose borders are mirrored by hand."""
    net, x, sigma = awake("photo-denoiser", **SMALL), torch.rand(1, 3, 37, 22), torch.tensor([20.0])
    larger = pad(x, (0, 2, 0, 3), mode="reflect")
    assert torch.allclose(net(x, sigma), net(larger, sigma)[:, :, :37, :22], atol=1e-5)


def test_mirrored() -> None:
    """As torch reflects where it can; a picture of a few pixels goes to and fro, one pixel is repeated."""
    x = torch.rand(1, 2, 5, 7)
    assert torch.equal(mirrored(x, 3, 2), pad(x, (0, 2, 0, 3), mode="reflect"))
    assert mirrored(torch.tensor([[[[1.0, 2.0]]]]), 0, 4).flatten().tolist() == [1, 2, 1, 2, 1, 2]
    assert mirrored(torch.full((1, 1, 1, 1), 4.0), 3, 2).tolist() == [[[[4.0] * 3] * 4]]


def test_each_picture_has_its_own_sigma() -> None:
    """A batch is what its pictures are by themselves; sigma matters."""
    net, x, sigma = awake("photo-denoiser", **SMALL), torch.rand(2, 3, 24, 24), torch.tensor([5.0, 60.0])
    together = net(x, sigma)
    for number in range(2):
        alone = net(x[number : number + 1], sigma[number : number + 1])
        assert torch.allclose(together[number], alone[0], atol=1e-5)
    assert not torch.allclose(together, net(x, sigma.flip(0)), atol=1e-3)


def test_without_a_sigma() -> None:
    """It takes its own estimate; the network for digits takes none at all."""
    net, x = awake("photo-denoiser", **SMALL), torch.rand(2, 3, 24, 24)
    assert torch.equal(net(x), net(x, net.estimate(x)))
    digits = awake("mnist-denoiser")
    assert torch.equal(digits(x[:, :1]), digits(x[:, :1], torch.tensor([5.0, 60.0])))


def test_grey() -> None:
    """A grey picture is three equal channels, and the noise that is found the mean over them."""
    net, x, sigma = awake("photo-denoiser", **SMALL), torch.rand(1, 1, 24, 24), torch.tensor([20.0])
    colour = net(x.expand(-1, 3, -1, -1), sigma)
    assert torch.allclose(net(x, sigma), colour.mean(1, keepdim=True), atol=1e-5)
    assert torch.equal(net.estimate(x), net.estimate(x.expand(-1, 3, -1, -1)))


def test_estimates_are_of_the_whole_picture() -> None:
    """A weighted mean of places: as many of the same change nothing, and it is never negative."""
    net, x = awake("photo-denoiser", **SMALL), torch.rand(1, 3, 8, 8)
    assert net.estimate(x).item() >= 0
    one, many = torch.full((1, 3, 8, 8), 0.3), torch.full((1, 3, 400, 400), 0.3)
    assert net.estimate(many).item() == pytest.approx(net.estimate(one).item(), rel=0.2)


@pytest.mark.parametrize(("widths", "blocks"), [((4, 6, 8), 1), ((4, 6), 2), ((4,), 1), ((4, 4, 4, 4), 1)], ids=str)
def test_reach(widths: tuple[int, ...], blocks: int) -> None:
    """No output pixel depends on one that is further away than `reach`, and some on one at least half as far."""
    torch.manual_seed(0)
    net = UNet(1, 0, widths, blocks).double()
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    side = 2 * net.reach + 4 * net.multiple
    far, near = 0, net.reach
    for middle in range(side // 2, side // 2 + net.multiple):
        x = torch.rand(1, 1, side, side, dtype=torch.float64, requires_grad=True)
        net(x)[0, 0, middle, middle].backward()
        touched = x.grad[0, 0].any(1).nonzero().flatten()
        reached = max(middle - touched.min().item(), touched.max().item() - middle)
        far, near = max(far, reached), min(near, reached)
    assert near > net.reach / 2
    assert far <= net.reach


def test_sizes() -> None:
    """Two networks; the one for photographs stays under 4.7 M parameters, also when it is trained twice as wide."""
    assert models.names(task="denoising") == ["photo-denoiser", "mnist-denoiser"]
    assert models.create("photo-denoiser", widths=(64, 128, 256)).parameter_count < 4_700_000


def test_a_picture_twice_as_large() -> None:
    """What lies further apart than the network looks is worked on alone: two pictures side by side, apart or as one."""
    net, sigma = awake("photo-denoiser", **SMALL), torch.tensor([20.0])
    reach = net.unet.reach
    x = interpolate(torch.rand(1, 3, 3, 30), size=(16, 8 * ((2 * reach + 40) // 4)), mode="nearest")
    whole = net(x, sigma)
    half = x.shape[3] // 16 * 8
    left = net(x[..., : half + -(-reach // 8) * 8], sigma)
    assert torch.allclose(whole[..., :half], left[..., :half], atol=1e-5)


def test_what_is_not_seen_is_no_evidence() -> None:
    """Whatever hidden pixels hold, the estimate is the same; where nothing is seen, all of it counts."""
    torch.manual_seed(0)
    net, picture = models.create("noise-level", widths=(4, 4, 6, 6)).eval(), torch.rand(2, 3, 62, 90)
    seen = torch.ones(2, 1, 62, 90, dtype=torch.bool)
    seen[:, :, :20], seen[0, :, :, 60:] = False, False
    other = torch.where(seen, picture, torch.rand_like(picture))
    with torch.inference_mode():
        assert torch.equal(net(picture, seen), net(other, seen))
        assert not torch.allclose(net(picture), net(other), rtol=1e-4)
        assert torch.equal(net(picture, torch.zeros_like(seen)), net(picture))
        assert torch.equal(net(picture, torch.ones_like(seen)), net(picture))
