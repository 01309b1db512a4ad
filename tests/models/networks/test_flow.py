"""The flow against autograd, and the likelihood of a VAE that has one against a grid over its whole latent."""

import math

import pytest
import torch

import models
from models.networks.flow import Flow
from models.networks.vae import GaussianVAE


def bent(size: int, layers: int = 4) -> Flow:
    """A flow that is far from doing nothing."""
    torch.manual_seed(1)
    flow = Flow(size, layers, hidden=16).requires_grad_(False)
    for coupling in flow.couplings:
        torch.nn.init.normal_(coupling.output.weight, std=0.3)
        torch.nn.init.normal_(coupling.output.bias, std=0.3)
    return flow.double()


class Told(GaussianVAE):
    """4x4 pixels and a latent of two numbers behind a flow."""

    latent, conditional = 2, True

    def __init__(self) -> None:
        super().__init__()
        self.flow = bent(2)
        self.slope = torch.nn.Parameter(
            torch.randn(2, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
        )

    def posterior(self, x: torch.Tensor, digit: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        mean = 0.2 * ((x.flatten(1) - 0.5) @ self.slope.T) + 0.02 * digit[:, None]
        return mean, torch.full_like(mean, 0.1)

    def logits(self, z: torch.Tensor, digit: torch.Tensor) -> torch.Tensor:
        return (z @ self.slope + 0.3 * digit[:, None]).unflatten(1, (1, 4, 4))


@pytest.mark.parametrize("size", [2, 5, 32])
def test_there_and_back(size: int) -> None:
    """The inverse undoes it, for each digit and between two; another digit bends differently."""
    flow, z = bent(size), torch.randn(20, size, dtype=torch.float64)
    digit = torch.arange(20) % 10
    u, _ = flow(z, digit)
    assert (u - z).abs().amax(1).min() > 0.05
    assert torch.allclose(flow.inverse(u, digit), z, atol=1e-9)
    shares = torch.rand(20, 10, dtype=torch.float64)
    assert torch.allclose(flow.inverse(flow(z, shares)[0], shares), z, atol=1e-9)
    assert not torch.allclose(flow(z, (digit + 1) % 10)[0], u, atol=0.01)


@pytest.mark.parametrize("size", [2, 5])
def test_determinant(size: int) -> None:
    """It is the log of the absolute determinant of autograd's Jacobian."""
    flow, digit = bent(size), torch.tensor([4])
    for z in torch.randn(5, size, dtype=torch.float64):
        jacobian = torch.autograd.functional.jacobian(lambda one: flow(one[None], digit)[0][0], z)
        wanted = jacobian.det().abs().log().item()
        assert flow(z[None], digit)[1].item() == pytest.approx(wanted, abs=1e-6)  # scales are float32


def test_a_fresh_flow_does_nothing() -> None:
    """Training begins with the standard normal itself."""
    z = torch.randn(3, 6)
    u, determinant = Flow(6, 4, 16)(z, torch.tensor([1, 2, 3]))
    assert torch.equal(u, z)
    assert not determinant.any()


def test_likelihood_behind_a_flow() -> None:
    """By importance sampling it is the integral over the whole latent, where the prior is the flow's density."""
    net = Told().requires_grad_(False)
    x = torch.rand(3, 1, 4, 4, generator=torch.Generator().manual_seed(0)).round().double()
    line = torch.linspace(-12, 12, 241, dtype=torch.float64)
    z, cell = torch.cartesian_prod(line, line), (line[1] - line[0]).item() ** 2
    exact = []
    for number in range(10):
        digit = torch.full((len(z),), number)
        u, determinant = net.flow(z, digit)
        prior = -(u**2).sum(1) / 2 - math.log(2 * math.pi) + determinant
        assert prior.exp().sum().item() * cell == pytest.approx(1, abs=1e-3)
        logits = net.logits(z, digit).flatten(1)
        pixels = torch.distributions.Bernoulli(logits=logits)
        exact.append(
            torch.stack([(prior + pixels.log_prob(one.flatten()).sum(1)).logsumexp(0) for one in x]) + math.log(cell)
        )
    exact = torch.stack(exact).logsumexp(0) - math.log(10)
    found = net.log_likelihood(x, 20_000, torch.Generator().manual_seed(0))
    assert torch.allclose(found, exact, atol=0.03)


def test_the_latent_is_normal_from_outside() -> None:
    """`encode` gives the u whose z is the mean of q, and `decode` takes such a u."""
    net = Told().requires_grad_(False)
    x, digit = torch.rand(4, 1, 4, 4, dtype=torch.float64), torch.tensor([1, 5, 5, 9])
    u, mean = net.encode(x, digit), net.posterior(x, digit)[0]
    assert torch.allclose(net.flow.inverse(u, digit), mean)
    assert torch.allclose(net.decode(u, digit), net.logits(mean, digit).sigmoid())


@pytest.mark.parametrize("kwargs", [{"conditional": False}, {"latent": 1}])
def test_where_no_flow_can_be(kwargs: dict) -> None:
    """It is told the digit, and needs two halves."""
    with pytest.raises(ValueError, match="only a conditional network of two numbers or more can have couplings"):
        models.create("mnist-cvae", **kwargs)
