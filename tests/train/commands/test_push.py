"""Where weights go: one commit of exactly the folder; one sentence when that fails; a full disk costs nothing old."""

import errno
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import forked
import pytest
import torch
from hub_server import HubServer
from huggingface_hub import HfApi
from world import Watched

import models
from models import hub as sources

REPO = "alice/lab"
SECRET = "hf_PleaseDoNotPrintThis"


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def on_hub(hub: HubServer, revision: str = "main") -> dict[str, bytes]:
    """What is in the repository, without the file that the Hub itself puts there."""
    return {name: data for name, data in hub.files(REPO, revision).items() if name != ".gitattributes"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkpoint folder with all its files."""
    torch.manual_seed(0)
    folder = tmp_path / "folder"
    models.create("mnist-dense", hidden=4).save_pretrained(folder)
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n# A card\n")
    (folder / "learning-curve.png").write_bytes(b"\x89PNG curve")
    (folder / "confusion-matrix.png").write_bytes(b"\x89PNG matrix")
    (folder / "strips.jpg").write_bytes(b"\xff\xd8\xff strips")
    return folder


@pytest.fixture
def write(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that may write to alice's repositories."""
    monkeypatch.setenv("HF_TOKEN", "hf_write")


def upload(folder: Path) -> str:
    sources.prepare_push(REPO)
    return sources.push(folder, REPO)


def test_push_is_one_commit_of_exactly_the_files(hub: HubServer, write: None, folder: Path) -> None:
    """One commit on top of the repository's first; the bytes on the Hub are those of the folder."""
    sha = upload(folder)
    assert [commit["sha"] for commit in hub.commits(REPO)[1:]] == [sha]
    assert on_hub(hub) == contents(folder)
    assert hub.files(REPO).keys() == {*contents(folder), ".gitattributes"}


def test_push_of_the_same_again_makes_no_commit(hub: HubServer, write: None, folder: Path) -> None:
    """Nothing new is no commit, and the sha is still the one that holds the files."""
    first = upload(folder)
    second = upload(folder)
    assert on_hub(hub, second) == contents(folder)
    assert first == second == hub.commits(REPO)[-1]["sha"]


def test_second_push_removes_what_is_stale(hub: HubServer, write: None, folder: Path) -> None:
    """What an earlier push or a stranger left there goes in the same commit; history keeps it."""
    first = upload(folder)
    before = contents(folder)
    for name, data in (("notes.txt", b"old"), ("sub/pytorch_model.bin", b"a pickle")):
        HfApi().upload_file(path_or_fileobj=data, path_in_repo=name, repo_id=REPO)
    models.create("mnist-dense", hidden=5).save_pretrained(folder)
    (folder / "confusion-matrix.png").unlink()
    second = upload(folder)
    assert on_hub(hub, second) == contents(folder)
    assert [commit["sha"] for commit in hub.commits(REPO)][-1] == second
    assert len(hub.commits(REPO)) == 1 + 1 + 2 + 1
    assert on_hub(hub, first) == before


def test_pulled_files_are_byte_equal(
    hub: HubServer, write: None, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Push, then load from an empty cache without a token: the same bytes, the same network."""
    sha = upload(folder)
    monkeypatch.delenv("HF_TOKEN")
    net = models.load(REPO)
    for name in ("config.json", "model.safetensors", "README.md"):
        assert (net.provenance.folder / name).read_bytes() == contents(folder)[name]
    digest = hashlib.sha256(contents(folder)["model.safetensors"]).hexdigest()
    assert (net.provenance.source, net.provenance.revision, net.provenance.sha256) == ("hub", sha, digest)
    x = torch.rand(3, 1, 28, 28)
    assert torch.equal(net(x), models.load(folder)(x))
    with pytest.raises(ValueError, match=r"holds a Dense, not a ResNet"):
        type(models.create("mnist-resnet")).from_pretrained(REPO)


def test_private_repository(hub: HubServer, write: None, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`private` makes it so: who may not see it is told to check name and token."""
    sources.prepare_push(REPO, private=True)
    sources.push(folder, REPO)
    assert models.load(REPO).provenance.source == "hub"
    monkeypatch.setenv("HF_TOKEN", "hf_bob")
    with pytest.raises(ValueError, match=r"no repository alice/lab that this token can see"):
        models.load(REPO)
    assert models.Model.from_pretrained(REPO, token="hf_read").provenance.source == "hub"


def existing(hub: HubServer) -> None:
    HfApi(token="hf_write").create_repo(REPO)


def nothing(hub: HubServer) -> None: ...


def faults(**values: object) -> Callable[[HubServer], None]:
    return lambda hub: vars(hub.faults).update(values)


FAILURES: dict[str, tuple[str | None, str, Callable[[HubServer], None], str]] = {
    "no token": (None, REPO, nothing, "set HF_TOKEN or run `hf auth login`"),
    "a bad token": (SECRET, REPO, existing, "set HF_TOKEN or run `hf auth login`"),
    "a token in Chinese": (SECRET + "密", REPO, nothing, "Hub"),
    "a token that may only read": ("hf_read", REPO, nothing, "use a token with the write role"),
    "a token that may only read what exists": ("hf_read", REPO, existing, "use a token with the write role"),
    "a foreign namespace": ("hf_bob", REPO, nothing, "may not write to alice/lab"),
    "a foreign repository": ("hf_bob", REPO, existing, "may not write to alice/lab"),
    "no namespace": ("hf_write", "lab", nothing, "NAMESPACE/NAME"),
    "an empty name": ("hf_write", "", nothing, "NAMESPACE/NAME"),
    "no name": ("hf_write", "alice/", nothing, "NAMESPACE/NAME"),
    "two slashes": ("hf_write", "alice/lab/one", nothing, "NAMESPACE/NAME"),
    "a space": ("hf_write", "alice/my lab", nothing, "NAMESPACE/NAME"),
    "two dashes": ("hf_write", "alice/my--lab", nothing, "NAMESPACE/NAME"),
    "a long name": ("hf_write", "alice/" + "x" * 200, nothing, "NAMESPACE/NAME"),
    "a Hub that hangs up": ("hf_write", REPO, faults(down=True), "try again later"),
    "a Hub that is gone": ("hf_write", REPO, HubServer.stop, "cannot be reached: check the network and HF_ENDPOINT"),
    "a broken Hub": ("hf_write", REPO, faults(status=500), "try again later"),
    "a refused commit": ("hf_write", REPO, faults(refuse_commit=True), "try again later"),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_push_that_fails(hub: HubServer, folder: Path, failure: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence that says what to do and does not hold the token, before anything is uploaded where that can be."""
    token, repo_id, prepare, sentence = FAILURES[failure]
    prepare(hub)
    if token:
        monkeypatch.setenv("HF_TOKEN", token)
    before = contents(folder)
    if failure == "a refused commit":
        sources.prepare_push(repo_id)
    with pytest.raises(ValueError) as refusal:
        sources.push(folder, repo_id) if failure == "a refused commit" else sources.prepare_push(repo_id)
    message = str(refusal.value)
    assert sentence in message
    assert "\n" not in message and "hf_" not in message
    assert contents(folder) == before
    assert all(len(hub.commits(repo)) == 1 for repo in hub.repos)


@pytest.mark.parametrize("fault", [{"status": 500}, {"down": True}])
def test_an_upload_of_weights_that_fails(
    hub: HubServer, write: None, folder: Path, fault: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Hub that fails while the weights go up is one sentence, too, and nothing is committed."""
    monkeypatch.setattr("huggingface_hub.utils._http.time", SimpleNamespace(sleep=lambda seconds: None))
    sources.prepare_push(REPO)
    monkeypatch.setattr(hub, "requests", Watched("PUT /lfs", lambda: vars(hub.faults).update(fault)))
    with pytest.raises(ValueError, match=r"failed on alice/lab.* try again later\.$"):
        sources.push(folder, REPO)
    assert len(hub.commits(REPO)) == 1


def test_push_to_hub_keeps_the_card(hub: HubServer, folder: Path) -> None:
    """A network pushes its config and weights as one commit; card and pictures that are there stay."""
    HfApi(token="hf_write").create_repo(REPO)
    HfApi(token="hf_write").upload_folder(repo_id=REPO, folder_path=folder)
    net = models.create("mnist-dense", hidden=3)
    sha = net.push_to_hub(REPO, token="hf_write")
    assert [commit["sha"] for commit in hub.commits(REPO)[2:]] == [sha]
    kept = {name: data for name, data in contents(folder).items() if name not in ("config.json", "model.safetensors")}
    assert len(kept) == 4
    assert on_hub(hub).items() >= kept.items()
    assert json.loads(on_hub(hub)["config.json"])["kwargs"] == {"hidden": 3}
    x = torch.rand(2, 1, 28, 28)
    assert torch.equal(models.Model.from_pretrained(REPO, revision=sha)(x), net.eval()(x))


def test_push_to_hub_of_a_new_network(hub: HubServer) -> None:
    """Where nothing is, config and weights are all there is: no card of the client's making."""
    models.create("mnist-dense", hidden=3).push_to_hub(REPO, token="hf_write", private=True)
    assert on_hub(hub).keys() == {"config.json", "model.safetensors"}
    assert hub.repos[REPO]["private"] is True
    with pytest.raises(ValueError, match=r"may not write to alice/other"):
        models.create("mnist-dense", hidden=3).push_to_hub("alice/other", token="hf_read")


def test_pins(hub: HubServer, write: None, folder: Path, checkpoints: Path) -> None:
    """What `pin` notes is what `pins` reads and `load` follows; other pins stay."""
    assert sources.pins() == {}
    sha, digest = upload(folder), hashlib.sha256(contents(folder)["model.safetensors"]).hexdigest()
    other = {"repo_id": "alice/other", "revision": "1" * 40, "sha256": "2" * 64}
    (checkpoints / "hub.json").write_text(json.dumps({"mnist-resnet": other, "mnist-dense": other}))
    sources.pin("mnist-dense", REPO, sha, folder)
    expected = {"mnist-resnet": other, "mnist-dense": {"repo_id": REPO, "revision": sha, "sha256": digest}}
    assert sources.pins() == json.loads((checkpoints / "hub.json").read_text()) == expected
    provenance = models.load("mnist-dense").provenance
    assert (provenance.source, provenance.revision, provenance.sha256) == ("hub", sha, digest)


def full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("method", ["write_bytes", "write_text"])
def test_full_disk_keeps_the_old_checkpoint(
    folder: Path, checkpoints: Path, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A save that fails leaves every old file and no new one, whichever file it was that did not fit."""
    (checkpoints / "hub.json").write_text("{}")
    before, beside = contents(folder), sorted(folder.parent.iterdir())
    monkeypatch.setattr(Path, method, full)
    with pytest.raises(OSError, match="No space left"):
        models.create("mnist-dense", hidden=3).save_pretrained(folder)
    if method == "write_text":
        with pytest.raises(OSError, match="No space left"):
            sources.pin("mnist-dense", REPO, "1" * 40, folder)
    assert contents(folder) == before
    assert sorted(folder.parent.iterdir()) == beside
    assert (checkpoints / "hub.json").read_text() == "{}"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """A folder on another disk."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("this machine has no other disk")
    with TemporaryDirectory(dir=memory) as place:
        yield Path(place)


def test_a_folder_on_another_disk(folder: Path, tmp_path: Path, elsewhere: Path, monkeypatch) -> None:
    """Where `checkpoints/`, or a folder to train into, is a link to another disk, it is written all the same."""
    link = tmp_path / "linked"
    link.symlink_to(elsewhere)
    net = models.create("mnist-dense", hidden=4)
    net.save_pretrained(link)
    assert contents(elsewhere).keys() == {"config.json", "model.safetensors"}
    monkeypatch.setattr(sources, "CHECKPOINTS", link)
    sources.pin("mnist-dense", REPO, "1" * 40, folder)
    assert sources.pins().keys() == {"mnist-dense"}


def test_file_that_may_not_grow(folder: Path) -> None:
    """The same with a real limit, that of the process on the size of a file: 1.6 MB do not fit into 0.5."""
    script = """
import resource, sys, models
resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))
try:
    models.create("mnist-dense").save_pretrained(sys.argv[1])
except OSError as error:
    print(error.strerror)
"""
    before, beside = contents(folder), sorted(folder.parent.iterdir())
    done = forked.run(folder.parent, "-c", script, folder)
    assert done.stdout.strip() == "File too large", done.stderr
    assert contents(folder) == before
    assert sorted(folder.parent.iterdir()) == beside
