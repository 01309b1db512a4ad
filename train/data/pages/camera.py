"""From a sheet to a picture of it: table, view, light, blur, few pixels, noise, JPEG; all (S, S) in [0, 1]."""

import io

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter


def homography(corners: np.ndarray, onto: np.ndarray) -> np.ndarray:
    """The (3, 3) matrix that takes four points (4, 2) onto four others."""
    rows = []
    for (x, y), (u, v) in zip(corners, onto, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
    return np.append(np.linalg.solve(np.array(rows), onto.reshape(-1)), 1).reshape(3, 3)


def seen(points: np.ndarray, view: np.ndarray) -> np.ndarray:
    """Where points (n, 2) of the sheet come to lie; `view` as `homography` gives it."""
    found = np.c_[points, np.ones(len(points))] @ view.T
    return found[:, :2] / found[:, 2:]


def warped(pixels: np.ndarray, view: np.ndarray, size: int) -> np.ndarray:
    """A sheet as it is seen, (size, size), around it 0."""
    back = np.linalg.inv(view)
    back = (back / back[2, 2]).reshape(-1)[:8]
    image = Image.fromarray(pixels.astype(np.float32))
    return np.asarray(
        image.transform((size, size), Image.Transform.PERSPECTIVE, tuple(back), Image.Resampling.BILINEAR)
    )


def grain(size: int, knots: int, draw: np.random.Generator) -> np.ndarray:
    """Smooth noise of deviation about 1 with so many knots to a side."""
    noise = Image.fromarray(draw.standard_normal((knots, knots)).astype(np.float32))
    return np.asarray(noise.resize((size, size), Image.Resampling.BICUBIC))


def light(size: int, draw: np.random.Generator) -> np.ndarray:
    """What is left of the light at each place: darker towards one side, and in a hand's soft or sharp shadow."""
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size
    angle, other = draw.uniform(0, 2 * np.pi, 2)
    slope = np.cos(angle) * (x - 0.5) + np.sin(angle) * (y - 0.5) + 0.5
    left = 1 - draw.uniform(0, 0.6) * slope.clip(0, 1)
    if draw.random() < 0.4:
        edge = np.cos(other) * (x - draw.uniform(0.2, 0.8)) + np.sin(other) * (y - draw.uniform(0.2, 0.8))
        left = left * (1 - draw.uniform(0.1, 0.6) / (1 + np.exp(-edge / draw.choice([0.005, 0.02, 0.08]))))
    return left


def blurred(pixels: np.ndarray, radius: float) -> np.ndarray:
    return gaussian_filter(pixels, radius, truncate=2.5)


def coarser(pixels: np.ndarray, factor: float) -> np.ndarray:
    """Reduced by a factor and enlarged again."""
    image, size = Image.fromarray(pixels), len(pixels)
    small = image.resize((round(size / factor),) * 2, Image.Resampling.BOX)
    return np.asarray(small.resize((size, size), Image.Resampling.BICUBIC))


def jpeg(pixels: np.ndarray, quality: int) -> np.ndarray:
    """(S, S) uint8, there and back."""
    stored = io.BytesIO()
    Image.fromarray(pixels).save(stored, "JPEG", quality=quality)
    return np.asarray(Image.open(stored))


def photograph(pixels: np.ndarray, finest: float, draw: np.random.Generator) -> np.ndarray:
    """(S, S) in [0, 1] -> uint8, as a camera or a scanner has it; `finest` is the smallest digit's height in pixels."""
    if draw.random() < 0.4:
        pixels = pixels * light(len(pixels), draw)
    if draw.random() < 0.6:
        pixels = blurred(pixels, draw.uniform(0, min(1.6, finest / 16)))
    if draw.random() < 0.25:
        pixels = coarser(pixels, draw.uniform(1, max(1.0, min(4, finest / 12))))
    noise = draw.choice([0.0, 0.01, 0.03, 0.06]) * draw.random()
    if noise:
        pixels = pixels + noise * draw.standard_normal(pixels.shape, np.float32)
    if draw.random() < 0.15:
        low, high = draw.uniform(0, 0.3), draw.uniform(0.65, 1)
        pixels = low + (high - low) * pixels
    pixels = np.uint8(255 * pixels.clip(0, 1) + 0.5)
    return jpeg(pixels, int(draw.integers(30, 96))) if draw.random() < 0.5 else pixels


def view(sheet: int, size: int, on_table: bool, draw: np.random.Generator) -> np.ndarray:
    """From places on the sheet to places in the picture."""
    corners = np.array([[0, 0], [sheet, 0], [sheet, sheet], [0, sheet]], float)
    edge = (sheet - size) / 2
    if on_table:  # all of the sheet is seen
        inset = size * draw.uniform(0.02, 0.12)
        onto = inset + corners * (size - 2 * inset) / sheet
        return homography(corners, onto + draw.uniform(-inset, inset, (4, 2)))
    onto = corners - edge
    if draw.random() < 0.6:
        angle = np.radians(draw.normal(0, 3))
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        onto = (onto - size / 2) @ turn.T + size / 2 + draw.uniform(-0.3, 0.3, (4, 2)) * edge
    return homography(corners, onto)
