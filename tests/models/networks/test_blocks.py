"""The building blocks that networks share."""

import pytest
import torch
from torch import nn

from models.networks.blocks import ResidualBlock


@pytest.mark.parametrize("channels", [3, 8])
def test_a_shortcut_with_a_stride(channels: int) -> None:
    """It is the 1x1 convolution with that stride, in the backward pass too: of few channels oneDNN's own is unsafe."""
    torch.manual_seed(0)
    block = ResidualBlock(channels, 6, stride=2)
    nn.init.zeros_(block.norm2.weight)  # nothing but the shortcut is left
    block.eval().to(memory_format=torch.channels_last)
    x = torch.rand(5, channels, 9, 9).contiguous(memory_format=torch.channels_last).requires_grad_()
    block(x).square().sum().backward()
    y = x.detach().double().requires_grad_()
    weight = block.shortcut[0].weight.detach().double()
    rows = torch.einsum("oc,nchw->nohw", weight[:, :, 0, 0], y)[:, :, ::2, ::2]
    (rows / (1 + block.shortcut[1].eps) ** 0.5).relu().square().sum().backward()
    assert torch.allclose(x.grad.double(), y.grad, atol=1e-5)
