"""Figures of a picture against a clean one."""

import numpy as np
import pytest
from PIL import Image

from models.pipelines import denoiser, quality


def test_what_cannot_be_seen_is_not_measured() -> None:
    """Of a cut-out the figures are those of what is cut out, whatever lies under the rest; sigma 1e-50 is no noise."""
    clean, noise = Image.linear_gradient("L").convert("RGB"), np.random.default_rng(0).normal(0, 20, (256, 256, 3))
    noisy = Image.fromarray(np.uint8((np.asarray(clean) + noise).clip(0, 255)))
    mask = Image.new("L", clean.size)
    mask.paste(255, (60, 0, 180, 256))
    cut = [one.copy() for one in (clean, noisy)]
    for one in cut:
        one.putalpha(mask)
    part = [one.crop((60, 0, 180, 256)) for one in (clean, noisy)]
    assert quality(*cut).psnr == pytest.approx(quality(*part).psnr, abs=1e-6)
    *_, (_, same) = denoiser("photo-denoiser").steps(noisy, 1e-50, kind="camera")
    assert np.abs(np.int16(same) - np.int16(noisy)).max() <= 1
