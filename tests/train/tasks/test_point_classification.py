"""Points in the plane, from the data to the card."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from huggingface_hub import ModelCard
from PIL import Image
from shell import names, sentence
from sklearn.datasets import make_moons
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import models
from models import hub
from train.data.splits import Data
from train.tasks.point_classification import PointClassification

TASK = PointClassification()


def documents() -> list[np.ndarray]:
    """As the document has it: points to learn from and to test with, and their classes."""
    found, labels = make_moons(1000, noise=0.2, random_state=42)
    return train_test_split(StandardScaler().fit_transform(found), labels, test_size=0.2, random_state=42)


def load() -> Data:
    return TASK.load("moons", None, None, None, None)


def test_the_documents_points() -> None:
    """The same, in the same order; there is nothing beside them."""
    data, (train, test, train_labels, test_labels) = load(), documents()
    for split, wanted, labels in ((data.train, train, train_labels), (data.test, test, test_labels)):
        assert np.allclose(split.images, wanted, atol=1e-6)
        assert split.labels.tolist() == labels.tolist()
    assert data.validation is data.train
    assert torch.equal(data.train.take(slice(3)), data.train.images[:3])


def test_recipe() -> None:
    """The document's numbers, and nothing of ours."""
    recipe = TASK.recipes["moons-mlp"]
    assert (recipe.optimizer, recipe.lr, recipe.epochs, recipe.batch_size) == ("adam", 0.01, 200, len(load().train))
    assert (recipe.ema, recipe.schedule, recipe.augment, recipe.keep_best) == (None, "constant", None, False)


def test_published() -> None:
    """82 parameters, 97 % and more of the document's test points; its card tells the mean of five seeds."""
    net, (_, test, _, labels) = models.load("moons-mlp"), documents()
    assert net.parameter_count == 82
    with torch.inference_mode():
        answers = net(torch.from_numpy(np.float32(test))).argmax(1)
    right = accuracy_score(labels, answers)
    folder = hub.CHECKPOINTS / "moons-mlp"
    assert right == pytest.approx(hub.figures(folder)["accuracy"]) and right >= 0.97
    mean = re.search(r"over 5 seeds: \*\*([\d.]+) ±", (folder / "README.md").read_text())[1]
    assert float(mean) >= 97


@pytest.mark.parametrize("shape", ["moons", "spiral"])
def test_fit(cli: Callable, tmp_path: Path, shape: str) -> None:
    """A card with the border that was found, and figures that `evaluate` finds again."""
    status, _, stderr = cli("fit", "moons-mlp", "--dataset", shape, "--epochs", 3)
    assert status == 0, stderr
    folder = tmp_path / "runs" / "moons-mlp" / "checkpoint"
    assert names(folder) == [
        "README.md", "boundary.png", "config.json", "film.webp", "learning-curve.png", "model.safetensors",
        "recipe.json",
    ]  # fmt: skip
    Image.open(folder / "boundary.png").verify()
    card = ModelCard.load(folder / "README.md")
    assert f"200 test points of {shape}" in card.text and "800 points to learn from, none held out" in card.text
    status, told, _ = cli("evaluate", folder, "--dataset", shape)
    assert status == 0
    found = dict(re.findall(r"^  (\w+) +(-?[\d.]+)$", told, re.MULTILINE))
    for result in card.data.eval_results:
        assert float(found[result.metric_type]) == pytest.approx(result.metric_value, abs=1e-4)


def test_other_points(cli: Callable) -> None:
    """What there is no such shape of is said, with those there are."""
    assert "moons, circles, blobs, spiral" in sentence(cli("fit", "moons-mlp", "--dataset", "ylecun/mnist"))
