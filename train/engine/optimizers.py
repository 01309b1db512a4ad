"""The optimisers, how fast they go at which step, and the average of the weights on the way."""

import math
from collections.abc import Callable

import torch
from torch import nn

from train.engine.muon import Muon
from train.recipe import Recipe

OPTIMIZERS = {
    "sgd": torch.optim.SGD,  # plain: to compare with
    # Keras's RMSprop: its rho of 0.9 is torch's alpha, which is 0.99 by default
    "rmsprop": lambda groups, lr: torch.optim.RMSprop(groups, lr, alpha=0.9, eps=1e-7),
    "adam": torch.optim.Adam,
    # as WGAN-GP has it: momentum would hold on to what an older critic said
    "adam-wgan": lambda groups, lr: torch.optim.Adam(groups, lr, betas=(0.0, 0.9)),
    "adamw": torch.optim.AdamW,
    "muon": Muon,
}


def make_optimizer(net: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """The recipe's optimiser; weight decay falls on matrices and kernels, not on biases and norms."""
    parameters = list(net.parameters())
    if not recipe.weight_decay:
        return OPTIMIZERS[recipe.optimizer](parameters, lr=recipe.lr)
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return OPTIMIZERS[recipe.optimizer](groups, lr=recipe.lr)


def lr_factor(step: int, total: int, recipe: Recipe) -> float:
    """What the learning rate is multiplied by: a linear warm-up, then constant, or half a cosine down to zero."""
    warmup = recipe.warmup * total
    if step < warmup:
        return (step + 1) / (warmup + 1)
    if recipe.schedule == "constant":
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / (total - warmup)))


def ema(decay: float) -> Callable:
    """A running average that trusts the first steps more (as `decay` alone would hold on to random weights)."""

    @torch.no_grad()
    def update(averages: list[torch.Tensor], values: list[torch.Tensor], count: int) -> None:
        kept = min(decay, (1 + int(count)) / (10 + int(count)))
        for average, value in zip(averages, values, strict=True):
            if average.is_floating_point():
                average.lerp_(value, 1 - kept)
            else:
                average.copy_(value)

    return update
