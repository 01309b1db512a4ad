"""Generative adversarial networks: a generator against an opponent that tells real digits from drawn ones."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn
from torch.nn.functional import cross_entropy, softplus

from models.base import Model
from models.networks.gan import ConvCritic, MLPDiscriminator
from models.networks.generators import Generator
from train.data.splits import Data, Split
from train.figures import fidelity
from train.recipe import Amount, Count, Recipe
from train.tasks.generation import Generation


@dataclass(frozen=True)
class GANRecipe(Recipe):
    """A generator against a discriminator that makes the first turn of every step."""


@dataclass(frozen=True)
class WGANRecipe(Recipe):
    """A generator against a critic whose slope is kept at 1.

    Attributes:
        critic_steps: steps of the critic to one of the generator.
        gradient_penalty: weight of what keeps the slope.
        reading: weight of the cross-entropy by which the critic learns to read the digit of real pictures, and the
            generator to have its own read as what was asked.
    """

    critic_steps: Count = 5
    gradient_penalty: Amount = 10.0
    reading: Amount = 0.0


class Adversarial(Generation):
    """A generator against a discriminator (Goodfellow et al. 2014), with the non-saturating cross-entropy.

    Chosen, where the recipe chooses, by the Fréchet distance on the validation split.
    """

    recipes: ClassVar = {
        "mnist-gan": GANRecipe(
            dataset="ylecun/mnist",
            epochs=10,
            batch_size=64,
            lr=2e-4,
            optimizer="adam",
            source="A tutorial's GAN with its numbers: cross-entropy, both networks by Adam, 10 epochs, batch 64.",
        ),
    }
    score = "frechet"
    lower_is_better = True
    limits = f"{Generation.limits} It cannot tell how likely a picture is, nor find the code of one."

    def networks(self, net: Model) -> dict[str, nn.Module]:
        return {"critic": MLPDiscriminator(), "net": Drawing(net)}

    def turns(self, step: int, recipe: Recipe) -> tuple[str, ...]:
        return ("critic", "net")

    def loss(self, nets, turn, images, labels, recipe, done):
        critic = nets["critic"]
        if turn == "net":
            return softplus(-critic(nets["net"](labels).float()).float()).mean()
        with torch.no_grad():
            drawn = nets["net"](labels).float()
        real, fake = critic(torch.cat([images, drawn])).float().chunk(2)
        return (softplus(-real) + softplus(fake)).mean()

    def evaluate(self, net: Model, split: Split) -> dict[str, float]:
        return {"frechet": fidelity.frechet(net, split)}

    def measure(self, net: Model, data: Data) -> dict[str, float]:
        return fidelity.measure(net, data.test)


class Wasserstein(Adversarial):
    """The same against a critic with a gradient penalty (Gulrajani et al. 2017) that knows and reads the digit."""

    recipes: ClassVar = {
        "mnist-dcgan": WGANRecipe(
            dataset="ylecun/mnist",
            epochs=40,
            batch_size=64,
            lr=4e-4,
            optimizer="adam-wgan",
            schedule="cosine",
            ema=0.999,
            critic_steps=3,
            reading=1.0,
            mixed_precision="bf16",
            source=(
                "Ours: convolutions, told the digit, trained against a critic with a gradient penalty (WGAN-GP) that "
                "also reads the digit (AC-GAN), so that what is asked for is what is drawn."
            ),
        ),
    }

    def networks(self, net: Model) -> dict[str, nn.Module]:
        return {"critic": ConvCritic(net.kwargs["width"]), "net": Drawing(net)}

    def turns(self, step: int, recipe: Recipe) -> tuple[str, ...]:
        return ("critic", "net") if (step + 1) % recipe.critic_steps == 0 else ("critic",)

    def loss(self, nets, turn, images, labels, recipe, done):
        critic = nets["critic"]
        if turn == "net":
            scores, logits = (part.float() for part in critic(nets["net"](labels).float(), labels))
            return recipe.reading * cross_entropy(logits, labels) - scores.mean()
        with torch.no_grad():
            drawn = nets["net"](labels).float()
        share = torch.rand(len(images), 1, 1, 1, device=images.device)
        mixed = (share * images + (1 - share) * drawn).requires_grad_()
        scores, logits = (part.float() for part in critic(torch.cat([images, drawn, mixed]), labels.repeat(3)))
        real, fake, between = scores.chunk(3)
        distance = fake - real + recipe.gradient_penalty * gradient_penalty(between, mixed)
        return distance.mean() + recipe.reading * cross_entropy(logits[: len(images)], labels)


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
