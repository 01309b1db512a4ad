"""The training command: fit, evaluate, push, publish, unpin, export, diff, list."""

# ruff: noqa: E402
# This module is the grammar alone. What a command needs is imported when it runs, in two steps: first what is light,
# which finds the mistakes that can be known at once (`commands.checks`), then the command's own module.
import os
import signal


def _leave(number: int, frame: object) -> None:
    os._exit(128 + number)


if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    # While modules are imported Ctrl-C ends the program without a word; raised in their midst it could come out as
    # anything. `main` takes this back when the command begins.
    signal.signal(signal.SIGINT, _leave)

import argparse
import io
import json
import math
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

OURS = ("models", "train")  # a module of these that is missing is a fault of ours
TRACKERS = ("tensorboard", "trackio")


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status: 0; 1 where there are mistakes, each told in one sentence on stderr;
    128 + the number of the signal that stopped it.
    """
    args = parser().parse_args(arguments)
    speaks = os.environ.get("RANK", "0") == "0"  # of several processes the first one tells what is wrong
    try:
        mistakes = import_module("train.commands.checks").mistakes(args) if speaks else []
        if not mistakes:
            command = import_module(f"train.commands.{args.command}")
            if signal.getsignal(signal.SIGINT) is _leave:
                signal.signal(signal.SIGINT, signal.default_int_handler)
            return command.run(args)
    except (ValueError, OSError) as error:
        mistakes = [str(error)]
    except ModuleNotFoundError as error:
        package = str(error.name).partition(".")[0]
        if package in OURS:
            raise
        mistakes = [f"Without {package} there is no `{args.command}`: pip install -r train/requirements.txt."]
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    for mistake in mistakes:
        print(f"error: {mistake}", file=sys.stderr)
    return 1


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    top = argparse.ArgumentParser(prog="python -m train", description=__doc__)
    commands = top.add_subparsers(required=True, dest="command", metavar="COMMAND")

    def command(name: str, help: str, epilog: str = "") -> argparse.ArgumentParser:
        return commands.add_parser(name, help=help, description=help, epilog=epilog)

    def dataset(sub: argparse.ArgumentParser) -> None:
        sub.add_argument("--dataset", metavar="NAME_OR_FOLDER", help="a Hub dataset, a folder laid out like one, or a "
                         "folder with pictures in sub-folders 0 to 9 (default: the recipe's)")  # fmt: skip
        sub.add_argument("--dataset-config", metavar="NAME", help="which configuration of the dataset")
        sub.add_argument("--dataset-revision", metavar="REVISION", help="which branch, tag or commit on the Hub")
        sub.add_argument("--image-column", metavar="NAME", help="where the images are (default: found by type)")
        sub.add_argument("--label-column", metavar="NAME", help="where the labels are (default: found by type)")

    one = command(
        "fit",
        "Train a model and write its checkpoint folder.",
        "State is saved every epoch, and every few minutes, in runs/NAME/seed-S. Ctrl-C leaves a usable checkpoint; "
        "--resume goes on, also after a crash, and further than before with a larger --max-steps. "
        "On GPUs: accelerate launch -m train fit NAME.",
    )
    one.add_argument("name", help="a model's name, see list")
    dataset(one)
    one.add_argument("--also", metavar="NAME_OR_FOLDER", help="a further dataset of digits of any size, for a "
                     "classifier to learn from besides")  # fmt: skip
    one.add_argument("--init", metavar="SOURCE", help="begin with the weights of a model, a checkpoint folder or "
                     "NAMESPACE/NAME; what has another shape begins fresh")  # fmt: skip
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
    one.add_argument("--tracker", choices=TRACKERS, help="log figures while it trains; look at them with "
                     "`tensorboard --logdir runs/NAME`, or `TRACKIO_DIR=runs/NAME/trackio trackio show`")  # fmt: skip
    one.add_argument("--resume", action="store_true", help="go on with the run that is in runs/NAME/seed-S")
    one.add_argument("--push-to-hub", metavar="NAMESPACE/NAME", help="upload the checkpoint when it is done")
    one.add_argument("--private", action="store_true", help="make a new Hub repository private")

    one = command("evaluate", "Print a trained model's figures on the test split.")
    one.add_argument("name", help="a model's name, a checkpoint folder, or NAMESPACE/NAME on the Hub")
    dataset(one)
    one.add_argument("--real", metavar="FOLDER", help="measure it on real noise too, untold: pairs NAME_1_real.jpg and "
                     "NAME_1_mean.jpg, as in PolyU; for photo-denoiser")  # fmt: skip
    one.add_argument("--write", action="store_true", help="renew by them the card in checkpoints/NAME, or in the "
                     "folder, and the README's row: weights, and what is told of the training, stay")  # fmt: skip
    one.add_argument("--json", action="store_true", help="print the figures as JSON, for programs")

    one = command("push", "Upload a checkpoint folder and pin it in checkpoints/hub.json, so that the app loads it.")
    one.add_argument("name", help="a model's name, see list")
    one.add_argument("repo_id", metavar="NAMESPACE/NAME", help="the Hub repository; made if it is not there")
    one.add_argument("--folder", type=Path, help="what to upload (default: checkpoints/NAME)")
    one.add_argument("--private", action="store_true", help="make a new Hub repository private")
    one.add_argument("--force", action="store_true", help="overwrite a repository of that name that is something else")

    one = command(
        "publish",
        "Make or update a Hub repository for each model, a Space that serves them and a collection of all.",
        "What is the same on the Hub is not sent again; what was stopped half-way is finished by another run.",
    )
    one.add_argument("namespace", metavar="NAMESPACE", help="your name on the Hub, or an organisation's")
    one.add_argument("--only", action="append", metavar="NAME", help="publish this model alone; may be repeated")
    one.add_argument("--private", action="store_true", help="make what is new on the Hub private")
    one.add_argument("--retag", action="store_true", help="move the tag of this version to what is published now")
    one.add_argument("--dry-run", action="store_true", help="tell what would be done, and do nothing")
    which = one.add_mutually_exclusive_group()
    which.add_argument("--space", default="latent-lab", metavar="NAME", help="what the Space is called (default: "
                       "latent-lab)")  # fmt: skip
    which.add_argument("--no-space", action="store_true", help="publish the models and their collection alone")
    one.add_argument("--slim", action="store_true", help="leave the weights out of the Space: they come from the Hub")
    one.add_argument("--force", action="store_true", help="overwrite a Space or a repository of that name that is "
                     "something else")  # fmt: skip
    one.add_argument("--hardware", choices=["zero-a10g"], help="make a Space that fits ZeroGPU, for an account without "
                     "a paid plan")  # fmt: skip

    one = command("unpin", "Take pins out of checkpoints/hub.json, so that the app uses what is in checkpoints/ again.")
    one.add_argument("name", nargs="?", help="a model's name (default: all)")

    one = command("export", "Write a trained model as one ONNX file, checked against torch, into runs/onnx.")
    one.add_argument("name", help="a model's name, a checkpoint folder, or NAMESPACE/NAME on the Hub")

    one = command("diff", "Tell whether two checkpoints have the same tensors, and how far apart they are.")
    one.add_argument("first", metavar="A", help="a model's name, a checkpoint folder, or NAMESPACE/NAME on the Hub")
    one.add_argument("second", metavar="B", help="another")

    one = command("list", "List the models: task, size, where they are from, first test figure, where they are pinned.")
    one.add_argument("--json", action="store_true", help="print all that is known of them as JSON, for programs")
    return top


class _Heard(io.FileIO):
    """A stream whose reader may go, as `| head` does: what nobody reads any more is dropped, and the work goes on."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            return len(data)


def _outlive_readers() -> None:
    """Let standard output and errors be such streams."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # it was closed before Python began
            continue
        heard = _Heard(stream.fileno(), "w", closefd=False)
        # Who follows hours of training in a file or through a pipe reads each line when it is said.
        like = {"encoding": stream.encoding, "errors": stream.errors, "line_buffering": True}
        setattr(sys, name, io.TextIOWrapper(io.BufferedWriter(heard), **like))


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


if __name__ == "__main__":
    _outlive_readers()
    sys.exit(main())
