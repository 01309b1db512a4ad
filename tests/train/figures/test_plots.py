"""Pictures of cards."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from train.figures import plots


@pytest.mark.parametrize(("count", "columns"), [(1, 10), (9, 10), (32, 10), (35, 7)])
def test_a_grid_of_any_number(tmp_path: Path, count: int, columns: int) -> None:
    """Row by row from the left, twice as large; where there are none left it is black."""
    torch.manual_seed(0)
    pictures = torch.rand(count, 1, 28, 28)
    plots.grid(pictures, tmp_path / "grid.png", columns)
    found = np.asarray(Image.open(tmp_path / "grid.png").convert("L"), float)[::2, ::2] / 255
    rows = -(-count // columns)
    assert found.shape == (28 * rows, 28 * columns)
    for place in range(rows * columns):
        top, left = 28 * (place // columns), 28 * (place % columns)
        wanted = pictures[place, 0].numpy() if place < count else 0
        assert abs(found[top : top + 28, left : left + 28] - wanted).max() < 0.01
