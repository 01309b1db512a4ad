"""Sessions: what callers send is not kept, nor what they never fetch, however many come and whatever their names."""

import json

import gradio as gr
import hostile
import pytest
from app_process import App, is_one_sentence, resident
from gradio.state_holder import SessionState
from hostile import API, Request, send

from tabs.sessions import EVENTS, LONGEST, SESSIONS, lighten

IMAGE = hostile.data_url(hostile.PNG)
GOOD = [IMAGE, "mnist-cnn"]


def test_nothing_is_kept() -> None:
    """What an event changes of a component is seen by the same session alone; what it sends stays nowhere."""
    with gr.Blocks() as demo:
        slider = gr.Slider(1, 9, value=3)
        state = gr.State(5)
    lighten()
    mine, other = SessionState(demo), SessionState(demo)
    mine[slider._id], mine[state._id] = gr.Slider(1, 9, value=7, render=False), 6
    mine._update_value_in_config(slider._id, 8)
    mine._update_config(slider._id)
    assert (mine[slider._id].value, mine[state._id]) == (7, 6)
    assert (other[slider._id].value, other[state._id]) == (3, 5)
    assert not list(mine.components) and not list(other.components)


def test_what_many_sessions_send_is_not_kept(app: App) -> None:
    """Forty of them with 4 MB each, as a picture that is none and as a name of a network that is none."""
    app.classify(*GOOD)
    before = resident(app)
    for number in range(40):
        given = [{"url": "data:image/png;base64," + "A" * 4_000_000}, "m"] if number % 2 else [IMAGE, "m" * 4_000_000]
        assert app.call("classify", {"data": given, "session_hash": f"large {number}"})[0] == 500
    assert resident(app) < before + 80


@pytest.mark.parametrize("way", ["run/classify", "queue/join"])
def test_a_long_name(app: App, way: str) -> None:
    """It would be kept: it is refused in a sentence; one that is just short enough is not."""
    config = json.loads(app.get("/config")[1])
    event = next(one["id"] for one in config["dependencies"] if one["api_name"] == "classify")
    for length, good in ((LONGEST + 1, False), (LONGEST, True)):
        body = {"data": GOOD, "fn_index": event, "session_hash": "s" * length}
        status, told = send(app.url, Request("long", f"{API}/{way}", json.dumps(body).encode()))
        assert (status == 200) == good, told
        if not good:
            assert is_one_sentence(json.loads(told)["error"]) and str(LONGEST) in told


def joined(app: App, body: dict) -> tuple[int, dict]:
    """Status and answer of a call by the queue, whose answer nobody fetches yet."""
    status, told = send(app.url, Request("joined", f"{API}/call/classify", json.dumps(body).encode()))
    return status, json.loads(told)


def fetched(app: App, event: str) -> str:
    return send(app.url, Request("fetched", f"{API}/call/classify/{event}", method="GET"))[1]


def test_answers_that_nobody_fetches(app: App) -> None:
    """Those of the last sessions are there, in whatever order they are fetched; those of the first have gone."""
    asked = []
    while len(asked) < 2 * SESSIONS:
        status, told = joined(app, {"data": GOOD})
        if status == 200:
            asked.append(told["event_id"])
        else:
            assert status == 503  # more than the queue takes at once
    assert '"7"' in fetched(app, asked[-1])
    joined(app, {"data": GOOD})  # nothing else waits any more
    assert '"7"' in fetched(app, asked[-2]) and '"7"' in fetched(app, asked[-SESSIONS // 2])
    assert '"7"' not in fetched(app, asked[0])


def test_too_many_answers_of_one_session(app: App) -> None:
    """It is told to fetch them, and then may ask again."""
    config = json.loads(app.get("/config")[1])
    event = next(one["id"] for one in config["dependencies"] if one["api_name"] == "classify")
    body = json.dumps({"data": GOOD, "fn_index": event, "session_hash": "greedy"}).encode()
    join = Request("joined", f"{API}/queue/join", body)
    told = [send(app.url, join) for _ in range(EVENTS + 1)]
    assert {status for status, _ in told[:-1]} == {200}
    assert told[-1][0] == 503 and is_one_sentence(json.loads(told[-1][1])["detail"])
    stream = send(app.url, Request("fetched", f"{API}/queue/data?session_hash=greedy", method="GET"))[1]
    assert stream.count("process_completed") == EVENTS
    assert send(app.url, join)[0] == 200
