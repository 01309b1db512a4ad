"""Where weights come from and where they go: checkpoint folders, and the same folders as Hub repositories."""

import hashlib
import json
import math
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from httpx2 import ConnectTimeout, HTTPError, TransportError
from huggingface_hub import (
    constants,
    get_hf_file_metadata,
    get_session,
    hf_hub_download,
    hf_hub_url,
    try_to_load_from_cache,
)
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, HFValidationError
from huggingface_hub.utils import build_hf_headers, validate_repo_id

from models.hub.cards import CARD
from models.hub.cards import figures as figures
from models.hub.cards import results as results
from models.hub.failures import FAILURES, POINTER, HubError, NoFolder, PointerFile, explain, understood
from models.hub.repository import Content, check_name, commit
from models.hub.repository import prepare_push as prepare_push

CHECKPOINTS = Path(__file__).resolve().parent.parent.parent / "checkpoints"
CONFIG, WEIGHTS, RECIPE = "config.json", "model.safetensors", "recipe.json"
PINS = "hub.json"  # in `checkpoints/`
PICTURES = (".png", ".jpg", ".webp")  # of a card
MAX_CONFIG_BYTES = 64 * 1024
COMMIT, SHA256 = re.compile("[0-9a-f]{40}"), re.compile("[0-9a-f]{64}")
PATIENCE = 2  # seconds the Hub has to begin its answer before another source is taken
REST = 60  # seconds for which it is then not waited for by other names

_silence = ("", -math.inf)  # which repository it did not answer for last, and when


@dataclass(frozen=True)
class Provenance:
    """Where a network's weights came from.

    Attributes:
        source: "embedded" (`checkpoints/`), "hub" (the Hub or its cache) or "path".
        folder: the folder on this disk that holds them.
        repo_id, revision: the Hub repository and its commit, for "hub".
        sha256: of `model.safetensors`.
        notes: one sentence for each source that was asked first and could not be used.
    """

    source: str
    folder: Path
    repo_id: str | None = None
    revision: str | None = None
    sha256: str | None = None
    notes: tuple[str, ...] = ()


def sources(name: str) -> Iterator[Callable[[], Provenance]]:
    """The places to look for a published model, best first; calling one fetches it or raises ValueError.

    A pin in `checkpoints/hub.json`, else the namespace in `HUB_NAMESPACE`, else the folder in `checkpoints/`. Without a
    pin or a namespace nothing asks the network.
    """
    try:
        pin = pins().get(name)
    except ValueError as error:
        yield partial(_refuse, str(error))
        pin = None
    namespace = os.environ.get("HUB_NAMESPACE")
    if pin:
        yield lambda: _fetch_unless_silent(pin["repo_id"], revision=pin["revision"], sha256=pin["sha256"])
    elif namespace:
        yield lambda: _fetch_unless_silent(f"{namespace}/{name}")
    yield lambda: Provenance("embedded", CHECKPOINTS / name)


def _refuse(sentence: str) -> Provenance:
    raise ValueError(sentence)


def _fetch_unless_silent(repo_id: str, **wanted: str) -> Provenance:
    """As `fetch_from_hub`; a page that loads many names waits for a silent Hub once, not once for each."""
    whose, when = _silence
    rests = whose != repo_id and time.monotonic() - when < REST
    return fetch_from_hub(repo_id, **wanted, patience=0 if rests else PATIENCE)


def fetch(source: str | Path, *, revision: str | None = None, token: str | None = None) -> Provenance:
    """A folder where `source` is one, else the Hub repository `NAMESPACE/NAME`. Raises ValueError if it is neither."""
    if os.path.isdir(source):  # pathlib's raises for a name that is too long
        return Provenance("path", Path(source))
    check_source(source)
    try:
        return fetch_from_hub(str(source), revision=revision, token=token)
    except HubError as error:
        around = os.path.dirname(source)
        if not os.path.isdir(around):
            raise
        near = get_close_matches(os.path.basename(source), os.listdir(around), n=1)
        hint = f"did you mean {around}/{near[0]}?" if near else str(error)
        raise NoFolder(f"There is no folder {source}, nor does the Hub give such a repository: {hint}") from error


def check_source(source: str | Path) -> None:
    """Raise ValueError unless `source`, which is no folder, can be the name of a Hub repository."""
    try:
        check_name(str(source))
    except ValueError as error:
        raise ValueError(f"{source} is neither a folder nor a Hub repository of the form NAMESPACE/NAME.") from error


def fetch_from_hub(
    repo_id: str,
    *,
    revision: str | None = None,
    sha256: str | None = None,
    token: str | None = None,
    patience: float = PATIENCE,
) -> Provenance:
    """Bring a repository's files into the Hub cache. Raises ValueError, one sentence, when that fails.

    A commit that the cache holds is taken from there without asking; for a branch whose Hub is silent the cache serves
    what it saw last. The Hub has `patience` seconds to begin its answer; with none it is not asked.
    """
    download = partial(hf_hub_download, repo_id, token=token, etag_timeout=patience)
    notes: tuple[str, ...] = ()
    try:
        cached = (try_to_load_from_cache(repo_id, name, revision=revision) for name in (CONFIG, WEIGHTS))
        local = bool(COMMIT.fullmatch(revision or "")) and all(isinstance(one, str) for one in cached)
        if local:
            config = download(CONFIG, revision=revision, local_files_only=True)
        else:
            try:
                _ask(repo_id, revision, token, patience)
                config = download(CONFIG, revision=revision)
            except (HTTPError, OSError) as error:
                config = try_to_load_from_cache(repo_id, CONFIG, revision=revision)
                if isinstance(error, HfHubHTTPError) or not isinstance(config, str):
                    raise
                notes, local = (f"{explain(error, repo_id)} The copy in the cache was used.",), True
        folder = Path(config).parent  # snapshots/<commit>: every other file must be of that commit
        weights = Path(download(WEIGHTS, revision=folder.name, local_files_only=local))
        with suppress(EntryNotFoundError):  # without a card it loads all the same; its figures are unknown
            download(CARD, revision=folder.name, local_files_only=local)
        told = weights.resolve().name  # the cache names a large file's blob by the sha256 that the Hub tells
        wanted = sha256 or (told if SHA256.fullmatch(told) else None)
        found = POINTER if _is_pointer(weights) else wanted and sha256_of(weights)
    except FAILURES as error:
        raise understood(error, repo_id) from error
    if found != wanted:
        _forget(folder)
        if found == POINTER:
            raise PointerFile(f"{repo_id} holds a Git LFS pointer instead of {WEIGHTS}: it was pushed without Git LFS.")
        whose = "as pinned" if sha256 else "as the Hub says"
        raise HubError(f"{repo_id}: the weights' sha256 is {found[:12]}…, not {wanted[:12]}… {whose}.")
    return Provenance("hub", folder, repo_id, folder.name, notes=notes)


def _is_pointer(file: Path) -> bool:
    with open(file, "rb") as opened:
        return opened.read(len(POINTER)) == POINTER


def _forget(snapshot: Path) -> None:
    """Remove a snapshot's files from the cache, which the client would take from there for ever."""
    for file in snapshot.iterdir():
        with suppress(OSError):  # it is gone, or the cache is not ours
            file.resolve().unlink()


def _ask(repo_id: str, revision: str | None, token: str | None, patience: float) -> None:
    """Raise unless the Hub begins to answer within `patience`, first for the weights' headers, then for their bytes.

    These questions are not repeated; the client repeats its own, and would keep a visitor waiting for six minutes.
    """
    if not patience:
        raise ConnectTimeout("It was silent a moment ago.")
    global _silence
    url, headers = hf_hub_url(repo_id, WEIGHTS, revision=revision), {"Range": "bytes=0-0"}
    try:
        where = get_hf_file_metadata(url, token=token, timeout=patience, retry_on_errors=False).location
        # A file store elsewhere has its key in the address, and gets no token.
        if where.startswith(f"{constants.ENDPOINT}/"):
            headers |= build_hf_headers(token=token)
        with get_session().stream("GET", where, headers=headers, timeout=patience) as answer:
            if answer.is_server_error:
                answer.raise_for_status()
    except TransportError:
        _silence = (repo_id, time.monotonic())
        raise


def read(folder: Path) -> tuple[Any, dict[str, torch.Tensor], str]:
    """A checkpoint folder's config, tensors and the weights' sha256. Raises ValueError when a file cannot be read."""
    try:
        with open(folder / CONFIG, "rb") as file:
            config = json.loads(file.read(MAX_CONFIG_BYTES))
    except OSError as error:
        raise ValueError(f"{CONFIG} cannot be read ({error.strerror}).") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{CONFIG} is not JSON, or too long.") from error
    try:
        data = (folder / WEIGHTS).read_bytes()
        if data.startswith(POINTER):
            raise PointerFile(f"{WEIGHTS} is a Git LFS pointer, not the weights: run `git lfs pull`.")
        return config, safetensors.torch.load(data), hashlib.sha256(data).hexdigest()
    except OSError as error:
        raise ValueError(f"{WEIGHTS} cannot be read ({error.strerror}).") from error
    except PointerFile:
        raise
    except (safetensors.SafetensorError, KeyError, ValueError) as error:
        raise ValueError(f"{WEIGHTS} is no whole safetensors file ({error}).") from error


@contextmanager
def aside(folder: Path) -> Iterator[Path]:
    """A temporary folder whose files take their places in `folder` when the block ends well; else nothing changes."""
    around = folder if folder.is_dir() else folder.parent  # which may be another disk: nothing is renamed across
    try:
        around.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=around) as temporary:
            yield Path(temporary)
            folder.mkdir(exist_ok=True)
            for file in Path(temporary).iterdir():
                os.replace(file, folder / file.name)
    except OSError as error:
        error.filename = error.filename or str(folder)  # a full disk does not say where
        raise


def write(folder: Path, config: dict[str, Any], tensors: dict[str, torch.Tensor]) -> None:
    """Write config and weights; a write that fails leaves what was there. Raises OSError."""
    with aside(folder) as temporary:
        (temporary / CONFIG).write_text(json.dumps(config, indent=2) + "\n")
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        # Serialised here and written by Python: a full disk is then an OSError like any other.
        (temporary / WEIGHTS).write_bytes(safetensors.torch.save(tensors, metadata={"format": "pt"}))


def pins() -> dict[str, dict[str, str]]:
    """The pins of `checkpoints/hub.json`: name -> repo_id, revision (commit), sha256. Raises ValueError if broken."""
    try:
        found = json.loads((CHECKPOINTS / PINS).read_text())
        keys = {"repo_id", "revision", "sha256"}
        if all(pin.keys() == keys and all(isinstance(text, str) for text in pin.values()) for pin in found.values()):
            return found
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError, RecursionError):
        pass
    raise ValueError(
        "checkpoints/hub.json is not a table of name to repo_id, revision and sha256: take it away with unpin."
    )


def pin(name: str, repo_id: str, revision: str, folder: Path) -> None:
    """Note in `checkpoints/hub.json` that `name` is loaded from that commit, with the sha256 of `folder`'s weights."""
    before = pins()
    table = {**before, name: {"repo_id": repo_id, "revision": revision, "sha256": sha256_of(folder / WEIGHTS)}}
    if table != before:
        _write_pins(table)


def unpin(name: str | None = None) -> None:
    """Take one pin out of `checkpoints/hub.json`, or the file away. Raises ValueError if there is no such pin."""
    if name is None:
        (CHECKPOINTS / PINS).unlink(missing_ok=True)  # without looking into it: it may be broken
        return
    table = pins()
    if name not in table:
        raise ValueError(f"{name} is not pinned: there is nothing to take back.")
    del table[name]
    _write_pins(table)


def _write_pins(table: dict[str, dict[str, str]]) -> None:
    with aside(CHECKPOINTS) as temporary:
        (temporary / PINS).write_text(json.dumps(table, indent=2, sort_keys=True) + "\n")


def sha256_of(file: Path) -> str:
    """The digest of a file, in hex. Raises OSError."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def may_be_repository(name: str) -> bool:
    """Whether the Hub can have something of that name, of old also without a namespace."""
    try:
        validate_repo_id(name)
    except HFValidationError:
        return False
    return True


def answers(patience: float) -> bool:
    """Whether the Hub begins to answer within so many seconds."""
    try:
        return not get_session().head(constants.ENDPOINT, timeout=patience).is_server_error
    except (HTTPError, OSError):
        return False


def files(folder: Path) -> list[Path]:
    """Those of a checkpoint folder that go to its repository."""
    known = [folder / name for name in (CONFIG, WEIGHTS, CARD, RECIPE) if (folder / name).exists()]
    return known + sorted(file for file in folder.iterdir() if file.suffix in PICTURES)


def push(folder: Path, repo_id: str, beside: dict[str, Content] | None = None, **settings: Any) -> str:
    """Upload a checkpoint folder as one commit and return its sha; other files in the repository go.

    `beside` has what goes there too, or in the place of the folder's file, by its path; `settings` are `commit`'s.
    Raises HubError, one sentence; the folder is as it was.
    """
    wanted: dict[str, Content] = {file.name: file for file in files(folder)}
    return commit(repo_id, wanted | (beside or {}), **settings)
