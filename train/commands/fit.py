"""`fit NAME`: train, measure, write the checkpoint folder, push it if asked."""

import argparse
import os
import shlex
import sys
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

import torch
from accelerate import Accelerator

import models
from models import base, hub
from models.hub import repository
from train import card
from train.commands import arguments
from train.commands.evaluate import load
from train.commands.publishing import model
from train.data import digits
from train.data.splits import Data
from train.engine import folders, loop
from train.engine.processes import PATIENCE, expect_whole, once
from train.recipe import Recipe
from train.run import Run
from train.tasks import TASKS
from train.tasks.task import Task


def run(args: argparse.Namespace) -> int:
    """Train, evaluate on the test split once, write the checkpoint folder, push it if asked.

    Returns the exit status: 0, or 128 + the signal that stopped the training.
    """
    recipes, output = arguments.recipes(args), arguments.output(args)
    # Without `cpu` accelerate takes several processes on a machine without a GPU for strangers to each other.
    accelerator = Accelerator(
        mixed_precision=recipes[0].mixed_precision,
        cpu=not torch.accelerator.is_available(),
        log_with=args.tracker,
        project_dir=Path("runs") / args.name,
        kwargs_handlers=[PATIENCE],
    )
    once(accelerator, lambda: expect_whole(accelerator))
    places = [arguments.run_folder(args, one) for one in recipes]
    if args.push_to_hub:
        once(accelerator, lambda: _prepare_push(args))
    with ExitStack() as locks:
        once(accelerator, lambda: _lock(locks, places, output, args.resume))
        runs, found, before = _train_all(args, accelerator, recipes, places)
        if accelerator.is_main_process:
            _publish(args, output, recipes[0], runs, found, before)
    return next((128 + run.progress.stopped_by for run in runs if run.progress.stopped_by), 0)


def _prepare_push(args: argparse.Namespace) -> None:
    """See, before an hour of training, that its checkpoint may go where it shall."""
    hub.prepare_push(args.push_to_hub, private=args.private)
    model.expect_ours(args.name, args.push_to_hub, repository.head(args.push_to_hub), "push --force")


def _lock(locks: ExitStack, seeds: list[Path], output: Path, resume: bool) -> None:
    for folder in (*seeds, output):
        locks.enter_context(folders.lock(folder))
    for folder in seeds:
        folders.refuse_overwriting(folder, resume)


def _train_all(
    args: argparse.Namespace, accelerator: Accelerator, recipes: list[Recipe], seeds: list[Path]
) -> tuple[list[Run], Data, str | None]:
    """Train one seed after the other, until all are or one is stopped; and what trained what they began with."""
    task, recipe, say = TASKS[args.name], recipes[0], accelerator.print
    found = once(accelerator, lambda: _data(args, task, recipe))
    once(accelerator, lambda: task.check(found))
    say(f"{args.name}: {len(found.train)} {task.unit}s to train on, {len(found.validation)} to validate, on "
        f"{card.hardware(accelerator.device)}, precision {recipe.mixed_precision}")  # fmt: skip
    given = {"data": found.fingerprint, "max_steps": args.max_steps, "init": args.init, "before": _before(args.init)}
    begin = partial(folders.claim, **given)
    # Before an hour of training.
    before, *_ = once(accelerator, lambda: [begin(*pair) for pair in zip(seeds, recipes, strict=True)])
    runs = []
    for one, folder in zip(recipes, seeds, strict=True):
        run = _train(args, task, one, found, accelerator, folder)
        say(f"seed {one.seed}: test {task.score} {run.test[task.score]:.4f}")
        runs.append(run)
        if not run.progress.finished:
            say(f"Stopped at step {run.progress.step}; go on with --resume.")
            break
    return runs, found, before


def _data(args: argparse.Namespace, task: Task, recipe: Recipe) -> Data:
    found = load(args, task, recipe)
    return digits.joined(found, args.also, recipe.also) if args.also else found


def _publish(
    args: argparse.Namespace, output: Path, recipe: Recipe, runs: list[Run], found: Data, before: str | None
) -> None:
    """Write the checkpoint folder, and push it if asked."""
    # A further seed that was stopped tells nothing about the spread.
    told = [run for run in runs if run is runs[0] or run.progress.finished]
    commands = f"{before}\n    {_command_line()}" if before else _command_line()
    card.write_checkpoint(output, args.name, recipe, told, found, commands)
    print(f"wrote {output}")
    _tell_pin(args.name, output)
    if args.push_to_hub and not runs[0].progress.finished:
        print("Not pushed: training was stopped.")
    elif args.push_to_hub:
        try:
            print(f"pushed to {args.push_to_hub} at {model.push(args.name, output, args.push_to_hub)}")
        except (ValueError, OSError) as error:
            again = f"python -m train push {args.name} {args.push_to_hub} --folder {shlex.quote(str(output))}"
            raise ValueError(f"{error} The checkpoint is safe in {output}; try again with: {again}") from error


def _tell_pin(name: str, output: Path) -> None:
    """Where what was written is not what is loaded by that name, say so."""
    with suppress(ValueError):  # pins that are broken are for those to say who read them
        pin = hub.pins().get(name)
        if pin and output.resolve() == (hub.CHECKPOINTS / name).resolve():
            print(f"{name} is pinned, and loaded from {pin['repo_id']}: publish or push the new one, or unpin {name}.")


def _train(
    args: argparse.Namespace, task: Task, recipe: Recipe, found: Data, accelerator: Accelerator, folder: Path
) -> Run:
    """Train one seed to its end, or until it is stopped, and read its figures on the test split."""
    torch.manual_seed(recipe.seed)
    net = arguments.network(args)
    if args.init:
        fresh = arguments.begin(net, args.init)
        accelerator.print(f"begins with {args.init}" + (f"; fresh: {', '.join(fresh)}" if fresh else ""))
    state_file = folder / folders.STATE
    task.prepare(found.train, recipe)
    progress = loop.fit(net, task, found, recipe, accelerator, state_file, args.max_steps, args.save_minutes)
    accelerator.free_memory()
    published = base.build(net.config)
    published.load_state_dict(progress.best["weights"])
    published.to(published.stored).float().eval()  # measured as it is published
    accelerator.print(f"measuring on {len(found.test)} test {task.unit}s, which may take minutes ...")
    finish = task.finish(published, found.validation)
    test = once(accelerator, lambda: task.measure(published, found))
    return Run(recipe.seed, published, progress, finish, test, accelerator.device)


def _before(init: str | None) -> str | None:
    """What trained the weights that a run begins with, if there are such and that is told."""
    try:
        return init and card.command(models.load(init).provenance.folder)
    except (ValueError, OSError):
        return None


def _command_line() -> str:
    """What to type to train this again; a run that was resumed is the same as one that was not."""
    start = "python"
    if "ACCELERATE_MIXED_PRECISION" in os.environ:
        start = "accelerate launch"
    elif "TORCHELASTIC_RUN_ID" in os.environ:
        start = f"torchrun --nproc_per_node {os.environ['LOCAL_WORLD_SIZE']}"
    return f"{start} -m train {shlex.join(word for word in sys.argv[1:] if word != '--resume')}"
