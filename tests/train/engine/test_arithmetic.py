"""The arithmetic of training against formulas written out: metrics, learning rate, averages, optimisers, warps."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from train.data import strokes
from train.data.augmentation import Augment
from train.engine.loop import epoch_order
from train.engine.optimizers import ema, lr_factor, make_optimizer
from train.figures import classification
from train.tasks import RECIPES
from train.tasks.classification import Classification, ClassifierRecipe


def recipe(**values: object) -> ClassifierRecipe:
    return ClassifierRecipe(
        **{"dataset": "d", "epochs": 1, "batch_size": 8, "lr": 0.1, "optimizer": "adamw", "source": "", **values}
    )


def answers(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits that are right more often than not, with ties, where 9 is never answered."""
    draw = torch.Generator().manual_seed(seed)
    labels = torch.cat([torch.arange(10), torch.randint(0, 10, (190,), generator=draw)])
    logits = torch.randn(200, 10, generator=draw).round(decimals=1)
    logits[torch.arange(200), labels] += 2.5
    logits[:, 9] -= 20
    return logits, labels


def by_hand(scores: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """The textbook's definitions, class by class; AUC as the share of pairs in the right order, a tie being half."""
    found = scores.argmax(1)
    precisions, recalls, f1s, aucs = [], [], [], []
    for digit in range(10):
        hits = np.sum((found == digit) & (labels == digit))
        precisions.append(hits / max(np.sum(found == digit), 1))
        recalls.append(hits / np.sum(labels == digit))
        f1s.append(2 * hits / (np.sum(found == digit) + np.sum(labels == digit)))
        difference = scores[labels == digit, digit][:, None] - scores[labels != digit, digit][None]
        aucs.append(np.mean((difference > 0) + 0.5 * (difference == 0)))
    names = ("precision", "recall", "f1", "roc_auc")
    means = dict(zip(names, map(np.mean, (precisions, recalls, f1s, aucs)), strict=True))
    confidence, error = scores.max(1), 0.0
    for low in np.arange(15) / 15:
        inside = (confidence > low) & (confidence <= low + 1 / 15)
        if inside.any():
            error += inside.mean() * abs(confidence[inside].mean() - np.mean((found == labels)[inside]))
    return {"accuracy": np.mean(found == labels), **means, "ece": error}


@pytest.mark.parametrize("seed", range(3))
def test_metrics(seed: int) -> None:
    """Accuracy and the macro means are the definitions', for logits as for probabilities."""
    logits, labels = answers(seed)
    shares = logits.softmax(1)
    expected = by_hand(shares.numpy(), labels.numpy())
    assert 0.5 < expected["accuracy"] < 0.95
    assert classification.classification(logits, labels) == pytest.approx(expected, abs=1e-6)
    assert classification.classification(shares, labels) == pytest.approx(expected, abs=1e-6)


def test_confusion() -> None:
    """Rows are the truth, columns the answer."""
    logits, labels = answers(0)
    counts = np.zeros((10, 10), int)
    np.add.at(counts, (labels.numpy(), logits.argmax(1).numpy()), 1)
    assert classification.confusion(logits, labels).tolist() == counts.tolist()
    assert counts[:9, 9].sum() == 0 and counts[9].sum() > 0


def test_learning_rate() -> None:
    """A straight rise over the warm-up, then half a cosine to zero; without a schedule it stays up."""
    total, cosine = 1000, recipe(warmup=0.1, schedule="cosine")
    factors = [lr_factor(step, total, cosine) for step in range(total)]
    for step in range(100):
        assert factors[step] == pytest.approx((step + 1) / 101)
    for step in range(100, total):
        assert factors[step] == pytest.approx(math.cos(math.pi / 2 * (step - 100) / 900) ** 2)
    assert max(factors) == factors[100] == 1
    assert factors[550] == pytest.approx(0.5)
    assert factors[-1] < 1e-5
    assert [lr_factor(step, 10, recipe(warmup=0.25)) for step in (0, 1, 2, 3, 9)] == pytest.approx(
        [1 / 3.5, 2 / 3.5, 3 / 3.5, 1, 1]
    )
    assert {lr_factor(step, 7, recipe()) for step in range(7)} == {1.0}


def test_average() -> None:
    """The average of n values is a weighted sum; the weights follow from keep(t) = min(decay, (1 + t) / (10 + t))."""
    values = np.random.default_rng(0).normal(size=400)
    net = nn.BatchNorm1d(1)
    average = AveragedModel(net, multi_avg_fn=ema(0.95), use_buffers=True)
    for value in values:
        net.weight.data.fill_(value)
        net.running_mean.fill_(2 * value)
        net.num_batches_tracked += 1
        average.update_parameters(net)
    keep = [0.0] + [min(0.95, (1 + t) / (10 + t)) for t in range(1, 400)]
    weights = [(1 - keep[t]) * math.prod(keep[t + 1 :]) for t in range(400)]
    assert sum(weights) == pytest.approx(1)
    assert keep[170] == 0.95 > keep[169]
    assert average.module.weight.item() == pytest.approx(np.dot(weights, values), abs=1e-5)
    assert average.module.running_mean.item() == pytest.approx(2 * np.dot(weights, values), abs=1e-5)
    assert average.module.num_batches_tracked.item() == 400


def test_weight_decay_spares_biases_and_norms() -> None:
    """With a gradient of zero a step of AdamW only decays: matrices and kernels shrink by lr * decay, others stay."""
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Linear(4, 4))
    for parameter in net.parameters():
        nn.init.constant_(parameter, 3.0)
        parameter.grad = torch.zeros_like(parameter)
    make_optimizer(net, recipe(weight_decay=0.5)).step()
    after = {name: parameter.unique().tolist() for name, parameter in net.named_parameters()}
    shrunk = pytest.approx([3 * (1 - 0.1 * 0.5)])
    assert {name: values == [3.0] for name, values in after.items()} == {
        "0.weight": False, "0.bias": True, "1.weight": True, "1.bias": True, "2.weight": False, "2.bias": True,
    }  # fmt: skip
    assert after["0.weight"] == shrunk and after["2.weight"] == shrunk


def test_rmsprop_is_that_of_keras() -> None:
    """v = 0.9 v + 0.1 g², w -= lr g / (sqrt(v) + 1e-7), with the recipe's learning rate of 0.001."""
    gradients = np.array([[0.5, -2.0, 1e-4], [0.1, 0.0, -3.0]])
    net = nn.Linear(3, 1, bias=False)
    w, v = net.weight.detach().numpy().astype(np.float64).copy()[0], np.zeros(3)
    optimizer = make_optimizer(net, RECIPES["mnist-dense"])
    for g in gradients:
        net.weight.grad = torch.tensor(g[None], dtype=torch.float32)
        optimizer.step()
        v = 0.9 * v + 0.1 * g**2
        w -= 1e-3 * g / (np.sqrt(v) + 1e-7)
    assert net.weight.detach().numpy()[0] == pytest.approx(w, abs=1e-7)


def test_faithful_recipe() -> None:
    """`mnist-dense` is trained as its document has it, without anything of ours."""
    told = {"optimizer": "rmsprop", "lr": 1e-3, "epochs": 5, "batch_size": 128, "dataset": "ylecun/mnist"}
    assert RECIPES["mnist-dense"] == ClassifierRecipe(**told, source=RECIPES["mnist-dense"].source)


def test_order_of_an_epoch() -> None:
    """Every image once; the same again for the same seed and epoch, and quite another for any other."""
    orders = {(seed, epoch): epoch_order(500, seed, epoch) for seed in range(4) for epoch in range(4)}
    for (seed, epoch), order in orders.items():
        assert sorted(order.tolist()) == list(range(500))
        torch.manual_seed(epoch)  # it owes nothing to the global generator
        assert torch.equal(order, epoch_order(500, seed, epoch))
    for key, order in orders.items():
        for other, another in orders.items():
            assert key == other or (order == another).float().mean() < 0.05


NOTHING = {"rotation": 0.0, "scale": 0.0, "shear": 0.0, "shift": 0.0, "elastic": 0.0}


def noise(n: int = 4) -> torch.Tensor:
    return torch.rand(n, 1, 28, 28, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def extreme(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every uniform draw gives its upper bound."""
    monkeypatch.setattr(torch.Tensor, "uniform_", lambda self, low, high: self.fill_(high))


def test_warp_of_nothing_is_the_image() -> None:
    """All bounds zero: the pictures come back."""
    assert torch.allclose(Augment(**NOTHING)(noise()), noise(), atol=1e-5)


@pytest.mark.parametrize("quarters", [1, 2])
def test_rotation(extreme: None, quarters: int) -> None:
    """90 degrees is exactly `rot90`, one way or the other, about the middle of the picture; 180 is twice that."""
    warped = Augment(**NOTHING | {"rotation": 90.0 * quarters})(noise())
    ways = [torch.rot90(noise(), quarters * way, (2, 3)) for way in (1, -1)]
    assert min((warped - way).abs().max() for way in ways) < 1e-4


def test_shift_scale_and_shear(extreme: None) -> None:
    """Three pixels are three pixels, exp(ln 2) is a factor of two, and a shear moves a row by its height times it."""
    moved = torch.zeros(4, 1, 28, 28)
    moved[..., :25, :25] = noise()[..., 3:, 3:]
    assert torch.allclose(Augment(**NOTHING | {"shift": 3.0})(noise()), moved, atol=1e-4)
    halved = torch.zeros(4, 1, 28, 28)  # an image of half the size: each pixel the mean of four
    halved[..., 7:21, 7:21] = nn.functional.avg_pool2d(noise(), 2)
    assert torch.allclose(Augment(**NOTHING | {"scale": math.log(2)})(noise()), halved, atol=1e-4)
    sheared = Augment(**NOTHING | {"shear": 2.0})(noise())[0, 0]
    for row in range(28):
        by = 2 * (row - 13.5)  # half of 2 * 13.5 pixels is a whole number
        for column in range(28):
            source = column + by
            expected = noise()[0, 0, row, int(source)] if 0 <= source <= 27 else 0.0
            assert abs(sheared[row, column] - expected) < 1e-3


def centres(warp: Augment, n: int = 4000) -> torch.Tensor:
    """By how many pixels a small spot in the middle moves: (n, 2)."""
    y, x = torch.meshgrid(torch.arange(28) - 13.5, torch.arange(28) - 13.5, indexing="ij")
    torch.manual_seed(0)
    warped = warp(torch.exp(-(x**2 + y**2) / 0.6).expand(n, 1, 28, 28))[:, 0]
    return torch.stack([(warped * x).sum((1, 2)), (warped * y).sum((1, 2))], 1) / warped.sum((1, 2))[:, None]


def test_statistics_of_shift_and_bend() -> None:
    """A shift is uniform within its bound, a bend is normal with its standard deviation at the middle knot."""
    moved = centres(Augment(**NOTHING | {"shift": 2.0}))
    assert 1.95 < moved.abs().max() <= 2.001
    assert moved.mean(0).tolist() == pytest.approx([0, 0], abs=0.1)
    assert moved.std(0).tolist() == pytest.approx([2 / math.sqrt(3)] * 2, rel=0.05)
    assert abs(torch.corrcoef(moved.T)[0, 1]) < 0.05
    bent = centres(Augment(**NOTHING | {"elastic": 0.8}))
    assert bent.std(0).tolist() == pytest.approx([0.8] * 2, rel=0.15)
    turned = centres(Augment(**NOTHING | {"rotation": 30.0, "scale": 0.1, "shear": 0.1}))
    assert turned.abs().max() < 0.01  # these leave the middle where it is


def test_warp_is_drawn_from_the_global_seed() -> None:
    """The same seed gives the same pictures, another seed others, and each picture of a batch its own."""
    warp = Augment(rotation=10, scale=0.1, shear=0.1, shift=2, elastic=0.5)
    results = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        results.append(warp(noise(1).expand(3, 1, 28, 28)))
    assert torch.equal(results[0], results[1])
    assert not torch.allclose(results[0], results[2], atol=0.1)
    assert not torch.allclose(results[0][0], results[0][1], atol=0.1)
    assert all(result.min() >= 0 and result.max() <= 1 for result in results)


def still(**values: float) -> Augment:
    """An augmentation that moves nothing."""
    return Augment(**NOTHING, **values)


def digits(n: int = 4) -> torch.Tensor:
    """Strokes of three pixels' width on black, at full contrast."""
    pictures = torch.zeros(n, 1, 28, 28)
    pictures[:, :, 6:22, 12:15] = 1
    pictures[:, :, 6:9, 8:20] = 0.8
    return pictures


def by_neighbours(picture: np.ndarray, choose: Callable) -> np.ndarray:
    """Each pixel the largest, or smallest, of the nine around it, those outside of the picture left out."""
    return np.array(
        [[choose(picture[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2]) for x in range(28)] for y in range(28)]
    )


def test_nothing_is_redrawn_without_thickness() -> None:
    """0 and 0: not a bit more than the warp is done, nor drawn from the generator."""
    torch.manual_seed(0)
    warped = Augment(**NOTHING)(digits())
    state = torch.get_rng_state()
    torch.manual_seed(0)
    assert torch.equal(still(thickness=0.0, coarse=0.0)(digits()), warped)
    assert torch.equal(torch.get_rng_state(), state)


def test_thicker_and_thinner_strokes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Towards the dilation by a 3x3 square, or half as far towards the erosion; then at full contrast again."""
    monkeypatch.setattr(torch, "rand_like", torch.zeros_like)  # every image is redrawn
    plain = digits(1)[0, 0].numpy()
    for amount in (0.8, -0.8):
        monkeypatch.setattr(
            torch.Tensor, "uniform_", lambda self, low, high, sign=amount / 0.8: self.fill_(sign * high)
        )
        found = still(thickness=0.8)(digits())[:, 0].numpy()
        if amount > 0:
            wanted = plain + 0.8 * (by_neighbours(plain, np.max) - plain)
        else:
            wanted = plain + 0.4 * (by_neighbours(plain, np.min) - plain)
        wanted /= wanted.max()
        assert np.allclose(found, wanted, atol=1e-4)
        assert (found.sum() > digits().sum()) == (amount > 0)


def test_half_of_the_images_keep_their_strokes() -> None:
    """Of the others each has its own; the range stays [0, 1], for noise and for faint pictures too."""
    torch.manual_seed(0)
    plain = Augment(**NOTHING)(digits(1000))
    found = still(thickness=0.8)(digits(1000))
    same = ((found - plain).abs().amax((1, 2, 3)) < 1e-4).float().mean().item()
    assert same == pytest.approx(0.5, abs=0.06)
    ink = found.sum((1, 2, 3))
    assert (ink > plain.sum((1, 2, 3)) + 0.1).sum() > 200 and (ink < plain.sum((1, 2, 3)) - 0.1).sum() > 150
    assert len(ink.unique()) > 400
    for pictures in (noise(400), digits(400) * 0.2, torch.zeros(400, 1, 28, 28)):
        for kind in (still(thickness=1.0), still(coarse=1.0), still(thickness=1.0, coarse=0.5)):
            result = kind(pictures)
            assert result.shape == pictures.shape and result.isfinite().all()
            assert result.min() >= 0 and result.max() <= 1 + 1e-6


def test_fewer_pixels() -> None:
    """So many of the images lose what is finer than 8 to 20 pixels for 28; the others stay as they are."""
    torch.manual_seed(0)
    plain = Augment(**NOTHING)(noise(1000))
    found = still(coarse=0.3)(noise(1000))
    touched = (found - plain).abs().amax((1, 2, 3)) > 1e-3
    assert touched.float().mean().item() == pytest.approx(0.3, abs=0.05)
    sharp, dull = (pictures[touched].diff(dim=3).abs().mean() for pictures in (plain, found))
    assert dull < 0.8 * sharp
    assert found[touched].mean().item() == pytest.approx(plain[touched].mean().item(), abs=0.02)


@pytest.mark.parametrize("size", [8, 14, 20])
def test_fewer_pixels_are_means_enlarged_again(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture that is flat in squares as large as the new pixels keeps their middles."""
    monkeypatch.setattr(torch, "randint", lambda low, high, shape: torch.tensor(size))
    found = still(coarse=1.0)(noise(2))
    # The mean of each of `size` x `size` fields, pixel by pixel with the share of it that lies in the field.
    edges = np.linspace(0, 28, size + 1)
    starts, ends = np.floor(edges[:-1]).astype(int), np.ceil(edges[1:]).astype(int)
    source = noise(2).numpy()[:, 0]
    small = np.array(
        [[source[:, y0:y1, x0:x1].mean((1, 2)) for x0, x1 in zip(starts, ends, strict=True)]
         for y0, y1 in zip(starts, ends, strict=True)]
    ).transpose(2, 0, 1)  # fmt: skip
    again = nn.functional.interpolate(torch.tensor(small)[:, None], size=(28, 28), mode="bicubic").clamp(0, 1)
    assert torch.allclose(found, again.float(), atol=1e-4)


class Told(nn.Module):
    """A net that answers with fixed logits, one row an image, and remembers what it was asked."""

    def __init__(self, logits: torch.Tensor):
        super().__init__()
        self.logits = nn.Parameter(logits)
        self.asked: torch.Tensor | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.asked = x.detach()
        return self.logits[: len(x)]


def log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits - logits.max(1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(1, keepdims=True))


def smoothed(logits: np.ndarray, labels: np.ndarray, smoothing: float) -> float:
    """Cross-entropy to a target of 1 - s on the label and s / 10 on every class, meaned over the images."""
    target = np.full((len(labels), 10), smoothing / 10)
    target[np.arange(len(labels)), labels] += 1 - smoothing
    return float(-(target * log_softmax(logits)).sum(1).mean())


@pytest.mark.parametrize("outliers", [0.0, 0.25])
@pytest.mark.parametrize("drawn", [0.0, 0.5])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_loss(smoothing: float, drawn: float, outliers: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mean over the batch and the digits drawn for it; and half the cross-entropy between the answers to what is
    no digit and ten equal probabilities.
    """
    more = torch.tensor([3, 1, 4, 1, 5, 9, 2, 6])
    path = torch.rand(40, strokes.POINTS, 4, generator=torch.Generator().manual_seed(0))
    monkeypatch.setattr(strokes, "digits", lambda count: (path[:count], more[:count]))
    monkeypatch.setattr(strokes, "nonsense", lambda count: path[20 : 20 + count])
    logits = torch.randn(40, 10, generator=torch.Generator().manual_seed(1)) * 2
    images, labels = noise(16), torch.arange(16) % 10
    net = Told(logits)
    loss = Classification().loss(
        {"net": net},
        "net",
        images,
        labels,
        recipe(label_smoothing=smoothing, drawn=drawn, outliers=outliers, batch_size=16),
        0.0,
    )
    told = logits.numpy().astype(np.float64)
    added, known = round(16 * drawn), 16 + round(16 * drawn)
    wanted = smoothed(told[:known], np.concatenate([labels.numpy(), more[:added].numpy()]), smoothing)
    if outliers:
        unknown = told[known : known + 4]
        wanted += 0.5 * float(-(log_softmax(unknown) / 10).sum(1).mean())
    assert loss.item() == pytest.approx(wanted, abs=1e-5)
    assert net.asked.shape == (known + round(16 * outliers), 1, 28, 28)
    assert torch.equal(net.asked[:16], images)
    assert net.asked.min() >= 0 and net.asked.max() <= 1
    loss.backward()
    assert (net.logits.grad.abs().sum(1) > 0).sum() == len(net.asked)


def test_what_is_added_is_augmented_too() -> None:
    """Drawings of a batch go through the recipe's augmentation, and the batch itself not once more."""
    seen: list[int] = []

    def note(pictures: torch.Tensor) -> torch.Tensor:
        seen.append(len(pictures))
        return pictures * 0

    net = Told(torch.zeros(40, 10))
    asked = recipe(drawn=0.5, outliers=0.25, augment=note)
    Classification().loss({"net": net}, "net", noise(16), torch.arange(16) % 10, asked, 0.0)
    assert seen == [8, 4]
    assert torch.equal(net.asked[:16], noise(16)) and not net.asked[16:].any()


def test_a_network_that_is_unsure_of_what_is_no_digit_loses_least() -> None:
    """Ten equal answers cost log 10, with half the weight; any other costs more."""
    labels = torch.zeros(8, dtype=torch.long)
    flat, certain = torch.zeros(10, 10), torch.zeros(10, 10)
    certain[8:, 7] = 9.0
    costs = [
        Classification().loss({"net": Told(logits)}, "net", noise(8), labels, recipe(outliers=0.25), 0.0).item()
        for logits in (flat, certain)
    ]
    assert costs[0] == pytest.approx(1.5 * math.log(10), abs=1e-5)
    assert costs[1] > costs[0] + 1
