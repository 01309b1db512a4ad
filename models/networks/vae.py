"""Variational autoencoders (Kingma & Welling 2014): generators that also tell how likely a picture is.

The latent is standard normal, pixels are Bernoulli given it. Where a network has a flow, the normal latent u is bent
into the z that encoder and decoder share, so that the codes of real digits fill it evenly (Chen et al. 2017); without
one u is z. `digit` is a tensor (N,) of whole numbers for the networks that are told which digit to draw, and None for
the others.
"""

import math
from typing import ClassVar

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, silu, softplus

from models.base import register
from models.networks.blocks import Residual
from models.networks.flow import Flow
from models.networks.generators import DIGITS, Generator, with_digit

PIXELS = 28 * 28
DECODED = 250  # pictures that are decoded at once: more of them fall out of a CPU's cache
PILOT = 10  # samples by which unlikely digits are told
NEGLIGIBLE = 8.0  # nats below the likeliest digit: a share of 0.0003


class GaussianVAE(Generator):
    """What all of them can do; a subclass says how `posterior` and `logits` are computed."""

    flow: Flow | None

    def posterior(self, x: torch.Tensor, digit: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        """(N, 1, 28, 28) -> mean and log-variance of q(z | x), (N, latent) each."""
        raise NotImplementedError

    def logits(self, z: torch.Tensor, digit: torch.Tensor | None) -> torch.Tensor:
        """(N, latent) -> the logits of p(x | z), (N, 1, 28, 28)."""
        raise NotImplementedError

    def encode(self, x: torch.Tensor, digit: torch.Tensor | None = None) -> torch.Tensor:
        """The u of q(z | x)'s mean, (N, latent). A digit that is not given is read from the picture, see `read`."""
        digit = self._known(x, digit)
        mean = self.posterior(x, digit)[0]
        return self.flow(mean, digit)[0] if self.flow else mean

    def decode(self, z: torch.Tensor, digit: torch.Tensor | None = None) -> torch.Tensor:
        return self.logits(self.flow.inverse(z, digit) if self.flow else z, digit).sigmoid()

    def forward(self, x: torch.Tensor, digit: torch.Tensor | None = None) -> torch.Tensor:
        digit = self._known(x, digit)
        return self.decode(self.encode(x, digit), digit)

    def read(self, x: torch.Tensor) -> torch.Tensor:
        """The digit under which each picture is likeliest, (N,): the one with the best bound, z at its mean."""
        bounds = []
        for digit in range(DIGITS):
            told = torch.full((len(x),), digit, device=x.device)
            mean, log_variance = self.posterior(x, told)
            bounds.append(log_bernoulli(x, self.logits(mean, told)) - self.log_ratio(mean, mean, log_variance, told))
        return torch.stack(bounds).argmax(0)

    def log_ratio(
        self, z: torch.Tensor, mean: torch.Tensor, log_variance: torch.Tensor, digit: torch.Tensor | None
    ) -> torch.Tensor:
        """log q(z | x) - log p(z) in nats, (N,): its mean over z from q is the KL divergence."""
        u, determinant = self.flow(z, digit) if self.flow else (z, 0.0)
        noise = (z - mean) * (-log_variance / 2).exp()
        return (u**2 - noise**2 - log_variance).sum(1) / 2 - determinant

    def divergence(
        self, z: torch.Tensor, mean: torch.Tensor, log_variance: torch.Tensor, digit: torch.Tensor | None
    ) -> torch.Tensor:
        """KL(q(z | x) || p(z)) in nats, (N,): in closed form, or behind a flow estimated by this z from q."""
        if self.flow:
            return self.log_ratio(z, mean, log_variance, digit)
        return kl(mean, log_variance).sum(1)

    def _known(self, x: torch.Tensor, digit: torch.Tensor | None) -> torch.Tensor | None:
        return self.read(x) if self.conditional and digit is None else digit

    @torch.no_grad()
    def log_likelihood(
        self, x: torch.Tensor, samples: int = 1000, generator: torch.Generator | None = None
    ) -> torch.Tensor:
        """log p(x) in nats, (N,), by importance sampling from q(z | x) (Burda et al. 2016, equation 8).

        A lower bound on average, tight as `samples` grow. A conditional network's is marginal, log of the mean over the
        ten digits of p(x | digit). Digits that `PILOT` samples put `NEGLIGIBLE` nats below the likeliest are estimated
        by as few again: each p(x | digit) stays unbiased, and theirs count for nothing.

        Args:
            x: (N, 1, 28, 28), each pixel 0 or 1.
            samples: of z for each picture, and for each digit that matters.
        """
        if not self.conditional:
            return self._estimate(x, None, samples, generator)
        pictures = x.repeat_interleave(DIGITS, 0)
        digits = torch.arange(DIGITS, device=x.device).repeat(len(x))
        pilot = self._estimate(pictures, digits, PILOT, generator).view(-1, DIGITS)
        matter = (pilot > pilot.amax(1, keepdim=True) - NEGLIGIBLE).flatten()
        terms = self._estimate(pictures, digits, PILOT, generator)
        terms[matter] = self._estimate(pictures[matter], digits[matter], samples, generator)
        return terms.view(-1, DIGITS).logsumexp(1) - math.log(DIGITS)

    def _estimate(
        self, x: torch.Tensor, digit: torch.Tensor | None, samples: int, generator: torch.Generator | None
    ) -> torch.Tensor:
        """log p(x | digit), (N,), a few pictures or a part of the samples at a time, as memory allows."""
        estimates = []
        for rows in torch.arange(len(x), device=x.device).split(max(1, DECODED // samples)):
            told = None if digit is None else digit[rows]
            mean, log_variance = self.posterior(x[rows], told)
            weights = [
                self._log_weights(x[rows], mean, log_variance, told, min(DECODED, samples - done), generator)
                for done in range(0, samples, DECODED)
            ]
            estimates.append(torch.cat(weights, 1).logsumexp(1) - math.log(samples))
        return torch.cat(estimates)

    def _log_weights(
        self,
        x: torch.Tensor,
        mean: torch.Tensor,
        log_variance: torch.Tensor,
        digit: torch.Tensor | None,
        samples: int,
        generator: torch.Generator | None,
    ) -> torch.Tensor:
        """log p(x, z) - log q(z | x), (N, samples), of as many z from q."""
        noise = torch.randn(len(x) * samples, self.latent, generator=generator).to(x.device)
        mean, log_variance = (part.repeat_interleave(samples, 0) for part in (mean, log_variance))
        digit = None if digit is None else digit.repeat_interleave(samples)
        z = mean + (log_variance / 2).exp() * noise
        logits = self.logits(z, digit).flatten(1).unflatten(0, (len(x), samples))
        # In this form a matrix product does half of the work of the cross-entropy.
        likelihood = (logits @ x.flatten(1)[:, :, None])[..., 0] - softplus(logits).sum(2)
        return likelihood - self.log_ratio(z, mean, log_variance, digit).unflatten(0, (len(x), samples))


def log_bernoulli(x: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
    """log p(x) in nats, (N,), summed over pixels; x (N, 1, 28, 28) in [0, 1] and as many logits."""
    return -binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(1).sum(1)


def kl(mean: torch.Tensor, log_variance: torch.Tensor) -> torch.Tensor:
    """KL(N(mean, exp(log_variance)) || N(0, 1)) in nats, (N, latent); its sum over the latent is the VAE's."""
    return (mean**2 + log_variance.exp() - 1 - log_variance) / 2


@register("mnist-vae", task="generation")
class VAE(GaussianVAE):
    """784 - `hidden` ReLU - `latent` means and log-variances - `hidden` ReLU - 784 Bernoulli pixels.

    Args:
        hidden: neurons of the layer on either side.
        latent: numbers of the code.
    """

    stored = torch.float16
    limits: ClassVar = {"hidden": (1, 4096), "latent": (1, 512)}

    def __init__(self, hidden: int = 256, latent: int = 64):
        super().__init__(hidden=hidden, latent=latent)
        self.latent, self.flow = latent, None
        self.encoder = nn.Linear(PIXELS, hidden)
        self.mean = nn.Linear(hidden, latent)
        self.log_variance = nn.Linear(hidden, latent)
        self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, PIXELS))

    def posterior(self, x: torch.Tensor, digit: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        hidden = self.encoder(x.flatten(1)).relu()
        return self.mean(hidden), self.log_variance(hidden)

    def logits(self, z: torch.Tensor, digit: torch.Tensor | None = None) -> torch.Tensor:
        return self.decoder(z).unflatten(1, (1, 28, 28))


@register("mnist-cvae", task="generation", latent=32, conditional=True, couplings=6)
@register("mnist-vae-2d", task="generation", latent=2, conditional=False, width=8, couplings=0)
class ConvVAE(GaussianVAE):
    """A residual VAE: from 28x28 by strides over 14x14 to 7x7, to the code, and the same way back.

    Args:
        latent: numbers of the code.
        conditional: encoder and decoder are told which digit it is.
        width: channels at 28x28; twice as many at 14x14, four times at 7x7.
        hidden: neurons between the 7x7 features and the code, and in each layer of the flow.
        couplings: layers of the flow, which a conditional network may have; 0 for none.
    """

    stored = torch.float16
    limits: ClassVar = {
        "latent": (1, 512),
        "conditional": bool,
        "width": (1, 128),
        "hidden": (1, 4096),
        "couplings": (0, 32),
    }

    def __init__(
        self, latent: int = 32, conditional: bool = True, width: int = 16, hidden: int = 256, couplings: int = 6
    ):
        super().__init__(latent=latent, conditional=conditional, width=width, hidden=hidden, couplings=couplings)
        if couplings and (not conditional or latent < 2):
            raise ValueError("ConvVAE: only a conditional network of two numbers or more can have couplings.")
        self.latent, self.conditional = latent, conditional
        told = DIGITS if conditional else 0
        self.features = nn.Sequential(
            nn.Conv2d(1, 2 * width, 5, 2, padding=2),
            Residual(2 * width),
            nn.Conv2d(2 * width, 4 * width, 3, 2, padding=1),
            Residual(4 * width),
            nn.SiLU(),
        )
        self.encoder = nn.Linear(4 * width * 49 + told, hidden)
        self.posterior_head = nn.Linear(hidden + told, 2 * latent)
        self.decoder = nn.Sequential(nn.Linear(latent + told, hidden), nn.SiLU(), nn.Linear(hidden, 4 * width * 49))
        self.pixels = nn.Sequential(
            Residual(4 * width),
            nn.ConvTranspose2d(4 * width, 2 * width, 4, 2, padding=1),
            Residual(2 * width),
            nn.ConvTranspose2d(2 * width, width, 4, 2, padding=1),
            nn.SiLU(),
            nn.Conv2d(width, 1, 3, padding=1),
        )
        self.flow = Flow(latent, couplings, hidden) if couplings else None

    def posterior(self, x: torch.Tensor, digit: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        hidden = silu(self.encoder(self._with(self.features(x).flatten(1), digit)))
        mean, log_variance = self.posterior_head(self._with(hidden, digit)).chunk(2, 1)
        return mean, log_variance

    def logits(self, z: torch.Tensor, digit: torch.Tensor | None = None) -> torch.Tensor:
        features = self.decoder(self._with(z, digit)).unflatten(1, (7, 7, -1))
        return self.pixels(features.permute(0, 3, 1, 2))  # channels last in memory, as convolutions like it

    def _with(self, features: torch.Tensor, digit: torch.Tensor | None) -> torch.Tensor:
        return with_digit(features, digit) if self.conditional else features
