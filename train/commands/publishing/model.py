"""A checkpoint folder as a repository on the Hub."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from huggingface_hub import ModelCard, hf_hub_url
from yaml import YAMLError

import models
from models import base, hub
from models.hub import repository
from models.hub.repository import Content, Head
from train import export, loading

HEAD = re.compile(r"---\n(.*?)^---\n", re.MULTILINE | re.DOTALL)  # of a card
SHOWN = re.compile(r"!\[[^\]]*\]\(([\w.-]+)\)")  # a picture on a card


@dataclass
class Publication:
    """One model on its way to the Hub.

    Attributes:
        name: the registered one.
        repo_id: NAMESPACE/NAME.
        files: path in the repository -> what it is to hold.
        there: what the repository holds now; None where there is none.
        changed: the paths of what is to be sent.
        tagged: the commit at which the tag of this version stands; None where it does not.
        other: whether it holds something else, which is left alone.
        done: what was done, in words.
    """

    name: str
    repo_id: str
    files: dict[str, Content]
    there: Head | None = None
    changed: list[str] = field(default_factory=list)
    tagged: str | None = None
    other: bool = False
    done: str = "not done"

    @property
    def size(self) -> int:
        """Bytes to be sent."""
        return sum(size(self.files[path]) for path in self.changed)

    @property
    def amount(self) -> str:
        """The same in words."""
        return f"{len(self.changed)} files, {self.size / 1e6:.1f} MB"

    @property
    def commits(self) -> bool:
        """Whether there is anything to be committed; a graph that is not made yet is not known to be other."""
        return self.there is None or bool(self.changed or {*repository.stale(self.files, self.there)} - {export.GRAPH})

    @property
    def pinned(self) -> bool:
        """Whether the pin stands at what is there."""
        pin = hub.pins().get(self.name)
        return bool(pin and self.there) and (pin["repo_id"], pin["revision"]) == (self.repo_id, self.there.commit)


def plan(name: str, namespace: str, *, force: bool = False) -> Publication:
    """What the Hub is to hold of a model, beside what it holds, which with `force` may be anything. Sends nothing.

    Raises HubError and OSError.
    """
    repo_id, folder = f"{namespace}/{name}", hub.CHECKPOINTS / name
    files: dict[str, Content] = {file.name: file for file in hub.files(folder)}
    one = Publication(name, repo_id, files | _beside(name, folder, repo_id), repository.head(repo_id))
    one.changed = repository.changed(one.files, one.there)
    one.other = not force and _is_other(name, repo_id, one.there, one.changed)
    if one.other:
        one.done = "something else, left alone"
        return one
    one.tagged = one.there and one.there.tags.get(models.__version__)
    if one.there and one.commits:
        repository.expect_writable(repo_id)
    if hub.CARD in one.changed:
        repository.expect_card(repo_id, one.files[hub.CARD])
    return one


def _is_other(name: str, repo_id: str, there: Head | None, changed: list[str]) -> bool:
    """Whether a repository holds something that is not this network; one that was just made holds nothing."""
    held = set(there.files if there else ()) - {repository.ATTRIBUTES}
    if not held or (hub.CONFIG in held and hub.CONFIG not in changed):
        return False
    if not {hub.CONFIG, hub.WEIGHTS} <= held:
        return True
    wanted, told = base.architecture(name), repository.read(repo_id, hub.CONFIG, there.commit)
    try:
        config = json.loads(told)
        return (config["architecture"], config["task"]) != (wanted.__name__, wanted.task)
    except (ValueError, RecursionError, KeyError, TypeError):  # no such config as ours
        return True


def expect_ours(name: str, repo_id: str, there: Head | None, way: str) -> None:
    """Raise ValueError where a repository holds something that is not this network; `way` overwrites it."""
    if _is_other(name, repo_id, there, [hub.CONFIG]):
        raise ValueError(left_alone(repo_id, way))


def left_alone(repo_id: str, way: str) -> str:
    """The sentence on a repository that holds something else, with the way to overwrite it."""
    return (
        f"The repository {repo_id} is something else, and is left alone: rename it on the Hub, or overwrite it with "
        f"{way}."
    )


def send(one: Publication, *, private: bool, retag: bool, told: Callable[[int], object] | None = None) -> None:
    """Make the repository hold the model, in one commit, tag it and pin it; `there` and `tagged` are renewed.

    `told` is told the bytes of each piece of a large file.

    Raises:
        HubError: what was not done is done by another try.
        OSError: the pin cannot be written.
    """
    done = f"updated, {one.amount}" if one.there else f"made, {one.amount}"
    if one.there is None:
        repository.create(one.repo_id, private=private)
        one.there = repository.head(one.repo_id)
    if one.commits:
        message = f"Upload {one.name}, Latent Lab {models.__version__}"
        commit = repository.commit(one.repo_id, one.files, message=message, there=one.there, told=told)
        one.there = replace(one.there, commit=commit, files={})
    else:
        done = "nothing to do" if one.pinned else "pinned"
    one.tagged = repository.tag(one.repo_id, models.__version__, one.there, move=retag)
    hub.pin(one.name, one.repo_id, one.there.commit, hub.CHECKPOINTS / one.name)
    one.done = done


def expect_card(name: str, folder: Path, repo_id: str) -> None:
    """See that the Hub takes a folder's card, where it has one, before there is a repository. Raises HubError."""
    if (folder / hub.CARD).is_file():
        repository.expect_card(repo_id, card(name, folder, repo_id))


def push(name: str, folder: Path, repo_id: str, there: Head | None = None) -> str:
    """Make a repository that is there hold a folder, as `plan` has it, in one commit. Returns the head's sha.

    `there` is what is known to be in it.

    Raises:
        ValueError: the Hub does not take it, or there is no graph of it; the folder is as it was.
        OSError: the graph cannot be written.
    """
    export.made(folder)
    beside = _beside(name, folder, repo_id)
    if there and hub.CARD in there.files and hub.CARD not in beside:  # what somebody wrote there stays
        beside[hub.CARD] = repository.read(repo_id, hub.CARD, there.commit)
    return hub.push(folder, repo_id, beside, there=there)


def _beside(name: str, folder: Path, repo_id: str) -> dict[str, Content]:
    """What a repository has that is not as it is in the folder: the card, and the graph where it is made."""
    found: dict[str, Content] = {}
    if (folder / hub.CARD).is_file():
        found[hub.CARD] = card(name, folder, repo_id)
    if (graph := export.place(folder)).is_file():  # of a dry run it need not be
        found[export.GRAPH] = graph
    return found


def card(name: str, folder: Path, repo_id: str) -> bytes:
    """A folder's card as the repository has it: how it is loaded from there, and a picture of it as thumbnail."""
    text = loading.renewed((folder / hub.CARD).read_text(encoding="utf-8"), name, folder, repo_id)
    found = HEAD.match(text)
    shown = next((name for name in SHOWN.findall(text) if (folder / name).is_file()), None)
    if shown is None:
        return text.encode()
    head = re.sub(r"^thumbnail: .*\n", "", found[1], flags=re.MULTILINE)
    return f"---\n{head}thumbnail: {hf_hub_url(repo_id, shown)}\n---\n{text[found.end() :]}".encode()


def check_card(folder: Path) -> None:
    """Raise ValueError unless a folder has a card with a head that can be read."""
    try:
        text = (folder / hub.CARD).read_text(encoding="utf-8")
        whole = HEAD.match(text) and ModelCard(text).data.to_dict()
    except OSError as error:
        raise ValueError(
            f"{folder / hub.CARD} cannot be read ({error.strerror}): a published model has one."
        ) from error
    except (ValueError, YAMLError):
        whole = False
    if not whole:
        raise ValueError(f"{folder / hub.CARD} is no card: it must begin with its metadata, in YAML between two ---.")


def size(content: Content) -> int:
    """Bytes of a file."""
    return len(content) if isinstance(content, bytes) else content.stat().st_size
