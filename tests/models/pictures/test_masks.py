"""Masks as people make them: one shape in many conventions, and what is no mask."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from app_process import file
from PIL import Image, ImageDraw, ImageFilter
from skimage import data

from models.errors import InputError
from models.pictures import masks

SIZE = (120, 90)


def shape() -> np.ndarray:
    """What all of them mean, (90, 120) bool: a disc of a tenth of the picture."""
    drawn = Image.new("L", SIZE)
    ImageDraw.Draw(drawn).ellipse((40, 20, 77, 57), fill=255)
    return np.asarray(drawn) > 0


def grey(inside: int, outside: int = 0, kind: type = np.uint8) -> Image.Image:
    return Image.fromarray(np.where(shape(), inside, outside).astype(kind))


def coloured(inside: tuple[int, int, int], outside: tuple[int, int, int] = (0, 0, 0)) -> Image.Image:
    return Image.fromarray(np.where(shape()[..., None], inside, outside).astype(np.uint8))


def palette(*colours: int) -> Image.Image:
    """Indices 0 and 1 of a palette, as data sets of classes have them."""
    made = Image.fromarray(np.uint8(shape()), "P")
    made.putpalette(colours)
    return made


def photograph() -> Image.Image:
    return Image.fromarray(data.astronaut()).resize(SIZE)


def erased() -> Image.Image:
    made = photograph().convert("RGBA")
    made.putalpha(Image.fromarray(np.uint8(255 * ~shape())))
    return made


def stroke(colour: tuple[int, int, int]) -> Image.Image:
    made = Image.new("RGBA", SIZE)
    made.paste(colour, mask=grey(255))
    return made


def as_jpeg(mask: Image.Image) -> Image.Image:
    return Image.open(io.BytesIO(file(mask, "JPEG", quality=75)))


def layer(opacity: float) -> Image.Image:
    """White strokes of a translucent brush."""
    white = Image.new("L", SIZE, 255)
    return Image.merge("RGBA", (white, white, white, grey(round(255 * opacity))))


KINDS: dict[str, tuple[Callable[[], Image.Image], str | None]] = {
    "white on black": (lambda: grey(255), None),
    "one bit": (lambda: grey(255).convert("1"), None),
    "RGB": (lambda: grey(255).convert("RGB"), None),
    "blurred": (lambda: grey(255).filter(ImageFilter.GaussianBlur(0.7)), None),
    "0 and 1": (lambda: grey(1), "value"),
    "0 and 1 of 16 bits": (lambda: grey(1, kind=np.uint16), "value"),
    "16 bits": (lambda: grey(65535, kind=np.uint16), None),
    "0 and 1 as floats": (lambda: grey(1, kind=np.float32), "value"),
    "class 7": (lambda: grey(7), "value"),
    "black on white": (lambda: grey(0, 255), "black"),
    "red": (lambda: coloured((255, 0, 0)), "red"),
    "green": (lambda: coloured((0, 200, 40)), "green"),
    "blue": (lambda: coloured((30, 30, 255)), "blue"),
    "magenta on white": (lambda: coloured((255, 0, 255), (255, 255, 255)), "magenta"),
    "classes": (lambda: palette(0, 0, 0, 128, 0, 0), "red"),
    "dark class": (lambda: palette(0, 0, 0, 64, 0, 128), "blue"),
    "classes without a palette": (lambda: Image.fromarray(np.uint8(shape()), "P"), "value"),
    "erased": (erased, "transparent"),
    "a stroke in black": (lambda: stroke((0, 0, 0)), None),
    "a stroke in orange": (lambda: stroke((255, 120, 0)), None),
    "a translucent stroke": (lambda: layer(0.3), None),
    "erased of grey": (lambda: Image.merge("LA", (photograph().convert("L"), erased().getchannel("A"))), "transparent"),
    "half of white": (lambda: grey(127), "grey"),
    "white on grey": (lambda: grey(255, 128), None),
    "black on grey": (lambda: grey(0, 128), "black"),
    "dark grey on black": (lambda: grey(60), "grey"),
    "white on grey of 16 bits": (lambda: grey(65535, 30000, np.uint16), None),
    "JPEG, white on black": (lambda: as_jpeg(grey(255)), None),
    "JPEG, red on white": (lambda: as_jpeg(coloured((255, 0, 0), (255, 255, 255))), "red"),
    "JPEG, blue on white": (lambda: as_jpeg(coloured((0, 0, 255), (255, 255, 255))), "blue"),
    "JPEG, dark red on black": (lambda: as_jpeg(coloured((128, 0, 0))), "red"),
    "JPEG, grey on white": (lambda: as_jpeg(grey(128, 255)), "grey"),
    "JPEG, white on grey": (lambda: as_jpeg(grey(255, 128)), None),
    "JPEG, green on red": (lambda: as_jpeg(coloured((0, 255, 0), (255, 0, 0))), "green"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_way_of_making_one(kind: str) -> None:
    """The same is hidden, and it is said where it was not white."""
    make, said = KINDS[kind]
    found = masks.read(make())
    assert (found.hidden != shape()).mean() < (0.01 if kind.startswith(("blurred", "JPEG")) else 1e-9)
    assert found.said == said


@pytest.mark.parametrize("reach", [50, 80, 110])
@pytest.mark.parametrize("length", [0, 120])
@pytest.mark.parametrize("make", [lambda soft: soft, as_jpeg, lambda soft: soft.point(lambda value: 255 - value)])
def test_a_soft_brush(reach: int, length: int, make: Callable[[Image.Image], Image.Image]) -> None:
    """A dot or a stroke that fades over `reach` pixels hides where it is more white than black: half as far."""
    y, x = np.mgrid[:300, :400]
    away = np.hypot(x - np.clip(x, 200 - length / 2, 200 + length / 2), y - 150)
    found = masks.read(make(Image.fromarray(np.uint8(255 * (1 - away / reach).clip(0)))))
    assert (found.hidden != (away < reach / 2)).mean() < 0.01


def test_a_soft_photograph() -> None:
    """One that is out of focus is still none, whether it is dark or light around."""
    for name in ("astronaut", "coffee", "chelsea", "camera"):
        photo = Image.fromarray(getattr(data, name)()).convert("L").filter(ImageFilter.GaussianBlur(5))
        with pytest.raises(InputError) as caught:
            masks.read(photo)
        assert caught.value.code == "mask_photograph"


def test_several_classes() -> None:
    """All that is not black is hidden."""
    made = np.zeros((*SIZE[::-1], 3), np.uint8)
    made[10:30, 10:30], made[50:70, 60:80] = (128, 0, 0), (0, 128, 0)
    found = masks.read(Image.fromarray(made))
    assert np.array_equal(found.hidden, made.any(2)) and found.said == "coloured"


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("classes", [2, 3, 18])
def test_classes_by_number(classes: int, kind: type) -> None:
    """All but class 0 is hidden, as where classes have colours."""
    made = np.zeros((240, 320), kind)
    for number in range(1, classes + 1):
        top, left = divmod(number - 1, 6)
        made[80 * top + 10 : 80 * top + 50, 53 * left + 10 : 53 * left + 40] = number
    found = masks.read(Image.fromarray(made))
    assert np.array_equal(found.hidden, made > 0) and found.said == "value"


def test_half_of_it_is_white() -> None:
    """A half is what it says, and from there on it is said; beyond three quarters it is the other way about."""
    for share, hidden, said in ((0.45, 0.45, None), (0.7, 0.7, "white"), (0.85, 0.15, "black")):
        made = np.zeros((100, 100), np.uint8)
        made[:, : round(100 * share)] = 255
        found = masks.read(Image.fromarray(made))
        assert found.hidden.mean() == pytest.approx(hidden) and found.said == said


@pytest.mark.parametrize(
    ("mask", "code"),
    [
        (Image.new("L", SIZE, 255), "all_hidden"),
        (Image.new("L", SIZE, 1), "all_hidden"),
        (Image.new("RGB", SIZE, (255, 0, 0)), "all_hidden"),
        (Image.new("L", SIZE), "nothing_hidden"),
        (Image.new("RGBA", SIZE), "nothing_hidden"),
        (photograph(), "mask_photograph"),
        (photograph().convert("L"), "mask_photograph"),
        (Image.fromarray(data.camera()).convert("I;16"), "mask_photograph"),
        (Image.fromarray(data.coffee()), "mask_photograph"),
        (Image.fromarray(data.camera() // 16), "mask_photograph"),  # as dark as a mask with classes
        (Image.fromarray(data.camera() // 8), "mask_photograph"),
        (as_jpeg(photograph()), "mask_photograph"),
        (Image.fromarray(np.where(np.indices(SIZE[::-1]).sum(0) // 8 % 2, 255, 204).astype(np.uint8)), "all_hidden"),
    ],
)
def test_what_is_no_mask(mask: Image.Image, code: str) -> None:
    with pytest.raises(InputError) as caught:
        masks.read(mask)
    assert caught.value.code == code
