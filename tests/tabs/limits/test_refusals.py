"""What nobody asked for costs a line of the log at most, and tells a caller nothing of this machine."""

import json
from collections.abc import Callable, Iterable

import hostile
import pytest
from app_process import ROOT, App, is_one_sentence
from hostile import API, Request, send

GOOD = {"data": [hostile.data_url(hostile.PNG), "mnist-cnn"]}


def called(app: App) -> str:
    """What the stream of a good call by the queue says; what was queued before it has then been answered."""
    _, told = send(app.url, Request("a good call", f"{API}/call/classify", json.dumps(GOOD).encode()))
    event = json.loads(told)["event_id"]
    return send(app.url, Request("its answer", f"{API}/call/classify/{event}", method="GET"))[1]


@pytest.mark.parametrize("group", [hostile.uploads, hostile.calls, hostile.addresses])
def test_one_line_and_no_path(app: App, group: Callable[[], Iterable[Request]]) -> None:
    """Every request is answered; an answer names a file only where it says where an upload lies."""
    before, sent = len(app.log), list(group())
    answers = {request.name: send(app.url, request) for request in sent}
    assert '"label": "7"' in called(app)
    for name, (status, text) in answers.items():
        assert status in (200, 302, 307, 400, 403, 404, 405, 409, 413, 422, 500), name
        assert "Traceback" not in text and str(ROOT) not in text and "site-packages" not in text, (name, text)
        assert status == 200 or str(app.log_file.parent) not in text, (name, text)
        if status == 500:
            assert is_one_sentence(json.loads(text)["error"]), (name, text)
    log = app.log[before:]
    assert "Traceback" not in log, log[log.index("Traceback") :][:2000]
    assert log.count("\n") <= len(sent)
    assert max(map(len, log.splitlines()), default=0) < 250
    assert app.process.poll() is None


def test_events_of_the_page(app: App) -> None:
    """Called with anything else than the page sends, they answer; a fault of ours is told whole once at most."""
    config, whole = json.loads(app.get("/config")[1]), []
    for request in hostile.events(config):
        before = len(app.log)
        status, text = send(app.url, request)
        assert status == 200 or is_one_sentence(json.loads(text)["error"]), (request.name, text)
        if "Traceback" in app.log[before:]:
            whole.append(request)
        else:
            assert app.log.count("\n", before) <= 1, app.log[before:]
    before = len(app.log)
    for request in whole:
        send(app.url, request)
    assert "Traceback" not in app.log[before:] and app.log.count("\n", before) <= len(whole)


def test_what_is_said(app: App) -> None:
    """The sentences say what to do: of inputs that are lacking, a file that was not sent, a name that nothing has."""
    _, few = app.call("classify", {"data": []})
    assert few["error"] == "This endpoint takes 2 inputs, and the call has 0."
    status, unknown = app.call("nothing", {"data": []})
    assert status == 400 and "/gradio_api/info" in unknown["error"]
    _, foreign = app.classify({"path": "/etc/passwd", **hostile.MARK}, "mnist-cnn")
    assert foreign["error"] == "This picture is not here, or no longer: choose it again, or send it."


@pytest.mark.parametrize(
    "path", ["deep_link?session_hash=tests", "deep_link/", "dev/reload", "custom_component/x/client/y/a.js"]
)
def test_what_is_not_offered(app: App, path: str) -> None:
    """A stranger can neither fill the disk with sessions nor hold a developer's stream open."""
    app.classify(*GOOD["data"])
    assert send(app.url, Request("closed", f"{API}/{path}", method="GET"))[0] == 404
