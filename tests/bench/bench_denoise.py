"""How long the photo denoiser takes beside BM3D, on the same grey picture of 512x512. Bar: fifteen times faster.

Needs the `bm3d` package, which is for research only: pip install bm3d. Run from the repository's root:
python tests/bench/bench_denoise.py
"""

import sys
import time

from common import header, show, verdict

# ruff: isort: split
import numpy as np
from bm3d import bm3d
from PIL import Image
from skimage.data import camera
from skimage.metrics import peak_signal_noise_ratio

from models.pipelines import Denoiser

ROUNDS, SIGMA, BAR = 3, 25, 1 / 15


def main() -> int:
    """Measure in turn, print times and PSNR, and tell by the status whether the bar is met."""
    clean = camera()
    noisy = clean + np.random.default_rng(0).normal(0, SIGMA, clean.shape)
    picture = Image.fromarray(np.uint8(np.clip(noisy, 0, 255).round()))
    denoise = Denoiser("photo-denoiser")
    times: dict[str, list[float]] = {"bm3d": [], "photo-denoiser": []}
    for _ in range(ROUNDS):
        for name, work in (("bm3d", lambda: bm3d(noisy, SIGMA)), ("photo-denoiser", lambda: denoise(picture, SIGMA))):
            start = time.perf_counter()
            found = np.asarray(work())
            times[name].append(1000 * (time.perf_counter() - start))
            restored = np.uint8(np.clip(found, 0, 255).round())
            if len(times[name]) == 1:
                print(f"{name}: {peak_signal_noise_ratio(clean, restored):.2f} dB")
    header()
    slow, fast = (show(name, taken) for name, taken in times.items())
    return verdict("photo-denoiser / bm3d, median", fast / slow, BAR)


if __name__ == "__main__":
    sys.exit(main())
