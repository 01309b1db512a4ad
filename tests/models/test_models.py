"""Every registered network keeps the same promises, and a config or a file that lies is refused before it costs."""

import hashlib
import json
import math
import resource
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy

import models
from models import base
from models.networks.denoisers import PhotoDenoiser
from models.networks.gan import ConvGenerator, MLPGenerator
from models.networks.vae import GaussianVAE

NAMES = models.names()
TASKS = ("classification", "autoencoding", "generation", "denoising", "inpainting", "point-classification")
EXACT = {  # the documents' own figures
    "mnist-dense": 407_050,
    "mnist-mlp": 118_282,
    "mnist-cnn": 421_642,
    "mnist-cnn-wide": 1_199_882,
    # Of theirs we know the cell alone: weights for 28 pixels and for 128 hidden, and two biases; an LSTM has four of
    # each. Then 10 outputs.
    "mnist-rnn": 128 * (28 + 128 + 2) + 10 * 129,
    "mnist-lstm": 4 * 128 * (28 + 128 + 2) + 10 * 129,
    **dict.fromkeys(("mnist-ae", "mnist-sparse-ae", "mnist-contractive-ae", "mnist-dae"), 101_200),
    "mnist-vae": 451_984,
    "mnist-gan": 559_632,
    "moons-mlp": 82,
}
MOST = {"mnist-resnet": 1_000_000, "mnist-vae-2d": 2_000_000, "mnist-cvae": 2_500_000, "mnist-dcgan": 1_000_000}
MOST |= {"mnist-denoiser": 150_000, "photo-denoiser": 4_700_000, "face-ae": 4_700_000, "face-unet": 4_700_000}
MOST |= {"face-gan": 4_700_000}
DENSE = {"architecture": "Dense", "task": "classification", "format_version": 1, "kwargs": {"hidden": 8}}
RECURRENT = DENSE | {"architecture": "Recurrent", "kwargs": {"cell": "gru", "hidden": 8, "bidirectional": True}}
RESNET = DENSE | {"architecture": "ResNet", "kwargs": {"widths": [4, 8], "blocks": [1], "dropout": 0.3}}
AUTOENCODER = DENSE | {
    "architecture": "Autoencoder",
    "task": "autoencoding",
    "kwargs": {"latent": 8, "activation": "relu"},
}
CVAE = {"latent": 2, "conditional": True, "width": 1, "hidden": 4, "couplings": 2}
CVAE = DENSE | {"architecture": "ConvVAE", "task": "generation", "kwargs": CVAE}
DENOISER = {"architecture": "PhotoDenoiser", "task": "denoising", "kwargs": {"widths": [4, 8], "blocks": 1}}
DENOISER = DENSE | DENOISER
GAN = DENSE | {"architecture": "MLPGenerator", "task": "generation", "kwargs": {"latent": 8, "hidden": [8]}}


def batch(net: models.Model, count: int = 4) -> torch.Tensor:
    """What the network takes: a GAN's generator points of its latent, an inpainter faces, all others small pictures."""
    draw = torch.Generator().manual_seed(0)
    if net.task == "inpainting":
        return torch.rand(count, 3, 128, 128, generator=draw)
    if net.task == "point-classification":
        return torch.randn(count, 2, generator=draw)
    if isinstance(net, MLPGenerator | ConvGenerator):
        return torch.randn(count, net.latent, generator=draw)
    return torch.rand(count, 3 if isinstance(net, PhotoDenoiser) else 1, 28, 28, generator=draw)


def forward(net: models.Model, x: torch.Tensor) -> torch.Tensor:
    """All that the network makes of a batch: what its task is about, and of a generator what it draws, as one tensor.

    The n-th picture of a conditional one is told that it is an n.
    """
    if net.task == "inpainting":
        hole = torch.nn.functional.pad(torch.ones(len(x), 1, 28, 28), (40, 60, 50, 50))
        return net(x, hole)
    if net.task != "generation":
        return net(x)
    digit = torch.arange(len(x)) % 10 if net.conditional else None
    if not isinstance(net, GaussianVAE):
        return net.decode(x, digit)
    mean, log_variance = net.posterior(x, digit)
    return torch.cat([mean, log_variance, net.decode(mean, digit).flatten(1)], 1)


def lived_in(name: str) -> models.Model:
    """A network whose buffers, too, are no longer what they start as, nor zeros; as precise as a file, in eval mode."""
    torch.manual_seed(0)
    net = awake(models.create(name))
    forward(net, batch(net))
    return net.to(net.stored).float().eval()


def awake(net: models.Model) -> models.Model:
    """Without kernels of zeros, behind which nothing can be seen."""
    for parameter in net.parameters():
        if parameter.ndim > 1 and not parameter.any():
            torch.nn.init.normal_(parameter, std=0.1)
    return net


def answer(net: models.Model) -> torch.Tensor:
    with torch.inference_mode():
        return forward(net, batch(net))


def bits(net: models.Model) -> dict[str, bytes]:
    return {name: tensor.numpy().tobytes() for name, tensor in net.state_dict().items()}


@pytest.mark.parametrize("name", NAMES)
def test_size(name: str) -> None:
    """Parameter counts are those of the documents; a flagship stays under its bound."""
    count = models.create(name).parameter_count
    assert count == EXACT[name] if name in EXACT else count < MOST[name]


@pytest.mark.parametrize("name", NAMES)
def test_shape_and_gradients(name: str) -> None:
    """Each task's shapes, and a loss reaches every parameter with finite numbers."""
    torch.manual_seed(0)
    net = awake(models.create(name))
    x = batch(net)
    out = forward(net, x)
    assert out.dtype == torch.float32
    if net.task == "classification":
        assert out.shape == (4, 10)
        cross_entropy(out, torch.arange(4)).backward()
    else:
        if net.task == "autoencoding":
            assert net.encode(x).shape == (4, net.latent) and torch.equal(net.decode(net.encode(x)), out)
        if isinstance(net, GaussianVAE):
            assert out.shape == (4, 2 * net.latent + 784) and net(x).shape == x.shape
            assert net.encode(x).shape == (4, net.latent)
        elif net.task in ("denoising", "inpainting", "point-classification"):
            assert out.shape == x.shape
        else:
            assert out.shape == (4, 1, 28, 28) and 0 <= out.min() < out.max() <= 1
        (out * torch.randn_like(out)).sum().backward()
    for key, parameter in net.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), key
        assert parameter.grad.any(), key


@pytest.mark.parametrize("name", NAMES)
def test_saved_and_loaded_is_the_same(name: str, tmp_path: Path) -> None:
    """`from_pretrained` gives back the bits that `save_pretrained` wrote, and says where they came from."""
    net = lived_in(name)
    net.save_pretrained(tmp_path / "folder")
    assert sorted(file.name for file in (tmp_path / "folder").iterdir()) == ["config.json", "model.safetensors"]
    loaded = type(net).from_pretrained(tmp_path / "folder")
    assert bits(loaded) == bits(net)
    assert torch.equal(answer(loaded), answer(net))
    assert not any(module.training for module in loaded.modules())
    digest = hashlib.sha256((tmp_path / "folder" / "model.safetensors").read_bytes()).hexdigest()
    assert loaded.provenance == models.Provenance("path", tmp_path / "folder", sha256=digest)
    assert bits(models.load(str(tmp_path / "folder"))) == bits(net)


@pytest.mark.parametrize("name", NAMES)
def test_deterministic_in_eval(name: str) -> None:
    """In eval mode nothing is drawn and nothing remembered."""
    net = lived_in(name)
    torch.manual_seed(1)
    first = answer(net)
    torch.manual_seed(2)
    assert torch.equal(answer(net), first)
    assert torch.allclose(forward(net, batch(net)[:1]), first[:1], atol=1e-5)  # nor does a picture's company matter


@pytest.mark.parametrize("name", NAMES)
def test_rebuilt_from_its_config_alone(name: str) -> None:
    """The config survives JSON and builds the same network."""
    net = lived_in(name)
    again = base.build(json.loads(json.dumps(net.config)))
    assert (type(again), again.config) == (type(net), net.config)
    again.load_state_dict(net.state_dict(), strict=True)
    assert torch.equal(answer(again.eval()), answer(net))


def test_dense_is_the_formula() -> None:
    """784-512 ReLU-10 with Glorot-uniform weights and zero biases, as the document has it."""
    net = models.create("mnist-dense")
    for layer, fan in ((net.hidden, 784 + 512), (net.output, 512 + 10)):
        bound = math.sqrt(6 / fan)
        assert 0.98 * bound < layer.weight.abs().max() <= bound
        assert abs(layer.weight.std().item() - bound / math.sqrt(3)) < 0.02 * bound
        assert not layer.bias.any()
    torch.nn.init.normal_(net.hidden.bias)
    w1, b1, w2, b2 = (tensor.numpy().astype(np.float64) for tensor in net.state_dict().values())
    x = batch(net).numpy().reshape(4, 784)
    assert np.allclose(answer(net), np.maximum(x @ w1.T + b1, 0) @ w2.T + b2, atol=1e-5)


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


def test_names() -> None:
    """A task selects; an unknown name is answered with those there are."""
    assert {*EXACT, *MOST} == set(NAMES)
    assert set(NAMES) == {name for task in TASKS for name in models.names(task=task)}
    for task in TASKS:
        assert {models.create(name).task for name in models.names(task=task)} == {task}
    assert models.names(task="astrology") == []
    for call in (models.create, models.load):
        with pytest.raises(ValueError, match=r"no model named 'mnist-dance'.* mnist-dense, mnist-mlp, .*mnist-resnet"):
            call("mnist-dance")


def test_a_class_loads_only_its_own(tmp_path: Path) -> None:
    """`ResNet.from_pretrained` of a Dense refuses and names the class to use."""
    models.create("mnist-dense", hidden=8).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"holds a Dense, not a ResNet: use Dense\.$"):
        type(models.create("mnist-resnet")).from_pretrained(tmp_path)
    assert type(models.Model.from_pretrained(tmp_path)).__name__ == "Dense"


def test_half_precision_on_disk_is_float32_in_memory(tmp_path: Path) -> None:
    """Weights may be stored as float16; what is loaded is float32 with the rounded values."""
    net = lived_in("mnist-resnet")
    net.save_pretrained(tmp_path)
    halved = {key: t.half() if t.is_floating_point() else t for key, t in net.state_dict().items()}
    safetensors.torch.save_file(halved, tmp_path / "model.safetensors")
    for key, tensor in models.load(tmp_path).state_dict().items():
        expected = net.state_dict()[key]
        assert tensor.dtype == expected.dtype
        assert torch.equal(tensor, expected.half().to(expected.dtype)), key


LIES = {
    "no object": (["Dense"], "must be an object"),
    "nothing": (None, "must be an object"),
    "a key too many": (DENSE | {"extra": 1}, "must be an object with exactly the keys"),
    "a key too few": ({key: DENSE[key] for key in ("architecture", "task", "kwargs")}, "exactly the keys"),
    "kwargs no object": (DENSE | {"kwargs": [8]}, "must be an object"),
    "unknown architecture": (DENSE | {"architecture": "Oracle"}, "unknown architecture, 'Oracle'"),
    "architecture no word": (DENSE | {"architecture": ["Dense"]}, "unknown architecture"),
    "another task": (DENSE | {"task": "generation"}, "is 'generation'; it is 'classification'"),
    "a later format": (DENSE | {"format_version": 2}, "has format 2; this code reads 1"),
    "format in words": (DENSE | {"format_version": "1"}, "has format '1'"),
    "format true": (DENSE | {"format_version": True}, "has format True"),
    "no kwarg": (DENSE | {"kwargs": {}}, "unknown or missing hidden"),
    "another kwarg": (DENSE | {"kwargs": {"hidden": 8, "depth": 1}}, "unknown or missing depth"),
    "too small": (DENSE | {"kwargs": {"hidden": 0}}, "between 1 and 4096, not 0"),
    "too large": (DENSE | {"kwargs": {"hidden": 4097}}, "between 1 and 4096, not 4097"),
    "enormous": (DENSE | {"kwargs": {"hidden": 10**400}}, "between 1 and 4096"),
    "true": (DENSE | {"kwargs": {"hidden": True}}, "not True"),
    "a fraction": (DENSE | {"kwargs": {"hidden": 8.0}}, "not 8.0"),
    "words": (DENSE | {"kwargs": {"hidden": "8"}}, "not '8'"),
    "null": (DENSE | {"kwargs": {"hidden": None}}, "not None"),
    "a list for a number": (DENSE | {"kwargs": {"hidden": [8]}}, "Dense"),
    "NaN": (RESNET | {"kwargs": RESNET["kwargs"] | {"dropout": math.nan}}, "between 0.0 and 0.9, not nan"),
    "infinity": (RESNET | {"kwargs": RESNET["kwargs"] | {"dropout": math.inf}}, "not inf"),
    "a list for a rate": (RESNET | {"kwargs": RESNET["kwargs"] | {"dropout": [0.1]}}, "ResNet"),
    "a number for a list": (RESNET | {"kwargs": RESNET["kwargs"] | {"widths": 4}}, "ResNet"),
    "nested lists": (RESNET | {"kwargs": RESNET["kwargs"] | {"widths": [[4], 8]}}, r"not \[4\]"),
    "an empty list": (RESNET | {"kwargs": RESNET["kwargs"] | {"blocks": []}}, "must hold 1 to 8 values"),
    "a long list": (RESNET | {"kwargs": RESNET["kwargs"] | {"blocks": [1] * 9}}, "must hold 1 to 8 values"),
    "an unknown cell": (
        RECURRENT | {"kwargs": RECURRENT["kwargs"] | {"cell": "rrn"}},
        r"one of \['gru', 'lstm', 'rnn'\]",
    ),
    "a cell by number": (RECURRENT | {"kwargs": RECURRENT["kwargs"] | {"cell": 1}}, "cell must be one of"),
    "a list of cells": (RECURRENT | {"kwargs": RECURRENT["kwargs"] | {"cell": ["rnn", "gru"]}}, "Recurrent"),
    "one for true": (RECURRENT | {"kwargs": RECURRENT["kwargs"] | {"bidirectional": 1}}, "true or false, not 1"),
    "true in words": (RECURRENT | {"kwargs": RECURRENT["kwargs"] | {"bidirectional": "true"}}, "true or false"),
    "a list of truths": (RECURRENT | {"kwargs": RECURRENT["kwargs"] | {"bidirectional": [True]}}, "Recurrent"),
    "a list of sizes": (RECURRENT | {"kwargs": RECURRENT["kwargs"] | {"hidden": [8]}}, "Recurrent"),
    "too wide a state": (RECURRENT | {"kwargs": RECURRENT["kwargs"] | {"hidden": 1025}}, "between 1 and 1024"),
    "no width at all": (DENSE | {"architecture": "MLP", "kwargs": {"widths": []}}, "must hold 1 to 8 values"),
    "one width": (DENSE | {"architecture": "MLP", "kwargs": {"widths": 128}}, "MLP"),
    "an unknown activation": (
        AUTOENCODER | {"kwargs": {"latent": 8, "activation": "tanh"}},
        r"activation must be one of \['relu', 'sigmoid'\]",
    ),
    "no code at all": (AUTOENCODER | {"kwargs": {"latent": 0, "activation": "relu"}}, "between 1 and 4096, not 0"),
    "an autoencoder that classifies": (AUTOENCODER | {"task": "classification"}, "is 'classification'; it is 'autoenc"),
    "one for conditional": (CVAE | {"kwargs": CVAE["kwargs"] | {"conditional": 1}}, "true or false, not 1"),
    "too wide a VAE": (CVAE | {"kwargs": CVAE["kwargs"] | {"width": 129}}, "width must be between 1 and 128"),
    "a VAE too large": (CVAE | {"kwargs": CVAE["kwargs"] | {"width": 128, "hidden": 4096}}, "parameters; at most"),
    "a denoiser too deep": (DENOISER | {"kwargs": {"widths": [4, 8], "blocks": 9}}, "blocks must be between 1 and 8"),
    "a denoiser of no width": (DENOISER | {"kwargs": {"widths": [], "blocks": 1}}, "must hold 1 to 8 values"),
    "a denoiser too large": (DENOISER | {"kwargs": {"widths": [512] * 8, "blocks": 8}}, "parameters; at most"),
    "one width as a number": (DENOISER | {"kwargs": {"widths": 8, "blocks": 1}}, "PhotoDenoiser"),
    "one hidden layer as a number": (GAN | {"kwargs": {"latent": 8, "hidden": 8}}, "MLPGenerator"),
    "no hidden layer": (GAN | {"kwargs": {"latent": 8, "hidden": []}}, "must hold 1 to 8 values"),
    "a kwarg where none is": (DENSE | {"architecture": "WideCNN"}, "unknown or missing hidden"),
    "lists that do not fit": (RESNET | {"kwargs": RESNET["kwargs"] | {"blocks": [1, 1]}}, "one number more"),
}


@pytest.mark.parametrize("lie", LIES)
def test_config_that_lies(lie: str) -> None:
    """Whatever is wrong with a config is one sentence that names it."""
    config, sentence = LIES[lie]
    with pytest.raises(ValueError, match=sentence) as refusal:
        base.build(config)
    assert len(str(refusal.value)) < 300 and "\n" not in str(refusal.value)


def test_gigantic_network_costs_no_memory() -> None:
    """2.1 GB of weights, every number within its bound, are refused before they are made."""
    base.build(DENSE)
    base.build(RECURRENT)
    base.build(AUTOENCODER)
    base.build(CVAE)
    base.build(GAN)
    base.build(DENOISER)
    blocks = 7 * 16 * 2 * (9 * 512 * 512 + 2 * 512) + 7 * (512 * 512 + 2 * 512)
    count = blocks + (9 * 512 + 2 * 512) + (512 * 10 + 10)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # KiB, the most so far
    with pytest.raises(ValueError, match=f"asks for {count:,} parameters; at most 20,000,000"):
        base.build(RESNET | {"kwargs": {"widths": [512] * 8, "blocks": [16] * 7, "dropout": 0.0}})
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.integers(-1, 700)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=9) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
)
nearly = st.fixed_dictionaries(
    {
        "network": st.sampled_from([(key, cls.task) for key, cls in base._ARCHITECTURES.items()])
        | st.tuples(values, values),
        "format_version": st.just(1) | values,
        "kwargs": st.just({})
        | st.fixed_dictionaries({"hidden": values})
        | st.fixed_dictionaries({"widths": st.lists(st.integers(0, 5000), max_size=9) | values})
        | st.fixed_dictionaries({"dropout": st.floats(0, 1) | values})
        | st.fixed_dictionaries(
            {
                "cell": st.sampled_from(["rnn", "gru", "lstm"]) | values,
                "hidden": st.integers(0, 1100) | values,
                "bidirectional": st.booleans() | values,
            }
        )
        | st.fixed_dictionaries({"latent": st.integers(0, 600), "activation": st.just("relu") | values})
        | st.fixed_dictionaries({"latent": st.integers(0, 600), "hidden": st.integers(0, 600) | values})
        | st.fixed_dictionaries({"latent": st.integers(0, 600), "width": st.integers(0, 300) | values})
        | st.fixed_dictionaries(
            {
                "latent": st.integers(0, 600),
                "conditional": st.booleans() | values,
                "width": st.integers(0, 150),
                "hidden": st.integers(0, 5000),
            }
        )
        | st.fixed_dictionaries(
            {
                "widths": st.lists(st.integers(0, 600), max_size=9) | values,
                "blocks": st.lists(st.integers(0, 17), max_size=9) | values,
                "dropout": st.floats() | values,
            }
        )
        | values,
    }
).map(lambda config: dict(zip(("architecture", "task"), config.pop("network"), strict=True)) | config)


@settings(max_examples=150, deadline=10_000)
@given(values | nearly)
def test_any_json_builds_or_is_refused(config: object) -> None:
    """No JSON whatever crashes `build`, and what it builds is within the bound."""
    try:
        net = base.build(config)
    except ValueError as error:
        assert str(error)
    else:
        assert net.parameter_count <= base.MAX_PARAMETERS
        assert net.config == config


@settings(max_examples=100, deadline=10_000)
@given(st.data())
def test_any_damage_is_refused_or_harmless(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """A weights file with bytes altered or cut off raises ValueError or loads finite numbers: nothing else."""
    folder = tmp_path_factory.mktemp("damaged")
    models.create("mnist-dense", hidden=1).save_pretrained(folder)
    file = folder / "model.safetensors"
    whole = bytearray(file.read_bytes())
    for place in data.draw(st.lists(st.integers(0, 400) | st.integers(0, len(whole) - 1), max_size=4)):
        whole[place] = data.draw(st.integers(0, 255))
    file.write_bytes(whole[: data.draw(st.just(len(whole)) | st.integers(0, len(whole)))])
    try:
        net = models.load(folder)
    except ValueError as error:
        assert str(folder) in str(error)
    else:
        assert all(tensor.isfinite().all() for tensor in net.state_dict().values())
