"""How far a classifier's word can be trusted: calibration, the thresholds of the page, foreign hands, and no digits."""

from dataclasses import dataclass
from pathlib import Path

import torch
from scipy.optimize import minimize_scalar
from torch.nn.functional import cross_entropy

from models.base import Model
from models.pipelines import KNOWN, SURE
from train.data import glyphs, strokes, synthetic_digits
from train.data.splits import Data
from train.figures.classification import BINS
from train.figures.plots import plt, save

NONSENSE_EACH = 500  # pictures of each sort of nonsense


@dataclass(frozen=True)
class Reliability:
    """What the card tells; all values are shares.

    Attributes:
        confidence, right: (N,) of the answers on the validation images.
        unsure: of the test images whose answer is called unsure, and the wrong answers among the sure and the unsure.
        flagged: what is called no digit, of the test images and of each sort of nonsense.
        drawings: right answers for each kind of the development set.
    """

    confidence: torch.Tensor
    right: torch.Tensor
    unsure: float
    wrong_sure: float
    wrong_unsure: float
    flagged: dict[str, float]
    drawings: dict[str, float]


def temperature(logits: torch.Tensor, labels: torch.Tensor) -> float:
    """The T for which logits / T explain the labels best (Guo et al. 2017): the least cross-entropy; (N, 10), (N,)."""
    best = minimize_scalar(
        lambda log: cross_entropy(logits / 2.0**log, labels).item(), bounds=(-4, 4), method="bounded"
    )
    return 2.0**best.x


@torch.no_grad()
def scale(net: Model, by: float) -> None:
    """Divide the logits by a temperature: it goes into the last layer, so that whoever loads the weights has it."""
    net.output.weight /= by
    net.output.bias /= by


@torch.inference_mode()
def measure(net: Model, data: Data, validation: torch.Tensor, test: torch.Tensor) -> Reliability:
    """Everything of `Reliability` for a calibrated network, whose logits on two splits are given."""
    confidence, answer = validation.softmax(1).max(1)
    right = test.argmax(1) == data.test.labels
    sure = test.softmax(1).amax(1) >= SURE
    return Reliability(
        confidence=confidence,
        right=answer == data.validation.labels,
        unsure=_share(~sure),
        wrong_sure=_share(~right[sure]),
        wrong_unsure=_share(~right[~sure]),
        flagged={"test digits": _share(is_no_digit(test)), **_nonsense(net)},
        drawings=synthetic_digits.accuracy(net, synthetic_digits.development_set(data.validation)),
    )


def is_no_digit(logits: torch.Tensor) -> torch.Tensor:
    """(N, 10) -> (N,): as `models.pipelines.Reading.is_digit` has it, for many."""
    return logits.softmax(1).topk(2).values.sum(1) < KNOWN


def _nonsense(net: Model) -> dict[str, float]:
    generator = torch.Generator().manual_seed(0)
    sorts = {
        "letters": tuple(glyphs.LETTERS),
        "shapes": tuple(glyphs.SHAPES),
        "letters and shapes it never learned from": tuple(
            name for name in (*glyphs.LETTERS, *glyphs.SHAPES) if name not in glyphs.SHOWN
        ),
    }
    drawn = {sort: strokes.drawn(names, NONSENSE_EACH, generator) for sort, names in sorts.items()}
    drawn["scribbles"] = strokes.scribbles(NONSENSE_EACH, generator)
    return {sort: _share(is_no_digit(net(strokes.pictures(some, generator)))) for sort, some in drawn.items()}


def _share(flags: torch.Tensor) -> float:
    return flags.float().mean().item() if len(flags) else 0.0


def section(found: Reliability, ece: float) -> str:
    """The card's section, in Markdown."""
    kinds = "\n".join(f"| {kind} | {share:.1%} |" for kind, share in found.drawings.items())
    total = sum(found.drawings.values()) / len(found.drawings)
    flagged = "\n".join(f"| {sort} | {share:.1%} |" for sort, share in found.flagged.items())
    return f"""## How far to trust it

Its probabilities are calibrated on the validation images (Guo et al. 2017). Expected calibration error on the test
images, {BINS} bins: **{ece:.4f}**.

![Confidence against accuracy on the validation images](reliability.png)

An answer of less than {SURE:.0%} is called unsure: {found.unsure:.2%} of the test images, of which
{found.wrong_unsure:.0%} are wrong; of the sure ones {found.wrong_sure:.2%} are. A picture whose two likeliest digits
together get less than {KNOWN:.0%} is called no digit:

| what | called no digit |
|---|---|
{flagged}

Letters, shapes and scribbles are drawn by `train.data.strokes`, without O, I, S, Z, B, l, o, z and q.

On drawings that MNIST never saw: **{total:.1%}** right. `train.data.synthetic_digits` makes them, half from
validation images and half with a pen of its own (seed 0), and they come to the network through
`models.pipelines.to_digit`:

| kind | right |
|---|---|
{kinds}
"""


def curve(found: Reliability, path: Path) -> None:
    """A reliability diagram: accuracy against confidence, over a histogram of how many answers lie where."""
    edges = torch.linspace(0, 1, BINS + 1)
    place = torch.bucketize(found.confidence, edges[1:-1])
    counts = torch.bincount(place, minlength=BINS)
    filled = counts > 0
    means = [
        (torch.bincount(place, values.double(), BINS)[filled] / counts[filled]).numpy()
        for values in (found.confidence, found.right)
    ]
    figure, (upper, lower) = plt.subplots(
        2, 1, figsize=(4.6, 5), sharex=True, height_ratios=(3, 1), layout="constrained"
    )
    upper.plot([0, 1], [0, 1], ":", color="#6b6256", label="perfect")
    upper.plot(*means, ".-", color="#b54f15", label="validation images")
    upper.axvline(SURE, color="#e9b48f", label=f"unsure below {SURE:.0%}")
    upper.set_ylabel("accuracy")
    upper.legend(frameon=False)
    lower.bar((edges[:-1] + 0.5 / BINS).numpy(), counts.numpy(), width=0.9 / BINS, color="#b54f15")
    lower.set(xlabel="confidence", ylabel="images", yscale="log", xlim=(0, 1))
    save(figure, path)
