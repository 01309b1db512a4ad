"""The loop: whatever stops it, it goes on as if nothing had, and it publishes what the recipe says."""

import math
import resource
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tiny
import torch
from looping import (
    DATA,
    EVERYTHING,
    PLAIN,
    STEPS,
    Watched,
    Weights,
    expect_same,
    interrupt_at,
    same,
    small_dense,
    small_resnet,
    state,
    trainer,
)

from train.engine import loop
from train.tasks.classification import Classification, ClassifierRecipe


@pytest.fixture
def train(tmp_path: Path) -> Iterator[Callable[..., loop.Progress]]:
    with trainer(tmp_path) as fit:
        yield fit


@pytest.mark.parametrize(
    ("recipe", "stop"),
    [(PLAIN, 3), (PLAIN, 8), (EVERYTHING, 1), (EVERYTHING, 4), (EVERYTHING, 6), (EVERYTHING, 12)],
    ids=["plain-3", "plain-8", "everything-1", "everything-4", "everything-6", "everything-12"],
)
def test_stopped_and_resumed_is_as_run_through(train, recipe: ClassifierRecipe, stop: int, tmp_path: Path) -> None:
    """Ctrl-C in any step, within an epoch or at its end, and resumed: every weight and figure is the same."""
    whole = train(recipe, name="whole.pt")
    assert (whole.step, whole.finished, len(whole.history)) == (3 * STEPS, True, 3)
    stopped = train(recipe, interrupt_at(stop))
    assert (stopped.step, stopped.finished) == (stop, stop == 3 * STEPS)
    resumed = train(recipe)
    expect_same(resumed, whole)
    left, right = state(tmp_path), state(tmp_path, "whole.pt")
    assert same(left["nets"]["net"], right["nets"]["net"])
    assert (left["average"] is None) == (right["average"] is None) == (recipe.ema is None)
    assert recipe.ema is None or same(left["average"], right["average"])


def test_stopped_twice_by_a_polite_kill(train) -> None:
    """SIGTERM is as good as Ctrl-C, and a run may be stopped more than once."""
    whole = train(EVERYTHING, name="whole.pt")
    train(EVERYTHING, interrupt_at(2, signal.SIGTERM))
    train(EVERYTHING, interrupt_at(4, signal.SIGTERM))
    expect_same(train(EVERYTHING), whole)


def test_second_interrupt_ends_at_once(train) -> None:
    """Who presses Ctrl-C twice does not wait; afterwards Python's own handler is back."""

    def twice(step: int) -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(PLAIN, Watched(twice))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize(
    ("recipe", "calls"), [(EVERYTHING, 6), (replace(EVERYTHING, accumulation=3), 17)], ids=["1", "3"]
)
def test_killed_between_two_saves(train, recipe: ClassifierRecipe, calls: int, tmp_path: Path) -> None:
    """A run that dies in mid-epoch goes on from its last saved state, and ends the same."""
    whole = train(recipe, name="whole.pt")
    with pytest.raises(ZeroDivisionError):
        train(recipe, Watched(lambda call: 1 / 0 if call == calls + 1 else None), save_minutes=0)
    assert state(tmp_path)["progress"]["step"] == 6
    with pytest.raises(TypeError):  # the second time while it validates
        train(recipe, Watched(scores=[None]))
    expect_same(train(recipe), whole)


def test_save_that_fails_keeps_the_old_state(train, tmp_path: Path) -> None:
    """Where 60 kB are all that fits, the 150 kB of a new state are an OSError and do not replace the last good ones."""
    train(PLAIN, max_steps=STEPS)
    before = (tmp_path / "state.pt").read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, limits[1]))
    try:
        with pytest.raises(OSError, match=r"File too large: '.*state\.pt'"):
            train(PLAIN, max_steps=2 * STEPS)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (tmp_path / "state.pt").read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["state.pt"]


def test_max_steps(train) -> None:
    """Training ends within an epoch, which is evaluated all the same; the schedule runs over those steps alone."""
    progress = train(PLAIN, max_steps=STEPS + 2)
    assert (progress.step, progress.finished) == (STEPS + 2, True)
    assert [row["epoch"] for row in progress.history] == [1, 2]
    assert same(train(PLAIN, max_steps=99, name="b").best["weights"], train(PLAIN, name="c").best["weights"])


@pytest.mark.parametrize("first", [2, STEPS, STEPS + 2])
def test_more_steps_than_before(train, first: int) -> None:
    """A run that ended by its limit and goes on with a larger one is as if it had had that from the start."""
    short = train(PLAIN, max_steps=first)
    assert (short.step, short.finished, short.stopped_by) == (first, True, 0)
    expect_same(train(PLAIN, max_steps=2 * STEPS + 1), train(PLAIN, max_steps=2 * STEPS + 1, name="whole"))
    expect_same(train(PLAIN), train(PLAIN, name="free"))


def test_more_steps_choose_anew(train) -> None:
    """The figures of a part of an epoch choose nothing once the whole epoch is there."""
    recipe = replace(PLAIN, keep_best=True)
    assert train(recipe, Watched(scores=[0.1, 0.9]), max_steps=STEPS + 2).best["epoch"] == 2
    whole = train(recipe, Watched(scores=[0.5, 0.4]))
    assert [row["accuracy"] for row in whole.history] == [0.1, 0.5, 0.4]
    assert (whole.best["epoch"], whole.best["score"]) == (2, 0.5)


def test_seed(train) -> None:
    """A seed is the whole of the chance: the same gives the same, another something else."""
    first, second = train(EVERYTHING, name="a"), train(EVERYTHING, name="b")
    expect_same(first, second)
    other = train(replace(EVERYTHING, seed=6), name="c")
    assert not same(other.best["weights"], first.best["weights"])


def test_order(train) -> None:
    """Every epoch sees every image once, in [0, 1], and each in an order of its own."""
    watch = Watched()
    train(PLAIN, watch)
    epochs = [watch.seen[start : start + 50] for start in (0, 50, 100)]
    every = sorted((image.float() / 255).numpy().tobytes() for image in DATA.train.images)
    assert [sorted(epoch) for epoch in epochs] == [every] * 3
    assert len({tuple(epoch) for epoch in epochs}) == 3


def test_it_learns(train) -> None:
    """The loss falls, and what it learned holds for pictures it has not seen."""
    history = train(replace(PLAIN, epochs=12, lr=5e-3)).history
    losses = [row["train_loss"] for row in history]
    assert losses[0] > 2 * losses[5] > 2 * losses[11]
    assert history[-1]["accuracy"] > 0.8


def test_history_is_the_mean_over_images(train) -> None:
    """An epoch's loss is that of its images, the short last batch counting for what it has; stopped or not."""
    watch, again = Watched(), Watched()
    whole = train(PLAIN, watch, name="whole.pt")
    for epoch, row in enumerate(whole.history):
        batches = watch.losses[epoch * STEPS : (epoch + 1) * STEPS]
        assert [count for _, count in batches] == [16, 16, 16, 2]
        assert row["train_loss"] == pytest.approx(sum(loss * count for loss, count in batches) / 50)
    train(PLAIN, interrupt_at(2))
    assert train(PLAIN, again).history == whole.history
    assert again.losses == watch.losses[2:]


@pytest.mark.parametrize(("keep", "epoch"), [(True, 2), (False, 3)])
def test_published_epoch(train, keep: bool, epoch: int) -> None:
    """`keep_best` publishes the epoch that validated best, otherwise the last one is."""
    recipe = replace(PLAIN, keep_best=keep)
    best = train(recipe, Watched(scores=[0.5, 0.9, 0.7])).best
    assert best["epoch"] == epoch
    alone = train(PLAIN, max_steps=epoch * STEPS, name="alone.pt").best
    assert same(best["weights"], alone["weights"])


def test_best_of_a_stopped_run(train) -> None:
    """A run that is stopped publishes its best epoch; before the first has ended, the weights of that moment."""
    recipe = replace(PLAIN, keep_best=True)
    alone = {steps: train(PLAIN, max_steps=steps, name=f"{steps}.pt").best["weights"] for steps in (2, STEPS)}
    assert same(train(recipe, interrupt_at(STEPS + 2)).best["weights"], alone[STEPS])
    assert same(train(recipe, interrupt_at(2), name="early.pt").best["weights"], alone[2])


def test_average_is_what_is_published(train, tmp_path: Path) -> None:
    """With `ema` the published weights are the average of those after each step, buffers too."""
    recipe = replace(EVERYTHING, schedule="constant", warmup=0.0, keep_best=False, ema=0.5)
    latest: list[Weights] = []
    for steps in range(1, 7):
        best = train(recipe, max_steps=steps, name=f"{steps}.pt").best["weights"]
        latest.append(state(tmp_path, f"{steps}.pt")["nets"]["net"])
    for key, published in best.items():
        average = latest[0][key].double()
        for t, weights in enumerate(latest[1:], 1):
            keep = min(0.5, (1 + t) / (10 + t))
            average = keep * average + (1 - keep) * weights[key].double()
        if published.is_floating_point():
            assert torch.allclose(published.double(), average, atol=1e-6), key
            assert not torch.equal(published, latest[-1][key]), key
        else:
            assert published == 6


def test_schedule_is_obeyed(train, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once the factor is zero nothing moves any more, not even by weight decay."""
    recipe = replace(EVERYTHING, ema=None, keep_best=False)
    monkeypatch.setattr(loop, "lr_factor", lambda step, total, recipe: float(step < 5))
    learned = [key for key, _ in small_resnet().named_parameters()]
    five, all_ = train(recipe, max_steps=5, name="5.pt").best["weights"], train(recipe).best["weights"]
    four = train(recipe, max_steps=4, name="4.pt").best["weights"]
    assert same({key: five[key] for key in learned}, {key: all_[key] for key in learned})
    assert not same({key: five[key] for key in learned}, {key: four[key] for key in learned})


def test_clip_is_obeyed(train) -> None:
    """A gradient cut to a norm far below RMSprop's epsilon hardly moves anything."""
    start, free = small_dense().state_dict(), train(PLAIN, max_steps=1, name="free").best["weights"]
    torch.manual_seed(PLAIN.seed)
    start = small_dense().state_dict()
    cut = train(replace(PLAIN, clip=1e-9), max_steps=1, name="cut").best["weights"]
    far, near = (math.sqrt(sum((w[key] - start[key]).square().sum() for key in w)) for w in (free, cut))
    assert 0 < near < 0.02 * far


def test_loss_of_the_task() -> None:
    """Cross-entropy against 1 - e for the digit and e / 10 for each; figures over batches are those of the whole."""
    net = small_dense().eval()
    split = tiny.data(test=600).test
    shares = net(split.images / 255).detach().softmax(1).double().numpy()
    wanted = np.eye(10)[split.labels.numpy()]
    for smoothing in (0.0, 0.2):
        recipe = replace(PLAIN, label_smoothing=smoothing)
        loss = Classification().loss({"net": net}, "net", split.images / 255, split.labels, recipe, 0.0)
        target = (1 - smoothing) * wanted + smoothing / 10
        assert loss.item() == pytest.approx(-(target * np.log(shares)).sum(1).mean(), rel=1e-5)
    figures = Classification().evaluate(net, split)
    assert figures["loss"] == pytest.approx(-np.log((shares * wanted).sum(1)).mean(), rel=1e-5)
    assert figures["accuracy"] == pytest.approx((shares.argmax(1) == split.labels.numpy()).mean())
