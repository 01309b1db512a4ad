"""What `publish` does not do: one sentence for each, and nothing is anywhere."""

import errno
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hub_server import HubServer
from shell import PUBLISHED, contents, sentence, sentences

from models import hub as sources

REFUSED: dict[str, tuple[str, list[str], str]] = {
    "no token": ("", ["alice"], "set HF_TOKEN"),
    "a token that may only read": ("hf_read", ["alice"], "use a token with the write role"),
    "a namespace of somebody else": ("hf_write", ["bob"], "may not write to bob"),
    "a namespace with a slash": ("hf_write", ["alice/lab"], "without a slash"),
    "an illegal namespace": ("hf_write", ["al ice"], "'al ice' is no namespace"),
    "no namespace": ("hf_write", [""], "'' is no namespace"),
    "an illegal Space": ("hf_write", ["alice", "--space", "my lab"], "NAMESPACE/NAME"),
    "an unknown model": ("hf_write", ["alice", "--only", "mnist-dens"], "(did you mean mnist-dense?)"),
    "a model without a folder": ("hf_write", ["alice", "--only", "mnist-cnn"], "config.json cannot be read"),
    "slim and no Space": ("hf_write", ["alice", "--slim", "--no-space"], "leave one of them out"),
    "slim and private": ("hf_write", ["alice", "--slim", "--private"], "--slim"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_published(
    cli: Callable, lab: Path, hub: HubServer, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence, and nothing is anywhere."""
    token, words, told = REFUSED[case]
    monkeypatch.setenv("HF_TOKEN", token) if token else monkeypatch.delenv("HF_TOKEN")
    before = {name: contents(lab / name) for name in PUBLISHED}
    assert told in sentence(cli("publish", *words))
    assert hub.repos == {} and sources.pins() == {}
    assert {name: contents(lab / name) for name in PUBLISHED} == before


def test_broken_folders_are_told_at_once(publish: Callable, hub: HubServer, lab: Path) -> None:
    """A folder without weights and one with a broken card: a sentence each, and nothing is asked of the Hub."""
    (lab / "mnist-dense" / "model.safetensors").unlink()
    (lab / "mnist-mlp" / "README.md").write_text("---\nlicense: [\n---\n")
    told = sentences(publish())
    assert ["model.safetensors" in told[0], "README.md is no card" in told[1], len(told)] == [True, True, 2]
    assert hub.requests == []


def test_a_lab_without_a_model(publish: Callable, hub: HubServer, lab: Path) -> None:
    """A Space that serves none is not made."""
    for name in PUBLISHED:
        shutil.rmtree(lab / name)
    assert "nothing to publish" in sentence(publish())
    assert hub.requests == []


def test_a_full_disk(publish: Callable, hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No room for the graphs: the sentence says where, nothing is sent, and nothing is left behind."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("train.export.write", full)
    told = sentence(publish())
    assert "No space left on device" in told and "runs/onnx" in told
    assert hub.repos == {} and sources.pins() == {}
    assert [file for file in (tmp_path / "runs").rglob("*") if file.is_file()] == []


@pytest.mark.parametrize("words", [["publish", "alice"], ["push", "mnist-mlp", "alice/mine"]])
def test_a_card_that_the_hub_refuses(
    cli: Callable, lab: Path, hub: HubServer, written_graphs: list[str], words: list[str]
) -> None:
    """It is YAML, and not what the Hub wants: that is asked before the first repository is made."""
    card = lab / "mnist-mlp" / "README.md"
    card.write_text(card.read_text().replace("license: apache-2.0", "license: 2"))
    told = sentence(cli(*words))
    assert "metadata" in told and '"license" must be a string' in told
    assert hub.repos == {} and sources.pins() == {}


@pytest.mark.parametrize(
    "second", [["publish", "alice", "--no-space"], ["push", "mnist-dense", "alice/mine"], ["unpin", "mnist-dense"]]
)
def test_two_at_once(publish: Callable, hub: HubServer, second: list[str]) -> None:
    """The second is told to wait; the first goes on to its end."""
    hub.faults.delay = 0.05
    first: list[tuple] = []
    thread = threading.Thread(target=lambda: first.append(_run("publish", "alice", "--no-space")))
    thread.start()
    while not hub.requests:
        thread.join(0.05)
    with pytest.raises(ValueError, match="Another publish or push is under way"):
        _run(*second)
    thread.join()
    assert first == [0]
    assert hub.repos.keys() == {f"alice/{name}" for name in PUBLISHED}


def _run(*words: str) -> int:
    """The command without what takes its words and its output."""
    from train.__main__ import parser
    from train.commands import publish, push, unpin

    return {"publish": publish, "push": push, "unpin": unpin}[words[0]].run(parser().parse_args(words))
