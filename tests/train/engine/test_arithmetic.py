"""The arithmetic of training against formulas written out: metrics, learning rate, averages, optimisers, warps."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from train.engine.loop import epoch_order
from train.engine.optimizers import ema, lr_factor, make_optimizer
from train.figures import classification
from train.tasks import RECIPES
from train.tasks.classification import ClassifierRecipe


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
    for digit in np.unique(labels):
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


def test_metrics_without_some_classes() -> None:
    """A class that no label names has no recall and no AUC: the means are over the others; of one alone there is no
    AUC.
    """
    logits, labels = answers(3)
    few = labels % 3 > 0
    expected = by_hand(logits[few].softmax(1).numpy(), labels[few].numpy())
    assert 0.8 < expected["roc_auc"] < 1 and (logits[few].argmax(1) % 3 == 0).any()
    assert classification.classification(logits[few], labels[few]) == pytest.approx(expected, abs=1e-6)
    one = classification.classification(logits[labels == 4], labels[labels == 4])
    assert one["recall"] == pytest.approx(one["accuracy"]) and "roc_auc" not in one


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
