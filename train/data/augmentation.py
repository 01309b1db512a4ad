"""Augmentation of a whole batch at once, on its device."""

from dataclasses import dataclass

import torch
from torch.nn.functional import affine_grid, grid_sample, interpolate, max_pool2d


@dataclass(frozen=True)
class Augment:
    """Other hands, other pens, other scanners: one of each at random for every image of a batch.

    An affine map and a smooth elastic displacement (Simard et al. 2003); then, for half of the images, thicker or
    thinner strokes; then, for some, fewer pixels.

    Attributes:
        rotation: degrees, uniform in ± this.
        scale: each axis is stretched by exp(u), u uniform in ± this.
        shear: uniform in ± this.
        shift: pixels, uniform in ± this.
        elastic: standard deviation, in pixels, of the displacement at the knots of a 5x5 grid.
        thickness: how far strokes go towards their dilation, or half as far towards their erosion, by a 3x3 square;
            uniform in ± this.
        coarse: share of the images that are reduced to between 8x8 and 20x20 and enlarged again.
    """

    rotation: float
    scale: float
    shear: float
    shift: float
    elastic: float
    thickness: float = 0.0
    coarse: float = 0.0

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) in [0, 1] -> the same shape and range; draws from torch's global generator."""
        images = self._warp(images)
        if self.thickness:
            images = self._redraw(images)
        if self.coarse:
            images = self._reduce(images)
        return images

    def _redraw(self, images: torch.Tensor) -> torch.Tensor:
        amount = torch.empty(len(images), 1, 1, 1, device=images.device).uniform_(-self.thickness, self.thickness)
        amount *= torch.rand_like(amount) < 0.5
        thick, thin = max_pool2d(images, 3, 1, 1), -max_pool2d(-images, 3, 1, 1)
        images = images + amount.clamp(min=0) * (thick - images) + amount.clamp(max=0) / 2 * (images - thin)
        # Every picture is brought to full contrast before a network sees it, a faint one too.
        return images / images.amax((1, 2, 3), keepdim=True).clamp(min=1e-3)

    def _reduce(self, images: torch.Tensor) -> torch.Tensor:
        chosen = torch.rand(len(images), device=images.device) < self.coarse
        size = int(torch.randint(8, 21, ()))
        small = interpolate(images[chosen], size=(size, size), mode="area")
        images = images.clone()
        images[chosen] = interpolate(small, size=images.shape[2:], mode="bicubic").clamp(0, 1)
        return images

    def _warp(self, images: torch.Tensor) -> torch.Tensor:
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
