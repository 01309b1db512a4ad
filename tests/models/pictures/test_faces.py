"""Where faces are, and how what was made up is put back: against formulas and pictures whose faces are known."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from skimage import data

from models.pictures.blending import averaged, joined, membrane
from models.pictures.faces import Square, centre, find

PORTRAITS = Path(__file__).parents[3] / "tabs/static/portraits"


def astronaut() -> Image.Image:
    return Image.fromarray(data.astronaut())


def head(size: tuple[int, int] = (400, 400), side: int = 400) -> Image.Image:
    """The astronaut's head, its face 2/5 of `side`, in the middle of a grey picture of this size."""
    whole = Image.new("RGB", size, (110, 110, 110))
    close = astronaut().crop((100, 0, 340, 240)).resize((side, side))
    whole.paste(close, ((size[0] - side) // 2, (size[1] - side) // 2))
    return whole


def test_finds_the_astronaut() -> None:
    """Eyes, nose and mouth are in the square, whatever the size of the photograph; no flag or suit comes before it."""
    for scale in (0.5, 1.0, 3.0, 8.0):
        photo = astronaut().resize([round(scale * 512)] * 2)
        left, top, right, bottom = (side / scale for side in find(photo)[0].box)
        assert 150 < left < 200 and 50 < top < 105 and 245 < right < 300 and 150 < bottom < 200


@pytest.mark.parametrize("angle", [-40, -20, 0, 20, 40])
def test_tilt(angle: int) -> None:
    """A head that leans is found where it is, and how far it leans to within fifteen degrees."""
    face = find(head((480, 360), 300).rotate(angle, Image.Resampling.BICUBIC))[0]
    assert abs(face.left + face.side / 2 - 240) < 20 and abs(face.top + face.side / 2 - 180) < 20
    assert abs(face.tilt - angle) <= 15 and 100 < face.side < 190


@pytest.mark.parametrize(
    ("name", "longest", "angle"),
    [("girl-with-a-pearl-earring", 200, -45), ("girl-with-a-pearl-earring", 200, -40), ("frederick-douglass", 400, 45)],
)
def test_hardly_seen(name: str, longest: int, angle: int) -> None:
    """A head at which but the detector's filters for leaning ones hint is found where the upright one is."""
    upright = Image.open(PORTRAITS / f"{name}.jpg").convert("RGB")
    upright.thumbnail((longest, longest))
    wanted = find(upright)[0]
    leaning = upright.rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor=(110, 110, 110))
    across, down = (
        start + wanted.side / 2 - whole / 2
        for start, whole in zip((wanted.left, wanted.top), upright.size, strict=True)
    )
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    x, y = cos * across + sin * down + leaning.width / 2, cos * down - sin * across + leaning.height / 2
    (face,) = find(leaning)
    assert np.hypot(face.left + face.side / 2 - x, face.top + face.side / 2 - y) < 0.3 * wanted.side
    assert abs(face.tilt - angle) <= 15 and 0.6 < face.side / wanted.side < 1.6


@pytest.mark.parametrize("turn", [90, 180, -90])
def test_lying(turn: int) -> None:
    """A picture that lies on its side or stands on its head: the same square, turned with it, to a pixel."""
    upright = astronaut().crop((60, 0, 400, 300))
    wanted = find(upright)[0]
    lying = upright.rotate(turn, expand=True)
    (face,) = find(lying)
    assert (face.side, face.tilt % 360) == (wanted.side, turn % 360)
    places = [
        (one.left + one.side / 2 - picture.width / 2) + 1j * (one.top + one.side / 2 - picture.height / 2)
        for one, picture in ((wanted, upright), (face, lying))
    ]
    assert abs(places[0] * np.exp(-1j * np.radians(turn)) - places[1]) < 2  # downwards is the imaginary axis


def test_turned_square() -> None:
    """It lies in its box, about the same middle, and covers as much as the upright one."""
    square = Square(30, 40, 100, 30)
    left, top, right, bottom = square.box
    assert (left + right, top + bottom) == (160, 180)
    assert right - left == bottom - top == pytest.approx(100 * (0.5 + 3**0.5 / 2), abs=2)
    part = Image.new("L", (100, 100), 1)
    part.paste(2, (0, 0, 100, 10))  # the forehead
    lies = np.asarray(square.turned(part))
    assert lies.shape == (bottom - top, right - left)
    assert (lies > 0).sum() == pytest.approx(100 * 100, rel=0.01)
    rows, columns = np.nonzero(lies == 2)
    middle = lies.shape[0] / 2
    assert columns.mean() - middle == pytest.approx(-45 * 0.5, abs=1)  # anticlockwise: to the left
    assert rows.mean() - middle == pytest.approx(-45 * 3**0.5 / 2, abs=1)


def test_small_and_large_together() -> None:
    """A face of 40 pixels beside one of 300 is offered, after it."""
    both = Image.new("RGB", (640, 480), (110, 110, 110))
    both.paste(head(side=400), (0, 40))
    both.paste(head((100, 100), 100), (500, 100))
    found = find(both)
    assert len(found) == 2 and found[0].side > 3 * found[1].side
    assert abs(found[1].left + found[1].side / 2 - 550) < 10 and abs(found[1].top + found[1].side / 2 - 150) < 10


@pytest.mark.parametrize("width", [1280, 2560])
def test_small_in_a_large_picture(width: int) -> None:
    """Faces of 40 pixels and hardly more, where there are no larger ones."""
    large = Image.fromarray(data.coffee()).resize((width, width * 2 // 3))
    places = [(width // 8 * one, width // 8) for one in (1, 3, 6)]
    for number, place in enumerate(places):
        large.paste(head((100 + 10 * number,) * 2, 100 + 10 * number), place)
    found = [(face.left + face.side / 2, face.top + face.side / 2) for face in find(large)]
    assert len(found) == 3
    assert all(min(np.hypot(x + 55 - left, y + 55 - top) for left, top in found) < 20 for x, y in places)


def test_thirty() -> None:
    """Each of a group in a large photograph, once."""
    group = Image.new("RGB", (1800, 1250), (110, 110, 110))
    for number in range(30):
        group.paste(head((240, 240), 240), (60 + number % 6 * 290, number // 6 * 250))
    found = find(group)
    assert len(found) == 30
    assert {((face.left - 60) // 290, face.top // 250) for face in found} == {
        (x, y) for x in range(6) for y in range(5)
    }


def test_dark() -> None:
    """At a tenth of the light."""
    dark = Image.fromarray(np.uint8(np.asarray(head()) * 0.1))
    wanted = find(head())[0]
    assert abs(np.subtract(find(dark)[0].box, wanted.box)).max() < 0.15 * wanted.side


def test_each_face_once() -> None:
    """A face that fills the picture is one; and three faces beside each other are three."""
    close = astronaut().crop((160, 50, 300, 190)).resize((300, 300))
    assert len(find(close)) == 1
    three = Image.new("RGB", (900, 300))
    for number in range(3):
        three.paste(close, (300 * number, 0))
    found = sorted(face.left + face.side // 2 for face in find(three) if face.side > 120)
    assert [position // 300 for position in found] == [0, 1, 2]


@pytest.mark.parametrize("mode", ["16 bits", "La", "LAB"])
def test_finds_in_any_mode(mode: str) -> None:
    """The same face as in the plain picture; of 16 bits, the brightest is far from white."""
    grey = astronaut().convert("L")
    wanted = find(grey)
    picture = {
        "16 bits": Image.fromarray(np.asarray(grey, np.uint16) * 257),
        "La": grey.convert("LA").convert("La"),
        "LAB": Image.merge("LAB", (grey, *[Image.new("L", grey.size, 128)] * 2)),
    }[mode]
    found = find(picture)
    assert len(found) == len(wanted)
    assert abs(np.subtract(found[0].box, wanted[0].box)).max() < 0.1 * wanted[0].side


def test_nothing_to_find() -> None:
    """No face in a coffee, in noise, in what is too small."""
    noise = np.random.default_rng(0).integers(0, 256, (200, 300, 3), np.uint8)
    small = (Image.new("L", (12, 900)), Image.new("RGB", (0, 5)))
    for picture in (Image.fromarray(data.coffee()), Image.fromarray(noise), *small):
        assert find(picture) == []


@pytest.mark.parametrize("size", [(1, 1), (3, 5000), (90, 40)])
def test_centre(size: tuple[int, int]) -> None:
    """The largest square, inside, in the middle to a pixel."""
    left, top, right, bottom = centre(Image.new("L", size)).box
    assert right - left == bottom - top == min(size) and left >= 0 and top >= 0
    assert abs(left + right - size[0]) <= 1 and abs(top + bottom - size[1]) <= 1


@pytest.mark.parametrize("sides", [(60, 80), (301, 417)])
def test_membrane_is_harmonic(sides: tuple[int, int]) -> None:
    """x² - y² + xy is harmonic: inside a hole it is found again from its edge."""
    height, width = sides
    y, x = np.mgrid[:height, :width] / max(sides)
    true = 255 * np.stack([x**2 - y**2 + x * y, 1 - x], 2)
    mask = np.zeros(sides, bool)
    mask[height // 5 : height // 2, width // 4 : width * 3 // 4] = True
    mask[height // 2 : height * 4 // 5, width // 3 : width // 2] = True
    found = membrane(np.where(mask[..., None], np.nan, true), mask)
    assert abs(found - true).max() < 1.5
    assert np.array_equal(found[~mask], true[~mask])


def test_membrane_at_the_border() -> None:
    """It goes on level where the picture ends, and stays within the values around it."""
    values = np.full((40, 50, 1), 7.0)
    mask = np.zeros((40, 50), bool)
    mask[:, 20:] = True
    assert abs(membrane(np.where(mask[..., None], 99.0, values), mask) - 7).max() < 1e-6
    assert membrane(values, np.ones_like(mask)).max() == 0  # nothing is known


def test_joined() -> None:
    """What differs from a smooth truth by a constant or a slope fits without a seam; the known pixels stay."""
    y, x = np.mgrid[:50, :60]
    true = np.stack([100 + 40 * np.sin(x / 20), 90 + y], 2)
    mask = np.zeros((50, 60), bool)
    mask[10:40, 12:45] = True
    for off in (np.full((50, 60), 20.0), 0.5 * x - 0.3 * y):
        found = joined(np.where(mask[..., None], np.nan, true), true + off[..., None], mask, 2.0)
        assert np.array_equal(found[~mask], true[~mask])
        assert abs(found - true).max() < 3


def test_joined_one_by_one() -> None:
    """Each of two holes that are far apart gets what it gets alone; many small ones are joined too."""
    rng = np.random.default_rng(0)
    pixels, made = rng.uniform(0, 255, (2, 90, 120, 3)).astype(np.float32)
    masks = np.zeros((2, 90, 120), bool)
    masks[0, 10:30, :25], masks[1, 60:80, 80:110] = True, True
    both = joined(pixels, made, masks.any(0), 3.0)
    for mask in masks:
        assert np.array_equal(both[mask], joined(pixels, made, mask, 3.0)[mask])
    many = np.zeros((90, 120), bool)
    many[5:85:10, 5:115:10] = True
    found = joined(np.full_like(pixels, 80), np.full_like(pixels, 100), many, 3.0)
    assert abs(found - 80).max() < 1


@settings(max_examples=25, deadline=None)
@given(
    pixels=arrays(np.float32, (20, 24, 1), elements=st.floats(0, 255, width=32)),
    mask=arrays(bool, (20, 24)),
    other=st.floats(-1e6, 1e6),
)
def test_joined_never_reads_what_is_hidden(pixels: np.ndarray, mask: np.ndarray, other: float) -> None:
    """Equal for two different contents, finite, and bit-equal where pixels are known."""
    made = np.full_like(pixels, 100.0)
    one, two = (joined(np.where(mask[..., None], hidden, pixels), made, mask, 1.0) for hidden in (np.nan, other))
    assert np.array_equal(one, two) and np.isfinite(one).all()
    assert np.array_equal(one[~mask], pixels[~mask])


def test_averaged() -> None:
    """Over blocks or not, the mean of the values along a line, weighed by a Gaussian of their distance."""
    where = np.zeros((300, 200), bool)
    where[40:260, 60], where[40:260, 150], where[40, 60:150] = True, True, True
    places, values = np.argwhere(where), np.random.default_rng(0).normal([3, -5], 1.0, (where.sum(), 2))
    for sigma in (2.0, 40.0):
        weights = np.exp(-((places[:, None] - places) ** 2).sum(2) / (2 * sigma**2))
        expected = weights @ values / weights.sum(1, keepdims=True)
        assert abs(averaged(values, where, sigma) - expected).max() < 0.02


def test_many_at_once() -> None:
    """Visitors look for faces at the same time: each finds what one alone finds."""
    pictures = [head((side, side), side) for side in range(240, 480, 20)]
    alone = [find(picture) for picture in pictures]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(find, 2 * pictures)) == 2 * alone
