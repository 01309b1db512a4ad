"""Variational autoencoders: the evidence lower bound of digits whose pixels are black or white."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from models.base import Model
from models.networks.vae import GaussianVAE, log_bernoulli
from train.data.splits import Data, Split
from train.figures import fidelity
from train.recipe import Amount, BelowOne, Recipe
from train.tasks.generation import Generation

BATCH = 500
ACTIVE = 0.01  # variance over the images of a unit's mean, from which on it counts as active (Burda et al. 2016)
SAMPLES = 1000  # of the latent, for each image whose likelihood is measured


@dataclass(frozen=True)
class VAERecipe(Recipe):
    """The negative evidence lower bound, summed over pixels and latent, of images that each step binarises afresh.

    Attributes:
        kl_weight: of the KL divergence, 1 for the bound itself.
        kl_warmup: share of all steps in which that weight rises linearly from 0.
    """

    kl_weight: Amount = 1.0
    kl_warmup: BelowOne = 0.0


RECIPES = {
    "mnist-vae": VAERecipe(
        dataset="ylecun/mnist",
        epochs=50,
        batch_size=128,
        lr=1e-3,
        optimizer="adam",
        source="A tutorial's VAE; it leaves the training open: Bernoulli pixels, Adam, 50 epochs, batch 128 are ours.",
    ),
    "mnist-vae-2d": VAERecipe(
        dataset="ylecun/mnist",
        epochs=40,
        batch_size=128,
        lr=1e-3,
        optimizer="adam",
        kl_warmup=0.05,
        warmup=0.02,
        schedule="cosine",
        clip=200.0,
        ema=0.999,
        mixed_precision="bf16",
        source="Ours: the residual VAE with a latent of two numbers, so that all it can draw fits on one map.",
    ),
    "mnist-cvae": VAERecipe(
        dataset="ylecun/mnist",
        epochs=60,
        batch_size=128,
        lr=1e-3,
        optimizer="adam",
        kl_warmup=0.05,
        warmup=0.02,
        schedule="cosine",
        clip=200.0,
        ema=0.999,
        mixed_precision="bf16",
        source="Ours: a residual VAE that is told the digit; a cosine schedule and an average of the weights.",
    ),
}


class Likelihood(Generation):
    """The evidence lower bound of a VAE, on images that are binarised afresh, by which it is chosen too."""

    recipes = RECIPES
    score = "elbo"
    metrics: ClassVar = {
        "nll": f"-log p(x), nats, {SAMPLES:,} importance samples",
        "elbo": "Evidence lower bound, nats",
        "kl": "KL divergence, nats",
        "units": "Active units of the latent",
        **Generation.metrics,
    }
    interface = (
        f"{Generation.interface} `encode(x)` gives the code, `net(x)` the picture rebuilt, `log_likelihood(x, "
        "samples)` log p(x) in nats of binary pictures. The pictures are means: each pixel's probability of being "
        "white."
    )

    def networks(self, net: Model) -> dict[str, nn.Module]:
        return {"net": Bound(net)}

    def loss(self, nets, turn, images, labels, recipe, done):
        likelihood, divergence, _ = nets[turn](torch.bernoulli(images), labels)
        weight = recipe.kl_weight * min(1.0, done / recipe.kl_warmup if recipe.kl_warmup else 1.0)
        return (weight * divergence - likelihood).mean()

    def evaluate(self, net: Model, split: Split) -> dict[str, float]:
        return bound(net, split)

    def measure(self, net: Model, data: Data) -> dict[str, float]:
        return {
            **bound(net, data.test),
            "nll": negative_log_likelihood(net, data.test),
            **fidelity.measure(net, data.test),
        }

    def summary(self, figures: dict[str, float], section: str) -> str:
        return f"-log p(x) {figures['nll']:.1f} nats; {super().summary(figures, section)}"


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


@torch.inference_mode()
def bound(net: GaussianVAE, split: Split) -> dict[str, float]:
    """The evidence lower bound and its KL, nats an image, one latent each; and the active units of the latent.

    Of a conditional network that is told the digit: of p(x | digit). The images are binarised, and the latents drawn,
    with the same random numbers at every call.
    """
    likelihoods, divergences, means = [], [], []
    with torch.random.fork_rng(devices=[split.images.device] if split.images.is_cuda else []):
        torch.manual_seed(0)
        for images, labels in split.batches(BATCH):
            likelihood, divergence, mean = Bound(net)(torch.bernoulli(images), labels)
            likelihoods.append(likelihood)
            divergences.append(divergence)
            means.append(mean)
    likelihood, divergence, mean = (torch.cat(found) for found in (likelihoods, divergences, means))
    return {
        "elbo": (likelihood - divergence).mean().item(),
        "kl": divergence.mean().item(),
        "units": (mean.var(0) > ACTIVE).sum().item(),
    }


def negative_log_likelihood(net: GaussianVAE, split: Split) -> float:
    """-log p(x) in nats, the mean over the images, each binarised once (seed 0); by `SAMPLES` samples an image."""
    generator, total = torch.Generator().manual_seed(0), 0.0
    for images, _ in split.batches(BATCH):
        binary = torch.bernoulli(images.cpu(), generator=generator).to(images.device)
        total -= net.log_likelihood(binary, SAMPLES, generator).sum().item()
    return total / len(split)
