"""The adversaries against their formulas."""

import numpy as np
import pytest
import torch

import models
from models.networks.gan import ConvCritic, MLPDiscriminator


def weights(net: torch.nn.Module) -> list[np.ndarray]:
    return [tensor.numpy().astype(np.float64) for tensor in net.state_dict().values()]


def leaky(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, 0.2 * x)


def test_generator_is_the_formula() -> None:
    """100-256 ReLU-512 ReLU-784 tanh, brought from [-1, 1] to [0, 1]."""
    torch.manual_seed(0)
    net = models.create("mnist-gan")
    w1, b1, w2, b2, w3, b3 = weights(net)
    assert [w.shape for w in (w1, w2, w3)] == [(256, 100), (512, 256), (784, 512)]
    z = 3 * torch.randn(5, 100)
    hidden = np.maximum(z.numpy() @ w1.T + b1, 0)
    pixels = np.tanh(np.maximum(hidden @ w2.T + b2, 0) @ w3.T + b3)
    assert pixels.min() < -0.5 and pixels.max() > 0.5
    with torch.inference_mode():
        assert np.allclose(net.decode(z), pixels.reshape(5, 1, 28, 28) / 2 + 0.5, atol=1e-5)


def test_discriminator_is_the_formula() -> None:
    """784-512 LeakyReLU 0.2-256 LeakyReLU 0.2-1 on pixels in [-1, 1]; no number of classes has a part in it."""
    torch.manual_seed(0)
    net = MLPDiscriminator()
    w1, b1, w2, b2, w3, b3 = weights(net)
    assert [w.shape for w in (w1, w2, w3)] == [(512, 784), (256, 512), (1, 256)]
    x = torch.rand(5, 1, 28, 28)
    hidden = leaky((x.numpy().reshape(5, 784) - 0.5) / 0.5 @ w1.T + b1)
    logits = (leaky(hidden @ w2.T + b2) @ w3.T + b3)[:, 0]
    with torch.inference_mode():
        assert np.allclose(net(x), logits, atol=1e-5)
        assert torch.equal(net(x, torch.arange(5)), net(x))


def convolved(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """4x4 kernels, every second place, one pixel of padding."""
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1))), (4, 4), (2, 3))
    return np.einsum("nchwij,kcij->nkhw", windows[:, :, ::2, ::2], weight) + bias[:, None, None]


def test_critic_is_the_formula() -> None:
    """Two strided convolutions, 128 neurons h, and the projection: w h + b + v(digit) h. It reads the digit from h."""
    torch.manual_seed(0)
    net = ConvCritic(width=3)
    k1, b1, k2, b2, w, b, out, bias, digits, reading, unread = weights(net)
    x, digit = torch.rand(6, 1, 28, 28), torch.tensor([0, 9, 3, 3, 1, 5])
    hidden = leaky(convolved(leaky(convolved(2 * x.numpy() - 1, k1, b1)), k2, b2)).reshape(6, -1)
    hidden = leaky(hidden @ w.T + b)
    scores = hidden @ out[0] + bias + (hidden * digits.T[digit.numpy()]).sum(1)
    with torch.inference_mode():
        told, logits = net(x, digit)
        assert told.shape == (6,) and logits.shape == (6, 10)
        assert np.allclose(told, scores, atol=1e-5)
        assert np.allclose(logits, hidden @ reading.T + unread, atol=1e-5)
        # It looks at one picture at a time, or the gradient penalty would be none.
        assert torch.allclose(net(x[2:3], digit[2:3])[0], told[2:3], atol=1e-5)


@pytest.mark.parametrize("name", ["mnist-gan", "mnist-dcgan"])
def test_opponents_are_not_published(name: str) -> None:
    """An opponent has no place in the config and the weights of its generator, nor a name of its own."""
    assert not any("discriminator" in key or "critic" in key for key in models.create(name).state_dict())
    assert not issubclass(MLPDiscriminator, models.Model) and not issubclass(ConvCritic, models.Model)
