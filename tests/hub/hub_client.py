"""What tests ask the Hub of the tests, with the real client."""

import http.client
import os
from pathlib import Path

from hub_server import HubServer
from huggingface_hub import HfApi

REPO = "alice/mnist-dense"
WEIGHTS = os.urandom(100_000)
FILES = {
    "README.md": b"---\nlicense: mit\n---\n# MNIST\n",
    "config.json": b'{"layers": [784, 128, 10]}\n',
    "model.safetensors": WEIGHTS,
    "plots/loss curve.png": b"\x89PNG" + bytes(range(256)),
    "plots/empty.png": b"",
}


def write_files(folder: Path, files: dict[str, bytes]) -> Path:
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


def read_files(folder: str) -> dict[str, bytes]:
    """The pulled files {path: bytes}, without the one that the Hub itself puts into a repository."""
    paths = (path for path in Path(folder).rglob("*") if path.is_file() and path.name != ".gitattributes")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def api(hub: HubServer, token: str | bool = "hf_write") -> HfApi:
    return HfApi(endpoint=hub.url, token=token)


def get(hub: HubServer, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
    """One bare request, for what the client would retry or never sends."""
    connection = http.client.HTTPConnection(hub.url.removeprefix("http://"), timeout=5)
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    return response.status, response.read()
