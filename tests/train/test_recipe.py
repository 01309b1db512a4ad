"""A recipe as a file: what is written is read, a part overrides, and a mistake is named before anything is done."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from shell import sentences

from train import recipe
from train.data.augmentation import Augment
from train.tasks import RECIPES
from train.tasks.classification import ClassifierRecipe

DENSE, RESNET = RECIPES["mnist-dense"], RECIPES["mnist-resnet"]


def write(folder: Path, text: str) -> Path:
    (folder / "my.json").write_text(text)
    return folder / "my.json"


@pytest.mark.parametrize("name", RECIPES)
def test_what_is_written_is_read(tmp_path: Path, name: str) -> None:
    """Every recipe's file has all its settings and makes that recipe of any other of its kind."""
    file = write(tmp_path, recipe.recipe_json(RECIPES[name]))
    assert json.loads(file.read_text()) == asdict(RECIPES[name])
    for base in RECIPES.values():
        if type(base) is type(RECIPES[name]):
            assert recipe.read_recipe(file, base) == RECIPES[name]
        elif not asdict(RECIPES[name]).keys() <= asdict(base).keys():  # it names settings that another kind has not
            with pytest.raises(ValueError, match=r"my\.json: there is no setting"):
                recipe.read_recipe(file, base)
    assert recipe.mistakes(RECIPES[name]) == []


def test_a_part_overrides(tmp_path: Path) -> None:
    """What the file does not name stays; a whole number may stand for any number; null takes away."""
    file = write(tmp_path, '{"epochs": 3, "lr": 1, "patience": 2, "augment": {"rotation": 7}, "clip": null}')
    told = recipe.read_recipe(file, RESNET)
    assert told == replace(
        RESNET, epochs=3, lr=1.0, patience=2, clip=None, augment=replace(RESNET.augment, rotation=7.0)
    )
    assert type(told.lr) is float and type(told.augment.rotation) is float
    assert recipe.read_recipe(file, DENSE).augment == Augment(7.0, 0.0, 0.0, 0.0, 0.0)
    assert recipe.read_recipe(write(tmp_path, '{"augment": null}'), RESNET) == replace(RESNET, augment=None)
    assert recipe.read_recipe(write(tmp_path, "{}"), RESNET) == RESNET


MISTAKES = {
    '{"epoch": 3}': "there is no setting 'epoch'; known are dataset, epochs, batch_size",
    '{"epochs": 0}': "epochs must be a whole number from 1 to 2147483647, not 0",
    '{"epochs": 2.5}': "epochs must be a whole number from 1 to 2147483647, not 2.5",
    '{"epochs": true}': "epochs must be a whole number from 1 to 2147483647, not true",
    '{"epochs": null}': "epochs must be a whole number from 1 to 2147483647, not null",
    '{"batch_size": "64"}': 'batch_size must be a whole number from 1 to 2147483647, not "64"',
    '{"batch_size": 2147483648}': "batch_size must be a whole number from 1 to 2147483647",
    '{"seed": -1}': "seed must be a whole number from 0 to 9223372036854775807",
    '{"seed": 9223372036854775808}': "seed must be a whole number from 0 to 9223372036854775807",
    '{"accumulation": 0}': "accumulation must be",
    '{"patience": 0}': "patience must be a whole number from 1 to 2147483647 or null, not 0",
    '{"lr": 0}': "lr must be a number above 0, not 0",
    '{"lr": NaN}': "lr must be a number above 0, not NaN",
    '{"lr": Infinity}': "lr must be a number above 0, not Infinity",
    '{"lr": 1%s}' % ("0" * 400): "lr must be a number above 0",
    '{"lr": "fast"}': 'lr must be a number above 0, not "fast"',
    '{"lr": [1]}': "lr must be a number above 0, not [1]",
    '{"weight_decay": -1}': "weight_decay must be a number of 0 or more, not -1",
    '{"warmup": 1}': "warmup must be a number from 0 to below 1, not 1",
    '{"ema": 1.0}': "ema must be a number from 0 to below 1 or null, not 1.0",
    '{"optimizer": "adagrad"}': 'optimizer must be one of sgd, rmsprop, adam, adam-wgan, adamw, muon, not "adagrad"',
    '{"schedule": 1}': "schedule must be one of constant, cosine, not 1",
    '{"mixed_precision": "fp16"}': "mixed_precision must be one of no, bf16",
    '{"keep_best": 1}': "keep_best must be true or false, not 1",
    '{"dataset": null}': "dataset must be text, not null",
    '{"augment": 3}': "augment must be an object of settings or null, not 3",
    '{"augment": {"rotate": 3}}': "there is no setting 'rotate'; known are rotation, scale",
    '{"augment": {"shear": -0.1}}': "shear must be a number of 0 or more, not -0.1",
    '{"augment": {"shear": {}}}': "shear must be a number of 0 or more, not {}",
    "[]": "expected an object with some of the keys dataset, epochs",
    "null": "expected an object",
    "{": "is not JSON",
    "": "is not JSON",
    "[" * 100_000: "is not JSON",
    '{"seed": %s}' % ("9" * 5000): "is not JSON",
}


OTHER_KINDS = {
    ("mnist-dae", '{"noise": -0.1}'): "noise must be a number of 0 or more, not -0.1",
    ("mnist-dae", '{"sparsity": null}'): "sparsity must be a number of 0 or more, not null",
    ("mnist-dae", '{"contraction": "much"}'): 'contraction must be a number of 0 or more, not "much"',
    ("mnist-dae", '{"label_smoothing": 0.1}'): "there is no setting 'label_smoothing'; known are dataset",
    ("mnist-vae", '{"kl_weight": -1}'): "kl_weight must be a number of 0 or more, not -1",
    ("mnist-vae", '{"kl_warmup": 1}'): "kl_warmup must be a number from 0 to below 1, not 1",
    ("mnist-dcgan", '{"critic_steps": 0}'): "critic_steps must be a whole number from 1 to 2147483647, not 0",
    ("mnist-dcgan", '{"gradient_penalty": NaN}'): "gradient_penalty must be a number of 0 or more, not NaN",
}


@pytest.mark.parametrize(("name", "text"), OTHER_KINDS)
def test_mistakes_of_other_kinds(tmp_path: Path, name: str, text: str) -> None:
    """What autoencoders, VAEs and GANs have of their own is held to limits too."""
    with pytest.raises(ValueError, match=r"my\.json") as refusal:
        recipe.read_recipe(write(tmp_path, text), RECIPES[name])
    assert OTHER_KINDS[name, text] in str(refusal.value)


@pytest.mark.parametrize("text", MISTAKES, ids=lambda text: text[:30])
def test_mistakes_in_a_file(tmp_path: Path, text: str) -> None:
    """The sentence names the file, the key, what is allowed and what there was."""
    with pytest.raises(ValueError, match=r"my\.json") as refusal:
        recipe.read_recipe(write(tmp_path, text), DENSE)
    assert MISTAKES[text] in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """None there, a folder, or bytes that are no text."""
    (tmp_path / "bytes").write_bytes(b"\xff\xfe{}")
    for name, words in (("none", "No such file"), (".", "Is a directory"), ("bytes", "is not JSON")):
        with pytest.raises(ValueError, match=words):
            recipe.read_recipe(tmp_path / name, DENSE)


OPTIONS = {
    "--lr -1": "lr must be a number above 0, not -1.0",
    "--lr nan": "lr must be a number above 0, not NaN",
    "--lr inf": "lr must be a number above 0",
    "--seed 99999999999999999999": "seed must be a whole number from 0 to",
    "--seed 9223372036854775807 --seeds 2": "seed must be a whole number from 0 to",
    "--batch-size 99999999999999999999": "batch_size must be a whole number from 1 to",
    "--accumulation 99999999999999999999": "accumulation must be a whole number from 1 to",
    "--config none.json": "none.json cannot be read",
    "--config my.json": "my.json: there is no setting 'epoch'",
}


@pytest.mark.parametrize("options", OPTIONS)
def test_mistakes_on_the_command_line(cli: Callable, tmp_path: Path, options: str) -> None:
    """They are told together with the dataset that is not there, and nothing is written."""
    write(tmp_path, '{"epoch": 3}')
    dataset, told = sentences(cli("fit", "mnist-dense", "--dataset", "./nowhere", *options.split()))
    assert "./nowhere" in dataset and OPTIONS[options] in told
    assert [file.name for file in tmp_path.iterdir()] == ["my.json"]


def test_what_overrides_what(cli: Callable, tmp_path: Path, tiny_mnist: Path) -> None:
    """The file overrides the recipe, an option overrides both, and the run notes what came of it."""
    write(tmp_path, '{"epochs": 2, "batch_size": 32, "lr": 0.002, "seed": 4, "accumulation": 3}')
    fit = ["fit", "mnist-dense", "--dataset", tiny_mnist, "--config", "my.json", "--lr", "0.003", "--patience", 1]
    status, stdout, stderr = cli(*fit)
    assert status == 0, stderr
    assert "epoch 2 " in stdout and "epoch 3 " not in stdout
    noted = json.loads((tmp_path / "runs" / "mnist-dense" / "seed-4" / "recipe.json").read_text())["recipe"]
    wanted = replace(DENSE, epochs=2, batch_size=32, lr=0.003, seed=4, accumulation=3, patience=1)
    assert ClassifierRecipe(**noted) == wanted
