"""What a visitor brings goes when the page closes, and nothing that another needs."""

import http.client
import json
import time
from pathlib import Path
from urllib.parse import urlsplit

import hostile
from app_process import App, drawn, png
from hostile import API, Request, multipart, send


def brought(app: App, data: bytes, session: str) -> Path:
    """The file of a picture that a session has uploaded and had read."""
    form = "multipart/form-data; boundary=line"
    path = json.loads(send(app.url, Request("upload", f"{API}/upload", multipart(data=data), form))[1])[0]
    used = {"data": [{"path": path, **hostile.MARK}, "mnist-cnn"], "session_hash": session}
    assert app.call("classify", used)[0] == 200
    return Path(path)


def close(app: App, session: str) -> None:
    """Open and leave the stream by which the app knows that a page is there."""
    connection = http.client.HTTPConnection(urlsplit(app.url).netloc, timeout=10)
    connection.request("GET", f"{API}/heartbeat/{session}")
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
    mine, ours, theirs = (png(drawn(size=size)) for size in (100, 110, 120))
    first, shared, other = brought(app, mine, "one"), brought(app, ours, "one"), brought(app, theirs, "two")
    assert brought(app, ours, "two") == shared
    close(app, "one")
    assert gone(first)
    assert shared.exists() and other.exists()
    close(app, "two")
    assert gone(shared) and gone(other)
    status, answer = app.classify({"path": str(first), **hostile.MARK}, "mnist-cnn")
    assert status == 500 and "not here, or no longer" in answer["error"]
