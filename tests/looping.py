"""Small networks and recipes for the tests of the loop, and a task that watches and interferes."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import tiny
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState

import models
from models import Model
from train.data.augmentation import Augment
from train.engine import loop
from train.recipe import Recipe
from train.tasks.classification import Classification, ClassifierRecipe
from train.tasks.task import Task

DATA = tiny.data(train=50, validation=30)
STEPS = 4  # an epoch, of 16, 16, 16 and 2 images
PLAIN = ClassifierRecipe("d", epochs=3, batch_size=16, lr=1e-2, optimizer="rmsprop", source="", seed=5)
EVERYTHING = ClassifierRecipe(
    "d",
    epochs=3,
    batch_size=16,
    lr=3e-3,
    optimizer="adamw",
    source="",
    seed=5,
    weight_decay=0.05,
    warmup=0.2,
    schedule="cosine",
    clip=1.0,
    label_smoothing=0.1,
    ema=0.9,
    augment=Augment(rotation=10, scale=0.1, shear=0.1, shift=2, elastic=0.5),
    keep_best=True,
)
Weights = dict[str, torch.Tensor]


class Watched(Classification):
    """Classification that notes every loss and calls `act` with the number of the step under way, from 1."""

    def __init__(self, act: Callable[[int], float | None] = lambda step: None, scores: list[float] | None = None):
        self.act, self.scores = act, iter(scores or [])
        self.steps = 0
        self.losses: list[tuple[float, int]] = []
        self.seen: list[bytes] = []

    def loss(self, nets, turn, images, labels, recipe, done):
        self.steps += 1
        loss = super().loss(nets, turn, images, labels, recipe, done)
        self.losses.append((loss.item(), len(images)))
        self.seen += [image.numpy().tobytes() for image in images]
        factor = self.act(self.steps)
        return loss if factor is None else loss * factor

    def evaluate(self, net, split):
        assert not net.training
        figures = super().evaluate(net, split)
        return figures | {"accuracy": next(self.scores, figures["accuracy"])}


def small_resnet() -> Model:
    return models.create("mnist-resnet", widths=(4, 8), blocks=(1,))


def small_dense() -> Model:
    return models.create("mnist-dense", hidden=16)


@contextmanager
def trainer(folder: Path) -> Iterator[Callable[..., loop.Progress]]:
    """Train a small network; the state is in `folder / NAME`, from where a second call goes on."""
    AcceleratorState._reset_state(reset_partial_state=True)
    accelerator = Accelerator(cpu=True)

    def fit(
        recipe: Recipe,
        task: Task | None = None,
        max_steps: int | None = None,
        name: str = "state.pt",
        save_minutes: float = 5.0,
        create: Callable[[], Model] | None = None,
    ) -> loop.Progress:
        torch.manual_seed(recipe.seed)
        net = (create or (small_resnet if recipe.optimizer == "adamw" else small_dense))()
        state_file = folder / name
        progress = loop.fit(net, task or Watched(), DATA, recipe, accelerator, state_file, max_steps, save_minutes)
        accelerator.free_memory()
        return progress

    yield fit
    AcceleratorState._reset_state(reset_partial_state=True)


def state(tmp_path: Path, name: str = "state.pt") -> dict:
    return torch.load(tmp_path / name, weights_only=True)


def same(left: Weights, right: Weights) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[key], right[key]) for key in left)


def expect_same(left: loop.Progress, right: loop.Progress) -> None:
    """Bit by bit, but for the time it took."""
    assert (left.step, left.finished, left.loss_sum) == (right.step, right.finished, right.loss_sum)
    assert left.history == right.history
    assert (left.best["epoch"], left.best["score"]) == (right.best["epoch"], right.best["score"])
    assert same(left.best["weights"], right.best["weights"])


def interrupt_at(step: int, number: int = signal.SIGINT) -> Watched:
    return Watched(lambda now: signal.raise_signal(number) if now == step else None)
