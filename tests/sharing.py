"""Trains a small network on pictures that tell their number: `sharing.py OUT IMAGES BATCH [KIND]`, alone or with
torchrun; KIND is classifier, vae, gan or dcgan.

Each process writes what it saw to OUT/RANK.json and all weights it ends with, those of an opponent too, to OUT/RANK.pt;
the first one also the published weights and the figures to OUT/progress.pt.
"""

import json
import os
import sys
from functools import partial
from pathlib import Path

import tiny
import torch
from accelerate import Accelerator

import models
from train.data.splits import Data, Split
from train.engine import loop
from train.tasks.classification import Classification, ClassifierRecipe
from train.tasks.gan import Adversarial, GANRecipe, Wasserstein, WGANRecipe
from train.tasks.task import Task
from train.tasks.vae import Likelihood, VAERecipe

COMMON = {"epochs": 3, "lr": 1e-2, "optimizer": "adam", "source": "", "seed": 5, "accumulation": 2}
KINDS: dict[str, tuple[type[Task], partial, partial]] = {
    "classifier": (
        Classification,
        partial(ClassifierRecipe, "d", **COMMON),
        partial(models.create, "mnist-dense", hidden=16),
    ),
    "vae": (
        Likelihood,
        partial(VAERecipe, "d", **COMMON | {"lr": 1e-3}, kl_warmup=0.3),
        partial(models.create, "mnist-cvae", latent=3, width=2, hidden=8),
    ),
    "gan": (
        Adversarial,
        partial(GANRecipe, "d", **COMMON | {"lr": 1e-3}),
        partial(models.create, "mnist-gan", latent=4, hidden=(8,)),
    ),
    "dcgan": (
        Wasserstein,
        partial(WGANRecipe, "d", **COMMON | {"lr": 1e-3}, critic_steps=2, reading=1.0, ema=0.9),
        partial(models.create, "mnist-dcgan", latent=4, width=2),
    ),
}


def noting(kind: type[Task]) -> Task:
    """A task that notes the numbers of the pictures of every call, and what it trains."""

    class Noting(kind):
        def __init__(self) -> None:
            self.seen: list[list[int]] = []
            self.trained: dict[str, torch.nn.Module] = {}

        def networks(self, net):
            self.trained = super().networks(net)
            return self.trained

        def loss(self, nets, turn, images, labels, recipe, done):
            low, high = (images[:, 0, 0, :2] * 255).round().long().T
            self.seen.append((low + 256 * high).tolist())
            return super().loss(nets, turn, images, labels, recipe, done)

    return Noting()


def numbered(split: Split) -> Split:
    """The number of each picture in its two first pixels."""
    images = split.images.clone()
    images[:, 0, 0, 0] = torch.arange(len(split)) % 256
    images[:, 0, 0, 1] = torch.arange(len(split)) // 256
    return Split(images, split.labels)


def main(out: Path, images: int, batch: int, kind: str = "classifier") -> None:
    data = tiny.data(train=images)
    data = Data(numbered(data.train), data.validation, data.test, data.name, data.fingerprint)
    task, recipe, create = KINDS[kind]
    recipe = recipe(batch_size=batch)
    torch.manual_seed(recipe.seed)
    task, net = noting(task), create()
    progress = loop.fit(net, task, data, recipe, Accelerator(cpu=True), out / "state.pt")
    rank = os.environ.get("RANK", "0")
    (out / f"{rank}.json").write_text(json.dumps(task.seen))
    torch.save({name: dict(one.named_parameters()) for name, one in task.trained.items()}, out / f"{rank}.pt")
    if rank == "0":
        torch.save({"history": progress.history, "weights": progress.best["weights"]}, out / "progress.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:4]), *sys.argv[4:])
