"""Where weights come from: the order of the sources, and that no Hub, however ill, keeps anybody waiting."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from huggingface_hub import HfApi
from world import LATE, REPO, SOON, Watched, World

import models
from models import hub as sources


def test_without_pin_or_namespace_nothing_asks_the_network(world: World) -> None:
    """The embedded checkpoint is used, and the Hub hears nothing."""
    world.publish("alice/mnist-dense")
    provenance = world._expect("embedded", world.embedded)
    assert world.hub.requests == []
    assert provenance.folder == world.checkpoints / "mnist-dense"
    assert provenance.notes == ()


def test_pinned(pinned: World) -> None:
    """A pin is followed to its commit, whatever `main` is by now; provenance says which."""
    revision = pinned.hub.commits(REPO)[-1]["sha"]
    HfApi(token="hf_write").delete_file("model.safetensors", REPO)
    provenance = pinned.expect_pushed()
    assert (provenance.repo_id, provenance.revision, provenance.notes) == (REPO, revision, ())


@pytest.mark.parametrize("card", ["with a card", "without a card"])
def test_second_load_needs_no_server(world: World, card: str) -> None:
    """What was pulled once is there when the Hub is gone, at once; and is not asked for while the Hub is there."""
    if card == "without a card":
        (world.folder / "README.md").unlink()
    world.pin(world.publish())
    world.expect_pushed()
    world.hub.requests.clear()
    world.expect_pushed()
    assert world.hub.requests == []
    world.hub.stop()
    start = time.monotonic()
    assert world.expect_pushed().notes == ()
    assert time.monotonic() - start < SOON


def test_cache_gone_and_server_gone(pinned: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Then the embedded weights serve, in seconds and not after the client's 23, and the note says why."""
    pinned.expect_pushed()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "another"))
    pinned.hub.stop()
    pinned.expect_embedded(REPO, "try again later", within=SOON)


def test_offline(pinned: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """`HF_HUB_OFFLINE` is heeded: embedded weights and a note that names it, or what the cache holds."""
    with monkeypatch.context() as patch:
        patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        pinned.expect_embedded("HF_HUB_OFFLINE", within=SOON)
    pinned.expect_pushed()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    pinned.expect_pushed()


def ill(**faults: object) -> Callable[[World], None]:
    def make(world: World) -> None:
        for key, value in faults.items():
            setattr(world.hub.faults, key, value)

    return make


ILLNESSES: dict[str, tuple[Callable[[World], None], float, str]] = {
    "hangs up": (ill(down=True), SOON, "try again later"),
    "is silent": (ill(delay=30), LATE, "try again later"),
    "is overloaded": (ill(status=503), SOON, "try again later"),
    "wants a token": (ill(status=401), SOON, "token"),
    "has no such repository": (lambda world: world.pin("main", "alice/none"), SOON, "alice/none"),
    "has no such revision": (lambda world: world.pin("0" * 40), SOON, "revision"),
    "has other bytes than were pinned": (
        lambda world: world.pin(world.hub.commits(REPO)[-1]["sha"], sha256="0" * 64),
        SOON,
        "sha256",
    ),
    "lies": (ill(lie=True), SOON, REPO),
    "breaks off": (ill(cut=2000), 15.0, "try again later"),  # the client resumes five times, a second apart
}


@pytest.mark.parametrize("illness", ILLNESSES)
def test_a_hub_that(pinned: World, illness: str) -> None:
    """Whatever ails the Hub: embedded weights, soon, with a sentence; and once it is well again, its own."""
    revision = pinned.hub.commits(REPO)[-1]["sha"]
    make, within, note = ILLNESSES[illness]
    make(pinned)
    pinned.expect_embedded(note, within=within)
    pinned.hub.faults.__init__()
    pinned.pin(revision)
    pinned.expect_pushed()


def test_a_silent_hub_is_waited_for_once(pinned: World) -> None:
    """The next name does not ask again, and takes what is in the cache; the same name does."""
    revision, other = pinned.hub.commits(REPO)[-1]["sha"], pinned.publish("alice/other")
    pinned.hub.faults.down = True
    pinned.expect_embedded("try again later")
    asked = len(pinned.hub.requests)
    assert asked > 0
    pinned.pin(other, "alice/other")
    pinned.expect_embedded("try again later")
    assert len(pinned.hub.requests) == asked
    pinned.hub.faults.down = False
    models.Model.from_pretrained("alice/other", revision=other)  # who names a repository has it asked
    pinned.expect_pushed()
    pinned.pin(revision)  # nor does it keep the name it was silent for from asking again
    pinned.expect_pushed()


def test_a_config_that_is_gone(pinned: World) -> None:
    """From the cache, as where another commit that shares it was damaged: it is asked for again."""
    (pinned.expect_pushed().folder / "config.json").resolve().unlink()
    pinned.expect_pushed()


def test_damaged_weights_that_cannot_be_removed(pinned: World) -> None:
    """Something in the cache is not ours to remove: the embedded ones are taken, with a sentence."""
    folder = pinned.expect_pushed().folder
    (folder / "a folder").mkdir()
    (folder / "model.safetensors").resolve().write_bytes(b"other")
    pinned.expect_embedded("sha256")


@pytest.mark.parametrize("fault", [{"delay": 5}, {"status": 503}, {"down": True}], ids=str)
@pytest.mark.parametrize("question", ["HEAD ", "GET /alice/lab/resolve"])
def test_a_hub_that_fails_after_its_first_answer(
    pinned: World, question: str, fault: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is given up for good, too: the client of itself repeats such a question for up to six minutes.

    Times are scaled down here, so what counts is how often is asked.
    """
    monkeypatch.setattr(sources, "PATIENCE", 0.2)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DOWNLOAD_TIMEOUT", 0.2)
    monkeypatch.setattr("huggingface_hub.file_download._ETAG_RETRY_TIMEOUT", 0.2)
    for module in ("utils._http", "file_download"):
        monkeypatch.setattr(f"huggingface_hub.{module}.time", SimpleNamespace(sleep=lambda seconds: None))
    monkeypatch.setattr(pinned.hub, "requests", Watched(question, lambda: vars(pinned.hub.faults).update(fault)))
    pinned.expect_embedded("try again later")
    assert sum(question in request for request in pinned.hub.requests) == 1


def test_a_slow_but_moving_download_may_go_on(pinned: World) -> None:
    """Patience is for the beginning of the answer: a file that takes longer than that is waited for."""
    pinned.pushed = models.create("mnist-dense", hidden=40)  # 127 kB, seven pieces more than one
    pinned.pushed.save_pretrained(pinned.folder)
    pinned.pin(pinned.publish())
    pinned.hub.faults.drip = 0.5
    start = time.monotonic()
    pinned.expect_pushed()
    assert time.monotonic() - start > sources.PATIENCE


@pytest.fixture
def namespace(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    world.publish("alice/mnist-dense")
    monkeypatch.setenv("HUB_NAMESPACE", "alice")
    yield world


def test_namespace(namespace: World) -> None:
    """`HUB_NAMESPACE` takes what is on `main` now; a pin is more to the point and goes first."""
    repo_id = "alice/mnist-dense"
    first = namespace.expect_pushed()
    assert (first.repo_id, first.revision) == (repo_id, namespace.hub.commits(repo_id)[-1]["sha"])
    namespace.pushed = models.create("mnist-dense", hidden=3)
    namespace.pushed.save_pretrained(namespace.folder)
    revision = namespace.publish(repo_id)
    assert namespace.expect_pushed().revision == revision
    namespace.pin(namespace.publish("alice/other"), "alice/other")
    assert namespace.expect_pushed().repo_id == "alice/other"


def test_branch_by_name(world: World) -> None:
    """`revision="main"` is what is there now, not what the cache saw last; a commit stays what it was."""
    first = world.publish()
    old = models.Model.from_pretrained(REPO, revision="main")
    models.create("mnist-dense", hidden=3).save_pretrained(world.folder)
    second = world.publish()
    assert models.Model.from_pretrained(REPO, revision="main").provenance.revision == second
    again = models.Model.from_pretrained(REPO, revision=first)
    assert (again.provenance.revision, again.kwargs) == (first, old.kwargs)


@pytest.mark.parametrize("fault", ["gone", "silent"])
def test_namespace_of_a_silent_hub(namespace: World, fault: str) -> None:
    """The cache serves what `main` was when the Hub was last heard, and the note says so."""
    revision = namespace.expect_pushed().revision
    namespace.hub.stop() if fault == "gone" else setattr(namespace.hub.faults, "delay", 30)
    start = time.monotonic()
    provenance = namespace.expect_pushed()
    assert time.monotonic() - start < (SOON if fault == "gone" else LATE)
    assert provenance.revision == revision
    assert "The copy in the cache was used." in provenance.notes[0]


def test_namespace_that_lies(namespace: World) -> None:
    """Without a pin the Hub's own sha256 is what tells; when it is honest again, its weights are taken."""
    namespace.hub.faults.lie = True
    namespace.expect_embedded("alice/mnist-dense")
    namespace.hub.faults.lie = False
    namespace.expect_pushed()
