"""Classification: which of ten digits it is."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn.functional import cross_entropy

from models.base import Model
from train.data import strokes
from train.data.augmentation import Augment
from train.data.splits import Data, Split
from train.figures.classification import METRICS, classification, confusion
from train.recipe import Amount, BelowOne, Count, Recipe
from train.run import Run
from train.tasks.task import Task

EVALUATION_BATCH = 500
OUTLIER_WEIGHT = 0.5
SHOWN = 20  # digits of a snapshot
DRAWN = 5  # validation images to one drawing that it is calibrated by
HANDS, SHEET = 1000, 40  # that are drawn for a card, of which it shows so many of each digit
PAGES, SPARSE = 2000, 20  # that are composed, and read by the page reader, at most one to so many images
PRINTED = 60  # pixels that print is cut at


@dataclass(frozen=True)
class ClassifierRecipe(Recipe):
    """Cross-entropy over the classes.

    Attributes:
        label_smoothing: of the cross-entropy.
        drawn: digits drawn by `train.data.strokes` that are added to each batch, as a share of it.
        printed: printed digits that are added to each batch, as a share of it.
        handed: digits as the page reader hands them on that are added to each batch, as a share of it; with them, half
            of the outliers are its false alarms.
        also: how often the digits of a further dataset, `--also`, come in an epoch.
        outliers: pictures of no digit that are added to each batch, as a share of it; the network learns to give them
            every digit the same probability (outlier exposure, Hendrycks et al. 2019).
    """

    label_smoothing: BelowOne = 0.0
    drawn: Amount = 0.0
    printed: Amount = 0.0
    handed: Amount = 0.0
    also: Count = 1
    outliers: Amount = 0.0


RECIPES = {
    "mnist-dense": ClassifierRecipe(
        dataset="ylecun/mnist",
        epochs=5,
        batch_size=128,
        lr=1e-3,
        optimizer="rmsprop",
        source=(
            "The two-layer network of Keras courses, with their numbers: RMSprop, 5 epochs, batch 128; no "
            "augmentation, no schedule, last epoch published. Its tutorial reports 98.13 % on the test split."
        ),
    ),
    "mnist-mlp": ClassifierRecipe(
        dataset="ylecun/mnist",
        epochs=10,
        batch_size=64,
        lr=1e-3,
        optimizer="adam",
        source="A PyTorch course's multilayer perceptron with its numbers: Adam, 10 epochs, batch 64; nothing else.",
    ),
    "mnist-cnn": ClassifierRecipe(
        dataset="ylecun/mnist",
        epochs=10,
        batch_size=64,
        lr=1e-3,
        optimizer="adam",
        mixed_precision="bf16",
        source="A PyTorch course's convolutional network with its numbers: Adam, 10 epochs, batch 64; nothing else.",
    ),
    "mnist-cnn-wide": ClassifierRecipe(
        dataset="ylecun/mnist",
        epochs=5,
        batch_size=64,
        lr=1e-3,
        optimizer="adam",
        source="A tutorial's first convolutional network with its numbers: Adam, 5 epochs, batch 64; nothing else.",
    ),
    "mnist-rnn": ClassifierRecipe(
        dataset="ylecun/mnist",
        epochs=20,
        batch_size=64,
        lr=1e-3,
        optimizer="adam",
        clip=1.0,
        source=(
            "A tutorial's plain recurrent network, which had only random sequences to read; here it reads digits row "
            "by row. Adam, batch 64, gradients clipped to 1 as it advises; 128 hidden are ours, and 20 epochs, "
            "since validation still improved at the tenth."
        ),
    ),
    "mnist-lstm": ClassifierRecipe(
        dataset="ylecun/mnist",
        epochs=10,
        batch_size=64,
        lr=1e-3,
        optimizer="adam",
        clip=1.0,
        source=(
            "A tutorial's LSTM, which had only random sequences to read; here it reads digits row by row. Adam, batch "
            "64, gradients clipped to 1 as it advises; 10 epochs and 128 hidden are ours."
        ),
    ),
    "mnist-resnet": ClassifierRecipe(
        dataset="ylecun/mnist",
        epochs=24,
        batch_size=128,
        lr=3e-3,
        optimizer="adamw",
        weight_decay=0.05,
        warmup=0.1,
        schedule="cosine",
        clip=5.0,
        label_smoothing=0.05,
        ema=0.999,
        augment=Augment(rotation=10, scale=0.08, shear=0.15, shift=1, elastic=0.8, thickness=0.8, coarse=0.15),
        drawn=0.125,
        printed=0.03,
        handed=0.125,
        also=5,
        outliers=0.125,
        keep_best=True,
        mixed_precision="bf16",
        source=(
            "Ours: a small residual network, mild warps, other pens and scanners, digits of other forms, a cosine "
            "schedule and an average of the weights; digits as `page-reader` hands them on; and its false alarms, "
            "letters and scribbles, on which it learns not to answer. With `--also` it learned too from six writers of "
            "Switzerland (kensanata/numbers on GitHub, CC0)."
        ),
    ),
}


class Classification(Task):
    """Cross-entropy over ten digits; chosen by accuracy, and calibrated."""

    recipes = RECIPES
    score = "accuracy"
    percent = True
    pipeline_tag = "image-classification"
    metrics = METRICS
    interface = "It takes images `(N, 1, 28, 28)` in [0, 1], white on black, and gives logits `(N, 10)`."
    limits = (
        "Trained on digits in MNIST's form, most of them or all MNIST's own: American handwriting of the 1990s, white "
        "on black, 28x28, size and centre made equal. Bring other drawings into that form first "
        "(`models.pipelines.to_digit` does). It knows digits only: the figures above tell how often it notices that a "
        "picture is none, and those are drawn letters and scribbles, not all that there is. It is for learning and "
        "play, not for reading cheques."
    )

    def prepare(self, train: Split, recipe: ClassifierRecipe) -> None:
        """Read some pages that are composed of what is learned from, if the recipe wants them."""
        if recipe.handed:
            from train.data.pages.handed import handed

            self.handed, self.alarms = handed(train, min(PAGES, len(train) // SPARSE + 1), recipe.seed)

    def loss(self, nets, turn, images, labels, recipe, done):
        count = len(images)
        if drawn := round(count * recipe.drawn):
            segments, more = strokes.digits(drawn)
            images = torch.cat([images, _pictures(segments, images, recipe)])
            labels = torch.cat([labels, more.to(labels.device)])
        if printed := round(count * recipe.printed):
            every, names = specimens()
            chosen = torch.randint(len(every), (printed,))
            images = torch.cat([images, _augmented(every[chosen].to(images.device), recipe)])
            labels = torch.cat([labels, names[chosen].to(labels.device)])
        if handed := round(count * recipe.handed) if recipe.handed and len(self.handed) else 0:
            chosen = torch.randint(len(self.handed), (handed,))
            images = torch.cat([images, _augmented(self.handed.take(chosen).to(images.device), recipe)])
            labels = torch.cat([labels, self.handed.labels[chosen].to(labels.device)])
        known = len(images)
        if outliers := round(count * recipe.outliers):
            alarms = outliers // 2 if recipe.handed and len(self.alarms) else 0
            images = torch.cat([images, _pictures(strokes.nonsense(outliers - alarms), images, recipe)])
            if alarms:
                chosen = torch.randint(len(self.alarms), (alarms,))
                images = torch.cat([images, _augmented(self.alarms[chosen].to(images.device) / 255, recipe)])
        logits = nets[turn](images.contiguous(memory_format=torch.channels_last)).float()
        loss = cross_entropy(logits[:known], labels, label_smoothing=recipe.label_smoothing)
        if outliers:
            # The cross-entropy to ten equal probabilities, with half the weight, as Hendrycks et al. have it.
            loss = loss - OUTLIER_WEIGHT * logits[known:].log_softmax(1).mean()
        return loss

    def evaluate(self, net: Model, split: Split) -> dict[str, float]:
        logits = self.predict(net, split)
        return {"loss": cross_entropy(logits, split.labels).item(), **classification(logits, split.labels)}

    @torch.inference_mode()
    def snapshot(self, net: Model, validation: Split) -> torch.Tensor:
        """Digits from all over the validation images, and the ten shares of each."""
        from train.figures import film

        rows = torch.linspace(0, len(validation) - 1, SHOWN).long()
        images = validation.take(rows)
        return film.answers(images, net(images).softmax(1), validation.labels[rows])

    def finish(self, net: Model, validation: Split) -> dict[str, float]:
        """Calibrate it: `temperature` is what its logits are divided by from now on."""
        from train.tasks.classification import reliability

        # On drawings of our own pen too: by MNIST alone it would be too sure of hands that it has not seen.
        segments, digits = strokes.digits(max(1, len(validation) // DRAWN), torch.Generator().manual_seed(0))
        drawn = strokes.pictures(segments, torch.Generator().manual_seed(1)).to(validation.images.device)
        logits = torch.cat([self.predict(net, validation), net(drawn)])
        temperature = reliability.temperature(logits, torch.cat([validation.labels, digits.to(logits.device)]))
        reliability.scale(net, temperature)
        return {"temperature": temperature}

    @torch.inference_mode()
    def predict(self, net: nn.Module, split: Split) -> torch.Tensor:
        """Logits (N, 10) in float32."""
        return torch.cat([net(images).float() for images, _ in split.batches(EVALUATION_BATCH)])

    def section(self, folder: Path, net: Model, figures: dict[str, float], data: Data) -> str:
        """How far it can be trusted, and what it mistakes for what."""
        from train.tasks.classification import reliability

        validation, test = (self.predict(net, split) for split in (data.validation, data.test))
        trust = reliability.measure(net, data, validation, test)
        reliability.curve(trust, folder / "reliability.png")
        _confusion_matrix(confusion(test, data.test.labels), folder / "confusion-matrix.png")
        return f"""![Confusion matrix on the test split](confusion-matrix.png)

{reliability.section(trust, figures["ece"])}"""

    def history(self, folder: Path, run: Run, recipe: ClassifierRecipe) -> str:
        hands = ""
        if recipe.drawn:
            _hands(folder / "hands.png")
            hands = "\nIt learned from such hands too, drawn by `train.data.strokes`:\n\n![Drawn digits](hands.png)\n"
        return f"""Then the logits were divided by {run.finish["temperature"]:.4g}, the temperature at which they
explain the validation images best (Guo et al. 2017): the last layer's weights hold that already.
{hands}"""

    def usage(self, net: Model) -> str:
        return "picture = torch.rand(1, 1, 28, 28)  # white on black, 0 to 1\nlogits = net(picture)"

    def summary(self, figures: dict[str, float], section: str) -> str:
        drawings = re.search(r"never saw: \*\*([\d.]+)%\*\*", section)[1]
        return f"{100 * figures['accuracy']:.2f} %; foreign drawings {drawings} %"


@cache
def specimens() -> tuple[torch.Tensor, torch.Tensor]:
    """The ten digits in every typeface, (N, 1, 28, 28) in [0, 1] in MNIST's form, and which (N,) they are."""
    from models.pictures import images, mnist
    from train.data.pages import ink

    pairs = [(font, digit) for font in ink.FONTS for digit in range(10)]
    made = [ink.printed(str(digit), font, PRINTED) for font, digit in pairs]
    pictures = [mnist.fitted(Image.fromarray(np.uint8(255 * one))) for one in made]
    return torch.cat([images.to_tensor(one) for one in pictures]), torch.tensor([digit for _, digit in pairs])


def _hands(path: Path) -> None:
    """Two rows of each digit."""
    from train.figures.plots import grid

    generator = torch.Generator().manual_seed(0)
    segments, labels = strokes.digits(HANDS, generator)
    chosen = torch.cat([(labels == digit).nonzero()[:SHEET, 0] for digit in range(10)])
    grid(strokes.pictures(segments[chosen], generator), path, SHEET // 2)


def _pictures(segments: torch.Tensor, images: torch.Tensor, recipe: Recipe) -> torch.Tensor:
    """Drawings as further pictures of a batch, augmented as the others are."""
    return _augmented(strokes.pictures(segments).to(images.device), recipe)


def _augmented(images: torch.Tensor, recipe: Recipe) -> torch.Tensor:
    return recipe.augment(images) if recipe.augment else images


def _confusion_matrix(counts: torch.Tensor, path: Path) -> None:
    from train.figures.plots import plt, save

    figure, axes = plt.subplots(figsize=(5, 4.6), layout="constrained")
    # Colour by the mistakes: on the diagonal everything is right, and would drown them.
    mistakes = counts.float().fill_diagonal_(0)
    axes.imshow(mistakes, cmap="Oranges", vmax=max(1.0, 1.5 * mistakes.max().item()))
    for row in range(len(counts)):
        for column in range(len(counts)):
            if counts[row, column]:
                axes.text(column, row, int(counts[row, column]), ha="center", va="center", fontsize=8)
    axes.set(xlabel="answer", ylabel="truth", xticks=range(len(counts)), yticks=range(len(counts)))
    save(figure, path)
