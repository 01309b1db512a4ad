"""Brightness, as JPEG and Pillow's mode L have it (ITU-R BT.601)."""

import torch

WEIGHTS = (0.299, 0.587, 0.114)  # of red, green and blue


def luma(x: torch.Tensor) -> torch.Tensor:
    """(N, 3, H, W) -> (N, 1, H, W)."""
    return (x * x.new_tensor(WEIGHTS).view(1, 3, 1, 1)).sum(1, keepdim=True)
