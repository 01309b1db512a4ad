"""The Space that `publish` makes, alone, as Spaces run it: where its weights come from, and what a sick Hub does."""

import json
import os
import shutil
import socket
import stat
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from app_process import ROOT, App, data_url, drawn, free_port, png, running
from gradio_client import Client, handle_file
from hub_server import HubServer
from huggingface_hub import snapshot_download
from PIL import Image

import models

SEVEN = png(drawn())
CLASSIFIERS, GENERATORS = models.names(task="classification"), models.names(task="generation")
FEW = ("mnist-dense", "mnist-mlp", "mnist-cnn", "mnist-rnn", "mnist-lstm")
# A home of 96 MB of its own, then a user without a right to more than file modes allow: root outside is nobody inside.
SMALL_HOME = 'mount -t tmpfs -o size=96m tmpfs "$HOME" && exec unshare --user --map-user=1000 --map-group=1000 "$@"'
UNSHARE = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", SMALL_HOME, "sh"]
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12345\n"
FALLBACK = json.loads((ROOT / "tabs/locales/en.json").read_text("utf-8"))["source.fallback"]


@pytest.fixture
def publish(cli: Callable, checkpoints: Path, hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Publishes trained models of these names, and gives the Space's own files, which may not be written to."""
    monkeypatch.setenv("HF_TOKEN", "hf_write")
    monkeypatch.setattr("train.export.write", lambda net, file: file.write_bytes(b"onnx"))  # no Space reads it
    folder = checkpoints.parent / "space"

    def call(*names: str) -> Path:
        for name in names:
            shutil.copytree(ROOT / "checkpoints" / name, checkpoints / name)
        status, _, err = cli("publish", "alice", *(word for name in names for word in ("--only", name)))
        assert (status, err) == (0, "")
        return Path(snapshot_download("alice/latent-lab", repo_type="space", local_dir=folder))

    return call


@contextmanager
def booted(source: Path, home: Path, hub: HubServer) -> Iterator[App]:
    """The app in that folder as a Space runs it: a small home, no rights, the port and the names that Spaces give.

    Nothing of the folder may change.
    """
    with socket.socket() as probe:
        port = free_port() if probe.connect_ex(("127.0.0.1", 7860)) == 0 else 7860
    space = {"SPACE_ID": "alice/latent-lab", "SYSTEM": "spaces", "HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_XET": "1"}
    address = {"GRADIO_SERVER_NAME": "0.0.0.0", "GRADIO_SERVER_PORT": str(port)}
    everything = [source, *source.rglob("*")]
    for path in everything:
        path.chmod(path.stat().st_mode & ~0o222)
    before = {path: path.stat().st_mtime_ns for path in everything}
    try:
        with running(home, port, before=isolation(home), folder=source, **space, **address) as app:
            yield app
            assert f"http://0.0.0.0:{port}" in app.log
            # Spaces bring the package `spaces` along; where it is missing, Gradio's thread for reloading says so.
            assert app.log.count("Traceback") == app.log.count("`spaces` package is required")
        assert {path: path.stat().st_mtime_ns for path in [source, *source.rglob("*")]} == before
    finally:
        for path in everything:
            path.chmod(path.stat().st_mode | stat.S_IWUSR)


def isolation(home: Path) -> list[str]:
    """The command that runs another as such a user, where this machine allows it; else nothing."""
    try:
        home.mkdir()
        subprocess.run([*UNSHARE, "true"], check=True, capture_output=True, env={**os.environ, "HOME": str(home)})
    except (OSError, subprocess.CalledProcessError):
        return []
    return UNSHARE


class Page:
    """What an open page asks when a network is chosen, and is told of its weights."""

    def __init__(self, app: App):
        config = json.loads(app.get("/config")[1])
        self.app, self.events = app, {one["api_name"]: one["id"] for one in config["dependencies"]}

    def told(self, name: str) -> str:
        """The line on a network of the digits or of the sample tab."""
        event = self.events["tell" if name in CLASSIFIERS else "tell_1"]
        status, answer = self.app.call("predict", {"data": [name], "fn_index": event})
        assert status == 200, answer
        return answer["data"][0]


def from_hub(hub: HubServer, name: str) -> str:
    return f"weights from alice/{name} @ {hub.commits(f'alice/{name}')[-1]['sha'][:7]}"


def expect_fallback(line: str, *words: str) -> None:
    """The weights that the Space has brought along, and why."""
    assert "weights from this app" in line
    assert FALLBACK in line
    assert [word for word in words if word not in line] == []


def test_all_models_from_the_hub(publish: Callable, hub: HubServer, tmp_path: Path) -> None:
    """At the pinned commits, and each network says so; when the Hub is gone, all goes on as before."""
    source = publish(*models.names())
    shutil.rmtree(tmp_path / "checkpoints")  # where it was published from: the Space has nothing else
    pictures = {"seven": drawn(size=280), "digit": drawn(size=28), "grain": Image.effect_noise((128, 128), 40)}
    for place, picture in pictures.items():
        (tmp_path / f"{place}.png").write_bytes(png(picture))
    seven, digit, grain = (handle_file(tmp_path / f"{place}.png") for place in pictures)
    calls = [("read", seven, "mnist-resnet"), ("classify", seven)]
    calls += [("rebuild", seven, name) for name in models.names(task="autoencoding")]
    calls += [("denoise", grain, "photo-denoiser"), ("denoise", digit, "mnist-denoiser")]
    calls += [("reconstruct", seven, None, "box", 0, name) for name in models.names(task="inpainting")]
    hub.requests.clear()
    with booted(source, tmp_path / "home", hub) as app:
        page = Page(app)
        client = Client(app.url, verbose=False, analytics_enabled=False, download_files=tmp_path)

        def everything_works() -> None:
            assert app.get("/zh")[0] == 200
            for name in CLASSIFIERS:
                assert app.classify(data_url(SEVEN), name)[1]["data"][0]["label"] == "7"
            for name in CLASSIFIERS + GENERATORS:
                line = page.told(name)
                assert from_hub(hub, name) in line and FALLBACK not in line
            for endpoint, *given in calls:  # each of which fails with an exception
                client.predict(*given, api_name=f"/{endpoint}")

        everything_works()
        pulled = {request for request in hub.requests if request.startswith("GET") and "model.safetensors" in request}
        heads = {name: hub.commits(f"alice/{name}")[-1]["sha"] for name in models.names()}
        wanted = {f"GET /alice/{name}/resolve/{sha}/model.safetensors" for name, sha in heads.items()}
        assert {request.split("/")[2] for request in wanted - pulled} == {"moons-mlp"}  # no tab is about points
        assert pulled <= wanted
        hub.stop()
        everything_works()


def blob(hub: HubServer, name: str) -> Path:
    """Where the Hub keeps the weights of a model."""
    return hub.blobs / hub.commits(f"alice/{name}")[-1]["files"]["model.safetensors"]


def replace(hub: HubServer, name: str, data: bytes) -> str:
    """Put other weights into the commit that is there; their sha256."""
    files = hub.commit_at(f"alice/{name}", "main")["files"]
    files["model.safetensors"] = hub.file(sha256 := hub.add_blob(data), lfs=data != POINTER)
    return sha256


def test_what_was_tampered_with_falls_back(publish: Callable, hub: HubServer, tmp_path: Path) -> None:
    """Each of them alone, and it is said why; the rest stay."""
    source = publish(*FEW)
    weights = {name: blob(hub, name) for name in ("mnist-cnn", "mnist-rnn")}
    weights["mnist-cnn"].write_bytes(weights["mnist-cnn"].read_bytes()[:5000])
    weights["mnist-rnn"].write_bytes(bytes(255 - byte for byte in weights["mnist-rnn"].read_bytes()))
    other = replace(hub, "mnist-mlp", (ROOT / "checkpoints" / "mnist-dense" / "model.safetensors").read_bytes())
    pins = source / "checkpoints" / "hub.json"
    told = json.loads(pins.read_text())
    told["mnist-mlp"]["sha256"] = other  # as if it had been pinned with them
    pins.write_text(json.dumps(told))
    replace(hub, "mnist-lstm", POINTER)
    with booted(source, tmp_path / "home", hub) as app:
        page = Page(app)
        assert from_hub(hub, "mnist-dense") in page.told("mnist-dense")
        expect_fallback(page.told("mnist-mlp"), "alice/mnist-mlp", "tensor")
        expect_fallback(page.told("mnist-cnn"), "alice/mnist-cnn", "try again later")
        expect_fallback(page.told("mnist-rnn"), "alice/mnist-rnn", "sha256")
        expect_fallback(page.told("mnist-lstm"), "alice/mnist-lstm", "Git LFS pointer")
        for name in FEW:
            assert app.classify(data_url(SEVEN), name)[1]["data"][0]["label"] == "7"


def test_a_hub_that_is_gone_before_the_start(publish: Callable, hub: HubServer, tmp_path: Path) -> None:
    """What the Space has brought along, and it is said; a Hub that never answers is asked once, not for each."""
    source = publish(*FEW)
    hub.faults.delay = 600
    hub.requests.clear()
    with booted(source, tmp_path / "home", hub) as app:
        page = Page(app)
        for name in FEW:
            expect_fallback(page.told(name), f"alice/{name}", "try again later")
            assert app.classify(data_url(SEVEN), name)[1]["data"][0]["label"] == "7"
        assert len(hub.requests) == 1
