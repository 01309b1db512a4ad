"""The loop with two networks: whose turn it is moves, what is stopped goes on, and the opponent stays with the run."""

import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from looping import STEPS, Weights, expect_same, same, state, trainer

import models
from train.engine import loop
from train.figures import fidelity
from train.tasks.gan import Adversarial, GANRecipe, Wasserstein, WGANRecipe
from train.tasks.vae import Likelihood, VAERecipe

COMMON = {"dataset": "d", "epochs": 3, "batch_size": 16, "lr": 2e-3, "source": "", "seed": 5}
PLAIN = GANRecipe(**COMMON, optimizer="adam")
WASSERSTEIN = WGANRecipe(
    **COMMON, optimizer="adam-wgan", schedule="cosine", ema=0.9, critic_steps=3, reading=1.0, keep_best=True
)
GANS = {
    "plain": (PLAIN, partial(models.create, "mnist-gan", latent=4, hidden=(8,))),
    "wasserstein": (WASSERSTEIN, partial(models.create, "mnist-dcgan", latent=4, width=2)),
}


class Watched:
    """Notes before each turn what the weights are, and calls `act` with the number of the step under way, from 1."""

    def __init__(self, act: Callable[[int], object] = lambda step: None):
        self.act, self.steps = act, 0
        self.seen: list[tuple[str, Weights, Weights]] = []

    def loss(self, nets, turn, *others):
        self.steps += turn == "critic"
        copies = [{key: p.detach().clone() for key, p in nets[name].named_parameters()} for name in ("critic", "net")]
        self.seen.append((turn, *copies))
        if turn == "critic":
            self.act(self.steps)
        return super().loss(nets, turn, *others)


class WatchedPlain(Watched, Adversarial):
    pass


class WatchedWasserstein(Watched, Wasserstein):
    pass


WATCHED = {"plain": WatchedPlain, "wasserstein": WatchedWasserstein}


@pytest.fixture
def train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., loop.Progress]]:
    """The judge is a small one: what it says has to be the same, not good."""
    torch.manual_seed(0)
    judge = models.create("mnist-resnet", widths=(4, 6), blocks=(1,)).eval().requires_grad_(False)
    monkeypatch.setattr(fidelity, "judge", lambda: judge)
    with trainer(tmp_path) as fit:
        yield fit


@pytest.mark.parametrize("kind", GANS)
def test_each_turn_moves_its_own_network(train, kind: str) -> None:
    """The critic's turn leaves the generator's weights where they are, the generator's leaves the critic's."""
    recipe, create = GANS[kind]
    watch = WATCHED[kind]()
    train(recipe, watch, create=create)
    turns = [turn for turn, _, _ in watch.seen]
    assert turns == (["critic", "net"] * 12 if kind == "plain" else ["critic", "critic", "critic", "net"] * 4)
    for (turn, *before), (_, *after) in zip(watch.seen, watch.seen[1:], strict=False):
        moved = {name: not same(*pair) for name, *pair in zip(("critic", "net"), before, after, strict=True)}
        assert moved == {"critic": turn == "critic", "net": turn == "net"}


@pytest.mark.parametrize("kind", GANS)
@pytest.mark.parametrize("stop", [2, STEPS, STEPS + 3])
def test_stopped_and_resumed_is_as_run_through(train, kind: str, stop: int, tmp_path: Path) -> None:
    """Stopped within an epoch or at its end: generator, opponent, average, optimisers, pictures end bit for bit."""
    recipe, create = GANS[kind]
    whole = train(recipe, WATCHED[kind](), name="whole.pt", create=create)
    assert (whole.step, whole.finished, len(whole.history)) == (3 * STEPS, True, 3)
    interrupt = WATCHED[kind](lambda step: signal.raise_signal(signal.SIGINT) if step == stop else None)
    stopped = train(recipe, interrupt, create=create)
    assert (stopped.step, stopped.finished) == (stop, False)
    resumed = train(recipe, WATCHED[kind](), create=create)
    expect_same(resumed, whole)
    left, right = state(tmp_path), state(tmp_path, "whole.pt")
    assert left["nets"].keys() == right["nets"].keys() == {"critic", "net"}
    for name in ("critic", "net"):
        assert same(left["nets"][name], right["nets"][name])
        moments, others = (one["optimizers"][name]["state"] for one in (left, right))
        assert moments.keys() == others.keys() and len(moments)
        assert all(same(moments[key], others[key]) for key in moments)
    assert recipe.ema is None or same(left["average"], right["average"])
    assert [row["epoch"] for row in resumed.snapshots] == [row["epoch"] for row in whole.snapshots] == [1, 2, 3]
    for ours, theirs in zip(resumed.snapshots, whole.snapshots, strict=True):
        assert torch.equal(ours["picture"], theirs["picture"])


def test_killed_between_the_turns(train) -> None:
    """A run that dies when the critic has moved and the generator has not goes on from its last whole step."""
    whole = train(PLAIN, name="whole.pt", task=WatchedPlain(), create=GANS["plain"][1])

    class Dying(Adversarial):
        calls = 0

        def loss(self, nets, turn, *others):
            self.calls += turn == "net"
            if self.calls == 6:
                raise ZeroDivisionError
            return super().loss(nets, turn, *others)

    with pytest.raises(ZeroDivisionError):
        train(PLAIN, Dying(), create=GANS["plain"][1], save_minutes=0)
    expect_same(train(PLAIN, WatchedPlain(), create=GANS["plain"][1]), whole)


@pytest.mark.parametrize("kind", GANS)
def test_the_opponent_is_not_published(train, kind: str) -> None:
    """The weights to publish are those of the generator alone, and fit a fresh one."""
    recipe, create = GANS[kind]
    best = train(replace(recipe, epochs=1), WATCHED[kind](), create=create).best["weights"]
    assert best.keys() == create().state_dict().keys()
    create().load_state_dict(best)


@pytest.mark.parametrize("whose", ["critic", "net"])
def test_weights_of_either_that_are_not_finite(train, whose: str, tmp_path: Path) -> None:
    """An opponent that is thrown out of the range of floats ends the run as well, before the state is saved."""

    class Alone(Adversarial):
        def turns(self, step, recipe):
            return (whose,)

    recipe = replace(PLAIN, optimizer="rmsprop", lr=3e38, batch_size=50)
    with pytest.raises(ValueError, match="weights are not finite at step 1, epoch 1: train again"):
        train(recipe, Alone(), create=GANS["plain"][1])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["mnist-vae", "mnist-cvae"])
def test_vae_that_was_stopped(train, name: str, tmp_path: Path) -> None:
    """Its warm-up, its noise and its binarised images go on as if it had not been."""
    recipe = VAERecipe("d", epochs=3, batch_size=16, lr=2e-3, optimizer="adam", source="", seed=5, kl_warmup=0.7)
    sizes = {"hidden": 8, "latent": 3, **({"width": 1} if name == "mnist-cvae" else {})}
    create = partial(models.create, name, **sizes)

    class Stopping(Likelihood):
        def __init__(self, stop: int):
            self.stop, self.done = stop, []

        def loss(self, nets, turn, images, labels, recipe, done):
            self.done.append(done)
            if len(self.done) == self.stop:
                signal.raise_signal(signal.SIGINT)
            return super().loss(nets, turn, images, labels, recipe, done)

    task = Stopping(0)
    whole = train(recipe, task, name="whole.pt", create=create)
    assert task.done == pytest.approx([step / 12 for step in range(12)])
    train(recipe, Stopping(6), create=create)
    resumed = train(recipe, Stopping(0), create=create)
    expect_same(resumed, whole)
    assert len(resumed.snapshots) == 3
    assert {"epoch", "train_loss", "elbo", "kl", "units"} == whole.history[0].keys()
