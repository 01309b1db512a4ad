"""Pictures that cards show; a module to import only where one is drawn."""

from pathlib import Path

import matplotlib
import torch
from PIL import Image

matplotlib.use("agg")  # pictures go to files; no screen is needed
import matplotlib.pyplot as plt

COLOURS = 64  # of a figure of lines: a third of the file

__all__ = ["grid", "photographs", "plt", "save"]


def save(figure: plt.Figure, path: Path) -> None:
    """Save a figure of lines, a PNG, and close it."""
    figure.savefig(path, dpi=110)
    plt.close(figure)
    with Image.open(path) as picture:
        few = picture.convert("RGB").quantize(COLOURS)
    few.save(path, optimize=True)


def photographs(figure: plt.Figure, path: Path, dpi: int) -> None:
    """Save a figure of photographs as such: as a PNG it would be five times as large."""
    figure.savefig(path, dpi=dpi, pil_kwargs={"quality": 85})
    plt.close(figure)


def grid(pictures: torch.Tensor, path: Path, columns: int = 10) -> None:
    """(N, 1, 28, 28) in [0, 1] as one picture, from left to right, twice their size; the last row may end in black."""
    filled = torch.cat([pictures, pictures.new_zeros(-len(pictures) % columns, *pictures.shape[1:])])
    rows = [torch.cat(list(row), 1) for row in filled[:, 0].clamp(0, 1).split(columns)]
    plt.imsave(path, torch.cat(rows).repeat_interleave(2, 0).repeat_interleave(2, 1), cmap="gray", vmin=0, vmax=1)
