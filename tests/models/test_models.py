"""Every registered network keeps the same promises, and a config or a file that lies is refused before it costs."""

import hashlib
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from nets import answer, awake, batch, bits, forward, lived_in
from torch.nn.functional import cross_entropy

import models
from models import base
from models.networks.vae import GaussianVAE

NAMES = models.names()
TASKS = (
    "classification",
    "autoencoding",
    "generation",
    "denoising",
    "noise-estimation",
    "inpainting",
    "point-classification",
    "page-reading",
)
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
MOST |= {"face-gan": 4_700_000, "page-reader": 500_000, "noise-level": 60_000}


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
        elif net.task == "page-reading":
            heat, boxes, ink = net(x)  # a page of 28 pixels is filled up to 32
            assert (heat.shape, boxes.shape, ink.shape) == ((4, 1, 8, 8), (4, 4, 8, 8), (4, 1, 16, 16))
        elif net.task == "noise-estimation":
            assert out.shape == (4,) and out.min() >= 0
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
