"""What decided: which pixels a network's answer rests on."""

import numpy as np
import torch
from PIL import Image
from torch import nn

STEPS = 40
FOR, AGAINST = (232, 129, 63), (96, 148, 214)  # orange and blue, which the colour-blind tell apart as well


def integrated_gradients(net: nn.Module, image: torch.Tensor, digit: int, *, short: bool = False) -> torch.Tensor:
    """How much each pixel adds to the logit of `digit` (Sundararajan, Taly & Yan 2017), against a black picture.

    The gradient is averaged along the straight way from black to the picture and multiplied with the pixel; so the
    values add up to the difference between the logits of the two (completeness), up to the error of the midpoints of
    `STEPS` parts. They are shorter towards black, where a network changes its mind: for mnist-resnet 40 such err as
    much as 64 alike.

    Args:
        net: (N, 1, H, W) -> logits (N, classes), in eval mode.
        image: (1, 1, H, W) in [0, 1].
        short: the network computes with numbers of 16 bits.

    Returns:
        (H, W), positive where a pixel speaks for the digit.
    """
    with torch.enable_grad():
        ends = torch.linspace(0, 1, STEPS + 1, dtype=image.dtype) ** 2
        points = (ends.unfold(0, 2, 1).mean(1)[:, None, None, None] * image).requires_grad_()
        with torch.autocast("cpu", torch.bfloat16, enabled=short):
            logits = net(points)[:, digit]
        (slope,) = torch.autograd.grad(logits.sum(), points)
    return torch.einsum("n,nchw->hw", ends.diff(), slope * image)


def heat_map(image: Image.Image, values: torch.Tensor) -> Image.Image:
    """The picture 'L' in grey, laid over with orange for what speaks for the answer and blue for what speaks against.

    `values` (H, W) as `integrated_gradients` gives them; the strongest has its full colour.
    """
    strength = values.numpy() / max(float(values.abs().max()), 1e-6)
    share = np.sqrt(abs(strength))[..., None]  # else a few pixels outshine all others
    colour = np.where(strength[..., None] > 0, FOR, AGAINST)
    grey = np.asarray(image, np.float32)[..., None] * 0.45
    return Image.fromarray(np.uint8(grey * (1 - share) + colour * share))
