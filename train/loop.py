"""The training loop. It knows batches, steps and epochs; what a batch means is the task's affair.

Everything random in step s of process p is drawn from (seed, s, p), and the order of epoch e from (seed, e). So a run
that is stopped at any step and resumed goes on exactly as if it had not been, and there are no random states to save.
"""

import io
import math
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from torch import nn
from torch.optim.swa_utils import AveragedModel
from tqdm import tqdm

from train.data import Data
from train.recipes import Recipe
from train.tasks import Task

SAVE_EVERY = 300  # seconds between saved states within an epoch
OPTIMIZERS = {
    # Keras's RMSprop: its rho of 0.9 is torch's alpha, which is 0.99 by default
    "rmsprop": lambda groups, lr: torch.optim.RMSprop(groups, lr, alpha=0.9, eps=1e-7),
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
}


@dataclass
class Progress:
    """How far a run is. `history` has a row of figures for every finished epoch, `best` the weights to publish."""

    step: int = 0
    seconds: float = 0.0
    loss_sum: float = 0.0  # over the images of the epoch under way
    history: list[dict[str, float]] = field(default_factory=list)
    best: dict | None = None  # {"score", "epoch", "weights"}
    finished: bool = False


def fit(
    net: nn.Module,
    task: Task,
    data: Data,
    recipe: Recipe,
    accelerator: Accelerator,
    state_file: Path,
    max_steps: int | None = None,
) -> Progress:
    """Train `net`, going on from `state_file` if there is one; the weights to publish are in `progress.best`.

    Ctrl-C ends it early after the step under way: the state is saved, the weights are those of that moment.

    Raises:
        ValueError: the loss is no longer finite.
    """
    run = _Run(net, task, data, recipe, accelerator, state_file, max_steps)
    run.load()
    with _stop_on_signal() as stop:
        while run.progress.step < run.total and not stop:
            run.epoch(stop)
    run.progress.finished = run.progress.step >= run.total
    run.keep()
    run.save()
    return run.progress


class _Run:
    def __init__(
        self,
        net: nn.Module,
        task: Task,
        data: Data,
        recipe: Recipe,
        accelerator: Accelerator,
        state_file: Path,
        max_steps: int | None,
    ):
        self.task, self.recipe, self.accelerator, self.state_file = task, recipe, accelerator, state_file
        self.train, self.validation = data.train.to(accelerator.device), data.validation.to(accelerator.device)
        self.steps_per_epoch = math.ceil(len(data.train) / recipe.batch_size)
        self.total = min(recipe.epochs * self.steps_per_epoch, max_steps or math.inf)
        self.progress = Progress()
        self.net = net.to(accelerator.device, memory_format=torch.channels_last)
        # Copied before accelerate wraps the forward pass: the average is evaluated in float32, as it is published.
        self.average = AveragedModel(self.net, multi_avg_fn=_ema(recipe.ema), use_buffers=True) if recipe.ema else None
        self.wrapped, self.optimizer = accelerator.prepare(self.net, make_optimizer(self.net, recipe))

    def epoch(self, stop: list) -> None:
        """Train to the end of the epoch under way, then evaluate and save; or save at once when asked to stop."""
        start, saved, loss = time.monotonic(), time.monotonic(), 0.0
        epoch, first = divmod(self.progress.step, self.steps_per_epoch)
        order = epoch_order(len(self.train), self.recipe.seed, epoch).to(self.accelerator.device)
        last = min(self.steps_per_epoch, self.total - epoch * self.steps_per_epoch)
        if first == 0:
            self.progress.loss_sum = 0.0
        self.wrapped.train()
        bar = tqdm(
            total=last * self.recipe.batch_size,
            initial=first * self.recipe.batch_size,
            desc=f"epoch {epoch + 1}/{self.recipe.epochs}",
            unit="img",
            disable=not self.accelerator.is_main_process,
        )
        with bar:
            for position in range(first, last):
                chosen = order[position * self.recipe.batch_size : (position + 1) * self.recipe.batch_size]
                loss = self.step(chosen[self.accelerator.process_index :: self.accelerator.num_processes])
                if not math.isfinite(loss):
                    kept = f" The last good state is in {self.state_file.parent}." if self.state_file.exists() else ""
                    raise ValueError(
                        f"The loss is not finite at step {self.progress.step + 1}, epoch {epoch + 1}: "
                        f"lower the learning rate.{kept}"
                    )
                self.progress.step += 1
                self.progress.loss_sum += loss * len(chosen)
                bar.update(self.recipe.batch_size)
                bar.set_postfix(loss=f"{loss:.4f}", refresh=False)
                if position + 1 == last:
                    break  # a stop here waits for the figures of the epoch: it would otherwise never have any
                if stop or time.monotonic() - saved > SAVE_EVERY:
                    saved = time.monotonic()
                    self.progress.seconds, start = self.progress.seconds + saved - start, saved
                    self.save()
                if stop:
                    return
            seen = min(last * self.recipe.batch_size, len(self.train))
            figures = {"epoch": epoch + 1, "train_loss": self.progress.loss_sum / seen, **self.evaluate()}
            self.progress.seconds += time.monotonic() - start
            self.progress.history.append(figures)
            self.keep()
            self.save()
        self.accelerator.print("  ".join(f"{name} {value:.4g}" for name, value in figures.items()))

    def step(self, chosen: torch.Tensor) -> float:
        """One step of the optimiser on the images that `chosen` names. Returns the loss."""
        recipe = self.recipe
        torch.manual_seed(_mix(recipe.seed, self.progress.step, self.accelerator.process_index))
        images = self.train.images[chosen] / 255
        if recipe.augment:
            images = recipe.augment(images)
        for group in self.optimizer.param_groups:
            group["lr"] = recipe.lr * lr_factor(self.progress.step, self.total, recipe)
        images = images.contiguous(memory_format=torch.channels_last)
        loss = self.task.loss(self.wrapped, images, self.train.labels[chosen], recipe)
        self.accelerator.backward(loss)
        if recipe.clip:
            self.accelerator.clip_grad_norm_(self.wrapped.parameters(), recipe.clip)
        self.optimizer.step()
        self.optimizer.zero_grad()
        if self.average:
            self.average.update_parameters(self.net)
        return loss.item()

    def evaluate(self) -> dict[str, float]:
        published = (self.average.module if self.average else self.net).eval()
        return self.task.evaluate(published, self.validation)

    def keep(self) -> None:
        """Remember the weights to publish: the best epoch's if the recipe chooses, else the latest."""
        row = self.progress.history[-1] if self.progress.history else {}
        score, best = row.get(self.task.score, 0.0), self.progress.best
        if self.recipe.keep_best and best and best["score"] > score:
            return
        if self.recipe.keep_best and best and best["epoch"] == row.get("epoch"):
            return  # stopped within the next epoch: what was chosen stays
        weights = (self.average.module if self.average else self.net).state_dict()
        copies = {name: tensor.detach().cpu().clone() for name, tensor in weights.items()}
        self.progress.best = {"score": score, "epoch": row.get("epoch", 0), "weights": copies}

    def save(self) -> None:
        """Write the state aside and rename it, so that a kill at any moment leaves a whole one."""
        if not self.accelerator.is_main_process:
            return
        state = {
            "net": self.net.state_dict(),
            "average": self.average.state_dict() if self.average else None,
            "optimizer": self.optimizer.state_dict(),
            "progress": vars(self.progress),
        }
        self.state_file.parent.mkdir(parents=True, exist_ok=True)
        buffer = io.BytesIO()
        torch.save(state, buffer)  # straight to a full disk it raises a RuntimeError of its own
        temporary = self.state_file.with_suffix(".new")
        try:
            temporary.write_bytes(buffer.getbuffer())
            os.replace(temporary, self.state_file)
        finally:
            temporary.unlink(missing_ok=True)

    def load(self) -> None:
        if not self.state_file.exists():
            return
        try:
            state = torch.load(self.state_file, map_location=self.accelerator.device, weights_only=True)
        except Exception as error:  # anything at all, from a file that is not what torch.save wrote
            raise ValueError(f"{self.state_file} is damaged: move its folder away and train again.") from error
        self.net.load_state_dict(state["net"])
        if self.average:
            self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.progress = Progress(**state["progress"])


def make_optimizer(net: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """The recipe's optimiser; weight decay falls on matrices and kernels, not on biases and norms."""
    parameters = list(net.parameters())
    if not recipe.weight_decay:
        return OPTIMIZERS[recipe.optimizer](parameters, lr=recipe.lr)
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return OPTIMIZERS[recipe.optimizer](groups, lr=recipe.lr)


def lr_factor(step: int, total: int, recipe: Recipe) -> float:
    """What the learning rate is multiplied by: a linear warm-up, then constant, or half a cosine down to zero."""
    warmup = recipe.warmup * total
    if step < warmup:
        return (step + 1) / (warmup + 1)
    if recipe.schedule == "constant":
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / (total - warmup)))


def epoch_order(count: int, seed: int, epoch: int) -> torch.Tensor:
    """The permutation of `count` images in epoch `epoch`; the same on every machine."""
    return torch.randperm(count, generator=torch.Generator().manual_seed(_mix(seed, epoch)))


def _mix(*numbers: int) -> int:
    """One seed from several numbers, such that neighbours have nothing in common."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)


def _ema(decay: float):
    """A running average that trusts the first steps more (as `decay` alone would hold on to random weights)."""

    @torch.no_grad()
    def update(averages: list[torch.Tensor], values: list[torch.Tensor], count: int) -> None:
        kept = min(decay, (1 + int(count)) / (10 + int(count)))
        for average, value in zip(averages, values, strict=True):
            if average.is_floating_point():
                average.lerp_(value, 1 - kept)
            else:
                average.copy_(value)

    return update


@contextmanager
def _stop_on_signal() -> Iterator[list]:
    """A list that Ctrl-C, or a polite kill, fills; a second Ctrl-C ends the program at once."""
    stop: list = []

    def note(number: int, _frame: object) -> None:
        if stop:
            raise KeyboardInterrupt
        stop.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
