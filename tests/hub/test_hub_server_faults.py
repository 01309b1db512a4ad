"""The Hub of the tests when it is down, slow, or lies."""

import http.client
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import hub_server
import pytest
from hub_client import FILES, REPO, WEIGHTS, api, get, read_files
from hub_server import HubServer
from huggingface_hub import CommitOperationAdd, HfApi, hf_hub_download, snapshot_download
from huggingface_hub.errors import (
    HfHubHTTPError,
)


def test_range(pushed: HubServer) -> None:
    path = f"/{REPO}/resolve/main/model.safetensors"
    assert get(pushed, "GET", path) == (200, WEIGHTS)
    assert get(pushed, "GET", path, Range="bytes=99990-") == (206, WEIGHTS[-10:])
    assert get(pushed, "GET", path, Range="bytes=10-19") == (206, WEIGHTS[10:20])
    assert get(pushed, "GET", path, Range="bytes=100000-")[0] == 416
    assert get(pushed, "HEAD", path) == (200, b"")


def test_restart_serves_the_same(pushed: HubServer, tmp_path: Path) -> None:
    pushed.stop()
    with HubServer(tmp_path / "hub") as again:
        assert again.commits(REPO) == pushed.commits(REPO)
        assert read_files(snapshot_download(REPO, endpoint=again.url, cache_dir=tmp_path / "c", token=False)) == FILES
        api(again).upload_file(path_or_fileobj=b"new", path_in_repo="notes.txt", repo_id=REPO)
    assert len(HubServer(tmp_path / "hub").commits(REPO)) == 3


def test_cut_download_raises(pushed: HubServer, tmp_path: Path) -> None:
    pushed.faults.cut = 40_000
    with pytest.raises(httpx2.RemoteProtocolError):  # after five more attempts, a second apart
        hf_hub_download(REPO, "model.safetensors", endpoint=pushed.url, cache_dir=tmp_path / "cache", token=False)
    with pytest.raises(http.client.IncompleteRead) as broken:
        get(pushed, "GET", f"/{REPO}/resolve/main/model.safetensors", Range="bytes=30000-")
    assert broken.value.partial == WEIGHTS[30_000:40_000]
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file() and path.stat().st_size > 1000]


def test_lie_passes_the_client_unseen(pushed: HubServer, tmp_path: Path) -> None:
    pushed.faults.lie = True
    path = hf_hub_download(REPO, "model.safetensors", endpoint=pushed.url, cache_dir=tmp_path / "cache", token=False)
    assert Path(path).stat().st_size == len(WEIGHTS)
    assert Path(path).read_bytes() != WEIGHTS


def test_down_and_up_again(pushed: HubServer) -> None:
    pushed.faults.down = True
    with pytest.raises(httpx2.RemoteProtocolError):
        api(pushed).model_info(REPO)
    pushed.faults.down = False
    assert api(pushed).model_info(REPO).id == REPO
    pushed.stop()
    with pytest.raises(httpx2.ConnectError):
        api(pushed).model_info(REPO)


def test_delay_runs_into_the_timeout(pushed: HubServer) -> None:
    pushed.faults.delay = 0.5
    with pytest.raises(httpx2.ReadTimeout):
        api(pushed).model_info(REPO, timeout=0.1)
    assert api(pushed).model_info(REPO, timeout=5).id == REPO


def test_drip(pushed: HubServer) -> None:
    pushed.faults.drip = 0.05
    start = time.monotonic()
    assert get(pushed, "GET", f"/{REPO}/resolve/main/model.safetensors") == (200, WEIGHTS)
    assert time.monotonic() - start > 6 * 0.05  # 100 kB are seven pieces


def test_stop_breaks_off_a_running_answer(pushed: HubServer) -> None:
    pushed.faults.drip = 0.1
    connection = http.client.HTTPConnection(pushed.url.removeprefix("http://"), timeout=5)
    connection.request("GET", f"/{REPO}/resolve/main/model.safetensors")
    response = connection.getresponse()
    pushed.stop()
    with pytest.raises(http.client.IncompleteRead):
        response.read()


def test_status(pushed: HubServer) -> None:
    pushed.faults.status = 418
    with pytest.raises(HfHubHTTPError) as refusal:
        api(pushed).model_info(REPO)
    assert refusal.value.response.status_code == 418


def test_refused_commit_leaves_no_trace(pushed: HubServer) -> None:
    pushed.faults.refuse_commit = True
    change = CommitOperationAdd(path_in_repo="model.safetensors", path_or_fileobj=b"new")
    with pytest.raises(HfHubHTTPError) as refusal:
        api(pushed).create_commit(REPO, [change], commit_message="refused")
    assert refusal.value.response.status_code == 500
    assert len(pushed.commits(REPO)) == 2
    assert pushed.files(REPO)["model.safetensors"] == WEIGHTS


def test_by_hand(tmp_path: Path) -> None:
    command = [sys.executable, hub_server.__file__, str(tmp_path), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert HfApi(endpoint=url, token="hf_bob").whoami()["name"] == "bob"
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(timeout=20) == 0
        finally:
            process.kill()
