"""Films of trainings: a frame for each snapshot, small enough for a card, and every family has one."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from train.engine import loop
from train.figures import film


def shots(count: int, *shape: int) -> list[dict]:
    draw = torch.Generator().manual_seed(0)
    return [
        {"epoch": 1 + 3 * index, "picture": torch.randint(256, shape, generator=draw, dtype=torch.uint8)}
        for index in range(count)
    ]


@pytest.mark.parametrize("shape", [(28, 560), (64, 64, 3), (384, 768, 3)])
def test_a_film_has_a_frame_for_each_snapshot(tmp_path: Path, shape: tuple[int, ...]) -> None:
    """Also of noise, which compresses worst, it has at most 150 kB; the Markdown names its epochs."""
    told = film.write(shots(12, *shape), tmp_path)
    assert "film.webp" in told and "1, 4, 7" in told and "34" in told
    assert (tmp_path / "film.webp").stat().st_size <= 150_000
    with Image.open(tmp_path / "film.webp") as found:
        assert found.n_frames == 12 and found.width >= 80
        frames = []
        for index in range(12):
            found.seek(index)
            frames.append(np.asarray(found.convert("RGB"), int))
    assert all(abs(one - other).mean() > 1 for one, other in pairwise(frames))


def test_no_snapshot_no_film(tmp_path: Path) -> None:
    assert film.write([], tmp_path) == ""
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("epochs", [1, 2, 5, 11, 12, 13, 20, 24, 100, 200])
def test_at_most_twelve_snapshots(epochs: int) -> None:
    """Of the first epoch, of the last, and evenly between: none where that would be more than twelve."""
    kept = [epoch for epoch in range(1, epochs + 1) if loop.is_kept(epoch, epochs)]
    assert kept[0] == 1 and kept[-1] == epochs and len(kept) <= 12
    assert len(kept) == epochs or len(kept) >= 6
    steps = np.diff(kept[:-1])
    assert len(set(steps.tolist())) <= 1


def test_answers_are_bars() -> None:
    """As high as the share, orange where the digit is right."""
    shares = torch.zeros(2, 10)
    shares[0, 3], shares[0, 5], shares[1, 9] = 0.75, 0.25, 1.0
    picture = film.answers(torch.rand(2, 1, 28, 28), shares, torch.tensor([3, 0]))
    assert picture.shape == (56, 56, 3)
    bars = picture[28:]
    orange = (bars == torch.tensor([217, 102, 31])).all(2)
    grey = (bars == torch.tensor([107, 98, 86])).all(2)
    assert orange.sum(0).tolist()[10:12] == [20, 20] and orange.sum() == 40
    assert grey.sum(0)[14] == 7 and grey.sum(0)[28 + 22] == 27


def test_beside() -> None:
    """Row by row, grey made three channels."""
    pictures = torch.arange(6).view(6, 1, 1, 1).expand(6, 1, 4, 5) / 10
    sheet = film.beside(pictures, 3)
    assert sheet.shape == (8, 15, 3)
    assert sheet[0, ::5, 0].tolist() == [0, 26, 51] and sheet[7, ::5, 2].tolist() == [76, 102, 128]
