"""A network that is embedded with some weights and on the Hub with others, so that a test sees which were used."""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from hub_server import HubServer
from huggingface_hub import HfApi

import models
from models import hub as sources

REPO = "alice/lab"
SOON = 8.0  # seconds: far less than the 23 in which the client gives up, and enough for a busy machine
LATE = sources.PATIENCE + SOON


@dataclass
class World:
    """A name whose weights on the Hub differ from those that are embedded."""

    hub: HubServer
    checkpoints: Path
    folder: Path  # what was pushed
    embedded: models.Model
    pushed: models.Model

    @classmethod
    def make(cls, hub: HubServer, checkpoints: Path, folder: Path) -> "World":
        """Nothing is published yet, nor pinned."""
        nets = []
        for seed, place in enumerate((checkpoints / "mnist-dense", folder)):
            torch.manual_seed(seed)
            nets.append(models.create("mnist-dense", hidden=4))
            nets[-1].save_pretrained(place)
        (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n")
        return cls(hub, checkpoints, folder, *nets)

    def publish(self, repo_id: str = REPO) -> str:
        """Push the folder with the official client and return the commit."""
        api = HfApi(token="hf_write")
        api.create_repo(repo_id, exist_ok=True)
        commit = api.upload_folder(repo_id=repo_id, folder_path=self.folder)
        self.hub.requests.clear()
        return commit.oid

    def pin(self, revision: str, repo_id: str = REPO, sha256: str | None = None) -> None:
        sha256 = sha256 or hashlib.sha256((self.folder / "model.safetensors").read_bytes()).hexdigest()
        table = {"mnist-dense": {"repo_id": repo_id, "revision": revision, "sha256": sha256}}
        (self.checkpoints / "hub.json").write_text(json.dumps(table))

    def expect_pushed(self) -> models.Provenance:
        return self._expect("hub", self.pushed)

    def expect_embedded(self, *notes: str, within: float = LATE) -> models.Provenance:
        """Falls to the embedded weights in good time, with one note, which says all this and is one sentence."""
        start = time.monotonic()
        provenance = self._expect("embedded", self.embedded)
        assert time.monotonic() - start < within
        assert len(provenance.notes) == 1
        for note in notes:
            assert note in provenance.notes[0]
        assert "\n" not in provenance.notes[0] and len(provenance.notes[0]) < 400
        return provenance

    def _expect(self, source: str, wanted: models.Model) -> models.Provenance:
        net = models.load("mnist-dense")
        assert net.provenance.source == source
        assert {k: t.tolist() for k, t in net.state_dict().items()} == {
            k: t.tolist() for k, t in wanted.state_dict().items()
        }
        data = (net.provenance.folder / "model.safetensors").read_bytes()
        assert net.provenance.sha256 == hashlib.sha256(data).hexdigest()
        return net.provenance


class Watched(list[str]):
    """To take the place of `HubServer.requests`: `act` is called when a request comes that holds `word`."""

    def __init__(self, word: str, act: Callable[[], None]):
        super().__init__()
        self.word, self.act = word, act

    def append(self, request: str) -> None:
        super().append(request)
        if self.word in request:
            self.act()
