"""One recipe per model: every hyper-parameter of its training in one place."""

from dataclasses import dataclass

from train.augment import Augment


@dataclass(frozen=True)
class Recipe:
    """How a model is trained.

    Attributes:
        dataset: the Hub dataset it was made for.
        epochs, batch_size, lr, optimizer, seed: as everywhere; `batch_size` is what one step of the optimiser sees,
            over all processes.
        accumulation: parts in which a process works through its share of a batch, for when memory is short.
        weight_decay: on weight matrices and kernels only, not on biases and norms.
        warmup: share of all steps in which the learning rate rises linearly to `lr`.
        schedule: "constant", or "cosine" down to zero after the warm-up.
        clip: largest norm of the gradient.
        label_smoothing: of the cross-entropy.
        ema: decay of the running average of the weights, which then is what is evaluated and published.
        augment: applied to every training batch.
        drawn: digits drawn by `train.strokes` that are added to each batch, as a share of it.
        outliers: pictures of no digit that are added to each batch, as a share of it; the network learns to give them
            every digit the same probability (outlier exposure, Hendrycks et al. 2019).
        patience: stop after so many epochs without a better validation score.
        keep_best: publish the epoch with the best validation score instead of the last.
        mixed_precision: "bf16" where the hardware is fast at it, "no" to stay in float32.
        source: where the numbers come from, for the card.
    """

    dataset: str
    epochs: int
    batch_size: int
    lr: float
    optimizer: str
    source: str
    seed: int = 0
    accumulation: int = 1
    weight_decay: float = 0.0
    warmup: float = 0.0
    schedule: str = "constant"
    clip: float | None = None
    label_smoothing: float = 0.0
    ema: float | None = None
    augment: Augment | None = None
    drawn: float = 0.0
    outliers: float = 0.0
    patience: int | None = None
    keep_best: bool = False
    mixed_precision: str = "no"


RECIPES = {
    "mnist-dense": Recipe(
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
    "mnist-mlp": Recipe(
        dataset="ylecun/mnist",
        epochs=10,
        batch_size=64,
        lr=1e-3,
        optimizer="adam",
        source="A PyTorch course's multilayer perceptron with its numbers: Adam, 10 epochs, batch 64; nothing else.",
    ),
    "mnist-cnn": Recipe(
        dataset="ylecun/mnist",
        epochs=10,
        batch_size=64,
        lr=1e-3,
        optimizer="adam",
        mixed_precision="bf16",
        source="A PyTorch course's convolutional network with its numbers: Adam, 10 epochs, batch 64; nothing else.",
    ),
    "mnist-cnn-wide": Recipe(
        dataset="ylecun/mnist",
        epochs=5,
        batch_size=64,
        lr=1e-3,
        optimizer="adam",
        source="A tutorial's first convolutional network with its numbers: Adam, 5 epochs, batch 64; nothing else.",
    ),
    "mnist-rnn": Recipe(
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
    "mnist-lstm": Recipe(
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
    "mnist-resnet": Recipe(
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
        outliers=0.125,
        keep_best=True,
        mixed_precision="bf16",
        source=(
            "Ours: a small residual network, mild warps, other pens and scanners, digits of other forms, a cosine "
            "schedule and an average of the weights; and letters and scribbles on which it learns not to answer."
        ),
    ),
}
