"""`publish NAMESPACE`: every model to the Hub, with a Space that serves them and a collection."""

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor

from huggingface_hub import constants
from huggingface_hub.utils import disable_progress_bars
from tqdm import tqdm

import models
from models import hub
from models.hub import repository
from models.hub.failures import HubError, PaymentRequired
from models.hub.repository import Head
from train import export
from train.commands import arguments
from train.commands.publishing import collection, model, space
from train.commands.publishing.lock import alone
from train.commands.publishing.model import Publication

QUESTIONS = 8  # asked of the Hub at a time


def run(args: argparse.Namespace) -> int:
    """Publish what is asked for, and tell what was done.

    Returns 0, or 1 where something is not published, and all the rest is.
    """
    with alone():
        repository.expect_namespace(args.namespace)
        space_id = None if args.no_space else f"{args.namespace}/{args.space}"
        there = _space(space_id, args.force) if space_id else None
        names = arguments.published(args)
        if not args.dry_run:
            _export(names)
        with ThreadPoolExecutor(QUESTIONS) as pool:
            planned = list(pool.map(lambda name: model.plan(name, args.namespace, force=args.force), names))
        troubles = [model.left_alone(one.repo_id, "--force") for one in planned if one.other]
        if args.dry_run:
            _tell_plan(planned, space_id)
        else:
            troubles += _send_all(args, planned, space_id, there)
    for trouble in troubles:
        print(f"error: {trouble}", file=sys.stderr)
    return 1 if troubles else 0


def _space(space_id: str, force: bool) -> Head | None:
    """What is in the Space now. Raises ValueError if that is another app, unless it may go."""
    there = repository.head(space_id, "space")
    if space.is_other(there) and not force:
        raise ValueError(
            f"The Space {space_id} is something else: choose another name with --space, or overwrite it with --force."
        )
    if there:
        repository.expect_writable(space_id, "space")
    return there


def _export(names: list[str]) -> None:
    """Make the graphs of weights that have none yet, which takes some seconds each."""
    folders = [hub.CHECKPOINTS / name for name in names]
    for folder in [folder for folder in folders if not export.place(folder).is_file()]:
        print(f"{folder.name}: {export.made(folder)} is made", flush=True)


def _send_all(
    args: argparse.Namespace, planned: list[Publication], space_id: str | None, there: Head | None
) -> list[HubError]:
    """The models, then the rest; what was done is told, however it ends. Returns what the Hub did not take of the rest.

    Raises HubError and OSError where a model is not published.
    """
    publications = [one for one in planned if not one.other]
    try:
        try:
            _send(args, publications)
        finally:
            _tell(planned)
        return _send_rest(args, publications, space_id, there)
    except (KeyboardInterrupt, HubError, OSError):
        print("The same command, given again, finishes what is not done.", flush=True)
        raise


def _send(args: argparse.Namespace, publications: list[Publication]) -> None:
    disable_progress_bars()  # the client's own, one for each file
    total = sum(one.size for one in publications)
    with tqdm(total=total, unit="B", unit_scale=True, desc="models", disable=None) as bar:
        for one in publications:
            after = bar.n + one.size
            model.send(one, private=args.private, retag=args.retag, told=bar.update)
            bar.update(after - bar.n)  # what is small goes with the commit


def _send_rest(
    args: argparse.Namespace, publications: list[Publication], space_id: str | None, there: Head | None
) -> list[HubError]:
    """The Space, then the collection. What the Hub does not take of them keeps nobody from the rest; it is returned."""
    troubles: list[HubError] = []
    if space_id:
        try:
            print(f"{'Space':21} {_send_space(args, publications, space_id, there)}")
        except HubError as error:
            troubles.append(space.unpaid(space_id) if isinstance(error, PaymentRequired) else error)
            space_id = None
    try:
        repo_ids = [one.repo_id for one in publications]
        print(f"{'collection':52} {collection.collect(args.namespace, repo_ids, space_id, private=args.private)}")
    except HubError as error:
        troubles.append(error)
    return troubles


def _send_space(args: argparse.Namespace, publications: list[Publication], space_id: str, there: Head | None) -> str:
    """Make the Space hold the app with the pins as they are now, and tell what was done.

    Raises HubError, also before what is private would be seen by all, or would not be seen by the Space.
    """
    hidden = _hidden(publications)
    if hidden and not (there.private if there else args.private):
        raise HubError(
            f"The Space {space_id} is not made or changed: all could see it, and private are {', '.join(hidden)}. Make "
            "the Space private on the Hub, or leave it out with --no-space."
        )
    if hidden and args.slim:
        raise HubError(f"--slim needs models that a Space can read, and private are {', '.join(hidden)}: leave it out.")
    if there is None:
        repository.create(space_id, private=args.private, hardware=args.hardware, kind="space")
    before = there or repository.head(space_id, "space")
    hardware = args.hardware or before.hardware  # one that is on ZeroGPU stays fit for it
    files = space.files(space_id, slim=args.slim, hardware=hardware, private=bool(hidden))
    message = f"Publish Latent Lab {models.__version__}"
    try:
        commit = repository.commit(space_id, files, kind="space", message=message, there=before)
    except HubError as error:
        if there is None:
            raise type(error)(f"{error} The Space is made and still empty: the same command finishes it.") from error
        raise
    done = f"{'updated' if there else 'made'}, {len(files)} files" if commit != before.commit else "nothing to do"
    return f"{done:30} {constants.ENDPOINT}/spaces/{space_id} @ {commit[:7]}"


def _hidden(publications: list[Publication]) -> list[str]:
    """The repositories of pinned models that nobody else sees; of the others than these the Hub is asked.

    Raises HubError.
    """
    heads = {one.repo_id: one.there for one in publications}
    others = [pin["repo_id"] for pin in hub.pins().values() if pin["repo_id"] not in heads]
    with ThreadPoolExecutor(QUESTIONS) as pool:
        heads |= zip(others, pool.map(repository.head, others), strict=True)
    return [repo_id for repo_id, there in heads.items() if there and there.private]


def _tell(publications: list[Publication]) -> None:
    """A table of what was done."""
    for one in publications:
        there = f"{constants.ENDPOINT}/{one.repo_id} @ {one.there.commit[:7]}" if one.there else ""
        tag = f"  tag {models.__version__}" if one.tagged else ""
        if one.tagged and one.there and one.tagged != one.there.commit:
            tag += f" stays at {one.tagged[:7]}: --retag moves it"
        print(f"{one.name:21} {one.done:30} {there}{tag}")


def _tell_plan(publications: list[Publication], space_id: str | None) -> None:
    """The same of what would be done."""
    for one in publications:
        what = "nothing to do" if one.pinned else "would be pinned"
        if one.other:
            what = one.done
        elif one.commits:
            what = f"would be {'updated' if one.there else 'made'}, {one.amount}"
        print(f"{one.name:21} {what:42} {one.repo_id}")
    if unmade := sum(export.GRAPH not in one.files for one in publications):
        print(f"ONNX graphs are made first, {unmade} of them, and come on top.")
    if space_id:
        print(f"The Space {space_id} and the collection would follow.")
