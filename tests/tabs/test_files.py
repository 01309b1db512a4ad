"""Files for the page: whole at any moment, however many ask for them, and with what the picture carried."""

import http.client
import json
import os
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import gradio as gr
import hostile
import numpy as np
import pytest
from app_process import ROOT, App, drawn, fetched, file, free_port, running
from gradio.components.image import ImageData
from PIL import Image

import app
from tabs import denoise, faces
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


def brought(app: App, data: bytes, session: str) -> Path:
    """The file of a picture that a session has uploaded and had read."""
    form = "multipart/form-data; boundary=line"
    path = json.loads(
        hostile.send(app.url, hostile.Request("upload", f"{hostile.API}/upload", hostile.multipart(data=data), form))[1]
    )[0]
    used = {"data": [{"path": path, **hostile.MARK}, "mnist-cnn"], "session_hash": session}
    assert app.call("classify", used)[0] == 200
    return Path(path)


def close(app: App, session: str) -> None:
    """Open and leave the stream by which the app knows that a page is there."""
    connection = http.client.HTTPConnection(urlsplit(app.url).netloc, timeout=10)
    connection.request("GET", f"{hostile.API}/heartbeat/{session}")
    connection.getresponse().read(5)
    connection.close()


def gone(path: Path) -> bool:
    """Whether the file goes, before long."""
    end = time.monotonic() + 20
    while path.exists() and time.monotonic() < end:
        time.sleep(0.1)
    return not path.exists()


def test_a_closed_page(app: App) -> None:
    """Its picture goes; that of two pages when both are closed; that of another stays."""
    mine, ours, theirs = (file(drawn(size=size)) for size in (100, 110, 120))
    first, shared, other = brought(app, mine, "one"), brought(app, ours, "one"), brought(app, theirs, "two")
    assert brought(app, ours, "two") == shared
    close(app, "one")
    assert gone(first)
    assert shared.exists() and other.exists()
    close(app, "two")
    assert gone(shared) and gone(other)
    status, answer = app.classify({"path": str(first), **hostile.MARK}, "mnist-cnn")
    assert status == 500 and "not here, or no longer" in answer["error"]


def test_examples_that_lie_elsewhere(tmp_path: Path) -> None:
    """A package's pictures lie in no folder that Gradio shows files of, as on Spaces: each example opens."""
    port = free_port()
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "app.py").symlink_to(ROOT / "app.py")
    with running(tmp_path, port, ["--port", str(port)], folder=tmp_path / "here", TMPDIR=str(tmp_path)) as app:
        config = json.loads(app.get("/config")[1])
        places = {one["id"]: one["props"].get("elem_id") for one in config["components"]}
        for place, offered in (("photo-examples", denoise.photo.offered()), ("face-examples", faces.offered())):
            (number, *_) = (
                one["id"]
                for one in config["dependencies"]
                for target, kind in one["targets"]
                if places.get(target) == place and kind == "input" and one["backend_fn"]
            )
            for name, path in offered.items():
                status, answer = app.call("predict", {"fn_index": number, "data": [name]})
                assert status == 200, name
                assert np.array_equal(fetched(app, answer["data"][0]), Image.open(path)), name
