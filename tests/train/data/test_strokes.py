"""The pen of our own: what it draws against formulas, and that what it writes is what it says."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from train.data import glyphs, strokes

POINTS = strokes.POINTS


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def line(*points: tuple[float, float]) -> torch.Tensor:
    """(1, POINTS, 4): straight from point to point, in pixels, each leg cut into equal parts."""
    legs = list(pairwise(points))
    parts = []
    for index, (start, end) in enumerate(legs):
        count = POINTS // len(legs) + (POINTS % len(legs) if index == 0 else 0)
        share = torch.linspace(0, 1, count + 1)[:, None]
        way = torch.tensor(start) * (1 - share) + torch.tensor(end) * share
        parts.append(torch.cat([way[:-1], way[1:]], 1))
    return torch.cat(parts)[None]


@pytest.mark.parametrize("width", [2.0, 3.5, 8.0, 21.0])
@pytest.mark.parametrize("end", [(60.0, 20.0), (20.0, 70.0), (63.0, 51.0), (20.0, 20.0)])
def test_ink_of_a_straight_stroke(width: float, end: tuple[float, float]) -> None:
    """Width times length and two half discs; nothing outside of [0, 1]."""
    ink = strokes.render(line((20.0, 20.0), end), torch.tensor([width]), 90)
    assert ink.shape == (1, 1, 90, 90)
    assert ink.min() == 0 and 0.7 < ink.max() <= 1
    area = width * math.dist((20, 20), end) + math.pi * width**2 / 4
    assert ink.sum().item() == pytest.approx(area, rel=0.03)


def test_ink_is_where_the_stroke_is() -> None:
    """Each pixel by its own distance from the nearest point of the path, found by walking along it."""
    path = line((4.0, 5.0), (20.0, 9.0), (8.0, 23.0))
    ink = strokes.render(path, torch.tensor([3.0]))[0, 0].numpy()
    share = np.linspace(0, 1, 60)[:, None]
    steps = path[0].numpy()
    walked = np.concatenate([step[:2] * (1 - share) + step[2:] * share for step in steps])
    for row in range(28):
        for column in range(28):
            distance = np.hypot(*(walked - (column + 0.5, row + 0.5)).T).min()
            assert ink[row, column] == pytest.approx(np.clip(1.5 - distance + 0.5, 0, 1), abs=0.01)


def test_every_drawing_has_its_own_width() -> None:
    """A batch is rendered one by one."""
    paths, widths = (
        torch.cat([line((5.0, 5.0), (20.0, 20.0)), line((3.0, 25.0), (25.0, 3.0))]),
        torch.tensor([2.0, 6.0]),
    )
    both = strokes.render(paths, widths)
    for index in range(2):
        alone = strokes.render(paths[index : index + 1], widths[index : index + 1])
        assert torch.equal(both[index : index + 1], alone)


@pytest.mark.parametrize(("size", "box"), [(28, 20), (100, 90)])
def test_place(size: int, box: int) -> None:
    """The ink's longer side fills the box, and the middle of the pen's way is the middle of the picture."""
    paths, _ = strokes.digits(60, seeded())
    width = torch.linspace(1.5, 5, 60)
    placed = strokes.place(paths * 37 - 5, width, size, box)
    assert torch.allclose(placed, strokes.place(paths, width, size, box), atol=1e-3)  # in any scale
    x, y = placed[..., 0::2].flatten(1), placed[..., 1::2].flatten(1)
    longer = torch.maximum(x.amax(1) - x.amin(1), y.amax(1) - y.amin(1))
    assert torch.allclose(longer + width, torch.full((60,), float(box)), atol=1e-3)
    for number, path in enumerate(placed.numpy().astype(np.float64)):
        start, end = path[:, :2], path[:, 2:]
        length = np.hypot(*(end - start).T)
        centre = ((start + end) / 2 * length[:, None]).sum(0) / length.sum()
        assert centre == pytest.approx([size / 2] * 2, abs=0.02), number


def test_place_of_a_dot() -> None:
    """A drawing without extent lies in the middle, and is finite."""
    placed = strokes.place(torch.full((1, POINTS, 4), 0.3), torch.tensor([4.0]))
    assert torch.allclose(placed, torch.full_like(placed, 14.0))


def test_pictures_have_mnists_form() -> None:
    """Within 20x20, and the centre of mass of the ink near the middle, whatever the pen."""
    pictures = strokes.pictures(strokes.digits(200, seeded())[0], seeded(1))
    assert pictures.shape == (200, 1, 28, 28)
    y, x = np.mgrid[0:28, 0:28] + 0.5
    for picture in pictures[:, 0].numpy():
        rows, columns = (np.flatnonzero(picture.max(axis) > 0.5) for axis in (1, 0))
        assert 18 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 20
        assert abs((picture * x).sum() / picture.sum() - 14) < 1.5  # a pen that is pressed unevenly moves it
        assert abs((picture * y).sum() / picture.sum() - 14) < 1.5
        assert picture.max() == 1
    ink = pictures.mean((1, 2, 3))
    assert ink.max() > 2 * ink.min()  # thin pens and thick ones


GLYPHS = {
    **{f"{digit}.{index}": form for digit, forms in glyphs.DIGITS.items() for index, form in enumerate(forms)},
    **glyphs.LETTERS,
    **glyphs.SHAPES,
}


def distances(points: torch.Tensor, path: torch.Tensor) -> torch.Tensor:
    """How far each of (n, 2) lies from the nearest point of the segments (m, 4)."""
    start, along = path[None, :, :2], (path[:, 2:] - path[:, :2])[None]
    share = ((points[:, None] - start) * along).sum(2) / along.square().sum(2).clamp(min=1e-9)
    return (points[:, None] - start - share.clamp(0, 1)[..., None] * along).norm(dim=2).amin(1)


@pytest.mark.parametrize("name", GLYPHS)
def test_trace_passes_through_the_points(name: str) -> None:
    """It starts where each stroke starts, ends where it ends, and goes by every point on its way, in order."""
    glyph = strokes.glyph(GLYPHS[name])
    path = strokes.trace(glyph)
    assert path.shape == (POINTS, 4) and path.isfinite().all()
    ends = torch.cat([path[:, :2], path[:, 2:]])
    for stroke in glyph:
        assert stroke.min() >= 0 and stroke.max() <= 1
        assert distances(stroke, path).max() < 0.03
        for end in (stroke[0], stroke[-1]):
            assert (ends - end).norm(dim=1).min() < 1e-5
    # No segment leaps: what is not drawn is not inked.
    lengths = (path[:, 2:] - path[:, :2]).norm(dim=1)
    assert lengths.max() < 0.35


def test_trace_is_smooth_but_at_corners() -> None:
    """A round stroke turns little by little; a point written twice is a corner, which the pen reaches."""
    path = strokes.trace(strokes.glyph("50 22 15 27 59 88 95 82 50"))
    along = path[:, 2:] - path[:, :2]
    turns = torch.nn.functional.cosine_similarity(along[:-1], along[1:])
    assert turns.min() > 0.8
    corner = strokes.trace(strokes.glyph("10 90 90 39"))
    assert distances(torch.tensor([[1.0, 0.0]]), corner).item() < 0.01
    assert corner[..., 1::2].min() > -0.1  # the bar stays nearly straight


def test_straight_strokes_are_straight() -> None:
    """Two points give the line between them."""
    path = strokes.trace(strokes.glyph("09 90"))
    assert torch.allclose(path[:, 0::2] + path[:, 1::2], torch.ones(POINTS, 2), atol=1e-5)


def test_strokes_that_meet_go_on_meeting() -> None:
    """In any hand the bar of a 4 crosses its stem, and the ring of a 0 is closed."""
    cross, ring = "05 95 / 50 59", "50 22 15 27 59 88 95 82 50"
    for text in (cross, ring):
        drawings = strokes.hand(strokes.trace(strokes.glyph(text)).expand(200, POINTS, 4), seeded())
        assert not torch.allclose(drawings[0], drawings[1], atol=0.05)
        starts, ends = drawings[..., :2], drawings[..., 2:]
        if text == ring:
            assert torch.allclose(starts[:, 0], ends[:, -1], atol=1e-5)
        else:
            half = (POINTS - 1) // 2
            gap = (starts[:, :half, None] - starts[:, None, half:]).norm(dim=3).amin((1, 2))
            assert gap.max() < 0.05
    # And a stroke stays in one piece.
    joined = strokes.hand(line((0.0, 0.0), (1.0, 0.0), (0.2, 1.0)).expand(100, POINTS, 4), seeded())
    assert torch.allclose(joined[:, :-1, 2:], joined[:, 1:, :2], atol=1e-5)


def test_hands_differ_but_not_beyond_reading() -> None:
    """Without wobble a hand is a linear map: upright strokes lean, and none is mirrored or upside down."""
    axes = torch.cat([line((0.5, 0.5), (1.0, 0.5)), line((0.5, 0.5), (0.5, 1.0))])
    for seed in range(50):
        # One drawing holds both axes, so that they are drawn by the same hand.
        both = torch.cat([axes[0, :24], axes[1, 24:]])[None]
        path = strokes.hand(both, seeded(seed), wobble=0.0)[0]
        along = path[:, 2:] - path[:, :2]
        right, down = along[:24].sum(0), along[24:].sum(0)
        assert right[0] > 0 and down[1] > 0
        assert right[0] * down[1] - right[1] * down[0] > 0
        assert abs(right[1] / right[0]) < 0.3


def test_drawn_digits_are_the_digits_they_are_said_to_be() -> None:
    """Every label has its own glyphs: a drawing without its hand's turns is one of the forms of its label, exactly."""
    plain = {form: strokes.trace(strokes.glyph(form)) for forms in glyphs.DIGITS.values() for form in forms}
    owner = {form: digit for digit, forms in glyphs.DIGITS.items() for form in forms}
    assert sorted(glyphs.DIGITS) == list(range(10))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(strokes, "hand", lambda segments, generator=None: segments)
        patch.setattr(strokes, "UNSTEADY", 0.0)
        paths, labels = strokes.digits(2000, seeded())
    seen = set()
    for path, label in zip(paths, labels.tolist(), strict=True):
        forms = {form for form, trace in plain.items() if torch.allclose(trace, path, atol=1e-6)}
        assert {owner[form] for form in forms} == {label}
        seen |= forms
    assert len(seen) == len(plain)  # and every form comes up


def test_digits_are_told_apart() -> None:
    """A drawing in an ordinary hand is nearer to a template of its own digit than to those of others, mostly."""
    forms = [(digit, form) for digit, some in glyphs.DIGITS.items() for form in some]
    plain = torch.stack([strokes.trace(strokes.glyph(form)) for _, form in forms])
    # Each template in several plain hands: leaning and narrow ones too.
    hands = [(slant, narrow) for slant in (-0.1, 0.1, 0.3) for narrow in (0.6, 0.8, 1.0)]
    templates = []
    for slant, narrow in hands:
        lean = plain.clone()
        lean[..., 0::2] = plain[..., 0::2] * narrow - (plain[..., 1::2] - 0.5) * slant
        templates.append(lean)
    width = torch.full((len(plain) * len(hands),), 3.0)
    known = strokes.render(strokes.place(torch.cat(templates), width), width).flatten(1)
    digits = torch.tensor([digit for digit, _ in forms] * len(hands))
    paths, labels = strokes.digits(500, seeded())
    width = torch.full((500,), 3.0)
    found = strokes.render(strokes.place(paths, width), width).flatten(1)
    nearest = torch.cdist(found, known).argmin(1)
    right = (digits[nearest] == labels).float()
    assert right.mean() > 0.85
    for digit in range(10):
        assert right[labels == digit].mean() > 0.6, digit


def test_hands_are_unsteady_but_corners_stay() -> None:
    """A point written twice is one place; others go each its own way, by a few hundredths."""
    forms = strokes.forms(("10 90 90 39", "50 22 15 27 59 88 95 82 50"))
    seven, ring = (strokes.written(torch.full((100,), which), forms, seeded()) for which in (0, 1))
    plain = strokes.trace(strokes.glyph("10 90 90 39"))
    assert 0.02 < (seven - plain).abs().max() < 0.25
    # One stroke stays one; the last segment is repeated.
    assert (seven[:, 1:44, :2] - seven[:, :43, 2:]).norm(dim=2).max() < 1e-5
    assert (ring[:, 0, :2] - ring[:, -1, 2:]).norm(dim=1).max() > 0.03  # a ring may stay open


def test_pressure() -> None:
    """Half of the hands press evenly; the others are thinner where the pen runs fast, never thicker than it is."""
    fast = line((0.0, 0.0), (1.0, 0.0)).expand(400, POINTS, 4).clone()
    fast[:, : POINTS // 2, 2:] = fast[:, : POINTS // 2, :2] + 0.1 * (fast[..., 2:] - fast[..., :2])[:, : POINTS // 2]
    width = strokes.pressure(fast, seeded())
    assert width.shape == (400, POINTS) and width.min() >= 0.4 and width.max() <= 1
    even = (width == 1).all(1)
    assert 0.4 < even.float().mean() < 0.6
    slow, quick = width[~even][:, : POINTS // 2].mean(), width[~even][:, POINTS // 2 :].mean()
    assert slow > quick + 0.05


def test_a_pen_of_changing_width() -> None:
    """Each segment is as wide as it is said to be."""
    path = line((10.0, 30.0), (50.0, 30.0))
    widths = torch.linspace(2, 10, POINTS)[None]
    ink = strokes.render(path, widths, 60)[0, 0]
    for share in (0.2, 0.5, 0.8):
        column = round(10 + 40 * share)
        assert ink[:, column].sum().item() == pytest.approx(2 + 8 * share, abs=0.5)


EXCLUDED = set("OISZBlozq")  # each is a digit in some hand


def test_no_letter_is_a_digit() -> None:
    """What a network learns as no digit holds none of those letters, and everything in it exists."""
    assert not EXCLUDED & set(glyphs.LETTERS)
    assert not EXCLUDED & set(strokes.SHOWN)
    assert set(strokes.SHOWN) <= {*glyphs.LETTERS, *glyphs.SHAPES}
    assert len(set(strokes.SHOWN)) == len(strokes.SHOWN)
    assert not {*glyphs.LETTERS} & {*glyphs.SHAPES}
    assert {*glyphs.LETTERS, *glyphs.SHAPES} - set(strokes.SHOWN)  # some are never shown, to ask about


def test_drawn_takes_the_names_it_is_given() -> None:
    """Letters and shapes of these names, and no other."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(strokes, "hand", lambda segments, generator=None: segments)
        patch.setattr(strokes, "UNSTEADY", 0.0)
        paths = strokes.drawn(("A", "star"), 60, seeded())
    wanted = [strokes.trace(strokes.glyph(text)) for text in (glyphs.LETTERS["A"], glyphs.SHAPES["star"])]
    counts = [sum(torch.allclose(path, one, atol=1e-6) for path in paths) for one in wanted]
    assert sum(counts) == 60 and min(counts) > 15


@pytest.mark.parametrize("count", [1, 2, 3, 8, 16])
def test_nonsense(count: int) -> None:
    """As many as asked for; two thirds of `SHOWN`, one third scribbles that are none of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(strokes, "hand", lambda segments, generator=None: segments)
        patch.setattr(strokes, "UNSTEADY", 0.0)
        paths = strokes.nonsense(count, seeded())
    assert paths.shape == (count, POINTS, 4) and paths.isfinite().all()
    shown = [strokes.trace(strokes.glyph({**glyphs.LETTERS, **glyphs.SHAPES}[name])) for name in strokes.SHOWN]
    known = sum(any(torch.allclose(path, one, atol=1e-6) for one in shown) for path in paths)
    assert known == count - count // 3


def test_scribbles() -> None:
    """One or two strokes through 6 to 11 random points of the square, never the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(strokes, "hand", lambda segments, generator=None: segments)
        patch.setattr(strokes, "UNSTEADY", 0.0)
        paths = strokes.scribbles(60, seeded())
    gaps = (paths[:, 1:, :2] - paths[:, :-1, 2:]).norm(dim=2)
    gaps[(paths[:, 1:] == paths[:, :-1]).all(2)] = 0  # what fills up to `POINTS` repeats the last
    counts = 1 + (gaps > 1e-4).sum(1)
    assert set(counts.tolist()) == {1, 2}
    assert paths.min() > -0.5 and paths.max() < 1.5
    assert len({path.numpy().tobytes() for path in paths}) == 60


def test_the_generator_decides() -> None:
    """The same seed gives the same drawings, another seed others; without a generator torch's own seed does."""
    stroke = strokes.trace(strokes.glyph("10 59")).expand(20, -1, -1)
    makers = {
        "digits": lambda generator: strokes.digits(20, generator)[0],
        "nonsense": lambda generator: strokes.nonsense(20, generator),
        "scribbles": lambda generator: strokes.scribbles(20, generator),
        "drawn": lambda generator: strokes.drawn(strokes.SHOWN, 20, generator),
        "pictures": lambda generator: strokes.pictures(stroke, generator),
    }
    for name, make in makers.items():
        assert torch.equal(make(seeded(1)), make(seeded(1))), name
        assert not torch.allclose(make(seeded(1)), make(seeded(2)), atol=0.01), name
        results = []
        for seed in (3, 3, 4):
            torch.manual_seed(seed)
            results.append(make(None))
        assert torch.equal(results[0], results[1]) and not torch.equal(results[0], results[2]), name
        state = torch.get_rng_state()
        make(seeded(1))
        assert torch.equal(state, torch.get_rng_state()), name  # nor does it touch the global one
