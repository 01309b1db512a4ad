"""What decided: the values add up to what they explain, and the colours say what the values say."""

from itertools import product

import numpy as np
import pytest
import torch
from app_process import drawn
from PIL import Image
from torch import nn

import models
from models.base import fast_bf16
from models.pictures import images
from models.pipelines.explain import AGAINST, FOR, heat_map, integrated_gradients

NAMES = models.names(task="classification")
SEVEN = images.to_tensor(images.to_digit(drawn()))


def linear() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 10))


def test_a_linear_network_is_explained_exactly() -> None:
    """Each pixel has given its weight times its ink; together, the logit less that of a black picture."""
    net = linear()
    for digit in range(10):
        values = integrated_gradients(net, SEVEN, digit)
        assert values.shape == (28, 28) and not values.requires_grad
        weight = net[1].weight[digit].detach().view(28, 28)
        assert torch.allclose(values, weight * SEVEN[0, 0], atol=1e-6)
        with torch.no_grad():
            wanted = (net(SEVEN) - net(torch.zeros_like(SEVEN)))[0, digit]
        assert values.sum().item() == pytest.approx(wanted.item(), abs=1e-4)


def test_a_square_is_explained_exactly() -> None:
    """Of x² + 3 x y the integral along the straight way is known: x² + 1.5 x y for x, 1.5 x y for y."""

    class Square(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            left, right = x[:, 0, 0, 0], x[:, 0, 0, 1]
            return torch.stack([0 * left, left**2 + 3 * left * right], 1)

    x = torch.zeros(1, 1, 28, 28)
    x[0, 0, 0, :2] = torch.tensor([0.6, 0.5])
    values = integrated_gradients(Square(), x, 1)
    assert values[0, 0].item() == pytest.approx(0.6**2 + 1.5 * 0.3, abs=1e-5)
    assert values[0, 1].item() == pytest.approx(1.5 * 0.3, abs=1e-5)
    assert values.abs().sum().item() == pytest.approx(0.36 + 0.9, abs=1e-5)
    assert not integrated_gradients(Square(), x, 0).any()


@pytest.mark.parametrize("name", NAMES)
def test_values_add_up(name: str) -> None:
    """For each network of the house, the likeliest digit and another: logit less the black picture's, nearly."""
    net = models.load(name).requires_grad_(False)
    with torch.no_grad():
        difference = (net(SEVEN) - net(torch.zeros_like(SEVEN)))[0]
    for digit, short in product((7, 2), {False, fast_bf16()}):
        values = integrated_gradients(net, SEVEN, digit, short=short)
        assert values.dtype == torch.float32
        allowed = 0.2 * max(values.abs().sum().item(), 1.0)
        assert values.sum().item() == pytest.approx(difference[digit].item(), abs=allowed)


@pytest.mark.parametrize("name", NAMES)
def test_black_paper_decides_nothing(name: str) -> None:
    """A pixel without ink differs from the black picture in nothing and gets nothing; some with ink get something."""
    values = integrated_gradients(models.load(name), SEVEN, 7)
    assert not values[SEVEN[0, 0] == 0].any()
    assert values[SEVEN[0, 0] > 0].any() and values.isfinite().all()


def test_what_speaks_for_the_answer_is_positive() -> None:
    """Ink where the weight is positive raises the logit, ink where it is negative lowers it."""
    net = linear()
    values, weight = integrated_gradients(net, SEVEN, 7), net[1].weight[7].detach().view(28, 28)
    ink = SEVEN[0, 0] > 0
    assert torch.equal(values[ink] > 0, weight[ink] > 0)
    # And so for a network: without the ink that speaks most for it the answer is less sure.
    net = models.load("mnist-mlp")
    values = integrated_gradients(net, SEVEN, 7)
    for wanted, best in ((-1, values.flatten().topk(15).indices), (1, (-values).flatten().topk(15).indices)):
        without = SEVEN.clone()
        without.view(-1)[best] = 0
        with torch.no_grad():
            change = (net(without) - net(SEVEN))[0, 7].item()
        assert change * wanted > 0


def test_it_works_without_gradients_around() -> None:
    """Within `no_grad`, and on frozen weights, which get no gradient of their own."""
    net = models.load("mnist-mlp").requires_grad_(False)
    with torch.no_grad():
        values = integrated_gradients(net, SEVEN, 7)
        assert torch.equal(values, integrated_gradients(net, SEVEN, 7))
    assert all(parameter.grad is None for parameter in net.parameters())


def test_colours() -> None:
    """Orange is for, blue against, full where it is strongest; by the root of the strength; the rest is dim grey."""
    values = torch.zeros(28, 28)
    values[0, 0], values[0, 1], values[0, 2], values[0, 3] = 2.0, -2.0, 0.5, -0.5
    grey = np.zeros((28, 28), np.uint8)
    grey[1, 1], grey[0, 2], grey[0, 3] = 200, 100, 100
    found = heat_map(Image.fromarray(grey), values)
    assert (found.mode, found.size) == ("RGB", (28, 28))
    assert found.getpixel((0, 0)) == FOR and found.getpixel((1, 0)) == AGAINST
    for x, colour in ((2, FOR), (3, AGAINST)):
        wanted = [0.5 * 0.45 * 100 + 0.5 * part for part in colour]  # sqrt(0.5 / 2) is a half
        assert found.getpixel((x, 0)) == pytest.approx(wanted, abs=1)
    assert found.getpixel((1, 1)) == (90, 90, 90)
    assert found.getpixel((9, 9)) == (0, 0, 0)


def test_the_colours_are_told_apart() -> None:
    """Orange is red before blue, blue the other way round."""
    assert FOR[0] > FOR[2] + 50 and AGAINST[2] > AGAINST[0] + 50


def test_nothing_decided() -> None:
    """Values that are all zero leave a grey picture."""
    image = images.to_digit(drawn())
    found = np.asarray(heat_map(image, torch.zeros(28, 28)))
    assert (found == np.uint8(np.asarray(image, np.float32) * 0.45)[..., None]).all()
