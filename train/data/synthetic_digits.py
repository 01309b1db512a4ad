"""The development set of drawings that MNIST never saw: sheets, scans and photographs of one digit each.

Half of the digits are validation images of MNIST, enlarged; half are drawn by `train.data.strokes`. Each is put on a
sheet in one of ten ways (`KINDS`), and reaches a network through `models.pipelines.to_digit`, as a visitor's
picture does.
"""

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image, ImageFilter

from models.base import Model
from models.errors import InputError
from models.pictures import images
from models.pipelines import to_digit
from train.data import strokes
from train.data.splits import Split

EACH = 100  # pictures of each kind
SIDE = 100  # pixels of a digit before it is put on a sheet


@dataclass(frozen=True)
class Kind:
    """One way of drawing. Pairs are the bounds of a uniform draw.

    Attributes:
        pen: what the pen's width is multiplied by.
        share: the digit's height as a share of the sheet's.
        turn: degrees.
        sheet: height and width of the sheet in pixels.
        light: the ink is light and the sheet dark.
        uneven: how much of the light is lost in the darkest corner and in a shadow's half.
        noise: standard deviation, of 255.
        blur: radius in pixels.
    """

    pen: tuple[float, float] = (0.9, 1.1)
    share: tuple[float, float] = (0.6, 0.8)
    turn: float = 0.0
    sheet: tuple[int, int] = (280, 280)
    light: bool = False
    uneven: float = 0.0
    noise: float = 0.0
    blur: float = 0.0


KINDS = {
    "plain": Kind(),
    "thin": Kind(pen=(0.25, 0.5)),
    "thick": Kind(pen=(1.4, 1.9)),
    "small": Kind(share=(0.15, 0.25), pen=(1.0, 1.7)),
    "huge": Kind(share=(0.9, 1.0)),
    "turned": Kind(turn=20.0),
    "light on dark": Kind(light=True, noise=6),
    "scan": Kind(sheet=(300, 450), share=(0.2, 0.6), noise=10, blur=0.7),
    "photograph": Kind(sheet=(480, 640), share=(0.2, 0.6), uneven=0.5, noise=8, blur=1.0, turn=8.0),
    "few pixels": Kind(sheet=(16, 16), share=(0.75, 0.95)),
}


def development_set(validation: Split, seed: int = 0) -> list[tuple[str, Image.Image, int]]:
    """(kind, picture, digit): `EACH` of every kind, fewer of few validation images; half from those, half drawn."""
    half = min(EACH // 2, max(1, len(validation) // 10))
    draw = np.random.default_rng(seed)
    generator = torch.Generator().manual_seed(seed)
    found = []
    for kind, way in KINDS.items():
        for index in draw.permutation(len(validation))[:half]:
            ink = _enlarged(validation.images[index, 0].numpy(), draw.uniform(*way.pen))
            found.append((kind, put(ink, way, draw), int(validation.labels[index])))
        segments, labels = strokes.digits(half, generator)
        width = torch.tensor(draw.uniform(*way.pen, half), dtype=torch.float32) * SIDE / 7
        for one, pen, label in zip(segments, width, labels, strict=True):
            placed = strokes.place(one[None], pen[None], SIDE, round(0.9 * SIDE))
            ink = strokes.render(placed, pen[None], SIDE)[0, 0]
            found.append((kind, put(Image.fromarray(np.uint8(ink.numpy() * 255)), way, draw), int(label)))
    return found


def accuracy(net: Model, drawings: list[tuple[str, Image.Image, int]]) -> dict[str, float]:
    """Share of right answers for each kind; a picture that `to_digit` refuses counts as wrong."""
    right: dict[str, list[bool]] = {}
    for kind, image, label in drawings:
        with torch.inference_mode():
            try:
                answer = int(net(images.to_tensor(to_digit(image))).argmax())
            except InputError:
                answer = -1
        right.setdefault(kind, []).append(answer == label)
    return {kind: float(np.mean(values)) for kind, values in right.items()}


def _enlarged(pixels: np.ndarray, pen: float) -> Image.Image:
    """A digit (28, 28) as sharp ink of `SIDE` pixels, its strokes `pen` times as wide, as far as they allow it."""
    large = Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(1))
    ink = large.point(lambda value: 255 * (value > 110))
    # MNIST's strokes are some 2.7 of 28 pixels wide; a filter of 2 r + 1 takes r off each side, or adds it.
    radius = round((pen - 1) * 2.7 * SIDE / 28 / 2)
    if radius > 0:
        return ink.filter(ImageFilter.MaxFilter(2 * radius + 1)).filter(ImageFilter.GaussianBlur(1))
    while radius < 0:
        thinner = ink.filter(ImageFilter.MinFilter(2 * -radius + 1))
        # Where a stroke would break, it stays.
        if np.asarray(thinner, bool).sum() > 0.25 * np.asarray(ink, bool).sum():
            ink = thinner
            break
        radius += 1
    return ink.filter(ImageFilter.GaussianBlur(1))


def put(ink: Image.Image, way: Kind, draw: np.random.Generator) -> Image.Image:
    """A sheet with the digit somewhere on it; grey where the way has no noise, else in colour."""
    height, width = way.sheet
    if way.turn:
        ink = ink.rotate(draw.uniform(-way.turn, way.turn), Image.Resampling.BICUBIC, expand=True)
    ink = ink.crop(ink.getbbox())
    scale = draw.uniform(*way.share) * height / max(ink.size)
    ink = ink.resize([max(1, round(side * scale)) for side in ink.size], Image.Resampling.BOX)
    cover = Image.new("L", (width, height))
    room = [max(0, free - side) for free, side in zip(cover.size, ink.size, strict=True)]
    cover.paste(ink, [int(draw.integers(0, free + 1)) for free in room])
    paper, pen = draw.integers(200, 256, 3), draw.integers(0, 90, 3)
    if way.light:
        paper, pen = pen // 2, paper
    if not way.noise:
        return Image.composite(
            Image.new("L", cover.size, int(pen[0])), Image.new("L", cover.size, int(paper[0])), cover
        )
    sheet = Image.composite(*(Image.new("RGB", cover.size, tuple(map(int, colour))) for colour in (pen, paper)), cover)
    pixels = np.asarray(sheet.filter(ImageFilter.GaussianBlur(way.blur)), np.float32)
    if way.uneven:
        pixels = pixels * _light(height, width, way.uneven, draw)[..., None]
    pixels = pixels + draw.normal(0, way.noise, pixels.shape)
    return Image.fromarray(np.uint8(pixels.clip(0, 255)))


def _light(height: int, width: int, uneven: float, draw: np.random.Generator) -> np.ndarray:
    """(height, width) in [0, 1]: darker towards one side, and in the soft shadow of a hand or a telephone."""
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    angle, other = draw.uniform(0, 2 * np.pi, 2)
    slope = np.cos(angle) * (x - 0.5) + np.sin(angle) * (y - 0.5) + 0.5
    edge = np.cos(other) * (x - draw.uniform(0.2, 0.8)) + np.sin(other) * (y - draw.uniform(0.2, 0.6))
    shadow = 1 / (1 + np.exp(-edge / 0.02))
    return (1 - uneven * slope.clip(0, 1) * draw.uniform(0.3, 1)) * (1 - uneven * draw.uniform(0.3, 1) * shadow)
