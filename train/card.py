"""The finished checkpoint folder: weights, config, and a model card with its pictures."""

import inspect
import os
import platform
import statistics
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import matplotlib
import torch
from huggingface_hub import EvalResult, ModelCard, ModelCardData

from models import hub
from train import snippets
from train.config import recipe_json
from train.data.digits import Data
from train.kinds import KINDS, Kind
from train.recipes import Recipe
from train.sections import Run
from train.tasks import TASKS

matplotlib.use("agg")  # pictures go to files; no screen is needed
import matplotlib.pyplot as plt


def write_checkpoint(folder: Path, name: str, recipe: Recipe, runs: list[Run], data: Data, command: str) -> None:
    """Write the first run's network with its card; further runs are other seeds of the same recipe. Raises OSError."""
    first, kind = runs[0], KINDS[type(recipe)]
    with hub.aside(folder) as temporary:
        first.net.save_pretrained(temporary)
        _learning_curve(first.progress.history, TASKS[type(recipe)].score, kind, temporary / "learning-curve.png")
        section = kind.section(temporary, first, data)
        (temporary / hub.RECIPE).write_text(recipe_json(recipe))
        model_card(name, recipe, runs, data, section, command).save(temporary / hub.CARD)


def model_card(name: str, recipe: Recipe, runs: list[Run], data: Data, section: str, command: str) -> ModelCard:
    """The card of the first run's network, with what its kind has to show in `section`."""
    first, kind = runs[0], KINDS[type(recipe)]
    # A folder that is named as the Hub dataset is taken for a copy of it; the fingerprint shows whether it is one.
    dataset = recipe.dataset if data.name in (recipe.dataset, recipe.dataset.split("/")[-1]) else data.name
    tag, title = kind.pipeline_tag, dataset.split("/")[-1].upper()
    metadata = ModelCardData(
        language=None,
        license=kind.license,
        library_name="latent-lab",
        pipeline_tag=tag,
        tags=["pytorch", "safetensors", title.lower(), type(first.net).__name__.lower()],
        datasets=[dataset] if "/" in dataset else None,
        model_name=name,
        eval_results=[
            EvalResult(tag, dataset, title, key, round(first.test[key], 6), metric_name=label, dataset_split="test")
            for key, label in kind.metrics.items()
            if key in first.test
        ],
    )
    return ModelCard(f"---\n{metadata.to_yaml()}\n---\n\n{_body(name, recipe, runs, data, dataset, section, command)}")


def _body(name: str, recipe: Recipe, runs: list[Run], data: Data, dataset: str, section: str, command: str) -> str:
    first, progress, kind = runs[0], runs[0].progress, KINDS[type(recipe)]
    rows = "\n".join(f"| {label} | {first.test[key]:.4g} |" for key, label in kind.metrics.items() if key in first.test)
    settings = ", ".join(f"{key} {value}" for key, value in asdict(recipe).items() if key not in ("source", "dataset"))
    stopped = "" if progress.finished else f" Training was stopped early, at step {progress.step:,}."
    return f"""# {name}

{inspect.getdoc(type(first.net)).partition("Args:")[0].strip()}

{recipe.source} {kind.interface}
{first.net.parameter_count:,} parameters, {str(first.net.stored).removeprefix("torch.")}.

## Figures

On the {len(data.test):,} test images of {dataset}, which chose nothing: no setting, no epoch, no seed.

| metric | value |
|---|---|
{rows}

{_seeds(runs, TASKS[type(recipe)].score, kind)}

![Training loss and validation score by epoch](learning-curve.png)

{section}
## Training

    {command}

- Data: {dataset}; {len(data.train):,} images to learn from, {len(data.validation):,} held out to watch and choose.
  Fingerprint of all pixels and labels (sha256): `{data.fingerprint}`
- Published seed: {first.seed}, fixed before training. Weights of epoch {progress.best["epoch"]}.{stopped}
- Recipe, also in `recipe.json`: {settings}
- Duration: {progress.seconds / 60:.1f} minutes on {hardware(first.device)}; Python {platform.python_version()}, torch
  {version("torch")}, accelerate {version("accelerate")}.

## Limits

{kind.limits}

## Load it

With Latent Lab, in a clone of it:

```python
import models

net = models.load("{name}")  # or a folder, or NAMESPACE/{name} on the Hub
```

With nothing but `torch` and `safetensors`:

```python
{snippets.SNIPPETS[type(first.net).__name__].strip()}
```
"""


def _seeds(runs: list[Run], score: str, kind: Kind) -> str:
    if len(runs) == 1:
        return "One seed was trained."
    factor, unit, form = (100, " %", ".2f") if kind.percent else (1, "", ".4f")
    values = [run.test[score] * factor for run in runs]
    listed = ", ".join(f"{run.seed}: {value:{form}}{unit}" for run, value in zip(runs, values, strict=True))
    return (
        f"{kind.metrics[score]} over {len(runs)} seeds: **{statistics.mean(values):{form}} ± "
        f"{statistics.stdev(values):{form}}{unit}** (mean ± standard deviation; {listed})."
    )


def hardware(device: torch.device) -> str:
    """The processor that trains, in words."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{os.cpu_count()} cores of {torch.cpu.get_capabilities().get('cpu_name', platform.machine())}"


def _learning_curve(history: list[dict[str, float]], score: str, kind: Kind, path: Path) -> None:
    figure, left = plt.subplots(figsize=(6, 3.2), layout="constrained")
    right = left.twinx()
    epochs = [row["epoch"] for row in history]
    factor, label = (100, f"validation {score}, %") if kind.percent else (1, f"validation {score}")
    left.plot(epochs, [row["train_loss"] for row in history], ".-", color="#6b6256", label="training loss")
    right.plot(epochs, [row[score] * factor for row in history], ".-", color="#b54f15", label=label.rstrip(", %"))
    left.set(xlabel="epoch", ylabel="training loss")
    left.xaxis.get_major_locator().set_params(integer=True)
    right.set_ylabel(label)
    figure.legend(loc="center right", bbox_to_anchor=(0.86, 0.5), frameon=False)
    figure.savefig(path, dpi=110)
    plt.close(figure)
