"""How strong a photograph's noise is, and of which kind: what two networks say, weighed."""

from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from statistics import mean

import numpy as np
import torch
from PIL import Image
from scipy.ndimage import minimum_filter

from models.base import Model
from models.networks.denoisers import AROUND, LARGEST_SIGMA, PhotoDenoiser
from models.pictures.photographs import evidence, looked_at, to_tensor, unclipped, unpacked
from models.pipelines.common import loaded

ESTIMATOR = "noise-level"
ALIKE = 1.35  # two estimates, a σ of 1 added to each, that differ by less than this factor
# Times the denoiser's own estimate, and a σ of 1: noise of more is coarser than pixels. Of such as is each pixel's own
# none comes near, on the twenty held-out photographs in colour and in grey.
MORE = 1.1
# Axes along which a picture is mirrored: the mean of what is estimated each way errs a quarter less at σ 5.
MIRRORS = ((), (2,), (3,), (2, 3))
NARROW = 24  # pixels: of a narrower picture it sees nothing that it knows
# Pixels on a side: in a smaller picture, such as an icon, what was made small is as fine as noise, and is taken for
# noise of up to DETAIL even by who is fooled less.
SMALL, DETAIL = 96, 14.0
TONES = 8  # so many, and a picture is a drawing, a code or a dithered one: noise leaves more
# σ, up to which the estimator judges noise that is each pixel's own, and from which on the denoiser itself does, more
# closely; between them both. On the twenty held-out photographs the error at σ 10 is 4 % of it, of each alone 6.
FAINT, STRONG = 5.0, 15.0
# That much of what judges faint noise: texture that is lost costs more than noise that is left. On the same photographs
# σ 5 blind is 0.08 dB below told in colour and 0.02 in grey; with all of it 0.12 and 0.07.
LESS = 0.95
QUIET = 2.0  # σ, up to which there is nothing to take away that can be seen
# Where the denoiser sees next to no noise and the other does, a camera has smoothed it, and what is left is told too
# faint: it is taken for no less than LEAST, which was chosen on the crops of every second scene of PolyU, by name, in
# colour and in grey. There the denoiser never sees more than 1.46, and the other never less than 0.80.
SMOOTH, ANY, LEAST = 1.5, 0.6, 5.0
# Pixels by which noise is judged at least, if there are so many: where nothing that is transparent is near, and strong
# noise where black and white cut nothing off. On the twenty held-out photographs with σ 50 the mean error is 2 % of it
# instead of 6, with 35 it is 1 instead of 4.
ENOUGH = 500
ESTIMATED = 1024  # pixels on a side, in the middle, by which the noise is judged


@dataclass(frozen=True)
class Noise:
    """What a photograph's noise was judged to be.

    Attributes:
        sigma: what the network is best told, on the 0-255 scale.
        kind: "none"; "camera", alike from pixel to pixel and coloured; or "white", each pixel's own.
    """

    sigma: float
    kind: str


def judged(net: PhotoDenoiser, image: Image.Image) -> Noise:
    """What `net` is best told of a photograph's noise, by the middle of what can be seen of it."""
    given, alpha = unpacked(image)
    seen = evidence(given, alpha)
    part = tuple(_middle(seen.any(axis)) for axis in (1, 0))
    pixels, hidden = looked_at(given[part], alpha and np.asarray(alpha)[part])
    if hidden.all() or np.count_nonzero(np.bincount(pixels[~hidden].ravel())) <= TONES:
        return Noise(0.0, "none")
    told = seen[part]
    if hidden.any() and minimum_filter(told, 2 * AROUND + 1).sum() < ENOUGH:  # there are holes everywhere
        told = np.ones_like(told)
    noisy, told = to_tensor(pixels), torch.from_numpy(told)[None, None]
    with torch.inference_mode():
        own = net.estimate(noisy, told).item()
        known = min(noisy.shape[2:]) >= NARROW and _estimator()
        any_noise = mean(known(noisy.flip(axes), told.flip(axes)).item() for axes in MIRRORS) if known else own
        found = _weighed(own, any_noise, is_small=noisy[0, 0].numel() < SMALL**2)
        whole = told & torch.from_numpy(unclipped(pixels))
        if found.kind == "white" and found.sigma > STRONG and whole.sum() > ENOUGH:
            found = Noise(min(net.estimate(noisy, whole).item(), LARGEST_SIGMA), "white")
    return found


def _weighed(own: float, any_noise: float, *, is_small: bool) -> Noise:
    """What the denoiser is best told, by its own estimate, which knows each pixel's own noise alone, and by another."""
    if is_small:
        least = min(own, any_noise, LARGEST_SIGMA)
        return Noise(least, "white") if least > DETAIL else Noise(0.0, "none")
    if own < SMOOTH and any_noise > ANY:
        return Noise(min(max(any_noise, LEAST), LARGEST_SIGMA), "camera")
    if any_noise > MORE * own + 1:
        return Noise(min(any_noise, LARGEST_SIGMA), "camera")
    if any_noise <= QUIET:
        return Noise(0.0, "none")
    share = min(max((any_noise - FAINT) / (STRONG - FAINT), 0.0), 1.0) if (any_noise + 1) * ALIKE > own + 1 else 0.0
    return Noise(min(share * own + (1 - share) * LESS * any_noise, LARGEST_SIGMA), "white")


def _middle(seen: np.ndarray) -> slice:
    """The middle of what is seen along an axis, (n,) bool, at most `ESTIMATED` long."""
    places = np.flatnonzero(seen)
    first, last = places[[0, -1]] if len(places) else (0, len(seen) - 1)
    start = first + max(0, (last + 1 - first - ESTIMATED) // 2)
    return slice(start, min(start + ESTIMATED, last + 1))


@cache
def _estimator() -> Model | None:
    """The network that judges noise; None without sound weights: then the denoiser's own estimate has to do."""
    with suppress(ValueError):
        return loaded(ESTIMATOR, [ESTIMATOR])
    return None
