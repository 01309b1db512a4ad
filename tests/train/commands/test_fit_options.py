"""What `fit` may begin with, and learn from besides: --init and --also."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tiny
import torch
from PIL import Image, ImageOps
from shell import sentence

import models
from models.pictures import mnist
from train.commands import arguments
from train.data import digits


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of digits black on white, twice as large as MNIST's, each on paper of its own."""
    folder = tmp_path_factory.mktemp("scans")
    pictures, labels = tiny.bars(40, seed=9)
    large = [np.asarray(ImageOps.invert(Image.fromarray(one).resize((60, 60)))) for one in pictures]
    tiny.write_split(folder, "train", large, labels)
    return folder


def test_a_further_dataset_is_learned_from(scans: Path) -> None:
    """So often an epoch, in MNIST's form; validation and test stay, the fingerprint does not."""
    data = tiny.data()
    found = digits.joined(data, str(scans), 3)
    assert len(found.train) == len(data.train) + 3 * 40
    assert torch.equal(found.train.images[: len(data.train)], data.train.images)
    assert found.validation is data.validation and found.test is data.test
    assert found.fingerprint != data.fingerprint
    more = found.train.images[len(data.train) :, 0].numpy()
    assert (more[:40] == more[40:80]).all() and (more[:40] == more[80:]).all()
    wanted, labels = tiny.bars(40, seed=9)
    assert (found.train.labels[len(data.train) :].numpy() == np.tile(labels, 3)).all()
    for one, bar in zip(more[:40], wanted, strict=True):
        assert mnist.is_mnist(Image.fromarray(one))
        assert np.corrcoef(one.ravel(), bar.ravel())[0, 1] > 0.5


def test_also(cli: Callable, tmp_path: Path, tiny_mnist: Path, scans: Path) -> None:
    """The command tells how many there are, the card names the option; other tasks and wrong names refuse it."""
    status, told, stderr = cli("fit", "mnist-dense", "--dataset", tiny_mnist, "--also", scans, "--epochs", 1)
    assert status == 0, stderr
    plain = len(digits.load(str(tiny_mnist)).train)
    assert f"{plain + 40} images to train on" in told
    assert f"--also {scans}" in (tmp_path / "runs/mnist-dense/checkpoint/README.md").read_text()
    told = sentence(cli("fit", "mnist-ae", "--dataset", tiny_mnist, "--also", scans, "--epochs", 1))
    assert "--also is for classifiers" in told
    assert "no such folder" in sentence(cli("fit", "mnist-mlp", "--also", "./nowhere", "--dataset", tiny_mnist))


def test_init(cli: Callable, fitted: Path, tmp_path: Path, tiny_mnist: Path) -> None:
    """It begins with those weights: without a step they are still there; the card tells both commands."""
    start = models.load(str(fitted / "checkpoint"))
    command = ["fit", "mnist-dense", "--dataset", tiny_mnist, "--seed", 5, "--lr", 1e-9, "--max-steps", 1]
    status, told, stderr = cli(*command, "--init", fitted / "checkpoint")
    assert status == 0, stderr
    assert f"begins with {fitted / 'checkpoint'}\n" in told
    found = models.load(str(tmp_path / "runs/mnist-dense/checkpoint"))
    for name, tensor in start.state_dict().items():
        # The last layer is divided by a temperature of its own each time.
        scale = (found.state_dict()[name] / tensor).nan_to_num(1.0).flatten().median()
        assert torch.allclose(found.state_dict()[name], scale * tensor, atol=1e-4)
        assert "output" in name or abs(scale - 1) < 1e-3
    card = (tmp_path / "runs/mnist-dense/checkpoint/README.md").read_text()
    first, second = card.split("## Training\n\n")[1].splitlines()[:2]
    assert first.startswith("    ") and "--init" not in first and "fit mnist-dense" in first
    assert second.startswith("    ") and "--init" in second


def test_init_and_output_are_one_folder(cli: Callable, fitted: Path, tmp_path: Path, tiny_mnist: Path) -> None:
    """Where a run that was stopped has replaced what it began with, it still goes on, and the card tells both commands
    once; it began with that, and with nothing else.
    """
    one = shutil.copytree(fitted / "checkpoint", tmp_path / "one")
    command = ["fit", "mnist-dense", "--dataset", tiny_mnist, "--seed", 5, "--epochs", 1, "--output", one]
    assert cli(*command, "--init", one, "--max-steps", 1)[0] == 0
    assert "another --init" in sentence(cli(*command, "--resume"))
    assert cli(*command, "--init", one, "--resume")[0] == 0
    lines = (one / "README.md").read_text().split("## Training\n\n")[1].partition("\n\n")[0].splitlines()
    assert ["--init" in line for line in lines] == [False, True]


def test_what_does_not_fit_begins_fresh(cli: Callable, fitted: Path, tiny_mnist: Path) -> None:
    """And is named; where nothing fits it is refused, and what is no network at all too."""
    start = models.load(str(fitted / "checkpoint"))
    torch.manual_seed(0)
    wide = models.create("mnist-dense", hidden=start.kwargs["hidden"] * 2)
    before = {name: tensor.clone() for name, tensor in wide.state_dict().items()}
    assert arguments.begin(wide, str(fitted / "checkpoint")) == ["hidden.weight", "hidden.bias", "output.weight"]
    assert torch.equal(wide.state_dict()["output.bias"], start.state_dict()["output.bias"])
    assert torch.equal(wide.state_dict()["hidden.weight"], before["hidden.weight"])
    with pytest.raises(ValueError, match="no weights of that network fit this one"):
        arguments.begin(models.create("moons-mlp"), str(fitted / "checkpoint"))
    assert "no model named 'mnist-dance'" in sentence(
        cli("fit", "mnist-dense", "--dataset", tiny_mnist, "--seed", 9, "--init", "mnist-dance")
    )
