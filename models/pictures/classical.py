"""Denoising and inpainting without training, by scikit-image, behind the interface of the networks."""

from collections.abc import Callable

import numpy as np
import torch
from scipy.ndimage import median_filter
from skimage.restoration import denoise_nl_means, denoise_tv_chambolle, denoise_wavelet, inpaint_biharmonic

Method = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


SMALLEST = 8  # pixels on a side that all methods can work with


def _each(one: Callable[..., np.ndarray]) -> Method:
    """A function of one picture, its noise's deviation, both for [0, 1], and its channel axis, as a network has it.

    A picture (H, W) has no such axis, one (H, W, 3) has the last. Too small ones are mirrored.
    """

    def cleaned(picture: np.ndarray, sigma: float) -> np.ndarray:
        height, width = picture.shape[:2]
        missing = [(0, max(0, SMALLEST - side)) for side in (height, width)]
        picture = np.pad(picture, (*missing, (0, 0)), mode="symmetric")
        grey = picture.shape[2] == 1
        found = one(picture.squeeze(2) if grey else picture, sigma, None if grey else 2)
        return found.reshape(picture.shape)[:height, :width].astype(np.float32)

    def denoise(noisy: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) around [0, 1] and sigma (N,) on the 0-255 scale -> (N, C, H, W)."""
        pictures = zip(noisy.permute(0, 2, 3, 1).cpu().numpy(), (sigma / 255).tolist(), strict=True)
        found = [cleaned(picture, level) if level else picture for picture, level in pictures]
        return torch.from_numpy(np.stack(found)).permute(0, 3, 1, 2).to(noisy)

    denoise.__doc__ = one.__doc__
    return denoise


@_each
def non_local_means(picture: np.ndarray, sigma: float, channel_axis: int | None) -> np.ndarray:
    """Each pixel becomes a mean of those with similar surroundings (Buades et al. 2005)."""
    options = {"patch_size": 5, "patch_distance": 6, "h": 0.8 * sigma, "sigma": sigma}
    return denoise_nl_means(picture, **options, fast_mode=True, channel_axis=channel_axis)


@_each
def total_variation(picture: np.ndarray, sigma: float, channel_axis: int | None) -> np.ndarray:
    """As near to the picture as a picture with few edges comes (Rudin et al. 1992; Chambolle 2004)."""
    return denoise_tv_chambolle(picture, weight=0.75 * sigma, channel_axis=channel_axis)


@_each
def wavelet(picture: np.ndarray, sigma: float, channel_axis: int | None) -> np.ndarray:
    """Small wavelet coefficients become zero (Chang et al. 2000: BayesShrink)."""
    colour = channel_axis is not None
    return denoise_wavelet(picture, sigma, convert2ycbcr=colour, rescale_sigma=True, channel_axis=channel_axis)


@_each
def median(picture: np.ndarray, sigma: float, channel_axis: int | None) -> np.ndarray:
    """Each pixel becomes the median of 3x3, of 5x5 where the noise is strong; the noise level says no more."""
    size = 5 if sigma > 35 / 255 else 3
    return median_filter(picture, size=(size, size, 1)[: picture.ndim], mode="mirror")


METHODS: dict[str, Method] = {
    "non-local-means": non_local_means,
    "total-variation": total_variation,
    "wavelet": wavelet,
    "median": median,
}


def biharmonic(image: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """What is missing goes on as smoothly as a bent plate (Damelin and Hoang 2018).

    (N, 3, H, W) in [0, 1] and mask (N, 1, H, W), 1 where a pixel is missing -> (N, 3, H, W). All missing, it is grey.
    """
    filled = []
    for picture, gone in zip(image.permute(0, 2, 3, 1).cpu().numpy(), mask[:, 0].cpu().numpy() > 0, strict=True):
        known = np.where(gone[..., None], 0.5, picture)
        filled.append(known if gone.all() else inpaint_biharmonic(known, gone, channel_axis=2))
    return torch.from_numpy(np.float32(filled)).permute(0, 3, 1, 2).to(image)


INPAINTERS = {"biharmonic": biharmonic}
