"""The true cause of what goes wrong at the Hub, each with a type and a sentence of its own, by the real client."""

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hub_server import HubError, HubServer
from huggingface_hub import HfApi
from world import REPO, World

import models
from models import hub as sources
from models.hub import failures

ROOT = Path(models.__file__).parent.parent
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12345\n"
STORAGE = "Private repository storage limit reached, please upgrade your plan"


def told(refusal: pytest.ExceptionInfo, *words: str) -> None:
    """The sentence says all this, in one line, without a token and without being taken for something else."""
    text = str(refusal.value)
    assert [word for word in words if word not in text] == []
    assert "\n" not in text and "hf_" not in text and len(text) < 400


@pytest.fixture
def published(world: World) -> World:
    """A repository with a checkpoint in it; nothing is pinned."""
    world.publish()
    return world


def refuse(words: str, error: HubError) -> Callable[[World], None]:
    return lambda world: world.hub.faults.refuse.update({words: error})


def page(world: World) -> None:
    world.hub.faults.page = True


def private(world: World) -> None:
    world.hub.repos[REPO]["private"] = True


def pointer(world: World) -> None:
    """Weights that were pushed without Git LFS."""
    (world.folder / "model.safetensors").write_bytes(POINTER)
    world.publish()


GATED = HubError(403, "Access to model alice/lab is restricted", "GatedRepo")
DISABLED = HubError(403, "Access to this resource is disabled.")
LATER = HubError(429, "Too many requests", headers={"RateLimit": '"api";r=0;t=55'})
LATER_TOO = HubError(429, "Too many requests", headers={"Retry-After": "12"})
LOGIN = HubError(403, "", headers={"Content-Type": "text/html"})

LOADING: dict[str, tuple[Callable[[World], None], type[failures.HubError], list[str]]] = {
    "a proxy's page": (page, failures.NotTheHub, ["proxy", "HTTPS_PROXY"]),
    "a proxy that forbids": (refuse("resolve", LOGIN), failures.NotTheHub, ["proxy"]),
    "a gated repository": (refuse("resolve", GATED), failures.GatedRepository, [REPO, "gated", "ask for access"]),
    "a disabled repository": (refuse("resolve", DISABLED), failures.DisabledRepository, [REPO]),
    "a private repository": (private, failures.NoRepository, [REPO, "set HF_TOKEN if it is private"]),
    "a limit with its window": (refuse("resolve", LATER), failures.RateLimited, ["429", "in 55 seconds"]),
    "a limit with its end": (refuse("resolve", LATER_TOO), failures.RateLimited, ["429", "in 12 seconds"]),
    "a refusal to read": (
        refuse("resolve", HubError(403, "Your IP is blocked")),
        failures.MayNotRead,
        ["read", "Your IP is blocked"],
    ),
    "a pointer": (pointer, failures.PointerFile, ["Git LFS pointer"]),
}


@pytest.mark.parametrize("cause", LOADING)
def test_loading(published: World, cause: str) -> None:
    """`from_pretrained` and a pinned name both tell it; with embedded weights a pin that fails is a note."""
    make, kind, words = LOADING[cause]
    make(published)
    with pytest.raises(kind) as refusal:
        models.Model.from_pretrained(REPO)
    told(refusal, *words)
    published.pin(published.hub.commits(REPO)[-1]["sha"])
    published.expect_embedded(words[0])


def test_an_endpoint_that_is_no_address(published: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is what has to be mended; to wait would not help."""
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "hub")
    monkeypatch.setenv("HF_TOKEN", "hf_write")
    with pytest.raises(failures.Unreachable) as refusal:
        sources.prepare_push(REPO)
    told(refusal, "hub", "check the network and HF_ENDPOINT")


def test_a_file_in_the_place_of_the_cache(published: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache that cannot be made is not a Hub out of reach."""
    (tmp_path / "file").touch()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(failures.CacheNotWritable) as refusal:
        models.Model.from_pretrained(REPO)
    told(refusal, str(tmp_path / "file" / "cache"), "set HF_HOME")


MOUNTS = {
    "read-only": ("mount -t tmpfs -o ro tmpfs", failures.CacheNotWritable),
    "full": ("mount -t tmpfs -o size=16k tmpfs", failures.DiskFull),
}
LOAD = """
import sys, models
try:
    models.Model.from_pretrained("alice/lab")
except ValueError as error:
    print(type(error).__name__, error)
"""


@pytest.mark.parametrize("mount", MOUNTS)
def test_a_disk(published: World, tmp_path: Path, mount: str) -> None:
    """A cache on a disk that is read-only, or too small for the weights."""
    command, kind = MOUNTS[mount]
    shell = f'{command} "$0" && exec "$@"'
    (tmp_path / "home").mkdir()
    words = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", shell, tmp_path / "home"]
    if subprocess.run([*words, "true"], capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount")
    environment = {**os.environ, "HF_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT)}
    done = subprocess.run([*words, sys.executable, "-c", LOAD], env=environment, capture_output=True, text=True)
    assert done.stdout.startswith(kind.__name__), done.stderr
    assert "HF_HOME" in done.stdout and "out of reach" not in done.stdout


def test_a_disk_that_fills_up(published: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same with the process's own limit on the size of a file, where nobody may mount."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4000, hard))
    try:
        with pytest.raises(failures.DiskFull) as refusal:
            models.Model.from_pretrained(REPO)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    told(refusal, "no room", "HF_HOME")


def test_a_mistyped_folder(published: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What looks like a repository's name and is a folder's, nearly: the folder is named."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(failures.NoFolder) as refusal:
        models.load("checkpoints/mnist-dens")
    told(refusal, "no folder checkpoints/mnist-dens", "did you mean checkpoints/mnist-dense?")
    with pytest.raises(failures.NoRepository):
        models.load("alice/mnist-dens")
    published.hub.stop()
    with pytest.raises(failures.NoFolder):
        models.load("checkpoints/mnist-dens")


def test_a_pointer_in_a_folder(world: World) -> None:
    """A clone whose weights Git LFS has not fetched."""
    (world.checkpoints / "mnist-dense" / "model.safetensors").write_bytes(POINTER)
    with pytest.raises(ValueError) as refusal:
        models.load("mnist-dense")
    told(refusal, "Git LFS pointer", "git lfs pull")


WRITING: dict[str, tuple[str, str, HubError, type[failures.HubError], list[str]]] = {
    "storage, at the commit": ("hf_write", "commit/main", HubError(403, STORAGE), failures.StorageRefused, [STORAGE]),
    "storage, at the upload": (
        "hf_write",
        "objects/batch",
        HubError(403, STORAGE),
        failures.StorageRefused,
        [REPO, STORAGE],
    ),
    "a token that reads": (
        "hf_read",
        "nothing",
        HubError(500, ""),
        failures.MayNotWrite,
        ["use a token with the write role"],
    ),
    "metadata": (
        "hf_write",
        "validate-yaml",
        HubError(400, '"license" must be one of', errors=[{"message": '"license" must be one of'}]),
        failures.MetadataRefused,
        ["metadata", '"license" must be one of'],
    ),
    "metadata, at the commit": (
        "hf_write",
        "commit/main",
        HubError(400, '"tags" must be an array'),
        failures.MetadataRefused,
        ['"tags" must be an array'],
    ),
    "a limit": ("hf_write", "preupload", LATER, failures.RateLimited, ["in 55 seconds"]),
    "somebody else": ("hf_write", "commit/main", HubError(412, "A commit has happened"), failures.Conflict, ["again"]),
    "a repository that went": ("hf_write", "preupload", HubError(404, "", "RepoNotFound"), failures.NoRepository, []),
}


@pytest.mark.parametrize("cause", WRITING)
def test_writing(
    world: World, hub: HubServer, cause: str, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    """A push tells why it was refused, and nothing was committed."""
    token, words, error, kind, sentence = WRITING[cause]
    HfApi(token="hf_write").create_repo(REPO)
    monkeypatch.setenv("HF_TOKEN", token)
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda seconds: None)
    hub.faults.refuse[words] = error
    with pytest.raises(kind) as refusal:
        sources.push(world.folder, REPO)
    told(refusal, *sentence)
    assert len(hub.commits(REPO)) == 1


@pytest.mark.parametrize("fault", ["page", "paid"])
def test_before_writing(world: World, hub: HubServer, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page instead of JSON, and a Hub that asks for money."""
    monkeypatch.setenv("HF_TOKEN", "hf_write")
    if fault == "page":
        hub.faults.page = True
    else:
        hub.faults.refuse["repos/create"] = HubError(402, "A paid plan is needed")
    with pytest.raises(failures.NotTheHub if fault == "page" else failures.PaymentRequired) as refusal:
        sources.prepare_push(REPO)
    told(refusal, "proxy" if fault == "page" else "A paid plan is needed")
