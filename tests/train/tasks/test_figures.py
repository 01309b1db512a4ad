"""Figures of autoencoders and VAEs, against numpy and networks of which the answer is known."""

import math

import numpy as np
import pytest
import tiny
import torch

import models
from models.networks.vae import VAE
from train.data.splits import Data, Split
from train.tasks import autoencoding
from train.tasks import vae as likelihood


def net(latent: int = 12) -> models.Model:
    torch.manual_seed(0)
    return models.create("mnist-ae", latent=latent).eval().requires_grad_(False)


@pytest.mark.parametrize("batch", [13, 500])
def test_reconstruction(batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mean over all pixels of all images, the last batch counting for what it has; neurons above 0.01; slopes."""
    monkeypatch.setattr(autoencoding, "BATCH", batch)
    auto, split = net(), tiny.data(test=40).test
    split.images[30:] = 255 - split.images[30:]  # that they are not all alike
    x = split.images / 255
    code = auto.encode(x).numpy()
    slopes = torch.autograd.functional.jacobian(lambda x: auto.encode(x).sum(0), x)  # each image has its own code
    wanted = {
        "mse": ((auto(x).numpy() - x.numpy()) ** 2).mean(),
        "active": (code > 0.01).mean(),
        "jacobian": slopes.square().sum().item() / 40,
    }
    assert 0.1 < wanted["active"] < 0.9
    assert autoencoding.reconstruction(auto, split) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("components", [1, 5, 64])
def test_pca(components: int) -> None:
    """Test images less the training mean, projected on the first right singular vectors that numpy finds."""
    data = tiny.data(train=200, test=50)
    train, test = (split.images.flatten(1).numpy().astype(np.float64) / 255 for split in (data.train, data.test))
    mean = train.mean(0)
    _, _, axes = np.linalg.svd(train - mean, full_matrices=False)
    rest = (test - mean) - (test - mean) @ axes[:components].T @ axes[:components]
    assert autoencoding.pca_mse(data, components) == pytest.approx((rest**2).mean(), rel=1e-3)


class Encoder:
    """A code that says what `function` says of a picture's label, which stands in its first pixel."""

    def __init__(self, function):
        self.function = function

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        return self.function((images[:, 0, 0, 0] * 255).round().long())


def labelled(train: int, test: int) -> Data:
    data = tiny.data(train=train, test=test)
    splits = []
    for split in (data.train, data.test):
        images = split.images.clone()
        images[:, 0, 0, 0] = split.labels
        splits.append(Split(images, split.labels))
    return Data(splits[0], data.validation, splits[1], data.name, data.fingerprint)


def test_probe_accuracy() -> None:
    """All where the code has a neuron for each digit, even a faint one; a tenth where it has nothing to do with it."""
    data = labelled(300, 200)
    scale = torch.logspace(-4, 3, 10)
    assert autoencoding.probe_accuracy(Encoder(lambda label: torch.eye(10)[label] * scale), data) == 1
    torch.manual_seed(0)
    assert autoencoding.probe_accuracy(Encoder(lambda label: torch.randn(len(label), 5)), data) < 0.25
    # Trained on one split and asked on the other: five digits are told apart, the others look the same.
    halved = autoencoding.probe_accuracy(Encoder(lambda label: torch.eye(10)[label.clamp(max=5)]), data)
    assert halved == pytest.approx(0.6, abs=0.05)


def known(means: torch.Tensor, log_variance: float, logit: float) -> VAE:
    """A VAE whose q(z | x) is the same for all x, and whose pixels do not depend on z."""
    vae = models.create("mnist-vae", hidden=4, latent=len(means)).eval().requires_grad_(False)
    for parameter in vae.parameters():
        parameter.zero_()
    vae.mean.bias.copy_(means)
    vae.log_variance.bias.fill_(log_variance)
    vae.decoder[2].bias.fill_(logit)
    return vae


def black_and_white(count: int) -> Split:
    split = tiny.data(test=count).test
    return Split((split.images > 100).byte() * 255, split.labels)


def log_share(split: Split, logit: float) -> float:
    """log p of black and white pictures whose pixels are all white with the same probability, mean over them."""
    white = (split.images == 255).sum((1, 2, 3)).double().mean().item()
    share = 1 / (1 + math.exp(-logit))
    return white * math.log(share) + (784 - white) * math.log(1 - share)


def test_bound() -> None:
    """-KL + log p(x | z), the KL being mean^2 / 2 here; a mean that is the same for every image is no active unit."""
    split = black_and_white(60)
    means = torch.tensor([0.0, 0.1, 0.2, -1.5, 3.0])
    found = likelihood.bound(known(means, 0.0, -1.0), split)
    divergence = means.square().sum().item() / 2
    assert found["kl"] == pytest.approx(divergence, rel=1e-5)
    assert found["units"] == 0
    assert found["elbo"] == pytest.approx(log_share(split, -1.0) - divergence, rel=1e-5)


def test_active_units() -> None:
    """A unit is active whose mean varies over the images by more than 0.01 (here it is a share of the white pixels)."""
    split, vae = black_and_white(60), known(torch.zeros(3), 0.0, -1.0)
    white = (split.images / 255).flatten(1).sum(1)
    vae.encoder.weight[0] = 1.0
    for unit, variance in enumerate((0.0, 0.009, 0.011)):
        vae.mean.weight[unit, 0] = (variance / white.var()).sqrt()
    assert likelihood.bound(vae, split)["units"] == 1


def test_a_collapse_is_seen() -> None:
    """A code that says nothing has no active unit and no KL; the bound is then the likelihood itself."""
    split = black_and_white(60)
    found = likelihood.bound(known(torch.zeros(6), 0.0, -2.0), split)
    assert (found["units"], found["kl"]) == (0, 0)
    assert found["elbo"] == pytest.approx(log_share(split, -2.0), rel=1e-5)


def test_bound_draws_the_same_each_time() -> None:
    """Grey pixels are binarised and latents drawn by one seed, and the global generator is left as it was."""
    torch.manual_seed(0)
    vae, split = models.create("mnist-vae", hidden=8, latent=3).eval(), tiny.data(test=50).test
    first = likelihood.bound(vae, split)
    torch.manual_seed(9)
    state = torch.get_rng_state()
    assert likelihood.bound(vae, split) == first
    assert torch.equal(torch.get_rng_state(), state)


def test_negative_log_likelihood(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pixels that do not depend on z: -log p(x) whatever q is, by as many samples as are told."""
    monkeypatch.setattr(likelihood, "SAMPLES", 3)
    monkeypatch.setattr(likelihood, "BATCH", 17)
    split = black_and_white(40)
    found = likelihood.negative_log_likelihood(known(torch.zeros(4), 0.0, -1.5), split)
    assert found == pytest.approx(-log_share(split, -1.5), rel=1e-5)
    asked: list[int] = []
    monkeypatch.setattr(VAE, "log_likelihood", lambda self, x, samples, generator: asked.append(samples) or x.mean(0))
    likelihood.negative_log_likelihood(known(torch.zeros(4), 0.0, -1.5), split)
    assert asked == [3, 3, 3]


def test_images_are_binarised_by_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """What likelihood is asked of is 0 or 1, white as often as the pixel is light, by one seed."""
    seen: list[torch.Tensor] = []
    monkeypatch.setattr(
        VAE, "log_likelihood", lambda self, x, samples, generator: seen.append(x) or torch.zeros(len(x))
    )
    split = Split(torch.full((200, 1, 28, 28), 64, dtype=torch.uint8), torch.zeros(200, dtype=torch.long))
    for _ in range(2):
        likelihood.negative_log_likelihood(known(torch.zeros(2), 0.0, 0.0), split)
    assert set(seen[0].unique().tolist()) == {0, 1}
    assert seen[0].mean().item() == pytest.approx(64 / 255, abs=0.005)
    assert torch.equal(seen[0], seen[1])
