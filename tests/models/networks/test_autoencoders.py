"""The autoencoders against their formula."""

import numpy as np
import pytest
import torch

import models

NAMES = models.names(task="autoencoding")


def test_names() -> None:
    """One network, trained in four ways; the contractive one has the sigmoid code of its paper."""
    assert set(NAMES) == {"mnist-ae", "mnist-sparse-ae", "mnist-contractive-ae", "mnist-dae"}
    for name in NAMES:
        activation = "sigmoid" if name == "mnist-contractive-ae" else "relu"
        assert models.create(name).kwargs == {"latent": 64, "activation": activation}


@pytest.mark.parametrize("name", NAMES)
def test_autoencoder_is_the_formula(name: str) -> None:
    """784-64 ReLU, or sigmoid, -784 sigmoid, with weights of its own on either side."""
    torch.manual_seed(0)
    net = models.create(name)
    w, b, v, c = (tensor.numpy().astype(np.float64) for tensor in net.state_dict().values())
    assert w.shape == (64, 784) and v.shape == (784, 64)
    x = torch.rand(5, 1, 28, 28)
    code = x.numpy().reshape(5, 784) @ w.T + b
    code = 1 / (1 + np.exp(-code)) if name == "mnist-contractive-ae" else np.maximum(code, 0)
    rebuilt = (1 / (1 + np.exp(-code @ v.T - c))).reshape(5, 1, 28, 28)
    with torch.inference_mode():
        assert np.allclose(net.encode(x), code, atol=1e-5)
        assert np.allclose(net.decode(torch.tensor(code, dtype=torch.float32)), rebuilt, atol=1e-5)
        assert np.allclose(net(x), rebuilt, atol=1e-5)
