"""Figures of what a generator draws: against closed forms, brute force, and sets of which the answer is plain."""

import math

import numpy as np
import pytest
import scipy.linalg
import tiny
import torch

import models
from models.networks.classifiers import ResNet
from models.networks.generators import Generator
from train.figures import fidelity


def exact_normal(mean: np.ndarray, covariance: np.ndarray, count: int, seed: int) -> torch.Tensor:
    """Points (count, D) of which mean and covariance are exactly these."""
    points = np.random.default_rng(seed).normal(size=(count, len(mean)))
    points -= points.mean(0)
    points = points @ np.linalg.inv(np.linalg.cholesky(np.cov(points.T))).T
    return torch.tensor(points @ np.linalg.cholesky(covariance).T + mean)


def test_frechet_distance_of_aligned_normals() -> None:
    """|m - n|^2 + the sum of (s - t)^2, where the axes are the same and s, t the deviations along them."""
    m, n = np.array([1.0, -2.0, 0.5]), np.array([0.0, 1.0, 0.5])
    s, t = np.array([1.0, 2.0, 0.3]), np.array([0.5, 2.0, 3.0])
    left, right = exact_normal(m, np.diag(s**2), 50, 0), exact_normal(n, np.diag(t**2), 80, 1)
    wanted = ((m - n) ** 2).sum() + ((s - t) ** 2).sum()
    assert fidelity.frechet_distance(left, right) == pytest.approx(wanted, rel=1e-6)
    assert fidelity.frechet_distance(right, left) == pytest.approx(wanted, rel=1e-6)
    assert fidelity.frechet_distance(left, left) == pytest.approx(0, abs=1e-6)


def test_frechet_distance_of_any_normals() -> None:
    """|m - n|^2 + tr(S + T - 2 (S^1/2 T S^1/2)^1/2), the square roots being SciPy's; of float32 features too."""
    draw = np.random.default_rng(0)
    a, b = draw.normal(size=(2, 6, 6))
    m, n, S, T = draw.normal(size=6), draw.normal(size=6), a @ a.T + np.eye(6), b @ b.T + np.eye(6)
    root = scipy.linalg.sqrtm(S)
    wanted = ((m - n) ** 2).sum() + np.trace(S + T - 2 * scipy.linalg.sqrtm(root @ T @ root)).real
    left, right = exact_normal(m, S, 200, 1), exact_normal(n, T, 300, 2)
    assert fidelity.frechet_distance(left, right) == pytest.approx(wanted, rel=1e-6)
    assert fidelity.frechet_distance(left.float(), right.float()) == pytest.approx(wanted, rel=1e-4)


def within(points: np.ndarray, manifold: np.ndarray) -> float:
    """The share of points in a ball around some point of the manifold, which reaches to its third neighbour."""
    count = 0
    radii = [sorted(np.sqrt(((manifold - one) ** 2).sum(1)))[3] for one in manifold]
    for point in points:
        distances = np.sqrt(((manifold - point) ** 2).sum(1))
        count += any(distance <= radius for distance, radius in zip(distances, radii, strict=True))
    return count / len(points)


@pytest.mark.parametrize("batch", [7, 500])
def test_precision_and_recall(batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As brute force has them, however many are compared at once."""
    monkeypatch.setattr(fidelity, "BATCH", batch)
    draw = np.random.default_rng(0)
    real, drawn = draw.normal(size=(60, 4)), 1.3 * draw.normal(size=(45, 4)) + 0.8
    wanted = (within(drawn, real), within(real, drawn))
    assert 0.1 < wanted[0] < 0.9 and 0.1 < wanted[1] < 0.95 and wanted[0] != wanted[1]
    assert fidelity.precision_recall(torch.tensor(real), torch.tensor(drawn)) == pytest.approx(wanted)
    told = fidelity.precision_recall(torch.tensor(real).float(), torch.tensor(drawn).float())
    assert told == pytest.approx(wanted, abs=0.03)


def test_precision_and_recall_of_plain_cases() -> None:
    """The same set: all and all. Far apart: none and none. Half of the modes: all are real, half is missed."""
    draw = torch.Generator().manual_seed(0)
    near, far = torch.randn(100, 3, generator=draw), torch.randn(100, 3, generator=draw) + 50
    both = torch.cat([near, far])
    assert fidelity.precision_recall(both, both) == (1, 1)
    assert fidelity.precision_recall(near, far) == (0, 0)
    precision, recall = fidelity.precision_recall(both, near)
    assert precision == 1 and recall == pytest.approx(0.5)
    precision, recall = fidelity.precision_recall(near, both)
    assert precision == pytest.approx(0.5) and recall == 1
    ring = torch.nn.functional.normalize(torch.randn(200, 3, generator=draw), dim=1)
    assert fidelity.precision_recall(ring, ring.mean(0) + 1e-3 * torch.randn(50, 3, generator=draw))[1] == 0


def test_spread() -> None:
    """The deviation of each pixel among pictures of one digit, the mean over pixels and digits."""
    images, digits = torch.rand(60, 1, 5, 5), torch.arange(60) % 3
    images[digits == 2] *= 0.1
    wanted = np.mean([images[digits == digit].numpy().std(0).mean() for digit in range(3)])
    assert fidelity.spread(images, digits) == pytest.approx(wanted, rel=1e-5)
    assert fidelity.spread(images[:1].expand(20, 1, 5, 5), torch.arange(20) % 2) == 0
    assert fidelity.spread(images[:3], torch.tensor([1, 1, 2])) == pytest.approx(
        images[:2].numpy().std(0).mean() / 2, rel=1e-5
    )  # a digit of which there is one picture has no spread


@pytest.fixture
def judge(monkeypatch: pytest.MonkeyPatch) -> ResNet:
    """A small one with random weights in its place."""
    torch.manual_seed(0)
    net = models.create("mnist-resnet", widths=(4, 6), blocks=(1,)).eval().requires_grad_(False)
    monkeypatch.setattr(fidelity, "judge", lambda: net)
    return net


def generator(name: str = "mnist-dcgan") -> Generator:
    torch.manual_seed(0)
    return models.create(name, latent=4, **({"width": 4} if name == "mnist-dcgan" else {"hidden": (8,)})).eval()


def test_the_judge() -> None:
    """It is the published classifier: its features and its last layer make its answers."""
    assert type(fidelity.judge()) is ResNet and fidelity.judge().provenance
    assert not fidelity.judge().training and not any(one.requires_grad for one in fidelity.judge().parameters())
    images = tiny.data(test=20).test.images / 255
    found, logits = fidelity.features(images)
    assert found.shape == (20, 128)
    with torch.inference_mode():
        assert torch.allclose(logits, models.load(fidelity.JUDGE)(images), atol=1e-3)
        assert torch.allclose(
            found @ fidelity.judge().output.weight.T + fidelity.judge().output.bias, logits, atol=1e-3
        )


@pytest.mark.parametrize("batch", [7, 500])
def test_draw(batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each digit as often as the others, by one seed, whatever the global generator is at."""
    monkeypatch.setattr(fidelity, "BATCH", batch)
    net = generator()
    torch.manual_seed(1)
    pictures, digits = fidelity.draw(net, 40)
    assert pictures.shape == (40, 1, 28, 28)
    assert torch.bincount(digits).tolist() == [4] * 10
    torch.manual_seed(2)
    again, _ = fidelity.draw(net, 40)
    assert torch.equal(again, pictures)
    z = torch.randn(min(batch, 40), 4, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert torch.allclose(pictures[: len(z)], net.decode(z, digits[: len(z)]), atol=1e-6)


def test_snapshot() -> None:
    """The same points of the latent each time, side by side, as pixels of a picture."""
    for name in ("mnist-dcgan", "mnist-gan"):
        net = generator(name)
        row = fidelity.snapshot(net)
        assert row.shape == (28, 28 * fidelity.SHOWN) and row.dtype == torch.uint8
        assert torch.equal(fidelity.snapshot(net), row)
        pictures = (255 * fidelity.draw(net, fidelity.SHOWN)[0][:, 0]).round()
        for index, picture in enumerate(pictures):
            assert torch.equal(row[:, 28 * index : 28 * index + 28].float(), picture)


def test_measure(judge: ResNet) -> None:
    """Each figure is that of its function for as many drawn pictures as there are real ones."""
    net, split = generator(), tiny.data(test=60).test
    figures = fidelity.measure(net, split)
    drawn, digits = fidelity.draw(net, 60)
    (real, _), (fake, logits) = fidelity.features(split.images / 255), fidelity.features(drawn)
    assert figures["frechet"] == pytest.approx(fidelity.frechet_distance(real, fake), rel=1e-4)
    assert fidelity.frechet(net, split) == pytest.approx(figures["frechet"], rel=1e-4)
    assert (figures["precision"], figures["recall"]) == fidelity.precision_recall(real, fake)
    assert figures["asked"] == pytest.approx(np.mean(logits.argmax(1).numpy() == digits.numpy()))
    wanted = fidelity.spread(drawn, digits) / fidelity.spread(split.images / 255, split.labels)
    assert figures["spread"] == pytest.approx(wanted)
    plain = fidelity.measure(generator("mnist-gan"), split)
    assert plain.keys() == figures.keys() - {"asked", "spread"}


def inception_score(shares: np.ndarray) -> float:
    """exp of the mean over the pictures of KL(p(digit | picture) || p(digit))."""
    return math.exp((shares * (np.log(shares) - np.log(shares.mean(0)))).sum(1).mean())


@pytest.mark.parametrize("sort", ["any", "one of ten", "all the same", "unsure"])
def test_inception_score_and_asked(sort: str, judge: ResNet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of known answers: 10 where each digit is sure and as frequent, 1 where all answers are the same."""
    logits = {
        "any": 2 * torch.randn(60, 10, generator=torch.Generator().manual_seed(0)),
        "one of ten": 40 * torch.eye(10).repeat(6, 1),
        "all the same": torch.tensor([0.0, 3, 1, *[0] * 7]).expand(60, 10),
        "unsure": torch.zeros(60, 10),
    }[sort]
    points = torch.rand(60, 3)
    monkeypatch.setattr(fidelity, "features", lambda images: (points, logits))
    figures = fidelity.measure(generator(), tiny.data(test=60).test)
    shares = logits.double().softmax(1).numpy()
    wanted = {"one of ten": 10, "all the same": 1, "unsure": 1}.get(sort) or inception_score(shares)
    assert figures["inception_score"] == pytest.approx(wanted, rel=1e-4)
    if sort in ("one of ten", "all the same"):
        assert figures["asked"] == pytest.approx({"one of ten": 1, "all the same": 0.1}[sort])
