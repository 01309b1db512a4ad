"""The finished checkpoint folder: weights, config, and a model card with its pictures."""

import inspect
import os
import platform
import re
import statistics
import tempfile
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import torch
from huggingface_hub import EvalResult, ModelCard, ModelCardData

from models import hub
from models.base import Model
from train import loading
from train.data.splits import Data
from train.engine import state
from train.figures import film
from train.figures.plots import plt, save
from train.recipe import Recipe, recipe_json
from train.run import Run
from train.tasks import RECIPES, TASKS
from train.tasks.task import Task

TRAINING = re.compile(r"^## Training\n.*?(?=^## Limits$)", re.MULTILINE | re.DOTALL)  # of a card


def write_checkpoint(folder: Path, name: str, recipe: Recipe, runs: list[Run], data: Data, command: str) -> None:
    """Write the first run's network with its card; further runs are other seeds of the same recipe. Raises OSError."""
    first, task = runs[0], TASKS[name]
    with hub.aside(folder) as temporary:
        first.net.save_pretrained(temporary)
        _learning_curve(first.progress.history, task, temporary / "learning-curve.png")
        (temporary / hub.RECIPE).write_text(recipe_json(recipe))
        section = task.section(temporary, first.net, first.test, data)
        history = task.history(temporary, first, recipe) + "\n" + film.write(first.progress.snapshots, temporary)
        training = _training(task, recipe, runs, data, command, history)
        card = _card(name, recipe, first.net, temporary, first.test, data, section, training)
        card.save(temporary / hub.CARD)


def renew(folder: Path, name: str, net: Model, figures: dict[str, float], data: Data) -> str:
    """Write the card of a checkpoint anew with these figures; weights, and what it tells of the training, stay.

    What somebody wrote below the ways to load it stays too. Returns the figures for a row of the README.

    Raises:
        ValueError: there is no card, or none that tells of a training.
        OSError: it cannot be written.
    """
    file, task = folder / hub.CARD, TASKS[name]
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    found = TRAINING.search(text)
    if found is None:
        raise ValueError(f"{file} is no card that tells of a training: train the network again.")
    with tempfile.TemporaryDirectory() as temporary:
        section = task.section(Path(temporary), net, figures, data)
        card = _card(name, RECIPES[name], net, folder, figures, data, section, found[0])
        Path(temporary, hub.CARD).write_text(f"{card}{loading.below(text)}", encoding="utf-8")
        for made in sorted(Path(temporary).iterdir(), key=lambda one: one.name == hub.CARD):  # the card comes last
            state.replace(folder / made.name, made.read_bytes())
    seeds = re.search(r"over (\d+) seeds: \*\*(.+?)\*\*", found[0])
    return task.summary(figures, section) + (f"; {seeds[2]} over {seeds[1]} seeds" if seeds else "")


def command(folder: Path) -> str | None:
    """The commands that trained a checkpoint, by its card; None where it does not tell. Raises OSError."""
    found = TRAINING.search((folder / hub.CARD).read_text(encoding="utf-8"))
    lines = re.match(r"## Training\n\n((?:    .+\n)+)", found[0]) if found else None
    return lines[1].strip() if lines else None


def _dataset(recipe: Recipe, data: Data) -> str:
    # A folder that is named as the Hub dataset is taken for a copy of it; the fingerprint shows whether it is one.
    return recipe.dataset if data.name in (recipe.dataset, recipe.dataset.split("/")[-1]) else data.name


def _card(
    name: str,
    recipe: Recipe,
    net: Model,
    folder: Path,
    figures: dict[str, float],
    data: Data,
    section: str,
    training: str,
) -> ModelCard:
    """The card around what the task has to show in `section`, and around a text on the training."""
    task, dataset = TASKS[name], _dataset(recipe, data)
    tag, title = task.pipeline_tag, dataset.split("/")[-1].upper()
    told = {key: label for key, label in task.metrics.items() if key in figures}
    metadata = ModelCardData(
        language=None,
        license=task.license,
        library_name="latent-lab",
        pipeline_tag=tag,
        tags=["pytorch", "safetensors", title.lower(), type(net).__name__.lower()],
        datasets=[dataset] if "/" in dataset else None,
        model_name=name,
        eval_results=[
            EvalResult(tag, dataset, title, key, round(figures[key], 6), metric_name=label, dataset_split="test")
            for key, label in told.items()
        ],
    )
    rows = "\n".join(f"| {label} | {figures[key]:.4g} |" for key, label in told.items())
    return ModelCard(f"""---
{metadata.to_yaml()}
---

# {name}

{inspect.getdoc(type(net)).partition("Args:")[0].strip()}

{recipe.source} {task.interface}
{net.parameter_count:,} parameters, {_stored(folder)}.

## Figures

On the {len(data.test):,} test {task.unit}s of {dataset}, which chose nothing: no setting, no epoch, no seed.

| metric | value |
|---|---|
{rows}

{section}
{training}## Limits

{task.limits}

{loading.section(name, net)}""")


def _stored(folder: Path) -> str:
    """The type of the numbers in a folder's file, which may be another than what would be written now."""
    tensors = hub.read(folder)[1].values()
    return next(str(one.dtype).removeprefix("torch.") for one in tensors if one.is_floating_point())


def _training(task: Task, recipe: Recipe, runs: list[Run], data: Data, command: str, history: str) -> str:
    """The part of a card that only a training can tell."""
    first, progress = runs[0], runs[0].progress
    settings = ", ".join(f"{key} {value}" for key, value in asdict(recipe).items() if key not in ("source", "dataset"))
    held_out = f"{len(data.validation):,} held out to watch and choose"
    if data.validation is data.train:
        held_out = "none held out: it was watched on those, and nothing was chosen"
    stopped = "" if progress.finished else f" Training was stopped early, at step {progress.step:,}."
    return (
        f"""## Training

    {command}

- Data: {_dataset(recipe, data)}; {len(data.train):,} {task.unit}s to learn from, {held_out}.
  Fingerprint of all pixels and labels (sha256): `{data.fingerprint}`
- Published seed: {first.seed}, fixed before training. Weights of epoch {progress.best["epoch"]}.{stopped}
- Recipe, also in `recipe.json`: {settings}
- Duration: {progress.seconds / 60:.1f} minutes on {hardware(first.device)}; Python {platform.python_version()}, torch
  {version("torch")}, accelerate {version("accelerate")}.
- {_seeds(runs, task)}

![Training loss and validation score by epoch](learning-curve.png)

{history}
""".rstrip()
        + "\n\n"
    )


def _seeds(runs: list[Run], task: Task) -> str:
    if len(runs) == 1:
        return "One seed was trained."
    factor, unit, form = (100, " %", ".2f") if task.percent else (1, "", ".4f")
    values = [run.test[task.score] * factor for run in runs]
    listed = ", ".join(f"{run.seed}: {value:{form}}{unit}" for run, value in zip(runs, values, strict=True))
    return (
        f"{task.metrics[task.score]} over {len(runs)} seeds: **{statistics.mean(values):{form}} ± "
        f"{statistics.stdev(values):{form}}{unit}** (mean ± standard deviation; {listed})."
    )


def hardware(device: torch.device) -> str:
    """The processor that trains, in words."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{os.cpu_count()} cores of {torch.cpu.get_capabilities().get('cpu_name', platform.machine())}"


def _learning_curve(history: list[dict[str, float]], task: Task, path: Path) -> None:
    figure, left = plt.subplots(figsize=(6, 3.2), layout="constrained")
    right = left.twinx()
    epochs = [row["epoch"] for row in history]
    factor, label = (100, f"validation {task.score}, %") if task.percent else (1, f"validation {task.score}")
    left.plot(epochs, [row["train_loss"] for row in history], ".-", color="#6b6256", label="training loss")
    right.plot(epochs, [row[task.score] * factor for row in history], ".-", color="#b54f15", label=label.rstrip(", %"))
    left.set(xlabel="epoch", ylabel="training loss")
    left.xaxis.get_major_locator().set_params(integer=True)
    right.set_ylabel(label)
    figure.legend(loc="center right", bbox_to_anchor=(0.86, 0.5), frameon=False)
    save(figure, path)
