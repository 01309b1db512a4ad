"""The public endpoint `classify`, over raw HTTP and through gradio_client, with good input and with bad."""

import json
from pathlib import Path
from typing import Any

import pytest
from app_process import ROOT, App, bomb, data_url, drawn, is_one_sentence, png
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

import models

NETWORKS = models.names(task="classification")
DIGITS = [str(digit) for digit in range(10)]
SEVEN = png(drawn())
FILE = {"meta": {"_type": "gradio.FileData"}}  # how Gradio marks a file


@pytest.fixture(scope="module")
def client(app: App, tmp_path_factory: pytest.TempPathFactory) -> Client:
    return Client(app.url, verbose=False, analytics_enabled=False, download_files=tmp_path_factory.mktemp("downloads"))


def named(answer: dict[str, Any]) -> str:
    """The digit that an answer names, which holds ten probabilities, whatever the picture, that make one together."""
    shares = {entry["label"]: entry["confidence"] for entry in answer["confidences"]}
    assert sorted(shares) == DIGITS
    assert sum(shares.values()) == pytest.approx(1, abs=1e-4)
    assert answer["label"] == max(shares, key=shares.get)
    return answer["label"]


@pytest.mark.parametrize("network", NETWORKS)
def test_raw_http_gives_ten_probabilities(app: App, network: str) -> None:
    """A data URL and a name are all that a caller needs."""
    status, answer = app.classify(data_url(SEVEN), network)
    assert status == 200, answer
    assert named(answer["data"][0]) == "7"


@pytest.mark.parametrize(
    ("mode", "size", "form"),
    [("L", (28, 28), "PNG"), ("RGBA", (900, 500), "PNG"), ("1", (3000, 3000), "PNG"), ("CMYK", (200, 300), "JPEG")],
)
def test_the_client_may_send_any_picture(
    client: Client, tmp_path: Path, mode: str, size: tuple[int, int], form: str
) -> None:
    """Any size, mode and format, as a file; the page's own client library understands the answer."""
    path = tmp_path / f"seven.{form.lower()}"
    drawn().resize(size, Image.Resampling.LANCZOS).convert(mode).save(path, form)
    assert named(client.predict(handle_file(path), "mnist-dense", api_name="/classify")) == "7"


def test_the_network_may_be_left_out(client: Client, tmp_path: Path) -> None:
    """The default reads it then."""
    (tmp_path / "seven.png").write_bytes(SEVEN)
    assert named(client.predict(handle_file(tmp_path / "seven.png"), api_name="/classify")) == "7"


UNREADABLE, BLANK, TOO_LARGE, MISSING = "is no picture", "is empty", "is too large", "There is no picture"
ELSEWHERE = "is not here"
BAD = {
    "corrupt": (data_url(SEVEN[:60] + bytes(len(SEVEN) - 60)), UNREADABLE),
    "cut short": (data_url(SEVEN[:-200]), UNREADABLE),
    "1x1": (data_url(png(Image.new("RGB", (1, 1)))), BLANK),
    "bomb": (data_url(bomb()), TOO_LARGE),
    "bomb beyond Pillow's own limit": (data_url(bomb(400_000)), TOO_LARGE),
    "text": (data_url(b"I am a poem.\n" * 40), UNREADABLE),
    "no base64": ({"url": "data:image/png;base64,§§§"}, UNREADABLE),
    "no data": ({"url": "data:,"}, UNREADABLE),
    "nothing in it": ({}, UNREADABLE),
    "none": (None, MISSING),
    "path": ({"path": "/etc/passwd"}, UNREADABLE),
    "path to a picture": ({"path": "PICTURE"}, UNREADABLE),
    "path to a picture, marked": ({"path": "PICTURE", **FILE}, ELSEWHERE),
    "path marked as a file": ({"path": "/etc/passwd", **FILE}, ELSEWHERE),
    "address of ours": ({"url": "URL/config"}, UNREADABLE),
}


@pytest.mark.parametrize(("image", "sentence"), BAD.values(), ids=BAD)
def test_a_bad_image_gets_one_sentence(app: App, tmp_path: Path, image: Any, sentence: str) -> None:
    """What is wrong, in one sentence, without a traceback; no file of the server's is read; the server goes on."""
    (tmp_path / "ours.png").write_bytes(SEVEN)
    filled = json.dumps(image).replace("PICTURE", str(tmp_path / "ours.png")).replace("URL", app.url)
    before = len(app.log)
    status, answer = app.classify(json.loads(filled), "mnist-dense")
    assert status == 500
    assert sentence in answer["error"]
    assert is_one_sentence(answer["error"])
    assert "Traceback" not in app.log[before:]
    assert app.classify(data_url(SEVEN), "mnist-dense")[0] == 200


def test_the_pads_own_event_reads_no_file_of_the_host(app: App, tmp_path: Path) -> None:
    """It takes a drawing as a data URL; a path in its place is no picture."""
    (tmp_path / "ours.png").write_bytes(SEVEN)
    config = json.loads(app.get("/config")[1])
    pad = next(part["id"] for part in config["components"] if part["props"].get("elem_id") == "pad")
    event = next(event["id"] for event in config["dependencies"] if [pad, "input"] in event["targets"])
    for source, numeral in ((data_url(SEVEN)["url"], "7"), (str(tmp_path / "ours.png"), "?")):
        status, answer = app.call("predict", {"data": [source, "mnist-dense"], "fn_index": event, "session_hash": "a"})
        assert status == 200, answer
        assert f">{numeral}</b>" in answer["data"][0]


@pytest.mark.parametrize("network", ["mnist-nothing", "../../etc", "", 7, ["mnist-dense"]])
def test_an_unknown_network_gets_one_sentence(app: App, network: Any) -> None:
    """The sentence names the networks there are."""
    before = len(app.log)
    status, answer = app.classify(data_url(SEVEN), network)
    assert status == 500
    assert "mnist-resnet" in answer["error"]
    assert is_one_sentence(answer["error"])
    assert "Traceback" not in app.log[before:]
    assert app.classify(data_url(SEVEN), "mnist-dense")[0] == 200


def test_the_client_shows_the_sentence(client: Client, tmp_path: Path) -> None:
    """A Python caller gets it as an exception."""
    (tmp_path / "poem.png").write_text("I am a poem.")
    with pytest.raises(AppError, match=r"^This file is no picture, or it is damaged: choose another\.$"):
        client.predict(handle_file(tmp_path / "poem.png"), "mnist-dense", api_name="/classify")


def test_what_is_public(app: App) -> None:
    """With typed parameters; what the page itself needs is private."""
    info = json.loads(app.get("/gradio_api/info")[1])
    assert set(info["named_endpoints"]) == {
        "/classify",
        "/read",
        "/sample",
        "/morph",
        "/rebuild",
        "/denoise",
        "/reconstruct",
    }
    assert info["unnamed_endpoints"] == {}
    image, network = info["named_endpoints"]["/classify"]["parameters"]
    assert (image["parameter_name"], image["component"]) == ("image", "Image")
    assert image["python_type"]["type"] == "filepath"
    assert not image["parameter_has_default"]
    assert network["parameter_name"] == "network"
    assert (network["type"]["type"], network["type"]["enum"]) == ("string", NETWORKS)
    assert network["parameter_default"] == "mnist-resnet"
    assert [value["component"] for value in info["named_endpoints"]["/classify"]["returns"]] == ["Label"]


def test_only_what_is_meant_is_served(app: App) -> None:
    """The source and the host's files are not among it."""
    for path in (ROOT / "app.py", ROOT / "checkpoints/mnist-dense/config.json", Path("/etc/passwd")):
        with pytest.raises(OSError, match=r"40[34]"):
            app.get(f"/gradio_api/file={path}")
