"""A pen of our own: digits, letters, shapes and scribbles drawn from lines, each one different.

The pen runs smoothly through the points of `train.data.glyphs` (Catmull & Rom 1974).
"""

from functools import cache
from typing import NamedTuple

import torch

from train.data.glyphs import DIGITS, IN_WORDS, LETTERS, MARKS, SHAPES, SHOWN

POINTS = 48  # that a drawing is sampled at; enough for 28 pixels
UNSTEADY = 0.05  # of a glyph's box: the largest deviation of its points in one hand
EVERY = {**LETTERS, **SHAPES, **IN_WORDS, **MARKS}  # but digits, by their names
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
    """Segments (POINTS, 4), start and end x and y, along the smooth curves through the points of each stroke.

    Points of another dimension D than 2 give (POINTS, 2 * D).
    """
    share = [len(stroke) - 1 for stroke in strokes]
    counts = [max(1, round((POINTS - len(strokes)) * part / sum(share))) for part in share]
    pieces = []
    for stroke, count in zip(strokes, counts, strict=True):
        curve = _catmull_rom(stroke, count + 1)
        pieces.append(torch.cat([curve[:-1], curve[1:]], 1))
    found = torch.cat(pieces)[:POINTS]
    return torch.cat([found, found[-1:].expand(POINTS - len(found), -1)])


class Forms(NamedTuple):
    """Glyphs ready to be written: the pen's way is linear in their points, so each has a matrix.

    Attributes:
        points: (glyphs, K, 2), filled up with zeros.
        curves: (glyphs, 2 * POINTS, K): times the points, all starts of the segments, then all ends.
        knots: (glyphs, K): which points are one place, since a point written twice is a corner and stays one.
    """

    points: torch.Tensor
    curves: torch.Tensor
    knots: torch.Tensor


@cache
def forms(glyphs: tuple[str, ...]) -> Forms:
    """Each traced once."""
    most = max(sum(map(len, glyph(text))) for text in glyphs)
    points, curves = torch.zeros(len(glyphs), most, 2), torch.zeros(len(glyphs), 2 * POINTS, most)
    knots = torch.zeros(len(glyphs), most, dtype=torch.int64)
    for number, text in enumerate(glyphs):
        strokes = glyph(text)
        lengths = [len(stroke) for stroke in strokes]
        every = torch.cat(strokes)
        starts, ends = trace(list(torch.eye(len(every)).split(lengths))).chunk(2, 1)
        points[number, : len(every)], curves[number, :, : len(every)] = every, torch.cat([starts, ends])
        moves = (every[1:] != every[:-1]).any(1)
        moves[torch.tensor(lengths[:-1], dtype=torch.int64).cumsum(0) - 1] = True
        knots[number, 1 : len(every)] = moves.cumsum(0)
    return Forms(points, curves, knots)


def written(chosen: torch.Tensor, forms: Forms, generator: torch.Generator | None = None) -> torch.Tensor:
    """Segments (N, POINTS, 4) of these glyphs, their points each a little elsewhere: loops stay open, bars slip."""
    points, knots = forms.points[chosen], forms.knots[chosen]
    away = UNSTEADY * torch.rand(len(chosen), 1, 1, generator=generator)
    away = away * torch.randn(points.shape, generator=generator).clamp(-2, 2)
    points = points + away.gather(1, knots[..., None].expand_as(points))
    return torch.cat((forms.curves[chosen] @ points).chunk(2, 1), 2)


@cache
def _digits() -> tuple[Forms, torch.Tensor]:
    """Every form of every digit, and which digit it is."""
    every = [(form, digit) for digit, some in DIGITS.items() for form in some]
    return forms(tuple(form for form, _ in every)), torch.tensor([digit for _, digit in every])


def digits(count: int, generator: torch.Generator | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """Segments (count, POINTS, 4) of digits in as many hands, and which digits (count,) they are: all alike often."""
    known, owners = _digits()
    labels = torch.randint(10, (count,), generator=generator)
    # Of each digit one of its forms: so many to choose from, beginning there.
    many, first = owners.bincount()[labels], (owners[None] == labels[:, None]).float().argmax(1)
    chosen = first + (torch.rand(count, generator=generator) * many).long()
    return hand(written(chosen, known, generator), generator), labels


def drawn(names: tuple[str, ...], count: int, generator: torch.Generator | None = None) -> torch.Tensor:
    """Segments (count, POINTS, 4) of letters, shapes and marks of these names, in as many hands."""
    return hand(_glyphs(names, count, generator), generator)


def scribbles(count: int, generator: torch.Generator | None = None) -> torch.Tensor:
    """Segments (count, POINTS, 4) of one or two strokes each, through random points."""
    return hand(torch.stack(_lines(count, generator)), generator)


def nonsense(count: int, generator: torch.Generator | None = None) -> torch.Tensor:
    """Segments (count, POINTS, 4) to learn from: two thirds letters and shapes of `SHOWN`, one third scribbles."""
    glyphs, lines = _glyphs(SHOWN, count - count // 3, generator), _lines(count // 3, generator)
    return hand(torch.stack([*glyphs, *lines]), generator)


def _glyphs(names: tuple[str, ...], count: int, generator: torch.Generator | None) -> torch.Tensor:
    known = forms(tuple(EVERY[name] for name in names))
    return written(torch.randint(len(names), (count,), generator=generator), known, generator)


def _lines(count: int, generator: torch.Generator | None) -> list[torch.Tensor]:
    return [trace(_scribble(generator)) for _ in range(count)]


def pictures(segments: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
    """(N, POINTS, 4) -> (N, 1, 28, 28) in [0, 1], in MNIST's form, each with a pen of 1.5 to 5 pixels."""
    width = torch.rand(len(segments), generator=generator) * 3.5 + 1.5
    return render(place(segments, width), width[:, None] * pressure(segments, generator))


def pressure(segments: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
    """What the pen's width is multiplied by on each of (N, POINTS) segments, at most 1: thin where it runs fast.

    Half of the hands press evenly. A segment's length is the pen's speed, and what is left varies slowly.
    """
    n = len(segments)
    amount = (2 * torch.rand(n, 1, generator=generator) - 1).clamp(min=0)
    phase, turns = torch.rand(n, 1, generator=generator) * 6.3, torch.rand(n, 1, generator=generator) * 0.3
    speed = (segments[..., 2:] - segments[..., :2]).norm(dim=2)
    speed = speed / speed.amax(1, keepdim=True).clamp(min=1e-6)
    slow = 0.5 + 0.5 * torch.sin(phase + turns * torch.arange(segments.shape[1]))
    return 1 - 0.6 * amount * (0.5 * speed + 0.5 * slow)


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
    # Unsteadiness is a function of place, so that strokes that meet go on meeting. The last is a tremor.
    for fastest, amount in ((9, 1.0), (9, 1.0), (9, 1.0), (40, 0.2)):
        u, v, phase = uniform(-fastest, fastest), uniform(-fastest, fastest), uniform(0, 6.3)
        away = amount * wobble
        x, y = x + away * torch.sin(u * x + v * y + phase), y + away * torch.cos(v * x - u * y + phase)
    # Most lean a little to the right, few by 35 degrees.
    x = x * uniform(0.55, 1.0) - y * (uniform(-0.2, 0.35) + uniform(-0.2, 0.35))
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
    """Ink (N, 1, size, size) in [0, 1] of a round pen along `segments` (N, POINTS, 4), all in pixels.

    `width` is (N,), or (N, POINTS) where it changes on the way.
    """
    width = width.view(len(width), -1, 1)
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
    distance = to_x.square_().addcmul_(to_y, to_y).sqrt_()
    return (width / 2 - distance).amax(1).add_(0.5).clamp_(0, 1).view(-1, 1, size, size)
