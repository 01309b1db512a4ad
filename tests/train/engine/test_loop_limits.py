"""The loop where something ends it: numbers that are none, patience, a state that does not fit; and small memory."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from looping import EVERYTHING, PLAIN, STEPS, Watched, expect_same, interrupt_at, same, state, trainer

from train.engine import loop


@pytest.fixture
def train(tmp_path: Path) -> Iterator[Callable[..., loop.Progress]]:
    with trainer(tmp_path) as fit:
        yield fit


def test_loss_that_is_not_finite(train, tmp_path: Path) -> None:
    """It stops in the step, says step and epoch, and leaves the state of the epoch before."""
    with pytest.raises(ValueError, match="loss is not finite at step 6, epoch 2: the last good state is") as refusal:
        train(PLAIN, Watched(lambda step: math.nan if step == 6 else None))
    assert "\n" not in str(refusal.value) and "lower learning rate" in str(refusal.value)
    assert state(tmp_path)["progress"]["step"] == STEPS
    assert all(tensor.isfinite().all() for tensor in state(tmp_path)["nets"]["net"].values())
    with pytest.raises(ValueError, match="not finite at step 1, epoch 1") as refusal:
        train(PLAIN, Watched(lambda step: math.inf), name="new/state.pt")
    assert not (tmp_path / "new" / "state.pt").exists()
    assert "last good state" not in str(refusal.value)


class Overflowing(torch.autograd.Function):
    """Goes forward as if nothing were the matter; its gradient is infinite."""

    @staticmethod
    def forward(ctx, loss: torch.Tensor) -> torch.Tensor:
        return loss.clone()

    @staticmethod
    def backward(ctx, gradient: torch.Tensor) -> torch.Tensor:
        return gradient * math.inf


@pytest.mark.parametrize("clip", [None, 1.0])
def test_gradient_that_is_not_finite(train, clip: float | None, tmp_path: Path) -> None:
    """With a loss like any other it is found before a weight has moved, clipped or not."""
    recipe = replace(PLAIN, clip=clip)

    class Broken(Watched):
        def loss(self, *arguments):
            loss = super().loss(*arguments)
            return Overflowing.apply(loss) if self.steps == 7 else loss

    with pytest.raises(ValueError, match="gradient is not finite at step 7, epoch 2"):
        train(recipe, Broken(), save_minutes=0)
    train(recipe, max_steps=6, name="six.pt")
    assert state(tmp_path)["progress"]["step"] == 6
    assert same(state(tmp_path)["nets"]["net"], state(tmp_path, "six.pt")["nets"]["net"])


@pytest.mark.parametrize("save_minutes", [0, 5])
def test_weights_that_are_not_finite(train, save_minutes: float, tmp_path: Path) -> None:
    """A step that throws them out of the range of floats is not saved, and an epoch that ends so is not evaluated."""
    recipe = replace(PLAIN, lr=3e38, batch_size=50 if save_minutes else 16)
    with pytest.raises(ValueError, match="weights are not finite at step 1, epoch 1: train again"):
        train(recipe, Watched(scores=[]), save_minutes=save_minutes)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("accumulation", [2, 3, 16, 99])
def test_accumulation_is_the_undivided_batch(train, accumulation: int) -> None:
    """A batch in parts, uneven ones too, gives the same loss and gradient, up to rounding; each part is as told."""
    recipe, watch = replace(PLAIN, optimizer="adam"), Watched()
    whole = train(recipe, name="whole.pt")
    parts = train(replace(recipe, accumulation=accumulation), watch)
    sizes = {2: [8, 8], 3: [6, 6, 4], 16: [1] * 16, 99: [1] * 16}[accumulation]
    assert [count for _, count in watch.losses][: 3 * len(sizes)] == 3 * sizes
    for row, wanted in zip(parts.history, whole.history, strict=True):
        assert row == pytest.approx(wanted, rel=1e-4)
    for key, weights in whole.best["weights"].items():
        assert torch.allclose(parts.best["weights"][key], weights, atol=1e-5), key


SCORES = [0.5, 0.7, 0.6, 0.7, 0.6, 0.9]


@pytest.mark.parametrize(
    ("patience", "epochs", "published"), [(1, 3, (2, 3)), (2, 4, (4, 4)), (3, 5, (4, 5)), (4, 6, (6, 6))]
)
def test_patience(
    train, patience: int, epochs: int, published: tuple[int, int], capsys: pytest.CaptureFixture[str]
) -> None:
    """It ends when so many epochs brought nothing better (the same is not better), and is finished then."""
    recipe = replace(PLAIN, epochs=6, patience=patience)
    for keep, epoch in zip((True, False), published, strict=True):
        asked = replace(recipe, keep_best=keep)
        progress = train(asked, Watched(scores=SCORES), name=f"{keep}.pt")
        assert (len(progress.history), progress.finished) == (epochs, True)
        assert (progress.step, progress.best["epoch"]) == (epochs * STEPS, epoch)
        told = f"Stopped early after epoch {epochs}: no better validation accuracy than that of epoch 2."
        assert (told in capsys.readouterr().out) == (epochs < 6)
        again = train(asked, Watched(lambda step: 1 / 0), name=f"{keep}.pt")  # goes no step further
        expect_same(again, progress)


def test_patience_of_a_run_that_was_stopped(train) -> None:
    """A stop counts for nothing, be it in the epoch that decides or right after it."""
    recipe = replace(PLAIN, epochs=6, patience=1, keep_best=True)
    whole = train(recipe, Watched(scores=SCORES), name="whole.pt")
    for stop in (2 * STEPS + 2, 3 * STEPS):
        stopped = interrupt_at(stop)
        stopped.scores = iter(SCORES)
        train(recipe, stopped, name=f"{stop}.pt")
        expect_same(train(recipe, Watched(scores=SCORES[2:]), name=f"{stop}.pt"), whole)


def test_damaged_state(train, tmp_path: Path) -> None:
    """A state file that is not what was written is said to be damaged, and stays for whoever wants to look at it."""
    (tmp_path / "state.pt").write_bytes(b"not a state")
    with pytest.raises(ValueError, match=r"state\.pt is damaged: move its folder away"):
        train(PLAIN)
    assert (tmp_path / "state.pt").read_bytes() == b"not a state"


def test_state_of_another_network(train, tmp_path: Path) -> None:
    """A whole state that does not fit is one sentence too."""
    train(EVERYTHING, max_steps=1)
    with pytest.raises(ValueError, match=r"state\.pt is of another network: move its folder away"):
        train(PLAIN)
