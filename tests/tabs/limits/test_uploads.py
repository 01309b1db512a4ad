"""Files of visitors go in time, whatever comes between, and none is taken in without a bound."""

import os
import time
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import hostile
import pytest
from app_process import App
from hostile import API, Request, send

from models.pictures import images
from tabs import room, uploads
from tabs.widgets.picture import pixels


def files(folder: Path, *names: str) -> list[str]:
    """New ones of these names."""
    for name in names:
        (folder / name).write_bytes(b"a picture")
    return [str(folder / name) for name in names]


def demo(noted: set[str], kept: set[str] | None = None) -> SimpleNamespace:
    """What there is of an app to clean up after."""
    return SimpleNamespace(blocks={1: SimpleNamespace(keep_in_cache=kept or set())}, temp_file_sets=[noted])


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    return tmp_path


def test_sweep(folder: Path) -> None:
    """What was not used for so long goes, and so does what is left of an upload that was broken off; what the page
    opens with stays, and of several files one that cannot be removed keeps none of the others.
    """
    old, page, gone, broken = files(folder, "old.png", "page.png", "gone.png", "tmpabc123")
    os.remove(gone)
    (folder / "a folder").mkdir()
    noted = {old, page, gone, str(folder / "a folder")}
    uploads.sweep(demo(noted, {page}), 100)
    assert Path(old).exists() and Path(broken).exists()
    time.sleep(0.02)
    uploads.sweep(demo(noted, {page}), 0.01)
    assert not Path(old).exists() and not Path(broken).exists() and Path(page).exists()
    assert noted == {page, str(folder / "a folder")}


def test_a_file_may_come_meanwhile(folder: Path) -> None:
    """Another thread notes files all the time: the sweep ends well each time, as Gradio's own does not."""
    noted, ends = set(files(folder, *(f"{number}.png" for number in range(300)))), []
    one = str(folder / "new.png")

    def note() -> None:
        while not ends:
            noted.add(one)
            noted.discard(one)

    thread = Thread(target=note)
    thread.start()
    try:
        for _ in range(20):
            uploads.sweep(demo(noted), 1000)
    finally:
        ends.append(True)
        thread.join()


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/gradio_api/upload", room.FORM),
        ("/zh/gradio_api/upload", room.FORM),
        ("/gradio_api/run/upload", room.CALL),
        ("/gradio_api/api/upload/", room.CALL),
        ("/gradio_api/run/predict", room.CALL),
        ("/gradio_api/call/upload", room.QUEUED),
        ("/gradio_api/queue/join", room.QUEUED),
        ("/gradio_api/stream/upload", room.QUEUED),
    ],
)
def test_how_much_may_come(path: str, most: int) -> None:
    """Files alone go to the disk as they come; a call is held, whatever it is called."""
    assert room._most(path) == most


def test_a_picture_that_is_still_to_be_fetched() -> None:
    """It takes as much room as any, since nobody knows how large it is."""
    value = {"path": "https://example.org/a.jpg", "meta": {"_type": "gradio.FileData"}}
    assert pixels(value, "/tmp") == images.MAX_PIXELS


def test_other_hosts_are_not_ours(app: App) -> None:
    status, _ = send(app.url, Request("a relay", f"{API}/file=https://example.org/a.png", method="GET"))
    assert status == 404


def test_a_field_is_no_file(app: App) -> None:
    """What a form holds beside its files would be kept in memory: it is bounded, files are as large as they may be."""
    kind = "multipart/form-data; boundary=line"
    form = hostile.multipart(data=bytes(2_000_000))
    for body, wanted in ((form, 200), (form.replace(b'; filename="a.png"', b""), 400)):
        assert send(app.url, Request("a form", f"{API}/upload", body, kind))[0] == wanted
