"""Files for the page: whole at any moment, however many ask for them, and with what the picture carried."""

import threading
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from tabs.widgets.files import cached, png


@pytest.fixture
def component(tmp_path: Path) -> gr.File:
    file = gr.File()
    file.GRADIO_CACHE = str(tmp_path)
    return file


def test_never_half_a_file(component: gr.File) -> None:
    """Who reads it while others make it again, of the same bytes, gets all of it."""
    data = np.random.default_rng(0).bytes(8_000_000)
    path, done, sizes = Path(cached(data, "walk.gif", component)), threading.Event(), set()

    def read() -> None:
        while not done.is_set():
            sizes.add(len(path.read_bytes()))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for _ in range(30):
            assert cached(data, "walk.gif", component) == str(path)
    finally:
        done.set()
        reader.join()
    assert sizes == {len(data)} and path.read_bytes() == data


def test_names(component: gr.File) -> None:
    """Other bytes lie elsewhere; the name stays, and nothing is left beside the file."""
    first, second = (Path(cached(data, "walk.gif", component)) for data in (b"one", b"two"))
    assert first.name == second.name == "walk.gif" and first != second
    assert [path.read_bytes() for path in (first, second)] == [b"one", b"two"]
    assert [path.name for path in first.parent.iterdir()] == ["walk.gif"]


def test_png(component: gr.File) -> None:
    """Every pixel, the transparency, Exif data, colour profile and dots per inch."""
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (30, 40, 4), np.uint8))
    exif = Image.Exif()
    exif[0x010F] = "Camera"
    picture.info |= {"exif": exif.tobytes(), "dpi": (300, 300), "icc_profile": b"a profile"}
    path = Path(png(picture, "photo", component))
    found = Image.open(path)
    assert (path.name, found.format) == ("photo.png", "PNG")
    assert np.array_equal(found, picture)
    assert found.getexif()[0x010F] == "Camera" and found.info["icc_profile"] == b"a profile"
    assert found.info["dpi"] == pytest.approx((300, 300), rel=1e-3)
