"""`fit` from end to end for an autoencoder, a VAE and a GAN: what its folder holds, and what its card says."""

import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from huggingface_hub import ModelCard
from PIL import Image
from shell import names, sentence

import models
from models import hub
from train.figures import fidelity
from train.tasks import TASKS, vae
from train.tasks.gan import Adversarial

DRAWN = {"frechet", "precision", "recall", "inception_score"}
PICTURES = {"mnist-sparse-ae": ["rebuilt.png"], "mnist-vae": ["samples.png", "snapshots.png"]}
PICTURES["mnist-gan"] = PICTURES["mnist-vae"]
FIGURES = {
    "mnist-sparse-ae": {"mse", "pca_mse", "probe_accuracy", "active", "jacobian"},
    "mnist-vae": {"nll", "elbo", "kl", "units"} | DRAWN,
    "mnist-gan": DRAWN,
}


@pytest.mark.parametrize("name", FIGURES)
def test_card(name: str, cli: Callable, tmp_path: Path, tiny_mnist: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has all figures of its kind, as `evaluate` finds them again, and every picture that its text shows."""
    monkeypatch.setattr(vae, "SAMPLES", 20)
    status, _, stderr = cli("fit", name, "--dataset", tiny_mnist, "--epochs", 2)
    assert status == 0, stderr
    folder = tmp_path / "runs" / name / "checkpoint"
    files = ["README.md", "config.json", "film.webp", "learning-curve.png", "model.safetensors", "recipe.json"]
    assert names(folder) == sorted(files + PICTURES[name])
    card = ModelCard.load(folder / "README.md")
    task = TASKS[name]
    assert card.data.pipeline_tag == task.pipeline_tag
    figures = {result.metric_type: result.metric_value for result in card.data.eval_results}
    assert figures.keys() == FIGURES[name]
    for key in figures:
        assert f"| {task.metrics[key]} | " in card.text
    shown = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", card.text)
    assert sorted(shown) == sorted(["film.webp", "learning-curve.png", *PICTURES[name]])
    for picture in shown:
        Image.open(folder / picture).verify()
    if name != "mnist-sparse-ae":
        assert "after epochs 1, 2:" in card.text
        assert Image.open(folder / "snapshots.png").size == (2 * 28 * 20, 2 * 28 * 2)
        assert Image.open(folder / "samples.png").size == (560, 560)
        # A row is what the snapshot of its epoch shows: the same points of the latent, become something else.
        rows = Image.open(folder / "snapshots.png").convert("L")
        assert rows.crop((0, 0, 1120, 56)).tobytes() != rows.crop((0, 56, 1120, 112)).tobytes()
    net = models.load(folder)
    assert net.kwargs == models.create(name).kwargs
    status, told, stderr = cli("evaluate", folder, "--dataset", tiny_mnist)
    assert status == 0, stderr
    found = dict(re.findall(r"^  (\w+) +(-?[\d.]+)$", told, re.MULTILINE))
    assert found.keys() == FIGURES[name]
    for key, value in figures.items():
        assert float(found[key]) == pytest.approx(value, rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("name", ["mnist-gan"])
def test_stopped_in_the_first_epoch(
    name: str, cli: Callable, tmp_path: Path, tiny_mnist: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C before there is a snapshot to show: a card all the same, with pictures of what it draws now; and the
    status that shells expect.
    """
    loss = Adversarial.loss

    def interrupted(self, *arguments):
        signal.raise_signal(signal.SIGINT)
        monkeypatch.setattr(Adversarial, "loss", loss)
        return loss(self, *arguments)

    monkeypatch.setattr(Adversarial, "loss", interrupted)
    status, _, stderr = cli("fit", name, "--dataset", tiny_mnist, "--epochs", 2)
    assert status == 128 + signal.SIGINT, stderr
    folder = tmp_path / "runs" / name / "checkpoint"
    text = (folder / "README.md").read_text()
    assert "Training was stopped early, at step 1." in text
    for picture in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text):
        Image.open(folder / picture).verify()


@pytest.mark.parametrize("name", ["mnist-vae", "mnist-dcgan"])
def test_without_a_judge(
    name: str, cli: Callable, cache: Path, tmp_path: Path, tiny_mnist: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No weights of the classifier that a generator is measured by: said before anything is trained or written."""
    monkeypatch.setattr(hub, "CHECKPOINTS", tmp_path / "none")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    fidelity.judge.cache_clear()
    status, stdout, stderr = cli("fit", name, "--dataset", tiny_mnist, "--epochs", 1)
    assert status != 0 and "mnist-resnet" in stderr and stderr.count("\n") == 1
    assert "train on" not in stdout
    assert not list((tmp_path / "runs").rglob("*.pt"))


@pytest.mark.parametrize(
    ("name", "classes", "each", "told"),
    [
        ("mnist-gan", 10, 2, "4 images or more"),
        ("mnist-vae", 10, 2, "4 images or more"),
        ("mnist-ae", 1, 40, "a second digit"),
    ],
)
def test_too_few_to_measure_with(name: str, classes: int, each: int, told: str, cli: Callable, tmp_path: Path) -> None:
    """Said in one sentence before the training, not by what measures after it."""
    for digit in range(classes):
        (folder := tmp_path / "few" / str(digit)).mkdir(parents=True)
        for number in range(each):
            Image.new("L", (28, 28), 20 * digit + number).save(folder / f"{number}.png")
    result = cli("fit", name, "--dataset", tmp_path / "few", "--epochs", 1)
    assert told in sentence(result) and "add images" in sentence(result)
    assert "train on" not in result[1]


@pytest.mark.parametrize("name", ["mnist-sparse-ae"])
def test_several_seeds(name: str, cli: Callable, tmp_path: Path, tiny_mnist: Path) -> None:
    """Mean and deviation are of the figure that it is chosen by, in its own unit."""
    status, stdout, stderr = cli("fit", name, "--dataset", tiny_mnist, "--epochs", 1, "--seeds", 2)
    assert status == 0, stderr
    said = re.findall(r"^(epoch 1|measuring on 100 test images|seed \d)\b", stdout, re.MULTILINE)
    assert said == ["epoch 1", "measuring on 100 test images", "seed 0", *said[:2], "seed 1"]  # before the wait
    values = [float(value) for value in re.findall(r"^seed \d: test mse ([\d.]+)$", stdout, re.MULTILINE)]
    text = (tmp_path / "runs" / name / "checkpoint" / "README.md").read_text()
    mean, spread = map(
        float, re.search(r"of the reconstruction over 2 seeds: \*\*([\d.]+) ± ([\d.]+)\*\*", text).groups()
    )
    assert mean == pytest.approx(sum(values) / 2, abs=2e-4)
    assert spread == pytest.approx(abs(values[0] - values[1]) / 2**0.5, abs=2e-4)
