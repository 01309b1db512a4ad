"""A repository on the Hub, of a model or a Space: what is in it, and one commit that makes it what it should be."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, constants, get_session
from huggingface_hub.errors import BadRequestError, HfHubHTTPError, HFValidationError
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils import build_hf_headers, hf_raise_for_status, validate_repo_id

from models.hub.failures import FAILURES, MayNotWrite, NoRepository, NotOffered, bad_card, refusal, understood

Content = Path | bytes
ATTRIBUTES = ".gitattributes"  # the Hub's own


@dataclass(frozen=True)
class Head:
    """What the main branch of a repository holds.

    Attributes:
        commit: its sha.
        files: path -> sha256 of what is in LFS, else the name of the file's Git blob.
        tags: name -> the commit at which it stands.
        hardware: the Hub's name of what a Space runs on; None of a model, and where the Hub does not tell.
        private: whether nobody else sees it.
    """

    commit: str
    files: dict[str, str]
    tags: dict[str, str]
    hardware: str | None = None
    private: bool = False


@dataclass
class _Sent(CommitOperationAdd):
    """A file that tells of each piece that goes up, in bytes; the client calls no function of ours."""

    told: Callable[[int], object] | None = None

    @contextmanager
    def as_file(self, with_tqdm: bool = False) -> Iterator[BinaryIO]:
        """As the client's, which asks for a bar of its own where it sends, not where it looks through."""
        with super().as_file() as file:
            if with_tqdm and self.told:
                read = file.read
                file.read = lambda size=-1: self._tell(read(size))
            yield file

    def _tell(self, piece: bytes) -> bytes:
        self.told(len(piece))
        return piece


def check_name(repo_id: str) -> None:
    """Raise IllegalName unless it can be the name of somebody's repository, NAMESPACE/NAME."""
    try:
        if "/" not in repo_id:
            raise HFValidationError("no namespace")
        validate_repo_id(repo_id)
    except HFValidationError as error:
        raise understood(error, repo_id) from error


def head(repo_id: str, kind: str = "model", *, token: str | None = None) -> Head | None:
    """What is in a repository now; None where there is none that the token may see. Raises HubError."""
    api = HfApi(token=token)
    try:
        about = api.repo_info(repo_id, repo_type=kind)
        tree = api.list_repo_tree(repo_id, recursive=True, revision=about.sha, repo_type=kind)
        found = {one.path: one.lfs.sha256 if one.lfs else one.blob_id for one in tree if isinstance(one, RepoFile)}
        tags = {tag.name: tag.target_commit for tag in api.list_repo_refs(repo_id, repo_type=kind).tags}
    except FAILURES as error:
        cause = understood(error, repo_id)
        if isinstance(cause, NoRepository):
            return None
        raise cause from error
    runs = getattr(about, "runtime", None)
    return Head(about.sha, found, tags, runs and (runs.requested_hardware or runs.hardware), bool(about.private))


def read(repo_id: str, path: str, commit: str) -> bytes:
    """A small file of a model's repository, at a commit that holds it. Raises HubError."""
    try:
        return Path(HfApi().hf_hub_download(repo_id, path, revision=commit)).read_bytes()
    except FAILURES as error:
        raise understood(error, repo_id) from error


def changed(files: dict[str, Content], there: Head | None) -> list[str]:
    """The paths of what is not there yet, or is other there."""
    known = there.files if there else {}
    return [path for path, content in files.items() if known.get(path) not in _names(content)]


def stale(files: dict[str, Content], there: Head | None) -> list[str]:
    """The paths of what is there and in no file of ours."""
    return sorted(set(there.files) - set(files) - {ATTRIBUTES}) if there else []


def _names(content: Content) -> tuple[str, str]:
    """How the Hub calls those bytes: in LFS by their sha256, else as Git does."""
    data = content if isinstance(content, bytes) else content.read_bytes()
    blob = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False)
    return hashlib.sha256(data).hexdigest(), blob.hexdigest()


def expect_namespace(namespace: str) -> None:
    """See, without a trace, that the token may write in a namespace, as far as the Hub tells beforehand.

    Raises HubError: there is no token, it only reads, or it is of somebody else.
    """
    try:
        account = HfApi().whoami()
    except FAILURES as error:
        raise understood(error, namespace, writing=True) from error
    token = account.get("auth", {}).get("accessToken", {})
    theirs = {account["name"], *(one["name"] for one in account.get("orgs") or [])}
    theirs |= {one.get("entity", {}).get("name") for one in token.get("fineGrained", {}).get("scoped") or []}
    if namespace not in theirs:
        raise MayNotWrite(f"The token is of {account['name']} and may not write to {namespace}: use one that may.")
    if token.get("role") == "read":
        raise MayNotWrite(f"The token may only read {namespace}: use a token with the write role.")


def expect_writable(repo_id: str, kind: str = "model") -> None:
    """See, without a trace, that the token may write to a repository that is there. Raises HubError."""
    try:
        HfApi().auth_check(repo_id, repo_type=kind, write=True)
    except FAILURES as error:
        cause = understood(error, repo_id, writing=True)
        if not isinstance(cause, NotOffered):  # then the commit will tell
            raise cause from error


def expect_card(repo_id: str, card: bytes) -> None:
    """See, without a trace, that the Hub takes the head of a model's card. Raises HubError."""
    asked = {"content": card.decode(), "repoType": "model"}
    try:
        hf_raise_for_status(
            get_session().post(f"{constants.ENDPOINT}/api/validate-yaml", json=asked, headers=build_hf_headers())
        )
    except BadRequestError as error:
        raise bad_card(error, repo_id) from error
    except FAILURES as error:
        raise understood(error, repo_id, writing=True) from error


def create(repo_id: str, *, private: bool = False, hardware: str | None = None, kind: str = "model") -> None:
    """Make a repository, where there is none yet. Raises HubError.

    Args:
        repo_id: NAMESPACE/NAME.
        private: whether only its owner sees it.
        hardware: of a Space, the Hub's name of what it runs on; None for the free processor.
        kind: "model" or "space".
    """
    space = {"space_sdk": "gradio", "space_hardware": hardware} if kind == "space" else {}
    try:
        HfApi().create_repo(repo_id, repo_type=kind, private=private, exist_ok=True, **space)
    except FAILURES as error:
        raise understood(error, repo_id, writing=True) from error


def prepare_push(repo_id: str, *, private: bool = False, token: str | None = None) -> None:
    """Make the repository of a model and see that the token may write to it. Raises HubError."""
    check_name(repo_id)
    api = HfApi(token=token)
    try:
        api.whoami()
        api.create_repo(repo_id, private=private, exist_ok=True)
        api.auth_check(repo_id, write=True)
    except FAILURES as error:
        raise understood(error, repo_id, writing=True) from error


def commit(
    repo_id: str,
    files: dict[str, Content],
    *,
    kind: str = "model",
    message: str = "Upload model",
    there: Head | None = None,
    keep_others: bool = False,
    token: str | None = None,
    told: Callable[[int], object] | None = None,
) -> str:
    """Make a repository hold these files, in one commit; where it does already, in none. Returns the head's sha.

    Args:
        repo_id: of a repository that is there.
        files: path -> where its bytes are, or they themselves.
        kind: "model" or "space".
        message: the commit's title.
        there: what is known to be in it; a commit of somebody else since then is refused.
        keep_others: leave in it what is in no file of ours.
        told: is told the bytes of each piece of a large file as it goes up.

    Raises:
        HubError: nothing was committed.
    """
    api = HfApi(token=token)
    known = there or head(repo_id, kind, token=token)
    operations: list = [_Sent(path, files[path], told=told) for path in changed(files, known)]
    if not keep_others:
        operations += [CommitOperationDelete(path) for path in stale(files, known)]
    if known and not operations:
        return known.commit
    try:
        # Not upload_folder: that may cut one folder into several commits.
        return api.create_commit(
            repo_id,
            operations,
            commit_message=message,
            repo_type=kind,
            parent_commit=there.commit if there else None,
        ).oid
    except FAILURES as error:
        cause = error.__cause__ if isinstance(error, RuntimeError) else error  # so it reports a file that did not go up
        raise _reason(cause or error, api, repo_id, kind) from error


def _reason(error: Exception, api: HfApi, repo_id: str, kind: str) -> Exception:
    """Why a commit was refused; a 403 has two reasons, and the Hub tells which when it is asked."""
    if isinstance(error, HfHubHTTPError) and error.response is not None and error.response.status_code == 403:
        try:
            api.auth_check(repo_id, repo_type=kind, write=True)
        except FAILURES as other:
            return understood(other, repo_id, writing=True)
        return refusal(error, repo_id)
    return understood(error, repo_id, writing=True)


def tag(repo_id: str, name: str, there: Head, *, move: bool = False) -> str:
    """Name the head of a model's repository; a tag that stands elsewhere is moved only if asked.

    Returns the commit at which it stands then. Raises HubError.
    """
    standing = there.tags.get(name)
    if standing == there.commit or (standing and not move):
        return standing
    api = HfApi()
    try:
        if standing:
            api.delete_tag(repo_id, tag=name)
        api.create_tag(repo_id, tag=name, revision=there.commit)
    except FAILURES as error:
        raise understood(error, repo_id, writing=True) from error
    return there.commit
