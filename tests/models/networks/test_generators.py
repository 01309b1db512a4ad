"""What every generator promises of its samples."""

import pytest
import torch

import models
from models.networks.generators import Generator, with_digit

SMALL = {
    "mnist-vae": {"hidden": 16, "latent": 8},
    "mnist-vae-2d": {"width": 2, "hidden": 16},
    "mnist-cvae": {"width": 2, "hidden": 16, "latent": 8, "couplings": 1},
    "mnist-gan": {"hidden": (16, 16), "latent": 8},
    "mnist-dcgan": {"width": 4, "latent": 8},
}
CONDITIONAL = {"mnist-cvae", "mnist-dcgan"}


@pytest.fixture(params=models.names(task="generation"))
def net(request: pytest.FixtureRequest) -> Generator:
    """A small one of each; its pictures depend visibly on latent and digit."""
    torch.manual_seed(0)
    net = models.create(request.param, **SMALL[request.param])
    for parameter in net.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.4)
    assert net.conditional == (request.param in CONDITIONAL)
    return net.eval().requires_grad_(False)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_one_seed_one_picture(net: Generator) -> None:
    """The same generator state gives the same pictures, another one others; the global generator has no part in it."""
    torch.manual_seed(1)
    first = net.sample(6, generator=seeded(3))
    assert first.shape == (6, 1, 28, 28) and first.dtype == torch.float32
    assert 0 <= first.min() < first.max() <= 1
    torch.manual_seed(2)
    state = torch.get_rng_state()
    assert torch.equal(net.sample(6, generator=seeded(3)), first)
    assert torch.equal(torch.get_rng_state(), state)
    assert not torch.allclose(net.sample(6, generator=seeded(4)), first, atol=0.1)
    assert not torch.allclose(first[0], first[1], atol=0.1)
    torch.manual_seed(1)
    assert torch.equal(net.sample(6), net.sample(6, generator=seeded(1)))  # without one, it is the global one's turn


def test_latent_is_standard_normal(net: Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is decoded is drawn from the prior, its deviation times the temperature."""
    seen: list[torch.Tensor] = []
    monkeypatch.setattr(type(net), "decode", lambda self, z, digit=None: seen.append(z))
    for temperature in (1.0, 0.5):
        net.sample(20_000, temperature=temperature, generator=seeded(0))
        assert seen[-1].shape == (20_000, net.latent)
        assert seen[-1].mean(0).abs().max() < 0.04
        assert torch.allclose(torch.cov(seen[-1].T), temperature**2 * torch.eye(net.latent), atol=0.05)
    assert torch.allclose(seen[1], seen[0] / 2)


def test_cold(net: Generator) -> None:
    """At temperature 0 every picture of a digit is what stands in the middle of the latent."""
    digit = torch.tensor([4, 4, 7]) if net.conditional else None
    middle = net.decode(torch.zeros(3, net.latent), digit)
    cold = net.sample(3, digit, temperature=0.0, generator=seeded(0))
    assert torch.equal(cold, middle)
    assert torch.allclose(cold[0], cold[1], atol=1e-6)
    assert torch.allclose(cold[1], cold[2], atol=1e-3) != net.conditional


def test_digits(net: Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A conditional one draws the digits asked for at the same points, any, all about as often, where none are."""
    digit = torch.tensor([0, 3, 9, 3])
    z = torch.randn(4, net.latent, generator=seeded(5))
    assert torch.equal(net.sample(4, digit, generator=seeded(5)), net.decode(z, digit if net.conditional else None))
    seen: list[torch.Tensor | None] = []
    monkeypatch.setattr(type(net), "decode", lambda self, z, digit=None: seen.append(digit))
    net.sample(5000, generator=seeded(0))
    if not net.conditional:
        assert seen == [None]
        return
    counts = torch.bincount(seen[0], minlength=10)
    assert len(counts) == 10 and 400 < counts.min() <= counts.max() < 600


def test_each_picture_is_of_its_own_point(net: Generator) -> None:
    """In eval mode a picture's company does not matter."""
    z, digit = torch.randn(7, net.latent, generator=seeded(0)), torch.arange(7)
    told = (lambda some: digit[some]) if net.conditional else (lambda some: None)
    whole = net.decode(z, told(slice(None)))
    assert torch.allclose(net.decode(z[2:3], told(slice(2, 3))), whole[2:3], atol=1e-5)


def test_shares_of_digits() -> None:
    """Behind the features stands a one for the digit; or any shares, between two digits say."""
    features = torch.rand(3, 2, dtype=torch.float64)
    whole = with_digit(features, torch.tensor([1, 0, 9]))
    assert whole.dtype == torch.float64
    assert torch.equal(whole[:, :2], features)
    assert whole[:, 2:].tolist() == [[0, 1, *[0] * 8], [1, *[0] * 9], [*[0] * 9, 1]]
    shares = torch.rand(3, 10)
    assert torch.equal(with_digit(features, shares)[:, 2:], shares.double())
    net = models.create("mnist-cvae", **SMALL["mnist-cvae"]).eval()
    z, one = torch.randn(10, 8), torch.eye(10)
    assert torch.equal(net.decode(z, one), net.decode(z, torch.arange(10)))
