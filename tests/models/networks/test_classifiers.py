"""The classifiers are the formulas of their documents."""

import numpy as np
import pytest
import torch
from nets import answer, batch, forward, lived_in

import models

NAMES = models.names()


def weights(net: models.Model) -> list[np.ndarray]:
    return [tensor.numpy().astype(np.float64) for tensor in net.state_dict().values()]


def test_mlp_is_the_formula() -> None:
    """784-128-128-10 with ReLU between."""
    net = lived_in("mnist-mlp")
    w1, b1, w2, b2, w3, b3 = weights(net)
    hidden = np.maximum(batch(net).numpy().reshape(4, 784) @ w1.T + b1, 0)
    assert np.allclose(answer(net), np.maximum(hidden @ w2.T + b2, 0) @ w3.T + b3, atol=1e-5)


def convolved(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """(N, C, H, W) correlated with 3x3 kernels, nothing padded, then ReLU: each window multiplied out."""
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), (2, 3))
    return np.maximum(np.einsum("nchwij,kcij->nkhw", windows, weight) + bias[:, None, None], 0)


def pooled(x: np.ndarray) -> np.ndarray:
    n, c, h, w = x.shape
    return x.reshape(n, c, h // 2, 2, w // 2, 2).max((3, 5))


def padded(x: np.ndarray) -> np.ndarray:
    return np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))


def test_cnn_is_the_formula() -> None:
    """Two padded 3x3 convolutions, each pooled, then 128 ReLU and 10; in eval mode nothing is dropped."""
    net = lived_in("mnist-cnn")
    k1, b1, k2, b2, w1, c1, w2, c2 = weights(net)
    x = pooled(convolved(padded(batch(net).numpy()), k1, b1))
    x = pooled(convolved(padded(x), k2, b2)).reshape(4, 64 * 7 * 7)
    assert np.allclose(answer(net), np.maximum(x @ w1.T + c1, 0) @ w2.T + c2, atol=1e-5)


def test_wide_cnn_is_the_formula() -> None:
    """Pixels go in as [-1, 1]; two unpadded convolutions, one pooling, then 128 ReLU and 10."""
    net = lived_in("mnist-cnn-wide")
    k1, b1, k2, b2, w1, c1, w2, c2 = weights(net)
    x = (batch(net).numpy() - 0.5) / 0.5  # as transforms.Normalize((0.5,), (0.5,)) has it
    x = pooled(convolved(convolved(x, k1, b1), k2, b2)).reshape(4, 64 * 12 * 12)
    assert np.allclose(answer(net), np.maximum(x @ w1.T + c1, 0) @ w2.T + c2, atol=1e-5)


DROPOUT = {"mnist-cnn": ("output", 128, 0.5), "mnist-resnet": ("output", 128, 0.3)}  # before it, how many, what share


@pytest.mark.parametrize("name", NAMES)
def test_dropout_is_where_the_document_has_it(name: str) -> None:
    """What the last layer gets in training is zero so often, the rest made larger; others draw nothing."""
    torch.manual_seed(0)
    net = models.create(name).train()
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eval()  # it does something else in training, too
    if name not in DROPOUT:
        assert torch.equal(forward(net, batch(net)), forward(net, batch(net)))
        assert not any(isinstance(module, torch.nn.Dropout) for module in net.modules())
        return
    seen: list[torch.Tensor] = []
    net.output.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].detach()))
    x = torch.rand(300, 1, 28, 28)
    net(x), net(x)
    _, width, share = DROPOUT[name]
    assert seen[0].shape == (300, width)
    both = (seen[0] > 0) & (seen[1] > 0)
    assert torch.allclose(seen[0][both], seen[1][both])  # what is kept is the same
    alive = (seen[0] > 0) | (seen[1] > 0)  # a neuron that is not at rest: seen unless it was dropped twice
    assert (both.sum() / alive.sum()).item() == pytest.approx((1 - share) ** 2 / (1 - share**2), abs=0.02)
    net.eval()
    net(x)
    kept = seen[0] > 0
    assert torch.allclose(seen[0][kept] * (1 - share), seen[2][kept], rtol=1e-4)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def unrolled(cell: str, rows: np.ndarray, w: np.ndarray, u: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """The last hidden state (N, hidden) after `rows` (N, steps, 28), one step after another, from zero.

    The papers' equations, with the gates in torch's order: LSTM input, forget, candidate, output; GRU reset, update,
    candidate.
    """
    h = state = np.zeros((len(rows), u.shape[1]))
    for t in range(rows.shape[1]):
        into, back = rows[:, t] @ w.T + b, h @ u.T + c
        if cell == "rnn":
            h = np.tanh(into + back)
        elif cell == "lstm":
            i, f, g, o = np.split(into + back, 4, axis=1)
            state = sigmoid(f) * state + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(state)
        else:
            (ri, zi, ni), (rb, zb, nb) = np.split(into, 3, axis=1), np.split(back, 3, axis=1)
            update = sigmoid(zi + zb)
            h = (1 - update) * np.tanh(ni + sigmoid(ri + rb) * nb) + update * h
    return h


@pytest.mark.parametrize("both", [False, True], ids=["one way", "both ways"])
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_recurrent_is_the_formula(cell: str, both: bool) -> None:
    """Row by row from the top, and from the bottom for the second; the answer is given on the final state alone."""
    torch.manual_seed(0)
    net = models.create("mnist-lstm", cell=cell, hidden=16, bidirectional=both).eval()
    *cells, w, b = weights(net)
    rows = batch(net).numpy()[:, 0]
    states = [unrolled(cell, rows, *cells[:4])]
    if both:
        states.append(unrolled(cell, rows[:, ::-1], *cells[4:]))
    assert len(cells) == 4 * len(states)
    assert np.allclose(answer(net), np.concatenate(states, 1) @ w.T + b, atol=1e-5)


def test_recurrent_names() -> None:
    """What the two names stand for."""
    plain = {"hidden": 128, "bidirectional": False}
    assert models.create("mnist-rnn").kwargs == {"cell": "rnn", **plain}
    assert models.create("mnist-lstm").kwargs == {"cell": "lstm", **plain}


def test_create_overrides() -> None:
    """Keywords go beyond what the name stands for, within the limits."""
    assert models.create("mnist-dense", hidden=8).parameter_count == 784 * 8 + 8 + 8 * 10 + 10
    with pytest.raises(ValueError, match=r"hidden must be between 1 and 4096, not 0\.$"):
        models.create("mnist-dense", hidden=0)
