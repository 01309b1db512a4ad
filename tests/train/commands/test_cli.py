"""The training command from end to end, in a process of its own: train, interrupt, push, pull, and use what came."""

import re
import shlex
import signal
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

import forked
import numpy as np
import pytest
import tiny
import torch
from hub_server import HubServer
from huggingface_hub import ModelCard
from PIL import Image
from shell import FILES, contents, names, sentence, wait_for

import models
from models.pipelines import DigitClassifier
from train import export

LIMITED = """
import resource, runpy
resource.setrlimit(resource.RLIMIT_FSIZE, (512_000, 512_000))
runpy.run_module("train", run_name="__main__", alter_sys=True)
"""


def test_the_whole_way(hub: HubServer, tmp_path: Path, tiny_mnist: Path) -> None:
    """Train two seeds, push, pull into an empty cache, and name the pictures of the test split with what came back."""
    arguments = ["fit", "mnist-dense", "--dataset", tiny_mnist, "--epochs", 2, "--batch-size", 64, "--seeds", 2]
    done = forked.run(tmp_path, "-m", "train", *arguments, "--push-to-hub", "alice/x", HF_TOKEN="hf_write")
    assert done.returncode == 0, done.stderr
    assert "img/s" in done.stderr and "loss=" in done.stderr  # the progress bar
    assert "hf_write" not in done.stdout + done.stderr
    folder = tmp_path / "runs" / "mnist-dense" / "checkpoint"
    assert names(folder) == FILES
    assert len(hub.commits("alice/x")) == 2  # the Hub's own first one, and ours
    there, here = hub.files("alice/x"), contents(folder)
    assert there.keys() - here.keys() == {".gitattributes", "model.onnx"}
    assert {name for name in here if there[name] != here[name]} == {"README.md"}
    (tmp_path / "sent.onnx").write_bytes(there["model.onnx"])
    assert export.distance(models.load(folder), tmp_path / "sent.onnx") < 1e-4
    sent = there["README.md"].decode()
    assert "NAMESPACE" not in sent and "hf download alice/x model.onnx" in sent and 'load("alice/x")' in sent

    classify = DigitClassifier("alice/x")
    assert classify.facts.provenance.source == "hub"
    pictures, labels = tiny.bars(100, seed=2)
    answers = [classify(Image.fromarray(picture)) for picture in pictures]
    right = [max(shares, key=shares.get) == str(label) for shares, label in zip(answers, labels, strict=True)]
    assert 0.5 < np.mean(right) < 1

    card = ModelCard.load(folder / "README.md")
    figures = {result.metric_type: result.metric_value for result in card.data.eval_results}
    assert figures.keys() == {"accuracy", "precision", "recall", "f1", "roc_auc", "ece"}
    assert figures["accuracy"] == pytest.approx(np.mean(right), abs=1e-6)
    assert classify.facts.accuracy == figures["accuracy"]
    assert {(r.dataset_split, r.task_type, r.dataset_type) for r in card.data.eval_results} == {
        ("test", "image-classification", "tiny")
    }
    told = card.data.to_dict()
    assert (told["library_name"], told["pipeline_tag"]) == ("latent-lab", "image-classification")
    assert told["license"] == "apache-2.0" and "pytorch" in told["tags"]
    assert "datasets" not in told  # a folder is no dataset of the Hub

    seeds = [float(value) for value in re.findall(r"^seed \d: test accuracy ([\d.]+)$", done.stdout, re.MULTILINE)]
    assert len(seeds) == 2
    mean, spread = 100 * statistics.mean(seeds), 100 * statistics.stdev(seeds)
    assert f"**{mean:.2f} ± {spread:.2f} %**" in card.text
    command = shlex.join(map(str, ["python", "-m", "train", *arguments, "--push-to-hub", "alice/x"]))
    for part in (command, "407,050 parameters", "330 images to learn from, 30 held out", "Published seed: 0"):
        assert part in card.text
    for picture in ("learning-curve.png", "confusion-matrix.png"):
        assert f"({picture})" in card.text
        Image.open(folder / picture).verify()


GATED = """
import runpy, time
from pathlib import Path
from train.tasks.classification import Classification

def gated(*given):
    for _ in range(500):
        if not Path("go").exists():
            time.sleep(0.02)
    return measure(*given)

measure, Classification.measure = Classification.measure, gated
runpy.run_module("train", run_name="__main__", alter_sys=True)
"""


def test_what_it_waits_for_is_told_before(tmp_path: Path, tiny_mnist: Path) -> None:
    """Through a pipe too: that it measures is read while it does, with all that was said before."""
    arguments = ["fit", "mnist-dense", "--network", '{"hidden": 16}', "--epochs", 1, "--dataset", tiny_mnist]
    with forked.Forked(tmp_path, "-c", GATED, *arguments) as process:
        output = wait_for(process, b"measuring on 100 test images")
        assert b"seed 0: test" not in output and re.search(rb"^epoch 1 ", output, re.MULTILINE)
        (tmp_path / "go").touch()
        assert b"seed 0: test" in process.stdout.read()


def test_nobody_reads(tmp_path: Path, tiny_mnist: Path) -> None:
    """Whoever read the output is gone, as `| head` goes: the training comes to its end, and writes all."""
    arguments = ["fit", "mnist-dense", "--network", '{"hidden": 16}', "--epochs", 2, "--dataset", tiny_mnist]
    with forked.Forked(tmp_path, "-m", "train", *arguments) as process:
        process.stdout.close()
        assert process.wait() == 0
    assert names(tmp_path / "runs" / "mnist-dense" / "checkpoint") == FILES


def test_accelerate_launch(tmp_path: Path, tiny_mnist: Path) -> None:
    """`accelerate launch -m train fit` trains the flagship with all that its recipe has, and the card says how.

    What launches is a fork, and what it starts to train is a fork of that.
    """
    launch = [Path(sys.executable).parent / "accelerate", "launch", "-m", "train", "fit", "mnist-resnet"]
    small = ["--network", '{"widths": [4, 8, 16]}']  # measuring it for the card takes longer than all else
    done = forked.run(tmp_path, *launch, *small, "--dataset", tiny_mnist, "--max-steps", 4, "--output", "out")
    assert done.returncode == 0, done.stderr
    assert names(tmp_path / "out") == sorted([*FILES, "hands.png"])
    assert type(models.load(tmp_path / "out")).__name__ == "ResNet"
    card, told = (tmp_path / "out" / "README.md").read_text(), shlex.join(small)
    command = f"accelerate launch -m train fit mnist-resnet {told} --dataset {tiny_mnist} --max-steps 4 --output out\n"
    assert command in card


INTERRUPTED = ["fit", "mnist-dense", "--network", '{"hidden": 16}', "--epochs", "6", "--batch-size", "16"]


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory, tiny_mnist: Path) -> Path:
    """The checkpoint of a run that nobody interrupts."""
    folder = tmp_path_factory.mktemp("unbroken")
    done = forked.run(folder, "-m", "train", *INTERRUPTED, "--dataset", tiny_mnist)
    assert done.returncode == 0, done.stderr
    return folder / "runs" / "mnist-dense" / "checkpoint"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt(cli: Callable, unbroken: Path, tmp_path: Path, tiny_mnist: Path, number: signal.Signals) -> None:
    """Ctrl-C while it trains, or a polite kill: a checkpoint that loads, and then the status that shells expect;
    --resume ends where an unbroken run ends.
    """
    arguments = [*INTERRUPTED, "--dataset", str(tiny_mnist)]
    with forked.Forked(tmp_path, "-c", forked.SLOW_TRAIN, *arguments) as process:
        output = wait_for(process, b"epoch 2/6")
        process.send_signal(number)
        output += process.stdout.read()
        assert process.wait() == 128 + number, output
    assert re.search(rb"Stopped at step \d+; go on with --resume", output) and b"Traceback" not in output
    folder = tmp_path / "runs" / "mnist-dense" / "checkpoint"
    assert "stopped early" in (folder / "README.md").read_text()
    stopped = models.load(folder).state_dict()
    status, stdout, _ = cli(*arguments, "--resume")
    assert status == 0 and "epoch 6 " in stdout and "epoch 1 " not in stdout
    assert contents(folder)["model.safetensors"] == contents(unbroken)["model.safetensors"]
    assert not torch.equal(models.load(folder).state_dict()["output.bias"], stopped["output.bias"])


def test_full_disk(fitted: Path, tmp_path: Path, tiny_mnist: Path) -> None:
    """Where half a megabyte is all that fits, training says so in one sentence and the old checkpoint is as it was."""
    before = contents(fitted / "checkpoint")
    output = ["--output", fitted / "checkpoint", "--seed", 7]
    done = forked.run(tmp_path, "-c", LIMITED, "fit", "mnist-dense", "--dataset", tiny_mnist, "--epochs", 1, *output)
    assert "File too large: 'runs/mnist-dense/seed-7/state.pt'" in sentence((done.returncode, done.stdout, done.stderr))
    assert contents(fitted / "checkpoint") == before
    assert names(fitted) == ["checkpoint", "seed-0", "seed-7"]
    assert names(fitted / "seed-7") == ["recipe.json"]
