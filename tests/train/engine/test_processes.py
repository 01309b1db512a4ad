"""Runs of several processes, and runs that are killed: each ends as one that is alone and left in peace."""

import json
import math
import random
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import forked
import pytest
import sharing
import torch
from accelerate.state import AcceleratorState
from shell import wait_for

import models
from models.hub import figures

TWO = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
FIT = ["fit", "mnist-dense", "--epochs", "8", "--batch-size", "16", "--save-minutes", "0"]  # 21 steps an epoch
# Small, so that its state is soon written; at this rate it learns as much as the whole network does at its own.
FIT += ["--network", '{"hidden": 64}', "--lr", "3e-3"]
STEPS = 8 * 21


@pytest.fixture
def alone() -> Iterator[Callable]:
    """`tests/sharing.py` in this process."""
    AcceleratorState._reset_state(reset_partial_state=True)
    yield sharing.main
    AcceleratorState._reset_state(reset_partial_state=True)


def share(cwd: Path, *words: object) -> None:
    """The same in two processes."""
    for done in forked.pair(cwd, sharing.__file__, *words):
        assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("images", [292, 289])
def test_two_processes_share_an_epoch(alone: Callable, tmp_path: Path, images: int) -> None:
    """Each image is seen once an epoch, by one of them; figures and weights are those of one process.

    The last batch has four images or one. That one is the first process's; the second sees it too, and it must not
    count.
    """
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    alone(tmp_path / "one", images, 32)
    share(tmp_path, tmp_path / "two", images, 32)
    seen = [json.loads((tmp_path / "two" / f"{rank}.json").read_text()) for rank in (0, 1)]
    for epoch in range(3):
        calls = [process[epoch * len(process) // 3 : (epoch + 1) * len(process) // 3] for process in seen]
        if images == 289:
            assert calls[1].pop() == calls[0][-1]
        numbers = [number for process in calls for call in process for number in call]
        assert sorted(numbers) == list(range(images))
    one, two = (torch.load(tmp_path / name / "progress.pt", weights_only=True) for name in ("one", "two"))
    for row, wanted in zip(two["history"], one["history"], strict=True):
        assert row == pytest.approx(wanted, rel=1e-3)
    assert two["history"][-1]["accuracy"] > 0.9
    for key, weights in one["weights"].items():
        assert torch.allclose(two["weights"][key], weights, atol=1e-4), key


@pytest.mark.parametrize(("kind", "images", "batch"), [("vae", 289, 32), ("gan", 289, 32), ("dcgan", 36, 11)])
def test_two_processes_share_other_kinds(tmp_path: Path, kind: str, images: int, batch: int) -> None:
    """Both end with the same weights, an opponent's too, all finite, also where their shares of a batch differ.

    What is drawn differs from process to process, so that these are not the weights of one process alone.
    """
    share(tmp_path, tmp_path, images, batch, kind)
    left, right = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in (0, 1))
    assert left.keys() == right.keys() == ({"net"} if kind == "vae" else {"critic", "net"})
    for name, weights in left.items():
        assert weights.keys() == right[name].keys()
        for key, tensor in weights.items():
            assert tensor.isfinite().all() and torch.equal(tensor, right[name][key]), (name, key)
    progress = torch.load(tmp_path / "progress.pt", weights_only=True)
    assert len(progress["history"]) == 3
    assert all(math.isfinite(value) for row in progress["history"] for value in row.values())
    assert all(tensor.isfinite().all() for tensor in progress["weights"].values())
    seen = [json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1)]
    assert {number for process in seen for call in process for number in call} == set(range(images))


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory, tiny_mnist: Path) -> Path:
    """What two processes left that nobody disturbed."""
    folder = tmp_path_factory.mktemp("two")
    first, second = forked.pair(folder, "-m", "train", *FIT, "--dataset", tiny_mnist)
    assert (first.returncode, second.returncode) == (0, 0), first.stderr
    for told in ("measuring on 100 test images", "wrote "):
        assert (first.stdout + second.stdout).count(told) == 1
    return folder


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory, tiny_mnist: Path) -> Path:
    """What one process left."""
    folder = tmp_path_factory.mktemp("one")
    done = forked.run(folder, "-m", "train", *FIT, "--dataset", tiny_mnist)
    assert done.returncode == 0, done.stderr
    return folder


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return models.load(folder / "runs" / "mnist-dense" / "checkpoint").state_dict()


def step(folder: Path) -> int:
    state = torch.load(folder / "runs" / "mnist-dense" / "seed-0" / "state.pt", weights_only=True)
    return state["progress"]["step"]


def expect_same(left: Path, right: Path) -> None:
    assert weights(left).keys() == weights(right).keys()
    for key, tensor in weights(left).items():
        assert torch.equal(tensor, weights(right)[key]), key


def test_two_processes_are_as_one(one: Path, two: Path) -> None:
    """Two processes that share each batch come to the weights and the accuracy of one that has it all."""
    for key, tensor in weights(one).items():
        assert torch.quantile((weights(two)[key] - tensor).abs().flatten()[:500_000], 0.99) < 1e-4, key
    accuracies = [figures(folder / "runs" / "mnist-dense" / "checkpoint")["accuracy"] for folder in (one, two)]
    assert accuracies[0] == pytest.approx(accuracies[1], abs=0.01)
    assert accuracies[0] > 0.9


def test_two_processes_are_stopped_together(two: Path, tmp_path: Path, tiny_mnist: Path) -> None:
    """A polite kill of torchrun: both end after the same step, and resumed they end as if nothing had been."""
    fit, slow = [*FIT, "--dataset", str(tiny_mnist)], tmp_path / "slow_train.py"
    slow.write_text(forked.SLOW_TRAIN)
    with forked.Forked(tmp_path, *TWO, slow, *fit) as process:
        output = wait_for(process, b"epoch 2/8")
        process.send_signal(signal.SIGTERM)
        output += process.stdout.read()
    stopped = step(tmp_path)
    assert 21 <= stopped < STEPS
    assert f"Stopped at step {stopped}; go on with --resume." in output.decode()
    assert output.count(b"wrote ") == 1
    card = (tmp_path / "runs" / "mnist-dense" / "checkpoint" / "README.md").read_text()
    assert "    torchrun --nproc_per_node 2 -m train fit mnist-dense " in card
    assert "gloo" not in output.decode()  # neither waited for the other in vain
    assert models.load(tmp_path / "runs" / "mnist-dense" / "checkpoint")
    for done in forked.pair(tmp_path, "-m", "train", *fit, "--resume"):
        assert done.returncode == 0, done.stderr
    expect_same(tmp_path, two)


IMPATIENT = """
import runpy, time
from datetime import timedelta
from torch.distributed import distributed_c10d
from train.tasks.classification import Classification

measure = Classification.measure
Classification.measure = lambda *given: (time.sleep(4), measure(*given))[1]
distributed_c10d.default_pg_timeout = timedelta(seconds=2)
runpy.run_module("train", run_name="__main__", alter_sys=True)
"""


def test_the_first_process_may_take_its_time(two: Path, tmp_path: Path, tiny_mnist: Path) -> None:
    """While it measures, for longer than torch lets processes wait for each other, the second waits all the same."""
    for done in forked.pair(tmp_path, "-c", IMPATIENT, *FIT, "--dataset", tiny_mnist):
        assert done.returncode == 0, done.stderr[-2000:]
    expect_same(tmp_path, two)


def test_two_processes_are_refused_together(two: Path, tiny_mnist: Path) -> None:
    """What one finds out is said once, and the other does not wait for it: torchrun ends them both."""
    done = forked.run(two, *TWO, "-m", "train", *FIT, "--dataset", tiny_mnist)
    assert done.returncode == 1
    assert len(re.findall("^error: .*add --resume", done.stderr, re.MULTILINE)) == 1
    assert "gloo" not in done.stderr


def test_killed_at_random(cli: Callable, one: Path, tmp_path: Path, tiny_mnist: Path) -> None:
    """Killed without notice at any moment, as it writes its state too, and resumed: the same weights bit for bit."""
    fit = [*FIT, "--dataset", str(tiny_mnist)]
    draw, steps = random.Random(), []
    for _ in range(3):
        with forked.Forked(tmp_path, "-c", forked.SLOW_TRAIN, *fit, "--resume") as process:
            wait_for(process, b"img/s, loss=")
            time.sleep(draw.uniform(0, 0.3))
            process.kill()
        steps.append(step(tmp_path))
    assert 0 < steps[0] <= steps[1] <= steps[2] < STEPS, steps
    assert cli(*fit, "--resume")[0] == 0
    expect_same(tmp_path, one)
