"""The training command: fit, evaluate, push, list."""

import argparse
import json
import math
import os
import shlex
import sys
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator

import models
from models import base, hub
from models.base import Model
from train import card, config, data, folders, loop, tracking
from train.kinds import KINDS
from train.processes import once
from train.recipes import RECIPES, Recipe
from train.sections import Run
from train.tasks import TASKS, Task


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Whatever a user can cause ends in one sentence on stderr and the status 1."""
    args = parser().parse_args(arguments)
    try:
        args.command(args)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    top = argparse.ArgumentParser(prog="python -m train", description=__doc__)
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, function, help: str, epilog: str = "") -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=help, description=help, epilog=epilog)
        sub.set_defaults(command=function)
        return sub

    def dataset(sub: argparse.ArgumentParser) -> None:
        sub.add_argument("--dataset", metavar="NAME_OR_FOLDER", help="a Hub dataset, a folder laid out like one, or a "
                         "folder with pictures in sub-folders 0 to 9 (default: the recipe's)")  # fmt: skip
        sub.add_argument("--dataset-config", metavar="NAME", help="which configuration of the dataset")
        sub.add_argument("--dataset-revision", metavar="REVISION", help="which branch, tag or commit on the Hub")
        sub.add_argument("--image-column", metavar="NAME", help="where the images are (default: found by type)")
        sub.add_argument("--label-column", metavar="NAME", help="where the labels are (default: found by type)")

    one = command(
        "fit",
        fit,
        "Train a model and write its checkpoint folder.",
        "State is saved every epoch, and every few minutes, in runs/NAME/seed-S. Ctrl-C leaves a usable checkpoint; "
        "--resume goes on, also after a crash. On GPUs: accelerate launch -m train fit NAME.",
    )
    one.add_argument("name", help="a model's name, see list")
    dataset(one)
    one.add_argument("--output", type=Path, help="checkpoint folder to write (default: runs/NAME/checkpoint)")
    one.add_argument("--config", type=Path, metavar="FILE", help="JSON that overrides the recipe, in the format of the "
                     "recipe.json beside a checkpoint, all or some of it; the options below override both")  # fmt: skip
    one.add_argument("--network", type=_object, default={}, metavar="JSON", help="what of the network differs from "
                     "its config.json, such as '{\"widths\": [64, 128, 256]}'")  # fmt: skip
    one.add_argument("--epochs", type=_positive, help="times through the training images")
    one.add_argument("--batch-size", type=_positive, help="images a step, over all processes")
    one.add_argument("--accumulation", type=_positive, help="parts in which a process works through its share of a "
                     "batch, for when memory is short")  # fmt: skip
    one.add_argument("--lr", type=float, help="peak learning rate")
    one.add_argument("--patience", type=_positive, metavar="EPOCHS", help="stop after so many without a better "
                     "validation score")  # fmt: skip
    one.add_argument("--seed", type=_seed, help="of weights, order and augmentation")
    one.add_argument("--seeds", type=_positive, default=1, help="train so many, seed, seed + 1, ...: the first is "
                     "published, the card tells mean and spread of all")  # fmt: skip
    one.add_argument("--mixed-precision", choices=["no", "bf16"], help="override what recipe and hardware suggest")
    one.add_argument("--max-steps", type=_positive, help="stop after so many steps")
    one.add_argument("--save-minutes", type=_minutes, default=5.0, metavar="N", help="save the state also within an "
                     "epoch, so often (default: 5)")  # fmt: skip
    one.add_argument("--tracker", choices=tracking.TRACKERS, help="log figures while it trains; look at them with "
                     "`tensorboard --logdir runs/NAME`, or `TRACKIO_DIR=runs/NAME/trackio trackio show`")  # fmt: skip
    one.add_argument("--resume", action="store_true", help="go on with the run that is in runs/NAME/seed-S")
    one.add_argument("--push-to-hub", metavar="NAMESPACE/NAME", help="upload the checkpoint when it is done")
    one.add_argument("--private", action="store_true", help="make a new Hub repository private")

    one = command("evaluate", evaluate, "Print a trained model's figures on the test split.")
    one.add_argument("name", help="a model's name, a checkpoint folder, or NAMESPACE/NAME on the Hub")
    dataset(one)

    one = command(
        "push", push, "Upload a checkpoint folder and pin it in checkpoints/hub.json, so that the app loads it."
    )
    one.add_argument("name", help="a model's name, see list")
    one.add_argument("repo_id", metavar="NAMESPACE/NAME", help="the Hub repository; made if it is not there")
    one.add_argument("--folder", type=Path, help="what to upload (default: checkpoints/NAME)")
    one.add_argument("--private", action="store_true", help="make a new Hub repository private")

    command("list", list_models, "List the models, their size and the first of their test figures.")
    return top


def fit(args: argparse.Namespace) -> None:
    """Train, evaluate on the test split once, write the checkpoint folder, push it if asked."""
    recipe = _recipe(args)
    _network(args)  # what cannot be built is told before anything is loaded
    tracking.check(args.tracker)
    # Without `cpu` accelerate takes several processes on a machine without a GPU for strangers to each other.
    accelerator = Accelerator(
        mixed_precision=recipe.mixed_precision,
        cpu=not torch.accelerator.is_available(),
        log_with=args.tracker,
        project_dir=Path("runs") / args.name,
    )
    output = args.output or Path("runs") / args.name / "checkpoint"
    recipes = [replace(recipe, seed=recipe.seed + index) for index in range(args.seeds)]
    seeds = [Path("runs") / args.name / f"seed-{one.seed}" for one in recipes]
    if args.push_to_hub:
        once(accelerator, lambda: hub.prepare_push(args.push_to_hub, private=args.private))
    with ExitStack() as locks:
        once(accelerator, lambda: _lock(locks, seeds, output, args.resume))
        _fit(args, accelerator, recipes, seeds, output)


def _lock(locks: ExitStack, seeds: list[Path], output: Path, resume: bool) -> None:
    for folder in (*seeds, output):
        locks.enter_context(folders.lock(folder))
    for folder in seeds:
        folders.refuse_overwriting(folder, resume)


def _fit(
    args: argparse.Namespace, accelerator: Accelerator, recipes: list[Recipe], seeds: list[Path], output: Path
) -> None:
    task, recipe, say = TASKS[type(recipes[0])], recipes[0], accelerator.print
    found = once(accelerator, lambda: _load(args, task, recipe))
    once(accelerator, lambda: task.check(found))
    say(f"{args.name}: {len(found.train)} images to train on, {len(found.validation)} to validate, on "
        f"{card.hardware(accelerator.device)}, precision {recipe.mixed_precision}")  # fmt: skip
    begin = partial(folders.claim, data=found.fingerprint, max_steps=args.max_steps)
    once(accelerator, lambda: [begin(*pair) for pair in zip(seeds, recipes, strict=True)])  # before an hour of training
    runs = []
    for one, folder in zip(recipes, seeds, strict=True):
        run = _train(args, task, one, found, accelerator, folder)
        say(f"seed {one.seed}: test {task.score} {run.test[task.score]:.4f}")
        if run.progress.finished or not runs:  # a further seed that was stopped tells nothing about the spread
            runs.append(run)
        if not run.progress.finished:
            say(f"Stopped at step {run.progress.step}; go on with --resume.")
            break
    if not accelerator.is_main_process:
        return
    card.write_checkpoint(output, args.name, recipe, runs, found, _command_line())
    say(f"wrote {output}")
    if args.push_to_hub and not runs[0].progress.finished:
        say("Not pushed: training was stopped.")
    elif args.push_to_hub:
        try:
            say(f"pushed to {args.push_to_hub} at {hub.push(output, args.push_to_hub)}")
        except ValueError as error:
            again = f"python -m train push {args.name} {args.push_to_hub} --folder {shlex.quote(str(output))}"
            raise ValueError(f"{error} The checkpoint is safe in {output}; try again with: {again}") from error


def _train(
    args: argparse.Namespace, task: Task, recipe: Recipe, found: data.Data, accelerator: Accelerator, folder: Path
) -> Run:
    """Train one seed to its end, or until it is stopped, and read its figures on the test split."""
    torch.manual_seed(recipe.seed)
    net = _network(args)
    state_file = folder / folders.STATE
    progress = loop.fit(net, task, found, recipe, accelerator, state_file, args.max_steps, args.save_minutes)
    accelerator.free_memory()
    published = base.build(net.config)
    published.load_state_dict(progress.best["weights"])
    published.to(published.stored).float().eval()  # measured as it is published
    finish = task.finish(published, found.validation)
    test = once(accelerator, lambda: task.measure(published, found))
    return Run(recipe.seed, published, progress, finish, test, accelerator.device)


def _recipe(args: argparse.Namespace) -> Recipe:
    """The recipe in effect: that of the model, overridden by a file, overridden by options. Raises ValueError."""
    base.architecture(args.name)
    recipe = RECIPES[args.name]
    if args.config:
        recipe = config.read_recipe(args.config, recipe)
    names = ("epochs", "batch_size", "accumulation", "lr", "patience", "seed", "mixed_precision")
    given = {name: getattr(args, name) for name in names}
    recipe = replace(recipe, **{name: value for name, value in given.items() if value is not None})
    if args.mixed_precision is None and not _fast_bf16():
        recipe = replace(recipe, mixed_precision="no")
    config.check(replace(recipe, seed=recipe.seed + args.seeds - 1))
    return recipe


def _network(args: argparse.Namespace) -> Model:
    """A fresh network of that name, with what the command line says otherwise. Raises ValueError."""
    net = models.create(args.name)
    return base.build({**net.config, "kwargs": net.kwargs | args.network}) if args.network else net


def _fast_bf16() -> bool:
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    abilities = torch.cpu.get_capabilities()
    return bool(abilities.get("amx_bf16") or abilities.get("avx512_bf16"))


def evaluate(args: argparse.Namespace) -> None:
    """Print the figures on the test split."""
    net = models.load(args.name)
    recipe = next(recipe for name, recipe in RECIPES.items() if base.architecture(name) is type(net))
    task = TASKS[type(recipe)]
    found = _load(args, task, recipe)
    task.check(found)
    print(f"{args.name} ({net.provenance.source}, {net.provenance.folder}) on {len(found.test)} test images")
    for name, value in task.measure(net, found).items():
        print(f"  {name:22} {value:.4f}")


def _load(args: argparse.Namespace, task: Task, recipe: Recipe) -> data.Data:
    name = args.dataset or recipe.dataset
    return task.load(name, args.dataset_config, args.dataset_revision, args.image_column, args.label_column)


def push(args: argparse.Namespace) -> None:
    """Upload a folder and pin it."""
    base.architecture(args.name)
    folder = args.folder or hub.CHECKPOINTS / args.name
    net = base.read(models.Provenance("path", folder))  # never push what cannot be loaded
    if not isinstance(net, base.architecture(args.name)):
        raise ValueError(f"{folder} holds a {type(net).__name__}, which is not {args.name}.")
    hub.prepare_push(args.repo_id, private=args.private)
    revision = hub.push(folder, args.repo_id)
    hub.pin(args.name, args.repo_id, revision, folder)
    print(f"pushed {folder} to {args.repo_id} at {revision}; pinned in checkpoints/hub.json")


def list_models(args: argparse.Namespace) -> None:
    """One line a model, with the first of the figures that its card tells."""
    for name in models.names():
        kind, figures = KINDS[type(RECIPES[name])], hub.figures(hub.CHECKPOINTS / name)
        form = ".2%" if kind.percent else ".4g"
        known = (f"{label} {figures[key]:{form}}" for key, label in kind.metrics.items() if key in figures)
        net = models.create(name)
        size = f"{net.parameter_count:>9,} parameters"
        print(f"{name:20} {net.task:14} {size}  {next(known, 'no checkpoint')}")


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise argparse.ArgumentTypeError("must be a JSON object")
    return found


def _seed(text: str) -> int:
    if (number := int(text)) < 0:
        raise argparse.ArgumentTypeError("must be 0 or more")
    return number


def _minutes(text: str) -> float:
    if not 0 <= (number := float(text)) < math.inf:
        raise argparse.ArgumentTypeError("must be 0 or more")
    return number


def _command_line() -> str:
    """What to type to train this again; a run that was resumed is the same as one that was not."""
    start = "python"
    if "ACCELERATE_MIXED_PRECISION" in os.environ:
        start = "accelerate launch"
    elif "TORCHELASTIC_RUN_ID" in os.environ:
        start = f"torchrun --nproc_per_node {os.environ['LOCAL_WORLD_SIZE']}"
    return f"{start} -m train {shlex.join(word for word in sys.argv[1:] if word != '--resume')}"


if __name__ == "__main__":
    sys.exit(main())
