"""A pen of our own: digits, letters, shapes and scribbles drawn from lines, each one different.

The pen runs smoothly through the points of `train.data.glyphs` (Catmull & Rom 1974).
"""

from functools import cache

import torch

from train.data.glyphs import DIGITS, LETTERS, SHAPES, SHOWN

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
