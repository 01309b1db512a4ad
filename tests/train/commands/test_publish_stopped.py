"""A `publish` that is stopped half-way: what it tells, and that another one finishes it."""

import errno
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hub_server import HubError, HubServer
from shell import PUBLISHED, sentence
from world import Watched

from models import hub as sources

SPACE = "spaces/alice/latent-lab"
BROKEN = HubError(500, "We're working hard to fix this")
AGAIN = "The same command, given again, finishes what is not done."


def test_what_was_stopped_is_finished(publish: Callable, hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Hub that fails in the midst: what is done is told, pinned and not done again."""
    refuse = {"commit/main": BROKEN}
    watched = Watched("POST /api/models/alice/mnist-mlp/preupload", lambda: vars(hub.faults).update(refuse=refuse))
    monkeypatch.setattr(hub, "requests", watched)
    status, out, err = publish()
    assert status == 1
    assert "failed on alice/mnist-mlp" in err and "Traceback" not in err
    assert "not done" in out and AGAIN in out
    assert list(sources.pins()) == ["mnist-dense"]
    monkeypatch.setattr(hub, "requests", [])
    hub.faults.refuse = {}
    assert publish()[0] == 0
    assert {repo_id: len(hub.commits(repo_id)) - 1 for repo_id in hub.repos} == {
        "alice/mnist-dense": 1,
        "alice/mnist-mlp": 1,
        SPACE: 1,
    }
    assert list(sources.pins()) == PUBLISHED


@pytest.mark.parametrize(
    ("when", "undone"),
    [("POST /api/models/alice/mnist-dense/tag", PUBLISHED), ("POST /api/spaces/alice/latent-lab/preupload", [])],
)
def test_ctrl_c(
    publish: Callable, hub: HubServer, monkeypatch: pytest.MonkeyPatch, when: str, undone: list[str]
) -> None:
    """Addresses are told of what is there alone, and how to go on; that does."""
    main = threading.main_thread().ident
    monkeypatch.setattr(hub, "requests", Watched(when, lambda: signal.pthread_kill(main, signal.SIGINT)))
    status, out, err = publish()
    assert (status, err) == (130, "")
    assert out.endswith(f"{AGAIN}\n")
    rows = {line.split()[0]: line for line in out.splitlines()}
    for name in PUBLISHED:
        assert ("not done" in rows[name]) == (name in undone)
        assert (f"{hub.url}/alice/{name}" in rows[name]) == (f"alice/{name}" in hub.repos)
    assert ("alice/mnist-mlp" in hub.repos) == (undone == [])
    monkeypatch.setattr(hub, "requests", [])
    status, out, err = publish()
    assert (status, err) == (0, "") and AGAIN not in out
    assert list(sources.pins()) == PUBLISHED and "app.py" in hub.files(SPACE)


def test_a_pin_for_which_there_is_no_room(publish: Callable, hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is on the Hub is told, the sentence says which disk is full, and with room again it is finished."""
    real = os.replace

    def full(source: Path, place: Path) -> None:
        if Path(place).name == "hub.json":
            raise OSError(errno.ENOSPC, "No space left on device")
        real(source, place)

    monkeypatch.setattr(os, "replace", full)
    status, out, err = publish()
    assert status == 1 and "No space left on device: " in err and "checkpoints" in err
    assert AGAIN in out and sources.pins() == {}
    assert {repo_id: len(hub.commits(repo_id)) for repo_id in hub.repos} == {"alice/mnist-dense": 2}
    monkeypatch.setattr(os, "replace", real)
    assert publish()[0] == 0
    assert list(sources.pins()) == PUBLISHED and len(hub.commits("alice/mnist-dense")) == 2


def test_a_space_that_is_made_and_not_filled(publish: Callable, hub: HubServer) -> None:
    """The sentence says that it is there, and that the same command finishes it, which it does."""
    hub.faults.refuse = {"spaces/alice/fourth/commit": BROKEN}
    told = sentence(publish("--space", "fourth"))
    assert "failed on alice/fourth" in told and "still empty: the same command finishes it" in told
    assert hub.files("spaces/alice/fourth").keys() == {".gitattributes"}
    hub.faults.refuse = {}
    assert publish("--space", "fourth")[0] == 0
    assert "app.py" in hub.files("spaces/alice/fourth")
