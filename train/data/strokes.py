"""A pen of our own: digits, letters, shapes and scribbles drawn from lines, each one different.

A glyph is written as strokes on a grid of ten by ten, `xy` a point: x from left to right, y from top to bottom, strokes
parted by "/". The pen runs smoothly through the points (Catmull & Rom 1974); a point written twice is a corner.
"""

from functools import cache

import torch

DIGITS = {
    0: ["50 22 15 27 59 88 95 82 50 31", "60 32 25 37 49 68 75 72 60", "80 50 22 15 27 59 88 95 82 50 20"],
    1: ["50 59", "23 50 50 59", "32 50 50 59 / 29 79", "60 49", "14 60 60 59 / 39 89"],
    2: [
        "22 40 70 82 84 56 19 19 99",
        "13 31 61 82 74 37 18 38 59 98",
        "22 50 82 74 28 28 17 37 69 99",
        "11 61 82 64 19 19 49 99",
    ],
    3: ["21 50 81 82 54 54 86 87 59 18", "10 90 90 54 54 86 88 59 18", "22 50 82 63 44 74 87 69 28"],
    4: [
        "60 06 06 96 / 60 69",
        "20 15 15 85 / 80 79",
        "70 16 16 96 / 74 69",
        "20 16 46 85 / 80 75 69",
        "60 16 16 86 / 63 59",
    ],
    5: [
        "80 20 20 14 14 54 86 77 59 18",
        "20 14 14 54 86 77 59 18 / 20 90",
        "81 31 24 24 64 86 78 49 18",
        "20 24 54 76 78 49 18 / 21 80",
    ],
    6: ["70 33 16 28 59 88 86 54 26", "50 23 16 28 59 78 76 54 25", "81 50 23 16 28 59 88 86 64 35 17"],
    7: ["10 90 90 39", "11 91 91 55 49", "12 10 90 90 39", "10 90 90 39 / 35 85", "11 81 81 55 49 / 25 75"],
    8: [
        "80 50 22 33 75 87 59 27 35 73 82 60",
        "54 22 50 82 54 17 59 87 54",
        "50 23 44 76 78 59 38 36 64 82 50",
        "53 31 50 71 53 26 59 86 53",
    ],
    9: [
        "82 50 22 24 55 83 82 82 79",
        "81 50 22 24 55 83 81 86 59 28",
        "72 40 22 34 64 72 71 69",
        "82 50 22 24 55 83 80 87 49 28",
    ],
}

# Without the letters that are digits in some hand: O, I, S, Z, B, l, o, z, q.
LETTERS = {
    "A": "09 50 50 99 / 26 76",
    "C": "82 50 22 15 27 59 88",
    "D": "20 29 / 20 60 93 96 69 29",
    "E": "80 20 20 29 29 89 / 24 74",
    "F": "80 20 20 29 / 24 74",
    "G": "82 50 22 15 27 59 88 85 85 55",
    "H": "20 29 / 80 89 / 24 84",
    "J": "70 77 59 38 27",
    "K": "20 29 / 80 25 25 89",
    "L": "20 29 29 89",
    "M": "09 10 10 56 56 90 90 99",
    "N": "19 10 10 89 89 80",
    "P": "20 29 / 20 70 83 64 25",
    "Q": "50 22 15 27 59 88 95 82 50 / 66 99",
    "R": "20 29 / 20 70 82 64 24 / 54 89",
    "T": "00 90 / 50 59",
    "U": "10 16 39 69 86 80",
    "V": "00 59 59 90",
    "W": "00 29 29 53 53 79 79 90",
    "X": "10 89 / 80 19",
    "Y": "10 55 55 90 / 55 59",
    "a": "84 53 25 28 59 88 / 83 88 99",
    "b": "20 29 / 24 63 86 69 28",
    "d": "80 89 / 84 43 16 39 78",
    "e": "16 86 74 43 15 28 59 88",
    "f": "81 50 33 39 / 14 74",
    "h": "20 29 / 25 53 75 79",
    "k": "20 29 / 83 26 26 89",
    "m": "03 09 / 05 23 45 49 / 45 73 95 99",
    "n": "23 29 / 25 53 75 79",
    "p": "22 29 / 23 62 84 66 25",
    "r": "33 39 / 35 53 83",
    "t": "40 48 69 88 / 13 83",
    "u": "23 27 49 77 / 73 79",
    "w": "03 29 29 54 54 79 79 93",
    "y": "22 56 / 82 39",
    "ff": "30 22 29 / 04 44 / 80 72 79 / 54 94",
    "@": "75 54 36 47 66 74 77 96 93 50 22 16 39 79",
    "&": "99 23 41 63 26 38 59 95",
    "?": "22 50 82 64 56 57 / 59 59",
    "中": "12 82 82 86 86 16 16 12 / 50 59",
    "大": "03 93 / 50 45 09 / 55 99",
    "山": "50 58 / 13 18 18 88 88 83",
    "人": "50 44 09 / 45 99",
    "木": "03 93 / 50 59 / 53 08 / 53 98",
}

SHAPES = {
    "square": "11 19 19 89 89 81 81 11",
    "triangle": "50 09 09 99 99 50",
    "star": "50 29 29 93 93 03 03 89 89 50",
    "plus": "05 95 / 50 59",
    "arrow": "05 95 / 62 95 95 68",
    "heart": "59 14 12 31 53 71 92 94 59 59",
    "wave": "05 23 47 63 87 95",
    "zigzag": "06 23 23 46 46 63 63 86 86 93",
    "spiral": "55 65 46 34 62 86 58 15 31 80",
    "house": "19 14 14 50 50 94 94 99 99 19",
    "smile": "31 32 / 71 72 / 16 39 69 86",
    "lines": "12 92 / 15 95 / 18 98",
    "grid": "30 39 / 70 79 / 03 93 / 07 97",
    "bolt": "60 25 25 55 55 39",
    "diamond": "50 15 15 59 59 85 85 50",
    "dots": "11 12 / 81 82 / 55 56 / 18 19 / 88 89",
    "fish": "05 32 64 92 / 05 38 66 98",
    "tree": "59 55 / 55 16 50 50 96 55",
}
# What a network may learn from as "no digit"; what it was never shown tells whether it understood. Left out are those
# that come near a digit, as D does and b.
SHOWN = (
    *"ACEFHKMNRWXefhkmntw大木",
    *("triangle", "star", "plus", "arrow", "heart", "zigzag", "house", "lines", "grid", "fish"),
)
POINTS = 48  # that a drawing is sampled at; enough for 28 pixels
SCRIBBLES = 6  # strokes through so many to twice so many random points


def glyph(text: str) -> list[torch.Tensor]:
    """The strokes of a glyph as (points, 2) in [0, 1], x and y."""
    strokes = [[(int(word[0]), int(word[1])) for word in stroke.split()] for stroke in text.split("/")]
    return [torch.tensor(stroke, dtype=torch.float32) / 9 for stroke in strokes]


def _scribble(generator: torch.Generator | None) -> list[torch.Tensor]:
    """One or two strokes through random points."""
    count = int(torch.randint(1, 3, (), generator=generator))
    points = torch.randint(SCRIBBLES, 2 * SCRIBBLES, (count,), generator=generator).tolist()
    return [torch.rand(number, 2, generator=generator) for number in points]


def trace(strokes: list[torch.Tensor]) -> torch.Tensor:
    """Segments (POINTS, 4), start and end x and y, along the smooth curves through the points of each stroke."""
    share = [len(stroke) - 1 for stroke in strokes]
    counts = [max(1, round((POINTS - len(strokes)) * part / sum(share))) for part in share]
    pieces = []
    for stroke, count in zip(strokes, counts, strict=True):
        curve = _catmull_rom(stroke, count + 1)
        pieces.append(torch.cat([curve[:-1], curve[1:]], 1))
    found = torch.cat(pieces)[:POINTS]
    return torch.cat([found, found[-1:].expand(POINTS - len(found), 4)])


@cache
def table(glyphs: tuple[str, ...]) -> torch.Tensor:
    """(glyphs, POINTS, 4): each traced once."""
    return torch.stack([trace(glyph(text)) for text in glyphs])


@cache
def _digits() -> tuple[torch.Tensor, torch.Tensor]:
    """Every form of every digit, traced, and which digit it is."""
    forms = [(form, digit) for digit, some in DIGITS.items() for form in some]
    return table(tuple(form for form, _ in forms)), torch.tensor([digit for _, digit in forms])


def digits(count: int, generator: torch.Generator | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """Segments (count, POINTS, 4) of digits in as many hands, and which digits (count,) they are."""
    forms, labels = _digits()
    chosen = torch.randint(len(forms), (count,), generator=generator)
    return hand(forms[chosen], generator), labels[chosen]


def drawn(names: tuple[str, ...], count: int, generator: torch.Generator | None = None) -> torch.Tensor:
    """Segments (count, POINTS, 4) of letters and shapes of these names, in as many hands."""
    return hand(_glyphs(names, count, generator), generator)


def scribbles(count: int, generator: torch.Generator | None = None) -> torch.Tensor:
    """Segments (count, POINTS, 4) of one or two strokes each, through random points."""
    return hand(torch.stack(_lines(count, generator)), generator)


def nonsense(count: int, generator: torch.Generator | None = None) -> torch.Tensor:
    """Segments (count, POINTS, 4) to learn from: two thirds letters and shapes of `SHOWN`, one third scribbles."""
    glyphs, lines = _glyphs(SHOWN, count - count // 3, generator), _lines(count // 3, generator)
    return hand(torch.stack([*glyphs, *lines]), generator)


def _glyphs(names: tuple[str, ...], count: int, generator: torch.Generator | None) -> torch.Tensor:
    known = table(tuple({**LETTERS, **SHAPES}[name] for name in names))
    return known[torch.randint(len(known), (count,), generator=generator)]


def _lines(count: int, generator: torch.Generator | None) -> list[torch.Tensor]:
    return [trace(_scribble(generator)) for _ in range(count)]


def pictures(segments: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
    """(N, POINTS, 4) -> (N, 1, 28, 28) in [0, 1], in MNIST's form, each with a pen of 1.5 to 5 pixels."""
    width = torch.rand(len(segments), generator=generator) * 3.5 + 1.5
    return render(place(segments, width), width)


def _catmull_rom(points: torch.Tensor, count: int) -> torch.Tensor:
    """(count, 2) positions on the curve through `points` (n, 2), evenly spaced in its parameter."""
    ends = torch.cat([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    at = torch.linspace(0, len(points) - 1, count)
    index = at.long().clamp(max=len(points) - 2)
    t = (at - index)[:, None]
    before, start, end, after = (ends[index + offset] for offset in range(4))
    return 0.5 * (
        2 * start
        + (end - before) * t
        + (2 * before - 5 * start + 4 * end - after) * t**2
        + (3 * start - before - 3 * end + after) * t**3
    )


def hand(segments: torch.Tensor, generator: torch.Generator | None = None, wobble: float = 0.04) -> torch.Tensor:
    """Each drawing (N, POINTS, 4) in a hand of its own: slanted, turned, stretched, and unsteady."""
    n = len(segments)

    def uniform(low: float, high: float) -> torch.Tensor:
        return torch.rand(n, 1, generator=generator, device=segments.device) * (high - low) + low

    x, y = segments[..., 0::2] - 0.5, segments[..., 1::2] - 0.5
    x, y = x.flatten(1), y.flatten(1)
    # Unsteadiness is a function of place, so that strokes that meet go on meeting.
    for _ in range(3):
        u, v, phase = uniform(-9, 9), uniform(-9, 9), uniform(0, 6.3)
        x, y = x + wobble * torch.sin(u * x + v * y + phase), y + wobble * torch.cos(v * x - u * y + phase)
    x = x * uniform(0.55, 1.0) - y * uniform(-0.15, 0.45)
    angle = uniform(-0.2, 0.2)
    x, y = x * angle.cos() - y * angle.sin(), x * angle.sin() + y * angle.cos()
    return torch.stack([x, y], 2).view(n, POINTS, 2, 2).flatten(2)


def place(segments: torch.Tensor, width: torch.Tensor, size: int = 28, box: int = 20) -> torch.Tensor:
    """As MNIST has it: the ink of each drawing fills `box` on its longer side, its centre of mass is in the middle.

    Args:
        segments: (N, POINTS, 4), in any scale.
        width: (N,) of the pen, in pixels.

    Returns:
        (N, POINTS, 4) in pixels.
    """
    points = segments.unflatten(2, (2, 2))
    low, high = points.amin((1, 2)), points.amax((1, 2))
    scale = (box - width) / (high - low).amax(1).clamp(min=1e-6)
    points = (points - low[:, None, None]) * scale[:, None, None, None]
    length = (points[:, :, 1] - points[:, :, 0]).norm(dim=2, keepdim=True).clamp(min=1e-6)
    centre = (points.mean(2) * length).sum(1) / length.sum(1)
    return (points - centre[:, None, None] + size / 2).flatten(2)


def render(segments: torch.Tensor, width: torch.Tensor, size: int = 28) -> torch.Tensor:
    """Ink (N, 1, size, size) in [0, 1] of a round pen along `segments` (N, POINTS, 4); `width` (N,); all in pixels."""
    x, y, x_end, y_end = segments[..., None].unbind(2)  # (N, POINTS, 1) each
    along_x, along_y = x_end - x, y_end - y
    middles = torch.arange(size, device=segments.device) + 0.5
    # The way from a segment's start to every pixel; then, less the part along the segment, the way from its nearest
    # point. In place, for these are the largest tensors.
    to_x = middles.repeat(size) - x  # (N, POINTS, size * size)
    to_y = middles.repeat_interleave(size) - y
    share = (to_x * along_x).addcmul_(to_y, along_y)
    share.div_((along_x.square() + along_y.square()).clamp(min=1e-6)).clamp_(0, 1)
    to_x.addcmul_(share, along_x, value=-1)
    to_y.addcmul_(share, along_y, value=-1)
    distance = to_x.square_().addcmul_(to_y, to_y).amin(1).sqrt()
    return (width[:, None] / 2 - distance + 0.5).clamp(0, 1).view(-1, 1, size, size)
