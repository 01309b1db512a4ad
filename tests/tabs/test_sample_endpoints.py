"""The public endpoints `sample`, `morph` and `rebuild`, over raw HTTP, with good input and with bad."""

import json
import threading
from pathlib import Path

import numpy as np
import pytest
from app_process import NAN, App, data_url, drawn, fetched, is_one_sentence, png, resident
from gradio_client import Client
from PIL import Image

SEVEN = data_url(png(drawn()))
ONE = data_url(png(drawn([(0.5, 0.1), (0.5, 0.9)])))
BLANK = data_url(png(Image.new("L", (50, 50), 255)))


def test_sample(app: App) -> None:
    """A sheet of as many digits as were asked for, eight in a row, the same for the same seed."""
    sheets = [
        fetched(app, app.call("sample", {"data": ["mnist-cvae", "7", n, 1.0, 5]})[1]["data"][0]) for n in (20, 20, 8)
    ]
    assert [sheet.size for sheet in sheets] == [(224, 84), (224, 84), (224, 28)]
    first, second, third = (np.asarray(sheet.convert("L")) for sheet in sheets)
    assert np.array_equal(first, second)
    assert np.array_equal(first[:28], third)


def test_all_may_be_left_out(app: App, tmp_path: Path) -> None:
    """The defaults draw what the page opens with, thirty-six digits."""
    client = Client(app.url, verbose=False, analytics_enabled=False, download_files=tmp_path)
    assert Image.open(client.predict(api_name="/sample")).size == (224, 140)


@pytest.mark.parametrize(
    "data",
    [
        *(["mnist-cvae", "any", count, 1, 0] for count in (0, 65, -3, 2.5, 1e300, NAN, "many", None, [4], True)),
        *(["mnist-cvae", "any", 4, temperature, 0] for temperature in (-1, 3, NAN, "hot", None)),
        *(["mnist-cvae", "any", 4, 1, seed] for seed in (-1, 2**32, 0.5, NAN, "abc", 10**400, None)),
        *(["mnist-cvae", digit, 4, 1, 0] for digit in ("10", "07", "9" * 5000, 10, -1, "seven", 3.5, NAN, ["7"])),
        ["mnist-vae", "7", 4, 1, 0],
        *([network, "any", 4, 1, 0] for network in ("mnist-resnet", "mnist-ae", "", None, 7, ["mnist-vae"])),
    ],
    ids=lambda data: str(data)[:60],
)
def test_what_cannot_be_sampled(app: App, data: list) -> None:
    expect_one_sentence(app, "sample", data)


def test_morph(app: App) -> None:
    """A strip of the steps, and an animation that goes there and back for ever."""
    status, answer = app.call("morph", {"data": [SEVEN, ONE, "mnist-vae", 6]})
    assert status == 200, answer
    strip, animation = (fetched(app, file) for file in answer["data"])
    assert strip.size == (6 * 28, 28)
    assert (animation.format, animation.n_frames, animation.info["loop"]) == ("GIF", 10, 0)


@pytest.mark.parametrize(
    "data",
    [
        [SEVEN, None, "mnist-vae", 6],
        [BLANK, SEVEN, "mnist-vae", 6],
        [SEVEN, {}, "mnist-vae", 6],
        [SEVEN, ONE, "mnist-gan", 6],
        *([SEVEN, ONE, "mnist-vae", steps] for steps in (1, 33, 4.5, NAN, "x", None)),
    ],
    ids=lambda data: str(data)[-60:],
)
def test_what_cannot_be_morphed(app: App, data: list) -> None:
    expect_one_sentence(app, "morph", data)


def test_rebuild(app: App) -> None:
    """What came out, and how far it is from what went in."""
    status, answer = app.call("rebuild", {"data": [SEVEN, "mnist-ae", 0, 0]})
    assert status == 200, answer
    picture, error = answer["data"]
    assert fetched(app, picture).size == (28, 28)
    assert 0 < error < 0.05
    assert app.call("rebuild", {"data": [SEVEN, "mnist-ae", 2, 0]})[1]["data"][1] > 2 * error


@pytest.mark.parametrize(
    "data",
    [
        [None, "mnist-ae", 0, 0],
        [BLANK, "mnist-ae", 0, 0],
        [SEVEN, "mnist-dcgan", 0, 0],
        *([SEVEN, "mnist-ae", noise, 0] for noise in (-0.1, 3.1, NAN, "much", None)),
        *([SEVEN, "mnist-ae", 0, seed] for seed in (-1, 0.5, 2**40, NAN)),
    ],
    ids=lambda data: str(data)[-60:],
)
def test_what_cannot_be_rebuilt(app: App, data: list) -> None:
    expect_one_sentence(app, "rebuild", data)


def expect_one_sentence(app: App, name: str, data: list) -> None:
    """What is wrong, in one sentence, without a traceback; and the server goes on."""
    before = len(app.log)
    status, answer = app.call(name, {"data": data})
    assert status == 500, answer
    assert is_one_sentence(answer["error"]), answer
    assert "Traceback" not in app.log[before:]
    assert app.call("sample", {"data": ["mnist-vae", "any", 1, 1, 0]})[0] == 200


def test_a_hundred_at_once(app: App) -> None:
    """All are answered or told to come again, and afterwards the server holds little more than before.

    Each is a caller with a session of its own, of which the server remembers 256: of all that come later, none more.
    """
    body = {"data": ["mnist-vae", "any", 64, 1.0, 0], "session_hash": None}
    assert app.call("sample", body)[0] == 200

    def rush() -> list[int]:
        told: list[int] = []
        callers = [threading.Thread(target=lambda: told.append(app.call("sample", body)[0])) for _ in range(100)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        return told

    assert set(rush()) <= {200, 503}
    held = resident(app)
    assert set(rush()) <= {200, 503}
    assert resident(app) < 1.1 * held
    assert app.call("sample", body)[0] == 200
    wrong = {"data": ["no-such-network", "any", 1, 1.0, 0], "session_hash": None}
    for _ in range(60):  # beyond 256
        assert app.call("sample", wrong)[0] == 500
    held = resident(app)
    for _ in range(100):
        assert app.call("sample", wrong)[0] == 500
    assert resident(app) < held + 25  # of which each would take 0.3


def test_described(app: App) -> None:
    """The three have typed parameters with the names and defaults of the Python functions."""
    named = json.loads(app.get("/gradio_api/info")[1])["named_endpoints"]
    told = {
        name: [(one["parameter_name"], one["parameter_has_default"]) for one in named[f"/{name}"]["parameters"]]
        for name in ("sample", "morph", "rebuild")
    }
    assert [name for name, _ in told["sample"]] == ["network", "digit", "count", "temperature", "seed"]
    assert told["morph"] == [("first", False), ("second", False), ("network", True), ("steps", True)]
    assert told["rebuild"] == [("image", False), ("network", True), ("noise", True), ("seed", True)]


def test_all_that_comes_back_has_a_name(app: App) -> None:
    """Of every endpoint, and no two of one are called the same."""
    for name, endpoint in json.loads(app.get("/gradio_api/info")[1])["named_endpoints"].items():
        labels = [one["label"] for one in endpoint["returns"]]
        assert labels and len(set(labels)) == len(labels), name
        assert not any(label.lower().startswith("value") for label in labels), name
