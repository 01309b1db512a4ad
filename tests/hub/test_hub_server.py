"""The real `huggingface_hub` client against the stand-in: what the other tests may rely on."""

import hashlib
import os
from pathlib import Path

# The client reads both when it is imported: xet is not spoken by the stand-in, and the telemetry asks the real Hub.
os.environ.setdefault("HF_HUB_DISABLE_XET", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

import pytest
from hub_client import FILES, REPO, WEIGHTS, api, get, read_files, write_files
from hub_server import HubServer
from huggingface_hub import hf_hub_download, snapshot_download
from huggingface_hub.errors import (
    EntryNotFoundError,
    HfHubHTTPError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

LFS_FILES = {"model.safetensors", "plots/loss curve.png"}


def test_push_is_one_commit(pushed: HubServer) -> None:
    initial, push = pushed.commits(REPO)
    assert initial["message"] == "initial commit"
    assert push["message"] == "Push"
    assert push["files"] == initial["files"] | {path: hashlib.sha256(data).hexdigest() for path, data in FILES.items()}
    assert {path: pushed.files(REPO)[path] for path in FILES} == FILES
    assert pushed.files(REPO, initial["sha"]).keys() == {".gitattributes"}
    puts = {request for request in pushed.requests if request.startswith("PUT")}
    assert puts == {f"PUT /lfs/{push['files'][path]}" for path in LFS_FILES}
    assert pushed.requests.count(f"POST /{REPO}.git/info/lfs/verify") == 2
    assert set(pushed.authorizations) == {"Bearer hf_write"}


def test_push_of_the_same_again_makes_no_commit(pushed: HubServer, tmp_path: Path) -> None:
    before = len(pushed.requests)
    info = api(pushed).upload_folder(repo_id=REPO, folder_path=tmp_path / "model")
    assert len(pushed.commits(REPO)) == 2
    assert info.oid == pushed.commits(REPO)[-1]["sha"]
    assert not [request for request in pushed.requests[before:] if request.startswith("PUT")]


def test_pull_into_an_empty_cache(pushed: HubServer, tmp_path: Path) -> None:
    folder = snapshot_download(REPO, endpoint=pushed.url, cache_dir=tmp_path / "cache", token=False)
    assert read_files(folder) == FILES
    assert Path(folder).name == pushed.commits(REPO)[-1]["sha"]
    single = hf_hub_download(
        REPO, "plots/loss curve.png", endpoint=pushed.url, cache_dir=tmp_path / "other", token=False
    )
    assert Path(single).read_bytes() == FILES["plots/loss curve.png"]


def test_pull_from_the_cache_while_the_server_is_gone(pushed: HubServer, tmp_path: Path) -> None:
    where = {"endpoint": pushed.url, "cache_dir": tmp_path / "cache", "token": False}
    folder = snapshot_download(REPO, **where)
    seen, url = len(pushed.requests), pushed.url
    pushed.stop()
    assert snapshot_download(REPO, **where) == folder
    assert hf_hub_download(REPO, "model.safetensors", **where) == f"{folder}/model.safetensors"
    pushed.start()
    assert (len(pushed.requests), pushed.url) == (seen, url)
    assert api(pushed).whoami()["name"] == "alice"


def test_pinned_pull_from_the_cache_asks_nothing(pushed: HubServer, tmp_path: Path) -> None:
    sha = pushed.commits(REPO)[-1]["sha"]
    where = {"endpoint": pushed.url, "cache_dir": tmp_path / "cache", "token": False, "revision": sha}
    hf_hub_download(REPO, "model.safetensors", **where)
    assert f"GET /{REPO}/resolve/{sha}/model.safetensors" in pushed.requests
    pushed.requests.clear()
    hf_hub_download(REPO, "model.safetensors", **where)
    assert pushed.requests == []


def test_model_info(pushed: HubServer) -> None:
    info = api(pushed, False).model_info(REPO, files_metadata=True)
    assert (info.id, info.author, info.private) == (REPO, "alice", False)
    assert info.sha == pushed.commits(REPO)[-1]["sha"]
    assert info.last_modified is not None
    siblings = {file.rfilename: file for file in info.siblings or [] if file.rfilename in FILES}
    assert {path: file.size for path, file in siblings.items()} == {path: len(data) for path, data in FILES.items()}
    sha256 = {path: file.lfs.sha256 for path, file in siblings.items() if file.lfs}
    assert sha256 == {path: hashlib.sha256(FILES[path]).hexdigest() for path in LFS_FILES}
    # git hash-object of the same bytes
    assert siblings["plots/empty.png"].blob_id == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
    without = api(pushed, False).model_info(REPO, revision=pushed.commits(REPO)[0]["sha"])
    assert [(file.rfilename, file.size) for file in without.siblings or []] == [(".gitattributes", None)]


def test_refs_and_tree(pushed: HubServer) -> None:
    sha = pushed.commits(REPO)[-1]["sha"]
    refs = api(pushed).list_repo_refs(REPO)
    assert [(branch.name, branch.target_commit) for branch in refs.branches] == [("main", sha)]
    assert refs.tags == []
    tree = {file.path: file for file in api(pushed).list_repo_tree(REPO, recursive=True, revision=sha)}
    assert tree.keys() == FILES.keys() | {".gitattributes"}
    assert tree["model.safetensors"].lfs.sha256 == hashlib.sha256(WEIGHTS).hexdigest()
    assert tree["model.safetensors"].size == len(WEIGHTS)
    assert tree["config.json"].lfs is None


@pytest.mark.parametrize("token", ["hf_read", False])
def test_what_is_not_there(pushed: HubServer, tmp_path: Path, token: str | bool) -> None:
    where = {"endpoint": pushed.url, "cache_dir": tmp_path / "cache", "token": token}
    for unknown in ("alice/other", "mnist-dense"):
        with pytest.raises(RepositoryNotFoundError):
            api(pushed, token).model_info(unknown)
        with pytest.raises(RepositoryNotFoundError):
            hf_hub_download(unknown, "config.json", **where)
        with pytest.raises(RepositoryNotFoundError):
            snapshot_download(unknown, **where)
    for revision in ("v9", "a" * 40):
        with pytest.raises(RevisionNotFoundError):
            hf_hub_download(REPO, "config.json", revision=revision, **where)
        with pytest.raises(RevisionNotFoundError):
            api(pushed, token).model_info(REPO, revision=revision)
    with pytest.raises(RemoteEntryNotFoundError):
        hf_hub_download(REPO, "other.json", **where)


def test_an_endpoint_that_is_not_spoken_is_no_unknown_repository(pushed: HubServer) -> None:
    with pytest.raises(HfHubHTTPError) as refusal:
        api(pushed).list_repo_commits(REPO)
    assert refusal.type is HfHubHTTPError
    assert refusal.value.response.status_code == 404


def test_bad_token(pushed: HubServer) -> None:
    for call in (lambda bad: bad.whoami(), lambda bad: bad.model_info(REPO), lambda bad: bad.create_repo("alice/new")):
        with pytest.raises(HfHubHTTPError) as refusal:
            call(api(pushed, "hf_wrong"))
        assert refusal.value.response.status_code == 401
    assert "Bearer hf_wrong" in pushed.authorizations
    with pytest.raises(HfHubHTTPError) as refusal:
        api(pushed, False).create_repo("alice/new")
    assert refusal.value.response.status_code == 401


@pytest.mark.parametrize(("token", "reason"), [("hf_read", "write token"), ("hf_bob", "Pull Request")])
def test_tokens_that_may_not_write(pushed: HubServer, token: str, reason: str) -> None:
    with pytest.raises(HfHubHTTPError, match='rights to create a model under the namespace "alice"') as refusal:
        api(pushed, token).create_repo("alice/new")
    assert refusal.value.response.status_code == 403
    for path in ("config.json", "model.safetensors"):
        with pytest.raises(HfHubHTTPError, match=reason) as refusal:
            api(pushed, token).upload_file(path_or_fileobj=b"new", path_in_repo=path, repo_id=REPO)
        assert refusal.value.response.status_code == 403
    with pytest.raises(HfHubHTTPError, match=reason):
        api(pushed, token).delete_file("config.json", REPO)
    assert len(pushed.commits(REPO)) == 2
    assert list(pushed.repos) == [REPO]


def test_who_the_tokens_are(hub: HubServer) -> None:
    people = {token: api(hub, token).whoami() for token in ("hf_write", "hf_read", "hf_bob")}
    roles = {token: (person["name"], person["auth"]["accessToken"]["role"]) for token, person in people.items()}
    assert roles == {"hf_write": ("alice", "write"), "hf_read": ("alice", "read"), "hf_bob": ("bob", "write")}


def test_repository_that_exists_already(pushed: HubServer) -> None:
    url = api(pushed).create_repo(REPO, exist_ok=True)
    assert (str(url), url.repo_id) == (f"{pushed.url}/{REPO}", REPO)
    with pytest.raises(HfHubHTTPError, match="already created") as refusal:
        api(pushed).create_repo(REPO)
    assert refusal.value.response.status_code == 409
    assert len(pushed.commits(REPO)) == 2


@pytest.mark.parametrize("name", ["..", "a--b", "-a", "a.git", "a b", "a" * 97, ""])
def test_illegal_name(hub: HubServer, name: str) -> None:
    body = b'{"name": "%s", "type": "model"}' % name.encode()
    assert get(hub, "POST", "/api/repos/create", body, Authorization="Bearer hf_write")[0] == 400
    assert hub.repos == {}


def test_private_repository(hub: HubServer) -> None:
    api(hub).create_repo(REPO, private=True)
    assert api(hub, "hf_read").model_info(REPO).private is True
    for token, status in ((False, 401), ("hf_bob", 404)):
        with pytest.raises(RepositoryNotFoundError) as refusal:
            api(hub, token).model_info(REPO)
        assert refusal.value.response.status_code == status


def test_second_commit_deletes_and_the_old_one_stays(pushed: HubServer, tmp_path: Path) -> None:
    old = pushed.commits(REPO)[-1]["sha"]
    folder = write_files(tmp_path / "next", {"model.safetensors": b"new weights", "notes.txt": b"new"})
    api(pushed).upload_folder(repo_id=REPO, folder_path=folder, delete_patterns=["plots/*", "*.json"])
    expected = {"README.md": FILES["README.md"], "model.safetensors": b"new weights", "notes.txt": b"new"}
    assert len(pushed.commits(REPO)) == 3
    assert read_files(snapshot_download(REPO, endpoint=pushed.url, cache_dir=tmp_path / "a", token=False)) == expected
    where = {"endpoint": pushed.url, "cache_dir": tmp_path / "b", "token": False, "revision": old}
    assert read_files(snapshot_download(REPO, **where)) == FILES
    assert Path(hf_hub_download(REPO, "model.safetensors", **where)).read_bytes() == WEIGHTS
    with pytest.raises(EntryNotFoundError, match="doesn't exist"):
        api(pushed).delete_file("config.json", REPO)


def test_parent_commit(pushed: HubServer) -> None:
    initial, push = (commit["sha"] for commit in pushed.commits(REPO))
    change = {"path_or_fileobj": b"{}", "path_in_repo": "config.json", "repo_id": REPO}
    with pytest.raises(HfHubHTTPError) as refusal:
        api(pushed).upload_file(**change, parent_commit=initial)
    assert refusal.value.response.status_code == 412
    assert api(pushed).upload_file(**change, parent_commit=push).oid == pushed.commits(REPO)[-1]["sha"]
    assert pushed.files(REPO)["config.json"] == b"{}"


def test_lfs_object_must_be_what_was_announced(hub: HubServer) -> None:
    api(hub).create_repo(REPO)
    oid = hashlib.sha256(b"right").hexdigest()
    assert get(hub, "PUT", f"/lfs/{oid}?size=5", b"wrong")[0] == 422
    assert get(hub, "PUT", f"/lfs/{oid}?size=6", b"right")[0] == 422
    line = b'{"key": "lfsFile", "value": {"path": "a.png", "oid": "%s"}}' % oid.encode()
    commit = ("POST", f"/api/models/{REPO}/commit/main", line)
    assert get(hub, *commit, Authorization="Bearer hf_write")[0] == 400
    assert get(hub, "PUT", f"/lfs/{oid}?size=5", b"right")[0] == 200
    assert get(hub, *commit, Authorization="Bearer hf_write")[0] == 200
    assert hub.files(REPO)["a.png"] == b"right"
