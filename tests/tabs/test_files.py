"""Files for the page: whole at any moment, however many ask for them, and with what the picture carried."""

import os
import threading
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from gradio.components.image import ImageData
from PIL import Image

import app
from tabs.widgets.files import cached, png
from tabs.widgets.picture import Picture


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


def test_what_is_used_is_kept_and_nothing_longer_than_an_hour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gradio deletes by the time of a file's last change: using a picture renews it. Looked for so often, and kept so
    long, that no file outlives an hour."""
    picture = Picture()
    monkeypatch.setattr(picture, "GRADIO_CACHE", str(tmp_path))
    path = tmp_path / "used.png"
    Image.new("L", (4, 4)).save(path)
    os.utime(path, (1, 1))
    before = path.stat()
    assert picture.preprocess(ImageData(path=str(path))).size == (4, 4)
    assert path.stat().st_mtime > before.st_mtime and path.stat().st_ctime_ns > before.st_ctime_ns
    assert sum(app.KEPT) <= 3600
