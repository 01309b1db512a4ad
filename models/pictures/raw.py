"""From a photograph back to what the sensor saw, and forward again: one small function for each step of a camera.

After Brooks et al. 2019, "Unprocessing Images for Learned Raw Denoising". Pictures are (N, 3, H, W) in [0, 1], red,
green, blue; a mosaic is (N, 1, H, W), of even height and width, its pattern red green / green blue.
"""

from dataclasses import dataclass, replace

import torch
from torch.nn.functional import conv2d, pad

from models.pictures.corruptions import blur
from models.pictures.photographs import luma

GAMMA = 2.2
DARKEST = 1e-8
BRIGHT = 0.9  # from here on white balance is undone less and less, so that white stays white
# From XYZ to what four cameras see (the ones of the Darmstadt Noise Dataset), and from sRGB to XYZ.
CAMERAS = torch.tensor(
    [
        [[1.0234, -0.2969, -0.2266], [-0.5625, 1.6328, -0.0469], [-0.0703, 0.2188, 0.6406]],
        [[0.4913, -0.0541, -0.0202], [-0.6130, 1.3513, 0.2906], [-0.1564, 0.2151, 0.7183]],
        [[0.8380, -0.2630, -0.0639], [-0.2887, 1.0725, 0.2496], [-0.0627, 0.1427, 0.5438]],
        [[0.6596, -0.2079, -0.0562], [-0.4782, 1.3016, 0.1933], [-0.0970, 0.1581, 0.5181]],
    ]
)
XYZ = torch.tensor(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
# What lies between a mosaic's places, by the places around: of green, and of red and blue.
CROSS = torch.tensor([[0.0, 1, 0], [1, 4, 1], [0, 1, 0]]) / 4
SQUARE = torch.tensor([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]]) / 4


@dataclass(frozen=True)
class Camera:
    """How cameras make a picture of what their sensors see, and how noisy these are.

    Attributes:
        matrix: (N, 3, 3), from linear sRGB to the sensor's colours.
        gains: (N, 3), what red, green and blue are multiplied by.
        shot, read: (N,), the variance of a value v is shot * v + read.
    """

    matrix: torch.Tensor
    gains: torch.Tensor
    shot: torch.Tensor
    read: torch.Tensor

    def quiet(self) -> "Camera":
        """The same without noise."""
        return replace(self, shot=torch.zeros_like(self.shot), read=torch.zeros_like(self.read))


def cameras(count: int, generator: torch.Generator | None = None) -> Camera:
    """So many at random, as section 3 of the paper draws them."""

    def uniform(low: float, high: float) -> torch.Tensor:
        return low + (high - low) * torch.rand(count, generator=generator)

    shares = torch.rand(count, len(CAMERAS), 1, 1, generator=generator)
    matrix = (shares * CAMERAS).sum(1) / shares.sum(1) @ XYZ
    matrix = matrix / matrix.sum(2, keepdim=True)  # white stays white
    overall = 1 / (0.8 + 0.1 * torch.randn(count, generator=generator)).clamp(0.5, 1.1)
    gains = overall[:, None] * torch.stack([uniform(1.9, 2.4), torch.ones(count), uniform(1.5, 1.9)], 1)
    shot = uniform(*torch.tensor([1e-4, 0.012]).log().tolist())
    read = 2.18 * shot + 1.20 + 0.26 * torch.randn(count, generator=generator)
    return Camera(matrix, gains, shot.exp(), read.exp())


def tone(x: torch.Tensor) -> torch.Tensor:
    """A usual tone curve: dark darker, light lighter."""
    x = x.clamp(0, 1)
    return 3 * x**2 - 2 * x**3


def untone(x: torch.Tensor) -> torch.Tensor:
    return 0.5 - torch.sin(torch.asin(1 - 2 * x.clamp(0, 1)) / 3)


def gamma(x: torch.Tensor) -> torch.Tensor:
    """Linear light -> values as files have them."""
    return x.clamp_min(DARKEST) ** (1 / GAMMA)


def ungamma(x: torch.Tensor) -> torch.Tensor:
    return x.clamp_min(DARKEST) ** GAMMA


def colours(x: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
    """Each pixel times (N, 3, 3)."""
    return torch.einsum("nij,njhw->nihw", matrix.to(x), x)


def balance(x: torch.Tensor, gains: torch.Tensor) -> torch.Tensor:
    """White balance: each channel times its gain (N, 3)."""
    return x * gains.to(x)[:, :, None, None]


def unbalance(x: torch.Tensor, gains: torch.Tensor) -> torch.Tensor:
    """The reverse, but white stays white: what was clipped was brighter than can be told (figure 3 of the paper)."""
    less = 1 / gains.to(x)[:, :, None, None]
    light = ((x.mean(1, keepdim=True) - BRIGHT).clamp_min(0) / (1 - BRIGHT)) ** 2
    return x * torch.maximum(light + (1 - light) * less, less)


def mosaic(x: torch.Tensor) -> torch.Tensor:
    """What a sensor keeps: of each 2x2 pixels one red, two green, one blue; (N, 1, H, W)."""
    kept = x[:, 1:2].clone()
    kept[:, 0, ::2, ::2], kept[:, 0, 1::2, 1::2] = x[:, 0, ::2, ::2], x[:, 2, 1::2, 1::2]
    return kept


def demosaic(x: torch.Tensor) -> torch.Tensor:
    """The mean of the nearest places of each colour: (N, 1, H, W) -> (N, 3, H, W)."""
    sparse = x.new_zeros(len(x), 3, *x.shape[2:])
    sparse[:, 0, ::2, ::2], sparse[:, 2, 1::2, 1::2] = x[:, 0, ::2, ::2], x[:, 0, 1::2, 1::2]
    sparse[:, 1, ::2, 1::2], sparse[:, 1, 1::2, ::2] = x[:, 0, ::2, 1::2], x[:, 0, 1::2, ::2]
    kernel = torch.stack([SQUARE, CROSS, SQUARE])[:, None].to(x)
    return conv2d(pad(sparse, (1, 1, 1, 1), mode="reflect"), kernel, groups=3)


def expose(x: torch.Tensor, camera: Camera, generator: torch.Generator | None = None) -> torch.Tensor:
    """Shot and read noise on what a sensor sees, as one Gaussian (section 3.1 of the paper)."""
    shot, read = (one.to(x).view(-1, 1, 1, 1) for one in (camera.shot, camera.read))
    return x + (shot * x.clamp_min(0) + read).sqrt() * torch.randn(x.shape, generator=generator).to(x)


def unprocess(x: torch.Tensor, camera: Camera) -> torch.Tensor:
    """A photograph -> the light that the sensor saw, in three channels."""
    return unbalance(colours(ungamma(untone(x)), camera.matrix), camera.gains).clamp(0, 1)


def process(x: torch.Tensor, camera: Camera) -> torch.Tensor:
    """The reverse: white balance, colours, gamma, tone curve."""
    x = balance(x, camera.gains).clamp(0, 1)
    return tone(gamma(colours(x, torch.linalg.inv(camera.matrix)).clamp(0, 1)))


def reduced(noisy: torch.Tensor, clean: torch.Tensor, grey: torch.Tensor, colour: torch.Tensor) -> torch.Tensor:
    """Noise reduction as cameras have it: what is in the picture stays, its noise is blurred, that of colours more.

    Args:
        grey, colour: (N,), the radii in pixels.
    """
    noise = noisy - clean
    bright = luma(noise)
    return clean + blur(bright, grey) + blur(noise - bright, colour)


def photographed(x: torch.Tensor, camera: Camera, generator: torch.Generator | None = None) -> torch.Tensor:
    """A clean photograph as that camera takes it, noise, mosaic and all."""
    return process(demosaic(expose(mosaic(unprocess(x, camera)), camera, generator)), camera)
