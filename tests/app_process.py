"""The app as a process of its own, as a visitor meets it: what the browser, endpoint and Space tests talk to."""

import base64
import io
import json
import os
import socket
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

ROOT = Path(__file__).resolve().parent.parent
NAN = float("nan")  # json writes and reads it, though JSON has none
PATIENCE = 60  # seconds until the app must serve: the cores may be busy
SEVEN = [(0.25, 0.22), (0.75, 0.22), (0.45, 0.85)]  # a stroke, in shares of the pad or picture


@dataclass
class App:
    """A running app: where it is, its process, and what it has printed so far."""

    url: str
    process: subprocess.Popen[bytes]
    log_file: Path

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def get(self, path: str = "/") -> tuple[int, bytes]:
        """Status and body of a GET."""
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:
            return answer.status, answer.read()

    def call(self, name: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and JSON of a raw call of an event.

        All calls are of one session, which the app makes once, unless `body` names another, or None: a new one.
        """
        data, headers = json.dumps({"session_hash": "tests"} | body).encode(), {"Content-Type": "application/json"}
        try:
            request = urllib.request.Request(f"{self.url}/gradio_api/run/{name}", data, headers)
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def classify(self, *data: Any) -> tuple[int, dict[str, Any]]:
        """Status and JSON that the endpoint `classify` answers to the raw arguments `data`."""
        return self.call("classify", {"data": data})


def environment(home: Path, **more: str) -> dict[str, str]:
    """Our own environment without what would change the app, its Hub a closed door, everything it writes in `home`."""
    home.mkdir(parents=True, exist_ok=True)
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "HUB_", "GRADIO_"))}
    return {
        **kept,
        "HOME": str(home),
        "HF_HOME": str(home / "huggingface"),
        "HF_ENDPOINT": "http://127.0.0.1:9",
        "GRADIO_TEMP_DIR": str(home / "gradio"),
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        **more,
    }


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextmanager
def running(
    home: Path,
    port: int,
    arguments: Sequence[str] = (),
    *,
    before: Sequence[str] = (),
    folder: Path = ROOT,
    **environ: str,
) -> Iterator[App]:
    """The app, served until the block ends. `before` is put in front of its command, as `unshare` needs it.

    Raises RuntimeError with what it printed when it does not serve.
    """
    log_file = home / "app.log"
    env = environment(home, **environ)
    with open(log_file, "wb") as log:
        command = [*before, sys.executable, "app.py", *arguments]
        process = subprocess.Popen(command, cwd=folder, env=env, stdout=log, stderr=subprocess.STDOUT)
    app = App(f"http://127.0.0.1:{port}", process, log_file)
    try:
        _wait(app)
        yield app
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(app: App) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and app.process.poll() is None:
        try:
            if app.get()[0] == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"The app does not serve at {app.url}; it printed:\n{app.log}")


def drawn(stroke: Sequence[tuple[float, float]] = SEVEN, size: int = 280) -> Image.Image:
    """A picture of `stroke`, black on white."""
    image = Image.new("L", (size, size), 255)
    points = [(x * size, y * size) for x, y in stroke]
    ImageDraw.Draw(image).line(points, fill=0, width=size // 13, joint="curve")
    return image


def png(image: Image.Image) -> bytes:
    """The picture as a PNG file."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def data_url(data: bytes) -> dict[str, str]:
    """What a raw call sends as an image."""
    return {"url": f"data:image/png;base64,{base64.b64encode(data).decode()}"}


def bomb(side: int = 60_000) -> bytes:
    """A PNG of a few bytes that claims `side` x `side` pixels."""
    return chunks((side, side, 8, 2), bytes(99))


def chunks(header: tuple[int, int, int, int], rows: bytes) -> bytes:
    """A PNG of that width, height, bits a value and kind of colour, its rows each with a byte before it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    parts = {b"IHDR": struct.pack(">IIBBBBB", *header, 0, 0, 0), b"IDAT": zlib.compress(rows), b"IEND": b""}
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts.items())


def file(image: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    """The picture as a file."""
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def fetched(app: App, file: dict[str, Any]) -> Image.Image:
    """The picture that an answer names, as the server gives it."""
    return Image.open(io.BytesIO(app.get(file["url"].removeprefix(app.url))[1]))


def resident(app: App) -> float:
    """MB of memory that the app holds."""
    lines = Path(f"/proc/{app.process.pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def is_one_sentence(text: str) -> bool:
    """One line, one full stop at the end or none, no Python in it."""
    return "\n" not in text and ". " not in text and "Traceback" not in text and 10 < len(text) < 300
