"""The finished checkpoint folder: weights, config, and a model card with its pictures."""

import inspect
import os
import platform
import statistics
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import matplotlib
import torch
from huggingface_hub import EvalResult, ModelCard, ModelCardData

from models import hub
from models.base import Model
from train import metrics, reliability, snippets
from train.config import recipe_json
from train.data import Data
from train.loop import Progress
from train.recipes import Recipe

matplotlib.use("agg")  # pictures go to files; no screen is needed
import matplotlib.pyplot as plt

PIPELINE_TAGS = {"classification": "image-classification"}
METRICS = {
    "accuracy": "Accuracy",
    "precision": "Precision, macro",
    "recall": "Recall, macro",
    "f1": "F1, macro",
    "roc_auc": "AUC, one against rest, macro",
    "ece": f"Expected calibration error, {metrics.BINS} bins",
}
LIMITS = {
    "classification": (
        "Trained on MNIST alone: American handwriting of the 1990s, white on black, 28x28, size and centre made equal. "
        "Bring other drawings into that form first (`models.images.to_digit` does). It knows digits only: the figures "
        "above tell how often it notices that a picture is none, and those are drawn letters and scribbles, not all "
        "that there is. It is for learning and play, not for reading cheques."
    )
}


@dataclass(frozen=True)
class Run:
    """One trained seed: the network to publish, how training went, its last touch, its figures on the test split."""

    seed: int
    net: Model
    progress: Progress
    finish: dict[str, float]
    test: dict[str, float]
    device: torch.device


def write_checkpoint(
    folder: Path,
    name: str,
    recipe: Recipe,
    runs: list[Run],
    data: Data,
    validation: torch.Tensor,
    test: torch.Tensor,
    command: str,
) -> None:
    """Write the first run's network with its card; `validation` and `test` are its logits there. Raises OSError."""
    first = runs[0]
    trust = reliability.measure(first.net, data, validation, test)
    with hub.aside(folder) as temporary:
        hub.write(temporary, first.net.config, first.net.state_dict())
        _learning_curve(first.progress.history, temporary / "learning-curve.png")
        _confusion_matrix(metrics.confusion(test, data.test.labels), temporary / "confusion-matrix.png")
        reliability.curve(trust, temporary / "reliability.png")
        (temporary / hub.RECIPE).write_text(recipe_json(recipe))
        model_card(name, recipe, runs, data, trust, command).save(temporary / hub.CARD)


def model_card(
    name: str, recipe: Recipe, runs: list[Run], data: Data, trust: reliability.Reliability, command: str
) -> ModelCard:
    """The card of the first run's network; further runs are other seeds of the same recipe."""
    first = runs[0]
    # A folder that is named as the Hub dataset is taken for a copy of it; the fingerprint shows whether it is one.
    dataset = recipe.dataset if data.name in (recipe.dataset, recipe.dataset.split("/")[-1]) else data.name
    tag, title = PIPELINE_TAGS[first.net.task], dataset.split("/")[-1].upper()
    metadata = ModelCardData(
        language=None,
        license="apache-2.0",
        library_name="latent-lab",
        pipeline_tag=tag,
        tags=["pytorch", "safetensors", "mnist", type(first.net).__name__.lower()],
        datasets=[dataset] if "/" in dataset else None,
        model_name=name,
        eval_results=[
            EvalResult(tag, dataset, title, key, round(first.test[key], 6), metric_name=label, dataset_split="test")
            for key, label in METRICS.items()
        ],
    )
    return ModelCard(f"---\n{metadata.to_yaml()}\n---\n\n{_body(name, recipe, runs, data, dataset, trust, command)}")


def _body(
    name: str,
    recipe: Recipe,
    runs: list[Run],
    data: Data,
    dataset: str,
    trust: reliability.Reliability,
    command: str,
) -> str:
    first, progress = runs[0], runs[0].progress
    rows = "\n".join(f"| {label} | {first.test[key]:.4f} |" for key, label in METRICS.items())
    settings = ", ".join(f"{key} {value}" for key, value in asdict(recipe).items() if key not in ("source", "dataset"))
    stopped = "" if progress.finished else f" Training was stopped early, at step {progress.step:,}."
    return f"""# {name}

{inspect.getdoc(type(first.net)).partition("Args:")[0].strip()}

{recipe.source} It takes images `(N, 1, 28, 28)` in [0, 1], white on black, and gives logits `(N, 10)`.
{first.net.parameter_count:,} parameters, float32.

## Figures

On the {len(data.test):,} test images of {dataset}, which chose nothing: no setting, no epoch, no seed.

| metric | value |
|---|---|
{rows}

{_seeds(runs)}

![Training loss and validation accuracy by epoch](learning-curve.png)

![Confusion matrix on the test split](confusion-matrix.png)

{reliability.section(trust, first.finish["temperature"], first.test["ece"])}
## Training

    {command}

- Data: {dataset}; {len(data.train):,} images to learn from, {len(data.validation):,} held out to watch and choose.
  Fingerprint of all pixels and labels (sha256): `{data.fingerprint}`
- Published seed: {first.seed}, fixed before training. Weights of epoch {progress.best["epoch"]}.{stopped}
- Recipe, also in `recipe.json`: {settings}
- Duration: {progress.seconds / 60:.1f} minutes on {hardware(first.device)}; Python {platform.python_version()}, torch
  {version("torch")}, accelerate {version("accelerate")}.

## Limits

{LIMITS[first.net.task]}

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


def _seeds(runs: list[Run]) -> str:
    if len(runs) == 1:
        return "One seed was trained."
    values = [run.test["accuracy"] * 100 for run in runs]
    listed = ", ".join(f"{run.seed}: {value:.2f} %" for run, value in zip(runs, values, strict=True))
    return (
        f"Test accuracy over {len(runs)} seeds: **{statistics.mean(values):.2f} ± {statistics.stdev(values):.2f} %** "
        f"(mean ± standard deviation; {listed})."
    )


def hardware(device: torch.device) -> str:
    """The processor that trains, in words."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{os.cpu_count()} cores of {torch.cpu.get_capabilities().get('cpu_name', platform.machine())}"


def _learning_curve(history: list[dict[str, float]], path: Path) -> None:
    figure, left = plt.subplots(figsize=(6, 3.2), layout="constrained")
    right = left.twinx()
    epochs = [row["epoch"] for row in history]
    left.plot(epochs, [row["train_loss"] for row in history], ".-", color="#6b6256", label="training loss")
    right.plot(epochs, [row["accuracy"] * 100 for row in history], ".-", color="#b54f15", label="validation accuracy")
    left.set(xlabel="epoch", ylabel="training loss")
    left.xaxis.get_major_locator().set_params(integer=True)
    right.set_ylabel("validation accuracy, %")
    figure.legend(loc="center right", bbox_to_anchor=(0.86, 0.5), frameon=False)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _confusion_matrix(counts: torch.Tensor, path: Path) -> None:
    figure, axes = plt.subplots(figsize=(5, 4.6), layout="constrained")
    # Colour by the mistakes: on the diagonal everything is right, and would drown them.
    mistakes = counts.float().fill_diagonal_(0)
    axes.imshow(mistakes, cmap="Oranges", vmax=max(1.0, 1.5 * mistakes.max().item()))
    for row in range(len(counts)):
        for column in range(len(counts)):
            if counts[row, column]:
                axes.text(column, row, int(counts[row, column]), ha="center", va="center", fontsize=8)
    axes.set(xlabel="answer", ylabel="truth", xticks=range(len(counts)), yticks=range(len(counts)))
    figure.savefig(path, dpi=110)
    plt.close(figure)
