"""`evaluate NAME`: the figures on the test split."""

import argparse

import models
from models import base
from train.data import digits
from train.recipes import RECIPES, Recipe
from train.tasks import TASKS, Task


def run(args: argparse.Namespace) -> int:
    """Print the figures on the test split."""
    net = models.load(args.name)
    recipe = next(recipe for name, recipe in RECIPES.items() if base.architecture(name) is type(net))
    task = TASKS[type(recipe)]
    found = load(args, task, recipe)
    task.check(found)
    print(f"{args.name} ({net.provenance.source}, {net.provenance.folder}) on {len(found.test)} test images")
    for name, value in task.measure(net, found).items():
        print(f"  {name:22} {value:.4f}")
    return 0


def load(args: argparse.Namespace, task: Task, recipe: Recipe) -> digits.Data:
    """The dataset that the command line names, else the recipe's. Raises ValueError."""
    name = args.dataset or recipe.dataset
    return task.load(name, args.dataset_config, args.dataset_revision, args.image_column, args.label_column)
