"""The app as a Space runs it, its configuration in the README, and its command line."""

import importlib
import os
import re
import subprocess
import sys
import time
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from app_process import ROOT, App, data_url, drawn, free_port, png, running

SEVEN = png(drawn())
CLOSED = {"HTTP_PROXY": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1,localhost"}


@pytest.fixture(scope="module")
def card() -> dict[str, Any]:
    """The README's front matter."""
    return yaml.safe_load((ROOT / "README.md").read_text("utf-8").split("---\n")[1])


def requirements() -> dict[str, str]:
    """Package -> version in requirements.txt, of which every line pins one."""
    lines = (ROOT / "requirements.txt").read_text().split()
    assert all(re.fullmatch(r"[\w.-]+(\[[\w,]+\])?==[\w.]+", line) for line in lines)
    return dict(line.split("==") for line in lines)


def test_the_front_matter_is_a_space_configuration(card: dict[str, Any]) -> None:
    """Each field as the Hub's reference for Spaces has it."""
    colours = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
    assert card["title"]
    assert len(card["emoji"].rstrip("\N{VARIATION SELECTOR-16}")) == 1
    assert unicodedata.category(card["emoji"][0]) == "So"
    assert {card["colorFrom"], card["colorTo"]} <= colours
    assert card["sdk"] == "gradio"
    assert card["sdk_version"] == requirements()["gradio"]
    assert card["python_version"] == "3.11"
    assert (ROOT / card["app_file"]).is_file()
    assert card["license"] == "apache-2.0"
    assert 0 < len(card["short_description"]) <= 60
    assert card["tags"] and all(isinstance(tag, str) for tag in card["tags"])


def test_the_front_matter_names_no_repository(card: dict[str, Any]) -> None:
    """Whose models a Space shows, `publish` writes; here nobody's are."""
    assert not {"models", "datasets", "preload_from_hub", "thumbnail"} & set(card)


def test_other_requirements_add_to_the_apps() -> None:
    """Every line of the three files is pinned, or takes in the file below it."""
    for folder, below in (("train", "-r ../requirements.txt"), ("tests", "-r ../train/requirements.txt")):
        first, *others = (ROOT / folder / "requirements.txt").read_text().splitlines()
        assert first == below
        assert all(re.fullmatch(r"[\w.-]+(\[[\w,]+\])?==[\w.]+", line) for line in others)


def test_one_function_is_registered_for_zerogpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the package `spaces`, here a stand-in, ZeroGPU finds a function at the start; without it nothing happens."""
    import app as space

    registered: list[Callable] = []
    monkeypatch.setitem(sys.modules, "spaces", SimpleNamespace(GPU=registered.append))
    space.register_gpu()
    assert len(registered) == 1 and registered[0]() is None
    monkeypatch.setitem(sys.modules, "spaces", None)  # to import it is an ImportError
    space.register_gpu()
    assert len(registered) == 1


def test_no_stub_is_written_beside_a_component(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gradio would, and at each start it would look whether it is up to date."""
    (tmp_path / "mine.py").write_text("import app\nimport gradio\n\n\nclass Mine(gradio.Textbox):\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert importlib.import_module("mine").Mine(label="x").label == "x"
    assert [path.name for path in tmp_path.iterdir()] == ["mine.py"]


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """What the app says when it cannot start, which is one line, and ends with the status 1."""

    def call(*arguments: str) -> str:
        import app as space

        monkeypatch.setattr(sys, "argv", ["app.py", *arguments])
        with pytest.raises(SystemExit) as ended:
            space.main()
        assert isinstance(ended.value.code, str)  # Python prints it to stderr, and its status is 1
        (line,) = (capsys.readouterr().err + ended.value.code).strip().splitlines()
        return line

    return call


@pytest.fixture(scope="module")
def shared_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The app, asked for a public link where every way out is closed, and with less memory than usual."""
    arguments = ["--share", "--host", "127.0.0.1", "--port", str(port := free_port())]
    with running(tmp_path_factory.mktemp("home"), port, arguments, **CLOSED, LATENT_LAB_MEMORY="300") as app:
        yield app


def test_share_without_a_network_serves_and_says_why(shared_app: App) -> None:
    """No link can be had, which is said; the page is there all the same, at the host and port it was given."""
    end = time.monotonic() + 30
    while "share link" not in shared_app.log and time.monotonic() < end:
        time.sleep(0.1)
    assert "Could not create share link" in shared_app.log
    assert "Traceback" not in shared_app.log
    assert shared_app.classify(data_url(SEVEN), "mnist-dense")[0] == 200


def test_the_memory_for_pictures_is_told(shared_app: App) -> None:
    """How much, and by which variable that is changed."""
    assert "300 MB" in (told := shared_app.log.splitlines()[0]) and "LATENT_LAB_MEMORY" in told


@pytest.mark.parametrize("name", ["LATENT_LAB_MEMORY", "GRADIO_SERVER_PORT"])
@pytest.mark.parametrize("value", ["", "much", "1.5", "1200MB", "-3", "0", "٣٠", 30 * "9"])
def test_a_number_of_the_environment_that_is_none(name: str, value: str) -> None:
    """The app does not start, and says in one line which variable it is."""
    command = [sys.executable, str(ROOT / "app.py"), "--help"]
    ended = subprocess.run(command, env={**os.environ, name: value}, capture_output=True, text=True, check=False)
    (line,) = ended.stderr.splitlines()
    assert ended.returncode == 1 and not ended.stdout
    assert line.startswith(f"error: {name} is ") and len(line) < 200


def test_a_port_in_use_is_told_in_one_sentence(shared_app: App, refused: Callable) -> None:
    """A second app on the same port ends with one sentence; the first goes on."""
    address = shared_app.url.removeprefix("http://")
    assert address in refused("--port", address.partition(":")[2])
    assert shared_app.get()[0] == 200


def test_an_impossible_port_is_told_in_one_sentence(refused: Callable) -> None:
    """The sentence names it, and the last one that there is, which is 2^16 - 1."""
    told = refused("--port", "99999")
    assert "99999" in told and str(2**16 - 1) in told
