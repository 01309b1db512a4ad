"""Files are opened: whole, upright, and refused in one sentence."""

import io

import numpy as np
import pytest
from app_process import bomb, drawn, png
from ink import placed, refused
from PIL import Image, ImageOps

from models.pictures import images


def test_open_image() -> None:
    """What was saved is what is opened, from bytes."""
    assert images.open_image(png(drawn())).tobytes() == drawn().tobytes()


def test_a_photograph_is_turned_upright() -> None:
    """A camera's orientation mark is obeyed."""
    image = placed(250, 20, 20)
    mark = Image.Exif()
    mark[0x0112] = 6  # the top of the scene is at the right side of the file: turn it clockwise
    file = io.BytesIO()
    image.save(file, "PNG", exif=mark)
    assert images.open_image(file.getvalue()).tobytes() == image.rotate(-90, expand=True).tobytes()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "image_unreadable"),
        (b"I am a poem.", "image_unreadable"),
        (png(drawn())[:-200], "image_unreadable"),
        (bomb(), "image_too_large"),
        (bomb(7_500), "image_too_large"),
        (bomb(10)[:40], "image_unreadable"),
        ("/nowhere/at/all.png", "image_unreadable"),
    ],
    ids=["empty", "text", "cut short", "bomb", "too large for us", "header alone", "no file"],
)
def test_bad_files(data: bytes | str, code: str) -> None:
    """One sentence, and nothing is decoded that is too large."""
    refused(code, lambda: images.open_image(data))


def sheet(ink: int = 20, paper: int = 230) -> np.ndarray:
    """The drawn seven on a sheet of 480x640, evenly lit."""
    cover = Image.new("L", (480, 640))
    cover.paste(ImageOps.invert(drawn()), (100, 200))
    return np.where(np.asarray(cover) > 127, ink, paper).astype(np.float64)
