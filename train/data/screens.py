"""What has no noise although it is full of edges: print, lines and areas, as screens and scans have them."""

import numpy as np
import torch
from PIL import Image, ImageDraw

from train.data.pages import ink

SIGNS = list("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,;:-()      ")
ROW = 60  # signs
LIGHT = (255, 255, 255, 250, 240)  # that papers and windows mostly have


def screens(count: int, size: int, seed: int) -> torch.Tensor:
    """(count, 3, size, size) in [0, 1]."""
    draw = np.random.default_rng(seed)
    return torch.from_numpy(np.stack([_screen(size, draw) for _ in range(count)])).permute(0, 3, 1, 2) / 255


def _colour(draw: np.random.Generator, low: int = 0, high: int = 256) -> tuple[int, ...]:
    return tuple(draw.integers(low, high, 3).tolist())


def _screen(size: int, draw: np.random.Generator) -> np.ndarray:
    paper = (int(draw.choice(LIGHT)),) * 3 if draw.random() < 0.6 else _colour(draw)
    picture = Image.new("RGB", (size, size), paper)
    pencil = ImageDraw.Draw(picture)
    for _ in range(int(draw.integers(0, 4))):
        pencil.rectangle(np.sort(draw.integers(0, size, (2, 2)), 0).reshape(-1).tolist(), fill=_colour(draw))
    written = _colour(draw, 0, 60) if sum(paper) > 384 else _colour(draw, 190)
    height = int(draw.integers(8, 40))
    face = ink.face(str(draw.choice(ink.FONTS))).font_variant(size=height)
    y = int(draw.integers(-height, height))
    while y < size:
        if draw.random() < 0.8:
            text = "".join(draw.choice(SIGNS, ROW))
            pencil.text((int(draw.integers(-20, 20)), y), text, fill=written, font=face)
        else:
            pencil.line(draw.integers(0, size, 4).tolist(), fill=written, width=int(draw.integers(1, 4)))
        y += round(height * draw.uniform(1, 2))
    return np.array(picture)
