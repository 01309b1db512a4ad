"""What every test stands on: the real Hub client against a stand-in, no token, no network, nothing of the user's.

The client reads its settings when it is imported, so they are set here, before anything else is.
"""

import gc
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache as cached
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hub_server import Faults, HubServer
from hypothesis import settings

if TYPE_CHECKING:
    from app_process import App
    from world import World

# What is started in the background, and all that it starts, ignores Ctrl-C; the tests send it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Of a hundred examples that a test of chance asks for; `--hypothesis-profile=thorough` takes them all.
settings.register_profile("quick", max_examples=25)
settings.register_profile("thorough", max_examples=100)
settings.load_profile("quick")

WORKSPACE = tempfile.TemporaryDirectory(prefix="latent-lab-tests-")
HUB = HubServer(Path(WORKSPACE.name, "hub")).start()

os.environ["HF_ENDPOINT"] = HUB.url
os.environ["HF_HOME"] = str(Path(WORKSPACE.name, "huggingface"))
os.environ["HF_HUB_DISABLE_XET"] = "1"  # the stand-in speaks LFS alone
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
os.environ.setdefault("OMP_NUM_THREADS", "1")  # the networks of the tests are too small to share between threads
for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH", "HF_HUB_CACHE", "HF_HUB_OFFLINE", "HUB_NAMESPACE"):
    os.environ.pop(name, None)


def pytest_collection_finish() -> None:
    """What is imported stays: to look through it for garbage takes a quarter of a second, after each training too."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty Hub cache, and no memory of a Hub that was silent."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setattr("models.hub._silence", ("", -1000.0))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(folder))
    return folder


@pytest.fixture
def hub(cache: Path) -> Iterator[HubServer]:
    """The stand-in that `HF_ENDPOINT` names: running, without a repository, asked nothing yet."""
    assert HUB.repos == {}
    HUB.requests.clear()
    HUB.authorizations.clear()
    yield HUB
    HUB.faults = Faults()
    HUB.repos.clear()
    HUB.collections.clear()
    for file in [*HUB.root.glob("*.json"), *HUB.blobs.iterdir()]:
        file.unlink()
    if HUB.server is None:
        HUB.start()


@pytest.fixture
def checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in the place of `checkpoints/`; what is loaded from it is kept no longer than it."""
    from models.pipelines import common, page_reader

    folder = tmp_path / "checkpoints"
    folder.mkdir()
    monkeypatch.setattr("models.hub.CHECKPOINTS", folder)
    for module, name in ((common, "_shared"), (page_reader, "missing")):
        monkeypatch.setattr(module, name, cached(getattr(module, name).__wrapped__))
    return folder


@pytest.fixture
def world(hub: HubServer, checkpoints: Path, tmp_path: Path) -> "World":
    """A name whose weights on the Hub differ from those that are embedded; nothing is pushed yet."""
    from world import World

    return World.make(hub, checkpoints, tmp_path / "pushed")


@pytest.fixture
def pinned(world: "World") -> "World":
    """The same, published and pinned; nothing is in the cache."""
    world.pin(world.publish())
    return world


@pytest.fixture(scope="session")
def tiny_mnist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset repository in small: 360 pictures to train on and 100 to test with."""
    import tiny

    folder = tmp_path_factory.mktemp("datasets") / "tiny"
    tiny.write_split(folder, "train", *tiny.bars(360, seed=1))
    tiny.write_split(folder, "test", *tiny.bars(100, seed=2))
    return folder


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator["App"]:
    """A running app with a home and a log of its own, for all tests that do not need one started otherwise."""
    from app_process import free_port, running

    port = free_port()
    with running(tmp_path_factory.mktemp("home"), port, ["--port", str(port)]) as app:
        yield app


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable]:
    """`python -m train` without the wait for another Python: `cli(ARGUMENTS...)` gives status, stdout and stderr."""
    from accelerate.state import AcceleratorState
    from shell import draw_few

    from train.__main__ import main

    draw_few(monkeypatch)

    def call(*arguments: object) -> tuple[int, str, str]:
        AcceleratorState._reset_state(reset_partial_state=True)
        words = [str(word) for word in arguments]
        monkeypatch.setattr(sys, "argv", ["train", *words])
        capsys.readouterr()
        status = main(words)
        return status, *capsys.readouterr()

    monkeypatch.chdir(tmp_path)
    yield call
    AcceleratorState._reset_state(reset_partial_state=True)


@pytest.fixture
def fitted(cli: Callable, tmp_path: Path, tiny_mnist: Path) -> Path:
    """A finished run of two epochs: `runs/mnist-dense`."""
    assert cli("fit", "mnist-dense", "--dataset", tiny_mnist, "--epochs", 2)[0] == 0
    return tmp_path / "runs" / "mnist-dense"
