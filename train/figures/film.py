"""A film of a training: what a network did with the same inputs after one epoch, and another, and another."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw

NAME = "film.webp"
MOST_BYTES = 150_000
EACH, LAST = 700, 2500  # milliseconds that a frame is seen, and the last one
SMALLEST = 320  # pixels that a film is wide at least: what is smaller is enlarged by whole pixels
FOOT = 18  # pixels below the picture, for the epoch


def write(snapshots: Sequence[dict], folder: Path) -> str:
    """Write `film.webp`, at most `MOST_BYTES`, of snapshots {"epoch", "picture"}; the Markdown that shows it.

    Nothing where there are none.
    """
    if not snapshots:
        return ""
    frames = [_frame(shot["picture"], shot["epoch"]) for shot in snapshots]
    (folder / NAME).write_bytes(_encoded(frames))
    epochs = ", ".join(str(shot["epoch"]) for shot in snapshots)
    return f"What it did with the same inputs after epochs {epochs}:\n\n![A film of the training]({NAME})\n"


def _frame(picture: torch.Tensor, epoch: int) -> Image.Image:
    image = Image.fromarray(np.ascontiguousarray(picture.cpu().numpy())).convert("RGB")
    factor = -(-SMALLEST // image.width)
    image = image.resize((factor * image.width, factor * image.height), Image.Resampling.NEAREST)
    whole = Image.new("RGB", (image.width, image.height + FOOT), "white")
    whole.paste(image)
    ImageDraw.Draw(whole).text((4, image.height + 2), f"epoch {epoch}", fill="#6b6256", font_size=13)
    return whole


def _encoded(frames: list[Image.Image]) -> bytes:
    """As good as the size allows: worse first, then smaller."""
    while True:
        for quality in (85, 60, 35):
            stored = io.BytesIO()
            times = [EACH] * (len(frames) - 1) + [LAST]
            frames[0].save(
                stored, "WEBP", save_all=True, append_images=frames[1:], duration=times, loop=0, quality=quality
            )
            if stored.tell() <= MOST_BYTES:
                return stored.getvalue()
        frames = [one.resize((max(1, one.width * 3 // 4), max(1, one.height * 3 // 4))) for one in frames]


def answers(images: torch.Tensor, shares: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Digits (N, 1, 28, 28) in [0, 1], each over bars of the ten shares (N, 10): (56, 28 N, 3) uint8.

    The bar of the right digit is orange.
    """
    columns = []
    for image, share, label in zip(images[:, 0].cpu(), shares.cpu(), labels.tolist(), strict=True):
        bars = torch.full((28, 28, 3), 255, dtype=torch.uint8)
        for digit, height in enumerate((share * 27).round().int().tolist()):
            colour = (217, 102, 31) if digit == label else (107, 98, 86)
            bars[28 - height :, 4 + 2 * digit : 6 + 2 * digit] = torch.tensor(colour, dtype=torch.uint8)
        columns.append(torch.cat([(255 * image).byte()[..., None].expand(-1, -1, 3), bars]))
    return torch.cat(columns, 1)


def beside(pictures: torch.Tensor, columns: int) -> torch.Tensor:
    """(N, C, H, W) in [0, 1] beside and below each other: (rows * H, columns * W, 3) uint8."""
    pixels = (255 * pictures.clamp(0, 1)).round().byte().expand(-1, 3, -1, -1).permute(0, 2, 3, 1).cpu()
    return torch.cat([torch.cat(list(row), 1) for row in pixels.split(columns)])
