"""The parts of the losses against torch.distributions, autograd and networks whose slopes are known."""

import math

import pytest
import torch
from torch import distributions, nn

import models
from models.networks.gan import ConvCritic
from train.tasks.autoencoding import Reconstruction, contraction
from train.tasks.gan import Drawing, gradient_penalty
from train.tasks.vae import Bound


@pytest.mark.parametrize("activation", ["relu", "sigmoid"])
def test_contraction(activation: str) -> None:
    """The squared Frobenius norm of the Jacobian that autograd finds, picture by picture."""
    torch.manual_seed(0)
    net = models.create("mnist-ae", latent=12, activation=activation).double()
    x = torch.rand(6, 1, 28, 28, dtype=torch.float64)
    code = net.encode(x)
    assert activation == "sigmoid" or (code == 0).any(1).all()  # some neurons are at rest
    found = contraction(net, code)
    assert found.shape == (6,)
    for picture, value in zip(x, found, strict=True):
        jacobian = torch.autograd.functional.jacobian(lambda one: net.encode(one[None])[0], picture)
        assert value.item() == pytest.approx(jacobian.square().sum().item(), rel=1e-9)


@pytest.mark.parametrize("activation", ["relu", "sigmoid"])
def test_gradient_of_the_contraction(activation: str) -> None:
    """It can be trained: its gradient is that of the sum over the Jacobian, twice differentiated by autograd."""
    torch.manual_seed(0)
    net = models.create("mnist-ae", latent=5, activation=activation).double()
    x = torch.rand(3, 1, 28, 28, dtype=torch.float64)
    parameters = list(net.encoder.parameters())
    closed = torch.autograd.grad(contraction(net, net.encode(x)).sum(), parameters, allow_unused=True)
    picture = x.clone().requires_grad_()
    code = net.encode(picture)
    total = torch.zeros((), dtype=torch.float64)
    for unit in range(5):
        (slope,) = torch.autograd.grad(code[:, unit].sum(), picture, create_graph=True)
        total = total + slope.square().sum()
    wanted = torch.autograd.grad(total, parameters, allow_unused=True)
    for found, want in zip(closed, wanted, strict=True):
        zero = torch.zeros(1, dtype=torch.float64)
        assert torch.allclose(zero if found is None else found, zero if want is None else want, atol=1e-10)
    assert closed[0].any()


def test_reconstruction() -> None:
    """The picture rebuilt, the L1 norm of its code, and its contraction."""
    torch.manual_seed(0)
    net = models.create("mnist-ae", latent=8)
    x = torch.rand(4, 1, 28, 28)
    rebuilt, size, slope = Reconstruction(net)(x)
    assert torch.equal(rebuilt, net(x))
    assert torch.allclose(size, torch.linalg.vector_norm(net.encode(x), 1, dim=1))
    assert torch.equal(slope, contraction(net, net.encode(x)))


@pytest.mark.parametrize("name", ["mnist-vae", "mnist-cvae"])
def test_bound(name: str) -> None:
    """log p(x | z) of a z from q(z | x), as torch.distributions draws and weighs it, the KL, and the mean of q."""
    torch.manual_seed(0)
    net = models.create(name, hidden=16, latent=3, **({"width": 2, "couplings": 0} if name == "mnist-cvae" else {}))
    x, digit = torch.rand(4, 1, 28, 28).round(), torch.tensor([3, 0, 9, 9])
    torch.manual_seed(5)
    likelihood, divergence, told = Bound(net)(x, digit)
    mean, log_variance = net.posterior(x, digit)
    posterior = distributions.Normal(mean, (log_variance / 2).exp())
    torch.manual_seed(5)
    z = posterior.rsample()
    wanted = distributions.Bernoulli(logits=net.logits(z, digit)).log_prob(x).sum((1, 2, 3))
    assert torch.allclose(likelihood, wanted, rtol=1e-5)
    each = distributions.kl_divergence(posterior, distributions.Normal(0.0, 1.0))
    assert torch.allclose(divergence, each.sum(1), rtol=1e-4, atol=1e-6)
    assert torch.equal(told, mean)
    # The noise is not in the way of the gradient: it reaches both halves of the posterior through the likelihood.
    (likelihood.sum()).backward(retain_graph=True)
    head = net.log_variance.weight if name == "mnist-vae" else net.posterior_head.weight[3:]
    assert (head.grad if name == "mnist-vae" else net.posterior_head.weight.grad[3:]).any()


def test_drawing() -> None:
    """As many pictures as digits, of those digits, each from a latent of its own."""
    for name, told in (("mnist-gan", False), ("mnist-dcgan", True)):
        torch.manual_seed(0)
        net = models.create(name, latent=4).eval()
        digit = torch.tensor([5, 5, 1])
        torch.manual_seed(3)
        drawn = Drawing(net)(digit)
        torch.manual_seed(3)
        assert torch.equal(drawn, net.decode(torch.randn(3, 4), digit))
        assert not torch.equal(drawn[0], drawn[1])
        torch.manual_seed(3)
        assert torch.allclose(Drawing(net)(torch.tensor([6, 6, 1])), drawn, atol=1e-6) != told


def linear(norm: float) -> nn.Linear:
    """A critic whose slope is `norm` everywhere."""
    torch.manual_seed(0)
    critic = nn.Linear(784, 1).double()
    critic.weight.data *= norm / critic.weight.data.norm()
    return critic


@pytest.mark.parametrize("norm", [0.0, 0.25, 1.0, 3.0])
def test_gradient_penalty_of_a_linear_critic(norm: float) -> None:
    """(|w| - 1)^2 for every picture; and its gradient by w is 2 (|w| - 1) w / |w|."""
    critic = linear(norm)
    x = torch.rand(7, 1, 28, 28, dtype=torch.float64, requires_grad=True)
    penalty = gradient_penalty(critic(x.flatten(1))[:, 0], x)
    assert penalty.shape == (7,)
    assert torch.allclose(penalty, torch.full((7,), (norm - 1) ** 2, dtype=torch.float64))
    penalty.mean().backward()
    if norm:
        wanted = 2 * (norm - 1) * critic.weight.data / norm
        assert torch.allclose(critic.weight.grad, wanted, atol=1e-12)
    assert critic.weight.grad.isfinite().all()


def test_gradient_penalty_picture_by_picture() -> None:
    """Of a critic that is a parabola, |x|^2 / 2, the slope is the picture itself."""
    x = torch.rand(5, 1, 28, 28, dtype=torch.float64) * torch.tensor([0.0, 0.01, 0.1, 0.5, 1.0])[:, None, None, None]
    x.requires_grad_()
    scores = x.square().sum((1, 2, 3)) / 2
    wanted = [(math.sqrt(picture.square().sum().item()) - 1) ** 2 for picture in x]
    assert gradient_penalty(scores, x).tolist() == pytest.approx(wanted)


def test_gradient_penalty_reaches_the_critic() -> None:
    """Every kernel and matrix gets the gradient that finite differences find; what is in no slope gets none."""
    torch.manual_seed(0)
    critic = ConvCritic(width=2).double()
    x = torch.rand(4, 1, 28, 28, dtype=torch.float64, requires_grad=True)
    digit = torch.tensor([0, 1, 2, 3])

    def penalty() -> torch.Tensor:
        return gradient_penalty(critic(x, digit)[0], x).mean()

    penalty().backward()
    for unscored in (critic.output.bias, critic.reading.weight, critic.reading.bias):
        assert unscored.grad is None or not unscored.grad.any()
    for key, parameter in critic.named_parameters():
        if not key.endswith("weight") or key.startswith("reading"):
            continue
        direction = torch.randn_like(parameter)
        with torch.no_grad():
            parameter += 1e-6 * direction
            above = torch.enable_grad()(penalty)().item()
            parameter -= 2e-6 * direction
            below = torch.enable_grad()(penalty)().item()
            parameter += 1e-6 * direction
        wanted = (above - below) / 2e-6
        assert (parameter.grad * direction).sum().item() == pytest.approx(wanted, rel=1e-3, abs=1e-6), key
        assert parameter.grad.any(), key
