"""What can be known to be wrong before anything heavy is imported, all of it in one go."""

import argparse
import importlib.util
import os
from collections.abc import Callable
from pathlib import Path

import models
from models import base, hub
from train import recipe
from train.commands import arguments
from train.commands.publishing import model
from train.data import names
from train.engine import folders
from train.tasks import TASKS

Check = Callable[[argparse.Namespace], list[str] | None]  # gives sentences, or raises with one


def mistakes(args: argparse.Namespace) -> list[str]:
    """What is wrong with the words of a command, a sentence each."""
    found: dict[str, None] = {}  # two checks may find the same
    for check in CHECKS[args.command]:
        try:
            found |= dict.fromkeys(check(args) or [])
        except (ValueError, OSError) as error:
            found[str(error)] = None
    return list(found)


def _name(args: argparse.Namespace) -> None:
    base.architecture(args.name)


def _source(args: argparse.Namespace) -> None:
    if os.path.isdir(args.name):
        base.read(hub.Provenance("path", Path(args.name)))
    elif "/" in args.name:  # it may be on the Hub
        hub.check_source(args.name)
    else:
        base.architecture(args.name)


def _both(args: argparse.Namespace) -> list[str]:
    found = []
    for source in (args.first, args.second):
        try:
            _source(argparse.Namespace(name=source))
        except ValueError as error:
            found.append(str(error))
    return found


def _folder(args: argparse.Namespace) -> None:
    """As `_source`; a model's own folder has to hold its weights."""
    _source(args)
    if "/" not in args.name:
        base.read(hub.Provenance("path", arguments.folder(args)))


def _init(args: argparse.Namespace) -> None:
    if args.init:
        _source(argparse.Namespace(name=args.init))
        task = TASKS.get(args.name)
        if task and task.start:
            raise ValueError(f"{args.name} always begins with the weights of {task.start}: leave --init out.")


def _card(args: argparse.Namespace) -> None:
    file = arguments.folder(args) / hub.CARD
    if args.write and not file.is_file():
        raise ValueError(f"--write renews a card, and there is no {file}: name a checkpoint folder of this machine.")


def _dataset(args: argparse.Namespace) -> None:
    if args.dataset:
        names.check(args.dataset, args.dataset_revision)


def _also(args: argparse.Namespace) -> None:
    if args.also:
        if not hasattr(arguments.recipe(args), "also"):
            raise ValueError("--also is for classifiers of digits and page readers: leave it out.")
        names.check(args.also, None)


def _settings(args: argparse.Namespace) -> list[str]:
    return recipe.mistakes(arguments.recipes(args)[-1])  # the one with the largest seed


def _network(args: argparse.Namespace) -> None:
    arguments.network(args)


def _tracker(args: argparse.Namespace) -> None:
    if args.tracker and importlib.util.find_spec(args.tracker) is None:
        raise ValueError(f"--tracker {args.tracker} needs a package that is not installed: pip install {args.tracker}.")


def _output(args: argparse.Namespace) -> None:
    folders.expect_free(arguments.output(args))


def _runs(args: argparse.Namespace) -> list[str]:
    """Those that are under way in a folder, or have been and are not to go on, or not like this."""
    found = []
    for one in arguments.recipes(args):
        folder = arguments.run_folder(args, one)
        try:
            folders.expect_free(folder)
            folders.refuse_overwriting(folder, args.resume)
            folders.expect_same(folder, one, args.max_steps, args.init)
        except (ValueError, OSError) as error:
            found.append(str(error))
    return found


def _repository(args: argparse.Namespace) -> None:
    if repo_id := args.repo_id if args.command == "push" else args.push_to_hub:
        hub.check_name(repo_id)


def _upload(args: argparse.Namespace) -> None:
    folder = arguments.upload(args)
    if (folder / hub.CARD).is_file():
        model.check_card(folder)


def _namespace(args: argparse.Namespace) -> None:
    if "/" in args.namespace or not hub.may_be_repository(args.namespace):
        raise ValueError(f"{args.namespace!r} is no namespace: name your account or an organisation, without a slash.")
    hub.check_name(f"{args.namespace}/{args.space}")


def _published(args: argparse.Namespace) -> list[str]:
    """What keeps a checkpoint folder from being published, a sentence for each folder."""
    found, wanted = [], arguments.published(args)
    if not wanted:
        raise ValueError(f"There is nothing to publish: no model has a folder in {hub.CHECKPOINTS}.")
    for name in wanted:
        try:
            folder = arguments.upload(argparse.Namespace(name=name, folder=None))
            model.check_card(folder)
        except ValueError as error:
            found.append(str(error))
    return found


def _pins(args: argparse.Namespace) -> None:
    hub.pins()


def _pin(args: argparse.Namespace) -> None:
    if args.name and args.name not in hub.pins():  # what is pinned may have had its name in an older version
        base.architecture(args.name)


def _slim(args: argparse.Namespace) -> None:
    if args.slim and args.no_space:
        raise ValueError("--slim is for the Space, and --no-space makes none: leave one of them out.")
    if args.slim and args.private:
        raise ValueError("--slim needs models that a Space can read: leave it out, or --private.")
    if args.slim:
        known = {*arguments.published(args), *hub.pins()}
        unknown = [name for name in models.names() if name not in known and (hub.CHECKPOINTS / name).is_dir()]
        if unknown:
            raise ValueError(
                f"--slim leaves all weights to the Hub, and these are not pinned there: {', '.join(unknown)}. Publish "
                "them too, or leave --slim out."
            )


CHECKS: dict[str, list[Check]] = {
    "fit": [_name, _init, _dataset, _also, _settings, _network, _tracker, _output, _runs, _repository],
    "evaluate": [_source, _card, _dataset],
    "push": [_name, _upload, _pins, _repository],
    "publish": [_namespace, _published, _pins, _slim],
    "unpin": [_pin],
    "export": [_folder],
    "diff": [_both],
    "list": [],
}
