"""What a batch means to autoencoders, VAEs and GANs: each loss against its formula."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import tiny
import torch
from torch import nn
from torch.nn.functional import mse_loss

import models
from models.networks.gan import ConvCritic, MLPDiscriminator
from train.recipe import Recipe
from train.tasks import RECIPES, TASKS
from train.tasks.autoencoding import AutoencoderRecipe, Autoencoding
from train.tasks.gan import Adversarial, Drawing, GANRecipe, Wasserstein, WGANRecipe
from train.tasks.vae import Likelihood, VAERecipe

AUTOENCODER, GAN, WGAN, BOUND = Autoencoding(), Adversarial(), Wasserstein(), Likelihood()


def recipe(kind: Callable[..., Recipe], **values: object) -> Recipe:
    return kind("d", epochs=1, batch_size=8, lr=0.1, optimizer="adam", source="", **values)


def images(count: int = 6) -> torch.Tensor:
    return torch.rand(count, 1, 28, 28, generator=torch.Generator().manual_seed(0))


LABELS = torch.tensor([3, 0, 9, 3, 1, 7])


def test_every_kind_has_a_task() -> None:
    """Each model has a recipe and a task, and what that chooses by is ranked such that more is better."""
    assert sorted(RECIPES) == sorted(TASKS) == sorted(models.names())
    better = {"accuracy": (0.9, 0.8), "mse": (0.01, 0.02), "elbo": (-90.0, -100.0), "frechet": (1.0, 2.0)}
    better |= dict.fromkeys(("psnr", "psnr_25", "psnr_28"), (30.0, 20.0)) | {"f1": (0.9, 0.8), "off": (0.1, 0.2)}
    assert {task.score for task in TASKS.values()} == set(better)
    for task in TASKS.values():
        good, bad = ({task.score: value, "loss": 0.0} for value in better[task.score])
        assert task.rank(good) > task.rank(bad)


def test_recipes_of_the_documents() -> None:
    """The numbers that are theirs, and nothing of ours."""
    gan = RECIPES["mnist-gan"]
    assert (gan.optimizer, gan.lr, gan.epochs, gan.batch_size) == ("adam", 2e-4, 10, 64)
    assert (gan.ema, gan.schedule, gan.augment) == (None, "constant", None)
    assert RECIPES["mnist-dae"].noise == 0.1
    assert [RECIPES[name].noise for name in ("mnist-ae", "mnist-sparse-ae", "mnist-contractive-ae")] == [0, 0, 0]
    for name in ("mnist-ae", "mnist-dae", "mnist-vae", "mnist-gan"):
        one = RECIPES[name]
        assert (one.augment, one.ema, one.schedule, one.warmup, one.weight_decay) == (None, None, "constant", 0, 0)
    face = RECIPES["face-ae"]
    assert (face.optimizer, face.lr, face.epochs, face.batch_size) == ("adam", 1e-3, 50, 64)
    assert (face.augment, face.ema, face.schedule, face.warmup, face.weight_decay) == (None, None, "constant", 0, 0)
    assert (RECIPES["mnist-vae"].kl_weight, RECIPES["mnist-vae"].kl_warmup) == (1, 0)


def autoencoder(activation: str = "relu") -> models.Model:
    torch.manual_seed(0)
    return models.create("mnist-ae", latent=8, activation=activation)


def rebuild(net: models.Model, x: torch.Tensor, **values: float) -> torch.Tensor:
    nets = AUTOENCODER.networks(net)
    assert list(nets) == ["net"]
    return AUTOENCODER.loss(nets, "net", x, LABELS, recipe(AutoencoderRecipe, **values), 0.5)


def test_squared_error() -> None:
    """The mean over pictures and pixels, as numpy has it; nothing is drawn for it."""
    net = autoencoder()
    state = torch.get_rng_state()
    wanted = ((net(images()).detach().numpy() - images().numpy()) ** 2).mean()
    assert rebuild(net, images()).item() == pytest.approx(wanted, rel=1e-5)
    assert torch.equal(torch.get_rng_state(), state)


def test_noise_is_on_the_input_alone() -> None:
    """Normal, of the recipe's deviation, drawn anew for each batch; the clean picture is asked back."""
    seen: list[torch.Tensor] = []

    class Perfect(nn.Module):
        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
            seen.append(x)
            return images(), torch.zeros(6), torch.zeros(6)

    torch.manual_seed(0)
    for _ in range(2):
        asked = recipe(AutoencoderRecipe, noise=0.3)
        assert AUTOENCODER.loss({"net": Perfect()}, "net", images(), LABELS, asked, 0.0) == 0
    noise = seen[0] - images()
    assert noise.mean().item() == pytest.approx(0, abs=0.02)
    assert noise.std().item() == pytest.approx(0.3, rel=0.05)
    assert noise.pow(4).mean().item() == pytest.approx(3 * 0.3**4, rel=0.15)  # as a normal's
    assert not torch.equal(seen[0], seen[1])


def test_noise_is_in_training_alone() -> None:
    """The figures are of clean pictures, whatever the recipe."""
    net, split = autoencoder().eval(), tiny.data(test=20).test
    wanted = mse_loss(net(split.images / 255), split.images / 255).item()
    assert AUTOENCODER.evaluate(net, split)["mse"] == pytest.approx(wanted, rel=1e-5)


def test_sparsity_and_contraction() -> None:
    """Each adds its weight times its mean over the pictures: the code's L1 norm, its Jacobian's squared norm."""
    for activation in ("relu", "sigmoid"):
        net, x = autoencoder(activation), images()
        plain = rebuild(net, x).item()
        code = net.encode(x).detach().double().numpy()
        weight = net.encoder.weight.detach().double().numpy()
        slope = (code > 0) * 1.0 if activation == "relu" else code * (1 - code)
        frobenius = ((slope[:, :, None] * weight[None]) ** 2).sum((1, 2)).mean()
        assert rebuild(net, x, sparsity=0.02).item() == pytest.approx(plain + 0.02 * np.abs(code).sum(1).mean())
        assert rebuild(net, x, contraction=0.3).item() == pytest.approx(plain + 0.3 * frobenius, rel=1e-5)


class Told(nn.Module):
    """A VAE's bound that is known, and notes what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[torch.Tensor, torch.Tensor]] = []

    def forward(self, x: torch.Tensor, digit: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None]:
        self.asked.append((x, digit))
        return torch.full((len(x),), -100.0), torch.full((len(x),), 6.0), None


@pytest.mark.parametrize(
    ("warmup", "done", "weight"),
    [(0.0, 0.0, 1.0), (0.2, 0.0, 0.0), (0.2, 0.05, 0.25), (0.2, 0.2, 1.0), (0.2, 0.9, 1.0)],
)
def test_bound_and_its_warm_up(warmup: float, done: float, weight: float) -> None:
    """KL times a weight that rises in a straight line, less log p(x | z); mean over both."""
    for factor in (1.0, 4.0):
        asked = recipe(VAERecipe, kl_warmup=warmup, kl_weight=factor)
        loss = BOUND.loss({"net": Told()}, "net", images(), LABELS, asked, done)
        assert loss.item() == pytest.approx(100 + factor * weight * 6)


def test_images_are_binarised_afresh() -> None:
    """Each pixel is 0 or 1 by the chance that it says, and another time by another."""
    told, grey = Told(), torch.full((6, 1, 28, 28), 0.3)
    for _ in range(2):
        BOUND.loss({"net": told}, "net", grey, LABELS, recipe(VAERecipe), 0.0)
    (first, digit), (second, _) = told.asked
    assert set(first.unique().tolist()) == {0, 1}
    assert first.mean().item() == pytest.approx(0.3, abs=0.03)
    assert not torch.equal(first, second)
    assert torch.equal(digit, LABELS)


@pytest.mark.parametrize("steps", [1, 3])
def test_turns(steps: int) -> None:
    """The opponent makes one in every step, the generator after it in every so many, counted from the first."""
    turns = [WGAN.turns(step, recipe(WGANRecipe, critic_steps=steps)) for step in range(6)]
    both, alone = ("critic", "net"), ("critic",)
    assert turns == {1: [both] * 6, 3: [alone, alone, both] * 2}[steps]
    assert [GAN.turns(step, recipe(GANRecipe)) for step in range(3)] == [both] * 3
    assert AUTOENCODER.turns(0, recipe(AutoencoderRecipe)) == BOUND.turns(5, recipe(VAERecipe)) == ("net",)


def test_opponents() -> None:
    """Each generator's own: the document's discriminator, or a critic as wide as the generator."""
    plain, conv = GAN.networks(models.create("mnist-gan")), WGAN.networks(models.create("mnist-dcgan"))
    assert isinstance(plain["critic"], MLPDiscriminator)
    assert isinstance(conv["critic"], ConvCritic) and conv["critic"].conv1.out_channels == 32
    assert plain.keys() == conv.keys() == {"critic", "net"}


class Linear(nn.Module):
    """A discriminator that says w x, w being as long as `norm`."""

    def __init__(self, norm: float):
        super().__init__()
        w = torch.randn(784, generator=torch.Generator().manual_seed(1))
        self.w = nn.Parameter(norm * w / w.norm())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.flatten(1) @ self.w

    def by_hand(self, x: torch.Tensor) -> np.ndarray:
        return x.flatten(1).double().numpy() @ self.w.detach().double().numpy()


class LinearCritic(Linear):
    """It adds v of the digit, and reads a digit by as many other lines."""

    def __init__(self, norm: float):
        super().__init__(norm)
        self.digit = nn.Parameter(torch.randn(10, generator=torch.Generator().manual_seed(2)))
        self.lines = nn.Parameter(torch.randn(784, 10, generator=torch.Generator().manual_seed(3)) / 10)

    def forward(self, x: torch.Tensor, digit: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return super().forward(x) + self.digit[digit], x.flatten(1) @ self.lines

    def told(self, x: torch.Tensor) -> np.ndarray:
        return self.by_hand(x) + self.digit[LABELS].detach().double().numpy()

    def misread(self, x: torch.Tensor) -> float:
        logits = x.flatten(1).double().numpy() @ self.lines.detach().double().numpy()
        shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        return -np.log(shares[np.arange(6), LABELS]).mean()


def adversaries(critic: nn.Module) -> tuple[dict[str, nn.Module], torch.Tensor]:
    """A critic, a small conditional generator, and what that draws under seed 7."""
    torch.manual_seed(0)
    net = models.create("mnist-dcgan", latent=4, width=2).eval()
    nets = {"critic": critic, "net": Drawing(net)}
    torch.manual_seed(7)
    return nets, nets["net"](LABELS).detach()


PLAIN = recipe(GANRecipe)


def turn(nets: dict[str, nn.Module], whose: str, asked: Recipe) -> torch.Tensor:
    torch.manual_seed(7)
    return (GAN if type(asked) is GANRecipe else WGAN).loss(nets, whose, images(), LABELS, asked, 0.5)


def softplus(x: np.ndarray) -> np.ndarray:
    return np.logaddexp(0, x)


@pytest.mark.parametrize("norm", [0.5, 3.0])
def test_plain_gan(norm: float) -> None:
    """-log D(x) - log(1 - D(G(z))), and -log D(G(z)) for the generator, D being the sigmoid of the logit."""
    nets, drawn = adversaries(Linear(norm))
    real, fake = (nets["critic"].by_hand(x) for x in (images(), drawn))
    assert turn(nets, "critic", PLAIN).item() == pytest.approx((softplus(-real) + softplus(fake)).mean(), rel=1e-5)
    assert turn(nets, "net", PLAIN).item() == pytest.approx(softplus(-fake).mean(), rel=1e-5)


@pytest.mark.parametrize("norm", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("reading", [0.0, 0.5])
def test_wasserstein_gan(norm: float, reading: float) -> None:
    """C(G(z)) - C(x) + 10 (|w| - 1)^2 for the critic C, and -C(G(z)) for the generator.

    Besides, the cross-entropy by which the critic reads real pictures, and by which it reads the generator's.
    """
    nets, drawn = adversaries(LinearCritic(norm))
    critic, asked = nets["critic"], recipe(WGANRecipe, reading=reading)
    distance = critic.told(drawn).mean() - critic.told(images()).mean()
    wanted = distance + 10 * (norm - 1) ** 2 + reading * critic.misread(images())
    assert turn(nets, "critic", asked).item() == pytest.approx(wanted, rel=1e-4, abs=1e-5)
    wanted = reading * critic.misread(drawn) - critic.told(drawn).mean()
    assert turn(nets, "net", asked).item() == pytest.approx(wanted, rel=1e-4)
    free = recipe(WGANRecipe, gradient_penalty=0.0)
    assert turn(nets, "critic", free).item() == pytest.approx(distance, rel=1e-4, abs=1e-5)


def test_penalty_is_between_real_and_drawn() -> None:
    """The slope is asked at points on the lines between pairs of the two, of the same digit, each its own way along."""
    nets, drawn = adversaries(LinearCritic(1.0))
    asked: list[tuple[torch.Tensor, torch.Tensor]] = []
    nets["critic"].register_forward_pre_hook(lambda module, inputs: asked.append(inputs))
    turn(nets, "critic", recipe(WGANRecipe))
    x, digit = asked[0]
    real, fake, between = x.detach().chunk(3)
    assert torch.equal(real, images()) and torch.equal(fake, drawn) and torch.equal(digit, LABELS.repeat(3))
    shares = ((between - fake) * (real - fake)).sum((1, 2, 3)) / (real - fake).square().sum((1, 2, 3))
    assert torch.allclose(between, shares[:, None, None, None] * (real - fake) + fake, atol=1e-5)
    assert 0 < shares.min() < shares.max() < 1 and len(shares.unique()) == 6


@pytest.mark.parametrize("asked", [PLAIN, recipe(WGANRecipe, reading=0.5)])
def test_gradient_goes_to_whose_turn_it_is(asked: Recipe) -> None:
    """The critic's loss asks nothing of the generator; the generator's goes through the critic to every weight."""
    nets, _ = adversaries(Linear(2.0) if asked is PLAIN else LinearCritic(2.0))
    turn(nets, "critic", asked).backward()
    assert all(parameter.grad is None for parameter in nets["net"].parameters())
    assert nets["critic"].w.grad.any()
    turn(nets, "net", asked).backward()
    for key, parameter in nets["net"].named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), key
        assert parameter.grad.any(), key
    # Against the gradient a picture looks more real.
    before = turn(nets, "net", asked).item()
    with torch.no_grad():
        for parameter in nets["net"].parameters():
            parameter -= 1e-3 * parameter.grad
    assert turn(nets, "net", asked).item() < before
    assert math.isfinite(before)
