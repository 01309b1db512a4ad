"""`evaluate NAME`: the figures on the test split; with `--write` its card is renewed by them."""

import argparse
import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import models
from models import base, hub
from models.base import Model
from models.hub.cards import model_name
from train.commands import arguments
from train.data.real_noise import pairs
from train.data.splits import Data
from train.recipe import Recipe
from train.tasks import RECIPES, TASKS
from train.tasks.photo_denoising import PhotoDenoising
from train.tasks.task import Task

README = hub.CHECKPOINTS.parent / "README.md"


def run(args: argparse.Namespace) -> int:
    """Print the figures on the test split, and write them if asked."""
    folder = arguments.folder(args)
    net = base.read(hub.Provenance("path", folder)) if args.write else models.load(args.name)
    name = _registered(args.name, net)
    task = TASKS[name]
    if args.real and not isinstance(task, PhotoDenoising):
        raise ValueError("--real is for photo-denoiser: leave it out.")
    real = pairs(args.real) if args.real else ()
    found = replace(load(args, task, RECIPES[name]), real=real)
    task.check(found)
    where = f"{args.name} ({net.provenance.source}, {net.provenance.folder}) on {len(found.test)} test {task.unit}s"
    print(where, file=sys.stderr if args.json else sys.stdout)
    figures = task.measure(net, found)
    if args.json:
        told = {"name": args.name, "model": name, "dataset": found.name, "size": len(found.test)}
        told |= {"sha256": net.provenance.sha256, "revision": net.provenance.revision, "figures": figures}
        print(json.dumps(told, indent=2))
    else:
        for key, value in figures.items():
            print(f"  {key:22} {value:.4f}")
    if args.write:
        _write(folder, name, net, figures, found)
    return 0


def load(args: argparse.Namespace, task: Task, recipe: Recipe) -> Data:
    """The dataset that the command line names, else the recipe's. Raises ValueError."""
    name = args.dataset or recipe.dataset
    return task.load(name, args.dataset_config, args.dataset_revision, args.image_column, args.label_column)


def _registered(source: str, net: Model) -> str:
    """The name of a network's recipe: its own, that on its card, its folder's, or the first that makes such a one."""
    folder = net.provenance.folder
    given = (source, model_name(folder), folder.name, *RECIPES)
    return next(name for name in given if name in RECIPES and base.architecture(name) is type(net))


def _write(folder: Path, name: str, net: Model, figures: dict[str, float], data: Data) -> None:
    """Renew a card, and of a published network its row in the README."""
    from train import card
    from train.engine import state

    row = card.renew(folder, name, net, figures, data)
    print(f"wrote {folder / hub.CARD}", file=sys.stderr)
    if folder.resolve() == (hub.CHECKPOINTS / name).resolve() and README.is_file():
        old = README.read_text(encoding="utf-8")
        pattern = rf"^(\| \[`{name}`\]\(.*?\) \| .*? \| ).*\|$"
        new = re.sub(pattern, lambda match: f"{match[1]}{net.parameter_count:,} | {row} |", old, flags=re.MULTILINE)
        state.replace(README, new.encode())
