"""What the words of a command ask for. Nothing heavy is imported to find that out."""

import argparse
import os
from dataclasses import replace
from pathlib import Path

import torch

import models
from models import base, hub
from models.base import Model
from train.recipe import Recipe, read_recipe
from train.tasks import RECIPES


def recipe(args: argparse.Namespace) -> Recipe:
    """The recipe in effect: that of the model, overridden by a file, overridden by options.

    Its values may be beyond their limits, see `train.recipe.mistakes`. Raises ValueError for an unknown name or a bad
    file.
    """
    base.architecture(args.name)
    found = RECIPES[args.name]
    if args.config:
        found = read_recipe(args.config, found)
    names = ("epochs", "batch_size", "accumulation", "lr", "patience", "seed", "mixed_precision")
    given = {name: getattr(args, name) for name in names}
    found = replace(found, **{name: value for name, value in given.items() if value is not None})
    if args.mixed_precision is None and not fast_bf16():
        found = replace(found, mixed_precision="no")
    return found


def network(args: argparse.Namespace) -> Model:
    """A fresh network of that name, with what the command line says otherwise. Raises ValueError."""
    net = models.create(args.name)
    return base.build({**net.config, "kwargs": net.kwargs | args.network}) if args.network else net


def begin(net: Model, source: str) -> list[str]:
    """Give a fresh network the weights of another, wherever names and shapes agree; the names of those that stay fresh.

    Args:
        source: what `models.load` takes.

    Raises:
        ValueError: there are no weights in the source, or none of them fits.
    """
    given, own = models.load(source).state_dict(), net.state_dict()
    taken = {name: given[name] for name in own if name in given and given[name].shape == own[name].shape}
    if not any(name in taken for name, _ in net.named_parameters()):
        raise ValueError(f"--init {source}: no weights of that network fit this one: choose another.")
    net.load_state_dict(own | taken)
    return [name for name in own if name not in taken]


def fast_bf16() -> bool:
    """Whether this processor or GPU trains faster in bf16."""
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return base.fast_bf16()


def recipes(args: argparse.Namespace) -> list[Recipe]:
    """The recipe of each training that is asked for, the one to publish first. Raises ValueError as `recipe` does."""
    first = recipe(args)
    return [replace(first, seed=first.seed + index) for index in range(args.seeds)]


def run_folder(args: argparse.Namespace, one: Recipe) -> Path:
    """Where the training with that recipe keeps its state."""
    return Path("runs") / args.name / f"seed-{one.seed}"


def output(args: argparse.Namespace) -> Path:
    """The checkpoint folder to write."""
    return args.output or Path("runs") / args.name / "checkpoint"


def upload(args: argparse.Namespace) -> Path:
    """The folder to push. Raises ValueError unless it holds a whole checkpoint of that name."""
    wanted = base.architecture(args.name)
    folder = args.folder or hub.CHECKPOINTS / args.name
    net = base.read(models.Provenance("path", folder))
    if not isinstance(net, wanted):
        raise ValueError(f"{folder} holds a {type(net).__name__}, which is not {args.name}.")
    return folder


def published(args: argparse.Namespace) -> list[str]:
    """The models that `publish` is about: those that are named, or all that have a checkpoint folder."""
    return list(dict.fromkeys(args.only or [name for name in models.names() if (hub.CHECKPOINTS / name).is_dir()]))


def folder(args: argparse.Namespace) -> Path:
    """The checkpoint folder that `evaluate` is about: the one that is named, or the published one of that name."""
    return Path(args.name) if os.path.isdir(args.name) else hub.CHECKPOINTS / args.name
