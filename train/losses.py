"""The parts of the losses, each computed in one forward pass, as training on several devices asks for it."""

import torch
from torch import nn

from models.networks.autoencoders import Autoencoder
from models.networks.generators import Generator
from models.networks.vae import GaussianVAE, log_bernoulli


class Reconstruction(nn.Module):
    """Pictures (N, 1, 28, 28) -> what an autoencoder makes of them, its code's L1 norm, and `contraction`, (N,)."""

    def __init__(self, net: Autoencoder):
        super().__init__()
        self.net = net

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        code = self.net.encode(x)
        return self.net.decode(code), code.abs().sum(1), contraction(self.net, code)


def contraction(net: Autoencoder, code: torch.Tensor) -> torch.Tensor:
    """The squared Frobenius norm of the code's Jacobian by the picture (N,), in closed form (Rifai et al. 2011, eq. 7).

    For one layer it is the sum over neurons of the activation's slope squared times the norm of its weights squared.
    """
    slope = code * (1 - code) if net.kwargs["activation"] == "sigmoid" else (code > 0).to(code)
    return slope**2 @ net.encoder.weight.square().sum(1)


class Bound(nn.Module):
    """The two parts of the evidence lower bound, log p(x | z) of a z from q(z | x) and the KL, (N,); and q's mean.

    x is binary: the bound of pixels between 0 and 1 is no bound of a likelihood.
    """

    def __init__(self, net: GaussianVAE):
        super().__init__()
        self.net = net

    def forward(self, x: torch.Tensor, digit: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        mean, log_variance = (part.float() for part in self.net.posterior(x, digit))
        z = mean + (log_variance / 2).exp() * torch.randn_like(mean)
        divergence = self.net.divergence(z, mean, log_variance, digit)
        return log_bernoulli(x, self.net.logits(z, digit).float()), divergence, mean


class Drawing(nn.Module):
    """Digits (N,) -> a generator's pictures, from a latent drawn here; an unconditional one only counts them."""

    def __init__(self, net: Generator):
        super().__init__()
        self.net = net

    def forward(self, digit: torch.Tensor) -> torch.Tensor:
        z = torch.randn(len(digit), self.net.latent, device=digit.device)
        return self.net.decode(z, digit)


def gradient_penalty(scores: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """(|d score / d x| - 1)^2 of each picture, (N,): how far a critic is from the slope 1 (Gulrajani et al. 2017).

    Args:
        scores: (N,), what the critic says of `x`, each of its own picture alone (so no batch norm).
        x: (N, C, H, W), with `requires_grad`.
    """
    (slope,) = torch.autograd.grad(scores.sum(), x, create_graph=True)
    return (slope.flatten(1).norm(dim=1) - 1) ** 2
