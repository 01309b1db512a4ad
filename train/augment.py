"""Augmentation of a whole batch at once, on its device."""

from dataclasses import dataclass

import torch
from torch.nn.functional import affine_grid, grid_sample, interpolate


@dataclass(frozen=True)
class Augment:
    """A random affine map and a smooth elastic displacement (Simard et al. 2003), one for each image of a batch.

    Attributes:
        rotation: degrees, uniform in ± this.
        scale: each axis is stretched by exp(u), u uniform in ± this.
        shear: uniform in ± this.
        shift: pixels, uniform in ± this.
        elastic: standard deviation, in pixels, of the displacement at the knots of a 5x5 grid.
    """

    rotation: float
    scale: float
    shear: float
    shift: float
    elastic: float

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) in [0, 1] -> the same shape; draws from torch's global generator."""
        n, _, height, width = images.shape

        def uniform(bound: float, *shape: int) -> torch.Tensor:
            return torch.empty(n, *shape, device=images.device).uniform_(-bound, bound)

        angle = torch.deg2rad(uniform(self.rotation))
        stretch, shear = uniform(self.scale, 2).exp(), uniform(self.shear)
        cos, sin = angle.cos(), angle.sin()
        matrix = torch.stack(
            [
                torch.stack([stretch[:, 0] * cos, stretch[:, 0] * (shear * cos - sin)], 1),
                torch.stack([stretch[:, 1] * sin, stretch[:, 1] * (shear * sin + cos)], 1),
            ],
            1,
        )
        # grid_sample's coordinates run from -1 to 1: a pixel is 2 / size.
        pixel = torch.tensor([2 / width, 2 / height], device=images.device)
        offset = uniform(self.shift, 2) * pixel
        grid = affine_grid(torch.cat([matrix, offset[:, :, None]], 2), [n, 1, height, width], align_corners=False)
        knots = torch.randn(n, 2, 5, 5, device=images.device) * self.elastic * pixel[:, None, None]
        bend = interpolate(knots, size=(height, width), mode="bicubic", align_corners=True)
        return grid_sample(images, grid + bend.permute(0, 2, 3, 1), align_corners=False)
