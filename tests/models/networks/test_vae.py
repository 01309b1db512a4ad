"""VAEs against torch.distributions, and against likelihoods that are integrated over a grid of the whole latent."""

import math

import numpy as np
import pytest
import torch
from torch import distributions

import models
from models.networks import vae
from models.networks.vae import GaussianVAE, kl, log_bernoulli

GRID = torch.linspace(-7, 7, 141)


def small(name: str, seed: int = 0, **kwargs: int) -> GaussianVAE:
    """A network whose pictures depend on the latent, and whose q(z | x) is neither the prior nor the posterior."""
    torch.manual_seed(seed)
    net = models.create(name, **kwargs).eval().requires_grad_(False)
    for parameter in net.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.5 / math.sqrt(parameter[0].numel()))
    return net


def plain(latent: int) -> GaussianVAE:
    net = small("mnist-vae", hidden=12, latent=latent)
    net.decoder[2].weight.mul_(0.6)
    return net


class Told(GaussianVAE):
    """4x4 pixels, a latent of one number, and digits some of which are likely and others out of the question."""

    latent, conditional, flow = 1, True, None

    def __init__(self) -> None:
        super().__init__()
        draw = torch.Generator().manual_seed(3)
        self.slope = torch.nn.Parameter(torch.randn(16, generator=draw))
        self.offset = torch.nn.Parameter(torch.randn(10, 16, generator=draw))
        self.offset.data[6:] *= 8

    def posterior(self, x: torch.Tensor, digit: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        mean = 0.3 * ((x.flatten(1) - 0.5) * self.slope).sum(1, keepdim=True) + 0.02 * digit[:, None]
        return mean, torch.full_like(mean, -0.8)

    def logits(self, z: torch.Tensor, digit: torch.Tensor) -> torch.Tensor:
        return (z * self.slope + self.offset[digit]).unflatten(1, (1, 4, 4))


def conditional() -> GaussianVAE:
    return Told().eval().requires_grad_(False)


def binary(count: int, net: GaussianVAE) -> torch.Tensor:
    """Pictures as the network draws them, each pixel 0 or 1, (N, 1, 28, 28)."""
    draw = torch.Generator().manual_seed(7)
    return torch.bernoulli(net.sample(count, generator=draw), generator=draw)


def grid(latent: int) -> tuple[torch.Tensor, np.ndarray, float]:
    """Points (G, latent), their log-density under the prior, and the volume of a cell."""
    z = torch.cartesian_prod(*[GRID] * latent).reshape(-1, latent)
    log_prior = -0.5 * (z.double().numpy() ** 2).sum(1) - 0.5 * latent * math.log(2 * math.pi)
    return z, log_prior, (GRID[1] - GRID[0]).item() ** latent


def log_sum(values: np.ndarray) -> np.ndarray:
    """Of exponentials over the last axis."""
    top = values.max(-1, keepdims=True)
    return np.log(np.exp(values - top).sum(-1)) + top[..., 0]


def log_joint(net: GaussianVAE, x: torch.Tensor, digit: torch.Tensor | None) -> np.ndarray:
    """log p(x, z) of pictures (N,) at each point of the grid, (N, G); `digit` is one for all."""
    z, log_prior, _ = grid(net.latent)
    told = None if digit is None else digit.expand(len(z))
    logits = net.logits(z, told).flatten(1).double().numpy()
    pixels = x.flatten(1).double().numpy()
    return -pixels @ np.logaddexp(0, -logits).T - (1 - pixels) @ np.logaddexp(0, logits).T + log_prior


def log_marginal(net: GaussianVAE, x: torch.Tensor, digit: torch.Tensor | None = None) -> np.ndarray:
    """log p(x), or log p(x | digit), (N,): the sum over the grid."""
    return log_sum(log_joint(net, x, digit)) + math.log(grid(net.latent)[2])


def exact_bound(net: GaussianVAE, x: torch.Tensor) -> np.ndarray:
    """The evidence lower bound, (N,): the mean of log p(x, z) - log q(z | x) under q, over the grid."""
    mean, log_variance = (part.double().numpy() for part in net.posterior(x, None))
    z, _, cell = grid(net.latent)
    z = z.double().numpy()[None]
    variance = np.exp(log_variance)[:, None]
    log_q = (-0.5 * (z - mean[:, None]) ** 2 / variance - 0.5 * np.log(2 * math.pi * variance)).sum(2)
    return (np.exp(log_q) * (log_joint(net, x, None) - log_q)).sum(1) * cell


def test_kl() -> None:
    """Of each number of the latent, as torch.distributions has it."""
    mean, log_variance = 2 * torch.randn(50, 6), 2 * torch.randn(50, 6)
    posterior = distributions.Normal(mean, (log_variance / 2).exp())
    wanted = distributions.kl_divergence(posterior, distributions.Normal(0.0, 1.0))
    assert torch.allclose(kl(mean, log_variance), wanted, rtol=1e-4, atol=1e-5)
    assert not kl(torch.zeros(1, 6), torch.zeros(1, 6)).any()


def test_log_bernoulli() -> None:
    """Of binary pictures, as torch.distributions has it, summed over the pixels; no logit is too large."""
    logits, x = 5 * torch.randn(20, 1, 28, 28), torch.rand(20, 1, 28, 28).round()
    wanted = distributions.Bernoulli(logits=logits).log_prob(x).sum((1, 2, 3))
    assert log_bernoulli(x, logits).shape == (20,)
    assert torch.allclose(log_bernoulli(x, logits), wanted, rtol=1e-4)
    assert log_bernoulli(x, 1000 * (2 * x - 1)).abs().max() < 1e-6


def test_vae_is_the_formula() -> None:
    """784-256 ReLU-(64, 64), and 64-256 ReLU-784 sigmoid; what `net(x)` rebuilds is decoded from the mean."""
    net = small("mnist-vae")
    w, b, m, mb, s, sb, d, db, o, ob = (tensor.double().numpy() for tensor in net.state_dict().values())
    assert [part.shape for part in (w, m, s, d, o)] == [(256, 784), (64, 256), (64, 256), (256, 64), (784, 256)]
    x = torch.rand(5, 1, 28, 28)
    hidden = np.maximum(x.numpy().reshape(5, 784) @ w.T + b, 0)
    mean, log_variance = net.posterior(x)
    assert np.allclose(mean, hidden @ m.T + mb, atol=1e-5) and torch.equal(net.encode(x), mean)
    assert np.allclose(log_variance, hidden @ s.T + sb, atol=1e-5)
    logits = np.maximum(mean.numpy() @ d.T + db, 0) @ o.T + ob
    assert np.allclose(net(x), (1 / (1 + np.exp(-logits))).reshape(5, 1, 28, 28), atol=1e-5)


@pytest.mark.parametrize("latent", [1, 2])
def test_log_likelihood(latent: int) -> None:
    """With many samples it is log p(x); with one, on average, the bound; each more brings it closer from below."""
    net = plain(latent)
    x = binary(4, net)
    exact, bound = log_marginal(net, x), exact_bound(net, x)
    assert (exact - bound).min() > 0.05  # q is not the posterior: there is something to gain
    draw = torch.Generator().manual_seed(0)
    assert np.allclose(net.log_likelihood(x, 10_000, draw), exact, atol=0.05)
    means = [
        net.log_likelihood(x.repeat_interleave(often, 0), samples, draw).view(4, often).double().mean(1).numpy()
        for samples, often in ((1, 4000), (5, 800), (50, 80))
    ]
    assert np.allclose(means[0], bound, atol=0.15)
    assert (means[0] < means[1]).all() and (means[1] < means[2]).all() and (means[2] < exact + 0.02).all()
    assert (exact - means[2] < 0.25 * (exact - means[0])).all()


def test_log_likelihood_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is decoded at once, a few pictures or a part of one's samples, has no part in the answer."""
    net = conditional()
    x = binary(5, net)
    digit = torch.tensor([0, 3, 3, 1, 5])
    exact = [log_marginal(net, x[n : n + 1], digit[n]).item() for n in range(5)]
    for decoded in (300, 1001, 5000):
        monkeypatch.setattr(vae, "DECODED", decoded)
        found = net._estimate(x, digit, 1001, torch.Generator().manual_seed(0))
        assert found.tolist() == pytest.approx(exact, abs=0.1)


def test_log_likelihood_is_drawn_from_the_generator() -> None:
    """One seed, one answer, whatever the global generator is at."""
    for net in (plain(2), conditional()):
        x = binary(3, net)
        first = net.log_likelihood(x, 20, torch.Generator().manual_seed(3))
        torch.manual_seed(99)
        assert torch.equal(net.log_likelihood(x, 20, torch.Generator().manual_seed(3)), first)
        assert not torch.equal(net.log_likelihood(x, 20, torch.Generator().manual_seed(4)), first)


def test_conditional_log_likelihood(monkeypatch: pytest.MonkeyPatch) -> None:
    """log of the mean over the ten digits of p(x | digit); digits that cannot be it cost few samples."""
    net = conditional()
    x = binary(8, net)
    each = np.stack([log_marginal(net, x, torch.tensor([digit])) for digit in range(10)], 1)
    exact = log_sum(each) - math.log(10)
    gaps = each.max(1, keepdims=True) - each
    assert (gaps > 2 * vae.NEGLIGIBLE).any() and ((gaps > 0) & (gaps < 2)).any()  # digits of both sorts
    asked: list[tuple[int, int]] = []
    estimate = GaussianVAE._estimate

    def note(self, x, digit, samples, generator):
        asked.append((len(x), samples))
        return estimate(self, x, digit, samples, generator)

    monkeypatch.setattr(GaussianVAE, "_estimate", note)
    draw = torch.Generator().manual_seed(0)
    assert np.allclose(net.log_likelihood(x, 5_000, draw), exact, atol=0.05)
    assert sum(count for count, samples in asked if samples == 5_000) < 60
    means = [
        net.log_likelihood(x.repeat_interleave(400, 0), samples, draw).view(8, 400).double().mean(1).numpy()
        for samples in (1, 40)
    ]
    assert means[0].mean() < means[1].mean() - 0.05 and means[1].mean() < exact.mean() + 0.01
    assert (exact - means[1]).max() < 0.5 * (exact - means[0]).max()


def test_a_digit_that_is_not_given_is_read() -> None:
    """The one under which log p(x | z) - KL is largest, z being the mean; code and picture are those of that digit."""
    net = conditional()
    x = binary(12, net)
    bounds = []
    for digit in torch.arange(10):
        told = digit.expand(12)
        mean, log_variance = net.posterior(x, told)
        likelihood = distributions.Bernoulli(logits=net.logits(mean, told)).log_prob(x).sum((1, 2, 3))
        posterior = distributions.Normal(mean, (log_variance / 2).exp())
        bounds.append(likelihood - distributions.kl_divergence(posterior, distributions.Normal(0.0, 1.0)).sum(1))
    digits = torch.stack(bounds).argmax(0)
    assert len(digits.unique()) > 2
    assert torch.equal(net.read(x), digits)
    assert torch.equal(net.encode(x), net.encode(x, digits))
    assert torch.equal(net(x), net.decode(net.encode(x, digits), digits)) and torch.equal(net(x), net(x, digits))
    other = (digits + 1) % 10
    assert not torch.allclose(net(x, other), net(x), atol=0.05)


def test_both_halves_are_told_the_digit() -> None:
    """The same picture has another code as another digit, and the same code is another picture."""
    net = small("mnist-cvae", width=2, hidden=12, latent=2)
    x, z = torch.rand(1, 1, 28, 28).expand(10, 1, 28, 28), torch.zeros(10, 2)
    assert len(net.encode(x, torch.arange(10)).round(decimals=4).unique(dim=0)) == 10
    pictures = net.decode(z, torch.arange(10)).flatten(1)
    apart = (pictures[:, None] - pictures[None]).abs().amax(2) + torch.eye(10)
    assert apart.min() > 1e-4
