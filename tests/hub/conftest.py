"""A Hub of its own for each test of the Hub."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_client import FILES, REPO, api, write_files
from hub_server import HubServer


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubServer]:
    with HubServer(tmp_path / "hub") as hub:
        yield hub


@pytest.fixture
def pushed(hub: HubServer, tmp_path: Path) -> HubServer:
    api(hub).create_repo(REPO)
    api(hub).upload_folder(repo_id=REPO, folder_path=write_files(tmp_path / "model", FILES), commit_message="Push")
    return hub
