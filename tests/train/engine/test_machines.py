"""The commands by which several machines train as one, and what they may not be asked for."""

import re
import shlex
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile

import forked
import pytest
from accelerate import Accelerator
from accelerate.utils import DistributedType
from app_process import free_port
from hub_server import HubServer
from shell import ROOT, run, sentence

import models

PAGE = (ROOT / "README.md").read_text("utf-8")
NODES = re.findall(r"^    (torchrun --nnodes 2 .*)$", PAGE, re.MULTILINE)


def together(folder: Path, *rest: str) -> list[str]:
    """What the README's two commands print, each in a folder of its own, with a network that is faster."""
    port, processes = free_port(), []
    with ExitStack() as after:
        for rank, line in enumerate(NODES):
            told = line.replace("ADDRESS", "127.0.0.1").replace("29500", str(port))
            words = [
                "-m",
                "torch.distributed.run",
                *shlex.split(told.replace("photo-denoiser", "mnist-mlp"))[1:],
                *rest,
            ]
            (folder / str(rank)).mkdir(exist_ok=True)
            files = after.enter_context(TemporaryFile()), after.enter_context(TemporaryFile())
            processes.append((after.enter_context(forked.Forked(folder / str(rank), *words, files=files)), *files))
        done = [forked.finished(*one) for one in processes]
    assert [one.returncode for one in done] == [0, 0], "".join(one.stderr for one in done)
    return [one.stdout for one in done]


def test_two_machines(cli: Callable, tmp_path: Path, tiny_mnist: Path) -> None:
    """As the README has it: the first one reads the data and keeps state and checkpoint, and with its state both go on,
    to the same weights as those of one process that was not stopped.
    """
    assert [re.search(r"--node_rank (\d)", line)[1] for line in NODES] == ["0", "1"]
    fit = ["--dataset", str(tiny_mnist), "--epochs", "2", "--batch-size", "32"]
    for stop in (["--max-steps", "9"], ["--resume"]):
        first, second = together(tmp_path, *fit, *stop)
        assert "wrote " in first and "wrote " not in second
    net = models.load(tmp_path / "0" / "runs" / "mnist-mlp" / "checkpoint")
    assert type(net).__name__ == "MLP"
    assert not list((tmp_path / "1").rglob("*.safetensors"))
    assert cli("fit", "mnist-mlp", *fit, "--output", tmp_path / "alone")[0] == 0
    for one, other in zip(
        net.state_dict().values(), models.load(tmp_path / "alone").state_dict().values(), strict=True
    ):
        assert (one - other).abs().max() < 1e-4


@pytest.mark.parametrize("kind", ["FSDP", "DEEPSPEED"])
def test_networks_in_pieces_are_refused(
    cli: Callable, tiny_mnist: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Before anything is read or written."""
    monkeypatch.setattr(Accelerator, "distributed_type", DistributedType[kind])
    told = sentence(cli("fit", "mnist-mlp", "--dataset", tiny_mnist))
    assert kind in told and "torchrun" in told
    assert not Path("runs").exists()


def test_a_rented_gpu(tmp_path: Path, hub: HubServer) -> None:
    """The client takes the README's command, and would ask for what it says."""
    line = re.search(r"^    (hf jobs run .*)$", PAGE, re.MULTILINE)[1]
    words = shlex.split(line.replace("hf jobs run", "hf jobs run --dry-run"))
    (tmp_path / "lab").mkdir()
    (tmp_path / "here").mkdir()
    done = run(tmp_path / "here", Path(sys.executable).with_name(words[0]), *words[1:], HF_TOKEN="hf_write")
    assert done.returncode == 0, done.stderr
    told = dict(re.findall(r"^  (\w+) +(.+)$", done.stdout, re.MULTILINE))
    assert (told["image"], told["flavor"], told["timeout"]) == ("python:3.12", "l4x1", "3h")
    assert told["volumes"] == "../lab:/lab" and told["secrets"] == "HF_TOKEN=***"
    assert shlex.split(told["command"])[-1] == words[-1]
