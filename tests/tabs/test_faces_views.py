"""What is painted over on the faces' tab, and what it is painted on."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from models.errors import InputError
from models.pictures.faces import Square
from models.pipelines.reconstructor import most_hidden
from tabs.faces import views


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_nearly_all_is_painted_over(share: float) -> None:
    """Then it would be read the other way about, and what was not painted over would be made up: it is refused."""
    picture, drawn = Image.new("RGB", (200, 200)), Image.new("RGBA", (200, 200))
    drawn.paste((0, 0, 0, 255), (0, 0, 200, round(200 * share)))
    close = Square(0, 0, 200)
    if share > 0.75:
        with pytest.raises(InputError, match="leave a part of it"):
            views.brushed(picture, close, drawn)
    else:
        assert np.asarray(views.brushed(picture, close, drawn)).mean() == pytest.approx(255 * share, rel=0.02)


def test_sixteen_bits_are_painted_on_as_they_are_shown() -> None:
    """A dark face under a bright sky is as dark where one paints as in the photograph beside it."""
    values = np.full((200, 200), 6000, np.uint16)
    values[:30] = 60000
    picture = Image.fromarray(values)
    sheet = views.painted_on(picture, Square(70, 120, 40))
    seen = Image.open(io.BytesIO(base64.b64decode(re.search(r"base64,([^)]+)\)", sheet)[1])))
    whole = np.asarray(views.shown(picture).convert("L"), float)
    assert np.asarray(seen.convert("L"), float).mean() == pytest.approx(whole[150, 90], abs=2)


def test_whose_face_is_hidden() -> None:
    """That of which most is; where it is none of them, the first."""
    faces = [Square(0, 0, 60), Square(100, 0, 60)]
    hidden = np.zeros((100, 200), bool)
    assert most_hidden(hidden, faces) == faces[0]
    hidden[10:30, 110:130] = hidden[50:58, 0:10] = True
    assert most_hidden(hidden, faces) == faces[1]
