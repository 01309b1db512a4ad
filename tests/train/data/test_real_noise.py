"""Pairs of real noise: every second scene, whole; what is not there or does not fit is said."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from train.data.real_noise import pairs


def put(folder: Path, name: str, size: tuple[int, int] = (8, 6), level: int = 0) -> None:
    Image.fromarray(np.full((*size[::-1], 3), level, np.uint8)).save(folder / f"{name}.png")


def test_every_second_scene(tmp_path: Path) -> None:
    """All crops of a scene go together; a scene may have numbers of its own."""
    for number, scene in enumerate(("A_3_chair", "B_desk", "C_plant", "D_1_toy")):
        for crop in (1, 10, 2):
            put(tmp_path, f"{scene}_{crop}_real", level=10 * number + crop)
            put(tmp_path, f"{scene}_{crop}_mean", level=100 + 10 * number + crop)
    (tmp_path / "LICENSE.txt").write_text("free")
    found = pairs(str(tmp_path))
    assert [one.scene for one in found] == 3 * ["B_desk"] + 3 * ["D_1_toy"]
    assert all(np.asarray(one.true).mean() == 100 + np.asarray(one.noisy).mean() for one in found)
    assert {int(np.asarray(one.noisy).max()) for one in found} == {11, 12, 20, 31, 32, 40}


@pytest.mark.parametrize("wrong", ["none", "one scene", "no truth", "sizes", "broken"])
def test_what_does_not_fit_is_said(tmp_path: Path, wrong: str) -> None:
    for scene in () if wrong == "none" else ("A",) if wrong == "one scene" else ("A", "B"):
        put(tmp_path, f"{scene}_1_real")
        if wrong != "no truth":
            put(tmp_path, f"{scene}_1_mean", size=(9, 6) if wrong == "sizes" else (8, 6))
    if wrong == "broken":
        (tmp_path / "B_1_real.png").write_bytes(b"<html>")
    with pytest.raises(ValueError, match="two of them" if wrong in ("none", "one scene") else "take them out"):
        pairs(str(tmp_path))
