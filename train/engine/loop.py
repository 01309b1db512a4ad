"""The training loop. It knows batches, steps and epochs; what a batch means is the task's affair.

Everything random in step s of process p is drawn from (seed, s, p), and the order of epoch e from (seed, e). So a run
that is stopped at any step and resumed goes on exactly as if it had not been, and there are no random states to save.
"""

import math
import signal
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from torch import nn
from torch.nn.utils import get_total_norm
from torch.optim.swa_utils import AveragedModel
from tqdm import tqdm

from train.data.splits import Data
from train.engine import state
from train.engine.optimizers import ema, lr_factor, make_optimizer
from train.engine.processes import once, stop_on_signal
from train.engine.tracking import tracked
from train.recipe import Recipe
from train.run import Progress
from train.tasks.task import Task

SNAPSHOTS = 12  # at most, of a training
LOG_EVERY = 20  # steps between two training losses for the tracker


def fit(
    net: nn.Module,
    task: Task,
    data: Data,
    recipe: Recipe,
    accelerator: Accelerator,
    state_file: Path,
    max_steps: int | None = None,
    save_minutes: float = 5.0,
) -> Progress:
    """Train `net`, going on from `state_file` if there is one; the weights to publish are in `progress.best`.

    The state is saved after every epoch, and within one when `save_minutes` have passed. Ctrl-C ends it early after
    the step under way: the state is saved, the weights are those of that moment.

    Raises:
        ValueError: the loss, the gradient or the weights are no longer finite; the file has the last good state.
        OSError: the state cannot be saved.
    """
    run = _Run(net, task, data, recipe, accelerator, state_file, max_steps, 60 * save_minutes)
    run.load()
    with tracked(accelerator, state_file.parent, run.progress.step), stop_on_signal() as stop:
        while not run.done and not run.stopped:
            run.epoch(stop)
    run.progress.finished = run.done
    # Another process than this one may have been asked to stop.
    run.progress.stopped_by = 0 if run.done else int(next(iter(stop), signal.SIGINT))
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
        save_seconds: float,
    ):
        self.task, self.recipe, self.accelerator = task, recipe, accelerator
        self.state_file, self.save_seconds = state_file, save_seconds
        self.train, self.validation = data.train.to(accelerator.device), data.validation.to(accelerator.device)
        self.steps_per_epoch = math.ceil(len(data.train) / recipe.batch_size)
        self.total = min(recipe.epochs * self.steps_per_epoch, max_steps or math.inf)
        self.progress, self.stopped = Progress(), False
        self.net = net.to(accelerator.device, memory_format=torch.channels_last)
        # Copied before accelerate wraps the forward pass: the average is evaluated in float32, as it is published.
        self.average = AveragedModel(self.net, multi_avg_fn=ema(recipe.ema), use_buffers=True) if recipe.ema else None
        self.nets = {
            name: one.to(accelerator.device, memory_format=torch.channels_last)
            for name, one in task.networks(self.net).items()
        }
        self.parameters = {name: list(one.parameters()) for name, one in self.nets.items()}
        self.wrapped, self.optimizers = {}, {}
        for name, one in self.nets.items():
            self.wrapped[name], self.optimizers[name] = accelerator.prepare(one, make_optimizer(one, recipe))

    @property
    def done(self) -> bool:
        """All steps are made, or validation has not improved for longer than the recipe's patience."""
        return self.progress.step >= self.total or self.out_of_patience

    @property
    def out_of_patience(self) -> bool:
        patience = self.recipe.patience
        return patience is not None and self.stale_epochs() >= patience

    def stale_epochs(self) -> int:
        """How many epochs ago the best score was first reached; 0 before there is any."""
        scores = [self.task.rank(row) for row in self.progress.history]
        return len(scores) - 1 - scores.index(max(scores)) if scores else 0

    def epoch(self, stop: list) -> None:
        """Train to the end of the epoch under way, then evaluate and save; or save at once when asked to stop."""
        start, saved = time.monotonic(), time.monotonic()
        epoch, first = divmod(self.progress.step, self.steps_per_epoch)
        order = epoch_order(len(self.train), self.recipe.seed, epoch).to(self.accelerator.device)
        last = min(self.steps_per_epoch, self.total - epoch * self.steps_per_epoch)
        if first == 0:
            self.progress.loss_sum = 0.0
        elif self.progress.history and self.progress.history[-1]["epoch"] == epoch + 1:
            self.forget_part(epoch + 1)
        for net in self.wrapped.values():
            net.train()
        bar = tqdm(
            total=last * self.recipe.batch_size,
            initial=first * self.recipe.batch_size,
            desc=f"epoch {epoch + 1}/{self.recipe.epochs}",
            unit="img",
            disable=not self.accelerator.is_main_process,
        )
        with bar:
            for position in range(first, last):
                batch = order[position * self.recipe.batch_size : (position + 1) * self.recipe.batch_size]
                loss = self.step(batch, stop)
                self.progress.loss_sum += loss * len(batch)
                bar.update(self.recipe.batch_size)
                bar.set_postfix(loss=f"{loss:.4f}", refresh=False)
                if position + 1 == last:
                    break  # a stop here waits for the figures of the epoch: it would otherwise never have any
                if self.stopped or time.monotonic() - saved > self.save_seconds:
                    saved = time.monotonic()
                    self.progress.seconds, start = self.progress.seconds + saved - start, saved
                    self.save()
                if self.stopped:
                    return
            self.expect_finite_weights()
            seen = min(last * self.recipe.batch_size, len(self.train))
            figures = {"epoch": epoch + 1, "train_loss": self.progress.loss_sum / seen, **self.evaluate()}
            self.progress.seconds += time.monotonic() - start
            self.progress.history.append(figures)
            if is_kept(epoch + 1, self.recipe.epochs):
                picture = once(self.accelerator, lambda: self.task.snapshot(self.published, self.validation))
                self.progress.snapshots.append({"epoch": epoch + 1, "picture": picture})
            self.keep()
            self.save()
        self.report(figures)

    def forget_part(self, epoch: int) -> None:
        """A run that was to end within an epoch goes on after all: that epoch's figures are still to come."""
        self.progress.history.pop()
        self.progress.snapshots = [shot for shot in self.progress.snapshots if shot["epoch"] != epoch]
        if self.progress.best["epoch"] == epoch:
            self.progress.best = None

    def step(self, batch: torch.Tensor, stop: list) -> float:
        """One step on the images that `batch` names, over all processes. Returns the mean loss of its first turn."""
        factor = lr_factor(self.progress.step, self.total, self.recipe)
        turns = self.task.turns(self.progress.step, self.recipe)
        losses = [self.update(turn, factor * self.task.lr(turn, self.recipe), batch, stop) for turn in turns]
        if self.average and "net" in turns:
            self.average.update_parameters(self.net)
        self.progress.step += 1
        if self.progress.step % LOG_EVERY == 0:
            told = {"train/loss": losses[0], "train/lr": factor * self.task.lr("net", self.recipe)}
            self.accelerator.log(told, step=self.progress.step)
        return losses[0]

    def update(self, turn: str, lr: float, batch: torch.Tensor, stop: list) -> float:
        """One step of the optimiser of the network whose turn it is. Returns the mean loss over the images."""
        for group in self.optimizers[turn].param_groups:
            group["lr"] = lr
        loss = self.backward(turn, batch)
        parameters = self.parameters[turn]
        if self.recipe.clip:
            norm = self.accelerator.clip_grad_norm_(parameters, self.recipe.clip)
        else:
            norm = get_total_norm([p.grad for p in parameters if p.grad is not None])
        # In one message, as reading it waits for the device; and all processes must come to the same end.
        told = torch.stack([loss, norm, loss.new_tensor(len(stop))])
        loss, norm, asked = self.accelerator.reduce(told, "mean").tolist()
        self.expect_finite("loss is", loss, self.progress.step + 1)
        self.expect_finite("gradient is", norm, self.progress.step + 1)
        self.optimizers[turn].step()
        for optimizer in self.optimizers.values():  # an opponent has been given a gradient too
            optimizer.zero_grad()
        self.stopped = self.stopped or asked > 0
        return loss

    def backward(self, turn: str, batch: torch.Tensor) -> torch.Tensor:
        """Leave the gradient of the batch's mean loss in the parameters of the network whose turn it is.

        Returns a scalar: this process's addend, such that its mean over the processes is the batch's mean loss.
        """
        index, count = self.accelerator.process_index, self.accelerator.num_processes
        _seed_everything(_mix(self.recipe.seed, self.progress.step, index), batch.device)
        share = batch[index::count]
        # The processes' gradients are averaged: a share that is smaller than the others counts for less. A process
        # that has none must take part all the same, and computes on somebody else's image what counts for nothing.
        chosen = share if len(share) else batch[:1]
        images = self.train.take(chosen)
        if self.recipe.augment:
            images = self.recipe.augment(images)
        if images.ndim == 4:
            images = images.contiguous(memory_format=torch.channels_last)
        parts = images.chunk(self.recipe.accumulation)
        labels = self.train.labels[chosen].chunk(self.recipe.accumulation)
        done = self.progress.step / self.total
        total = images.new_zeros(())
        for number, part in enumerate(parts):
            weight = len(part) * count / len(batch) if len(share) else 0.0
            last = number + 1 == len(parts)
            with ExitStack() as alone:
                # Others have a gradient that nobody uses, and so many parts that the processes need not agree on it.
                for name, net in self.wrapped.items():
                    if not last or name != turn:
                        alone.enter_context(self.accelerator.no_sync(net))
                loss = self.task.loss(self.wrapped, turn, part, labels[number], self.recipe, done) * weight
                self.accelerator.backward(loss)
            total += loss.detach()
        return total

    def expect_finite(self, what: str, value: float, step: int) -> None:
        """Raise ValueError, with the step, its epoch and how to go on, unless the value is finite."""
        if math.isfinite(value):
            return
        epoch = (step - 1) // self.steps_per_epoch + 1
        again = "train again with a lower learning rate (--lr)"
        if self.state_file.exists():
            again = f"the last good state is kept in {self.state_file.parent}, move that folder away and {again}"
        raise ValueError(f"The {what} not finite at step {step}, epoch {epoch}: {again}.")

    def expect_finite_weights(self) -> None:
        every = [parameter for parameters in self.parameters.values() for parameter in parameters]
        self.expect_finite("weights are", get_total_norm(every).item(), self.progress.step)

    @property
    def published(self) -> nn.Module:
        """The network whose weights are evaluated and kept, in eval mode."""
        return (self.average.module if self.average else self.net).eval()

    def evaluate(self) -> dict[str, float]:
        """The figures on the validation split, the main process's for all."""
        return once(self.accelerator, lambda: self.task.evaluate(self.published, self.validation))

    def report(self, figures: dict[str, float]) -> None:
        """Tell the user, and the tracker, of an epoch."""
        self.accelerator.print("  ".join(f"{name} {value:.4g}" for name, value in figures.items()))
        told = {f"validation/{name}": value for name, value in figures.items() if name not in ("epoch", "train_loss")}
        told |= {"train/epoch_loss": figures["train_loss"], "train/epoch": figures["epoch"]}
        self.accelerator.log(told, step=self.progress.step)
        if self.out_of_patience:
            waited = self.stale_epochs()
            self.accelerator.print(
                f"Stopped early after epoch {figures['epoch']}: no better validation {self.task.score} than that of "
                f"epoch {figures['epoch'] - waited}."
            )

    def keep(self) -> None:
        """Remember the weights to publish: the best epoch's if the recipe chooses, else the latest."""
        row = self.progress.history[-1] if self.progress.history else {}
        score, best = self.task.rank(row) if row else -math.inf, self.progress.best
        if self.recipe.keep_best and best and best["score"] > score:
            return
        if self.recipe.keep_best and best and best["epoch"] == row.get("epoch"):
            return  # stopped within the next epoch: what was chosen stays
        weights = self.published.state_dict()
        copies = {name: tensor.detach().cpu().clone() for name, tensor in weights.items()}
        self.progress.best = {"score": score, "epoch": row.get("epoch", 0), "weights": copies}

    def save(self) -> None:
        if not self.accelerator.is_main_process:
            return
        # A finite gradient can throw them out of the range of floats; the file would keep no good state then.
        self.expect_finite_weights()
        whole = {
            "nets": {name: net.state_dict() for name, net in self.nets.items()},
            "average": self.average.state_dict() if self.average else None,
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
            "progress": vars(self.progress),
        }
        state.write(self.state_file, whole)

    def load(self) -> None:
        # Of several machines the first one alone has it.
        if not (whole := once(self.accelerator, lambda: self.state_file.exists() and state.read(self.state_file))):
            return
        try:
            for name, net in self.nets.items():
                net.load_state_dict(whole["nets"][name])
                self.optimizers[name].load_state_dict(whole["optimizers"][name])
            if self.average:
                self.average.load_state_dict(whole["average"])
            self.progress = Progress(**whole["progress"])
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            raise ValueError(
                f"{self.state_file} is of another network: move its folder away and train again."
            ) from error


def is_kept(epoch: int, epochs: int) -> bool:
    """Whether a snapshot is kept of what the network does after this epoch: of the first, the last, evenly between."""
    every = -(-(epochs - 1) // (SNAPSHOTS - 1)) or 1
    return epoch in (1, epochs) or (epoch < epochs and (epoch - 1) % every == 0)


def epoch_order(count: int, seed: int, epoch: int) -> torch.Tensor:
    """The permutation of `count` images in epoch `epoch`; the same on every machine."""
    return torch.randperm(count, generator=torch.Generator().manual_seed(_mix(seed, epoch)))


def _mix(*numbers: int) -> int:
    """One seed from several numbers, such that neighbours have nothing in common."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)


def _seed_everything(seed: int, device: torch.device) -> None:
    """`torch.manual_seed`, which looks for every kind of device there is and takes 0.1 ms to find none."""
    if device.type == "cpu":
        torch.default_generator.manual_seed(seed)
    else:
        torch.manual_seed(seed)
