"""What a picture is written on whose surroundings were cut away: it goes on around it; of ink alone nothing does."""

import numpy as np
import pytest
from app_process import drawn
from ink import on_glass
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from models.pictures.drawing import is_drawing
from models.pictures.modes import backing, to_grey
from models.pipelines import classifier

INK = ImageOps.invert(drawn())  # a seven, 280x280


def cut_out(tone: int, ink: int, side: int = 600) -> Image.Image:
    """A seven on a round note of that tone; what is transparent hides a colour of its own."""
    note, alpha = Image.new("L", (side, side), 90), Image.new("L", (side, side))
    ImageDraw.Draw(alpha).ellipse((90, 90, 510, 510), fill=255)
    note.paste(tone, mask=alpha)
    note.paste(ink, (160, 160), INK)
    return Image.merge("LA", [note, alpha])


def sticker(outline: int, ink: int) -> Image.Image:
    """A seven with an outline of another colour."""
    alpha = ImageOps.expand(INK, 40).filter(ImageFilter.MaxFilter(23))
    grey = Image.new("L", alpha.size, outline)
    grey.paste(ink, (40, 40), INK)
    return Image.merge("LA", [grey, alpha])


@pytest.mark.parametrize(("tone", "ink"), [(250, 20), (60, 230), (200, 110)])
def test_a_note_and_a_sticker(tone: int, ink: int) -> None:
    """What surrounds them goes on, and the digit on them is read, by the call as well."""
    network = classifier("mnist-resnet")
    for image in (cut_out(tone, ink), sticker(tone, ink)):
        assert backing(*image.split()) == pytest.approx(tone, abs=2)
        assert not is_drawing(image)
        assert to_grey(image).getpixel((0, 0)) == pytest.approx(tone, abs=2)
        assert [one.digit for one in network.read(image)] == ["7"]
        shares = network(image)
        assert max(shares, key=shares.get) == "7"


def two_colours() -> Image.Image:
    """A black seven and, beside it, a light dot."""
    alpha = ImageOps.expand(INK, 40)
    ImageDraw.Draw(alpha).ellipse((40, 300, 60, 320), fill=255)
    grey = Image.new("L", alpha.size, 0)
    ImageDraw.Draw(grey).ellipse((40, 300, 60, 320), fill=180)
    return Image.merge("LA", [grey, alpha])


def shaded() -> Image.Image:
    """Ink that becomes lighter from the left to the right."""
    across = np.tile(np.linspace(0, 120, INK.width), (INK.height, 1))
    return Image.merge("LA", [Image.fromarray(np.uint8(across)), INK])


@pytest.mark.parametrize(
    "image", [on_glass(30)(drawn()), two_colours(), shaded()], ids=["one", "two colours", "shaded"]
)
def test_ink_alone(image: Image.Image) -> None:
    """It is laid on what it stands out from."""
    assert backing(*image.split()) is None
    assert to_grey(image).getpixel((0, 0)) == 255
    stands_out = ImageChops.multiply(image.getchannel("A"), ImageOps.invert(to_grey(image)))
    assert np.asarray(stands_out)[np.asarray(image.getchannel("A")) > 250].min() > 50
