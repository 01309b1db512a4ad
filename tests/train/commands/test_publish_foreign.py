"""What stands on the Hub under our names and is somebody's own: `publish` leaves it alone, and tells so."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hub_server import HubServer
from huggingface_hub import HfApi
from shell import PUBLISHED, sentence

import models
from models import hub as sources

SPACE = "spaces/alice/latent-lab"
MLP = "alice/mnist-mlp"
TRANSFORMERS = json.dumps({"architectures": ["BertModel"], "hidden_size": 8}).encode()
THEIRS: dict[str, dict[str, bytes]] = {
    "a pickle": {"README.md": b"# Mine\n", "pytorch_model.bin": b"a pickle"},
    "a card alone": {"README.md": b"# Mine\n"},
    "a network of another library": {"config.json": TRANSFORMERS, "model.safetensors": b"theirs"},
    "a config that is none": {"config.json": b"[", "model.safetensors": b"theirs"},
    "another network of ours": {
        "config.json": json.dumps(models.create("mnist-cnn").config).encode(),
        "model.safetensors": b"theirs",
    },
}


def put(repo_id: str, files: dict[str, bytes]) -> None:
    """As its owner does, with the Hub's client."""
    api = HfApi()
    api.create_repo(repo_id)
    for path, data in files.items():
        api.upload_file(path_or_fileobj=data, path_in_repo=path, repo_id=repo_id)


@pytest.mark.parametrize("case", THEIRS)
def test_a_foreign_model_stays(publish: Callable, hub: HubServer, case: str) -> None:
    """It is named in one sentence, by a dry run too; all else is published; `--force` puts ours in its place."""
    put(MLP, THEIRS[case])
    before = hub.files(MLP)
    for words in (["--dry-run"], []):
        done = publish(*words)
        told = sentence(done)
        assert f"{MLP} is something else" in told and "--force" in told
        (row,) = [line for line in done[1].splitlines() if line.startswith("mnist-mlp ")]
        assert "left alone" in row
        assert hub.files(MLP) == before and hub.repos[MLP]["tags"] == {}
    assert hub.repos.keys() == {MLP, "alice/mnist-dense", SPACE}
    assert list(sources.pins()) == ["mnist-dense"]
    (collection,) = hub.collections.values()
    assert [item["id"] for item in collection["items"]] == ["alice/mnist-dense", "alice/latent-lab"]
    assert publish("--force")[0] == 0
    assert hub.files(MLP).keys() == hub.files("alice/mnist-dense").keys()
    assert list(sources.pins()) == PUBLISHED
    assert publish()[1].count("nothing to do") == 3


@pytest.mark.parametrize("case", THEIRS)
def test_a_push_leaves_it_alone_too(cli: Callable, lab: Path, hub: HubServer, written_graphs: list, case: str) -> None:
    """The same of a repository that a push names, under any name."""
    put("alice/mine", THEIRS[case])
    before = hub.files("alice/mine")
    told = sentence(cli("push", "mnist-mlp", "alice/mine"))
    assert "alice/mine is something else" in told and told.endswith("with --force.")
    assert hub.files("alice/mine") == before and sources.pins() == {}
    assert cli("push", "mnist-mlp", "alice/mine", "--force")[0] == 0
    assert hub.files("alice/mine")["model.safetensors"] == (lab / "mnist-mlp" / "model.safetensors").read_bytes()
    assert cli("push", "mnist-mlp", "alice/mine")[0] == 0  # it is ours now


def test_no_training_for_it(cli: Callable, lab: Path, hub: HubServer, tiny_mnist: Path) -> None:
    """A repository that is something else stops a training that would push there before it begins."""
    put("alice/mine", THEIRS["another network of ours"])
    told = sentence(cli("fit", "mnist-mlp", "--dataset", tiny_mnist, "--push-to-hub", "alice/mine"))
    assert "alice/mine is something else" in told and told.endswith("with push --force.")
    assert not Path("runs").exists()


def test_what_is_ours_is_renewed(cli: Callable, publish: Callable, hub: HubServer, lab: Path) -> None:
    """A repository that was made and never filled, one that `push` made, one of such a network of another size."""
    HfApi().create_repo(MLP)
    models.create("mnist-dense", hidden=4).save_pretrained(lab.parent / "small")
    shutil.copy(lab / "mnist-dense" / "README.md", lab.parent / "small")
    assert cli("push", "mnist-dense", "alice/mnist-dense", "--folder", lab.parent / "small")[0] == 0
    assert publish()[0] == 0
    for name in PUBLISHED:
        weights = (lab / name / "model.safetensors").read_bytes()
        assert hub.files(f"alice/{name}")["model.safetensors"] == weights


def test_a_slim_space_keeps_what_is_left_alone(publish: Callable, hub: HubServer, lab: Path) -> None:
    """A model that has no repository of ours comes with its weights."""
    put(MLP, THEIRS["a pickle"])
    publish("--slim")
    weights = {path for path in hub.files(SPACE) if path.endswith(".safetensors")}
    assert weights == {"checkpoints/mnist-mlp/model.safetensors"}


def foreign(hub: HubServer) -> None:
    """A Space of that name that is something else."""
    api = HfApi()
    api.create_repo("alice/latent-lab", repo_type="space", space_sdk="static")
    api.upload_file(path_or_fileobj=b"<h1>", path_in_repo="index.html", repo_id="alice/latent-lab", repo_type="space")


def test_a_foreign_space_stays(publish: Callable, hub: HubServer) -> None:
    """It is refused before anything is sent; `--force` puts the app in its place."""
    foreign(hub)
    before = hub.files(SPACE)
    assert "is something else" in sentence(publish())
    assert hub.repos.keys() == {SPACE} and hub.files(SPACE) == before
    assert publish("--force")[0] == 0
    assert "index.html" not in hub.files(SPACE) and "app.py" in hub.files(SPACE)
    assert publish("--space", "latent-lab")[1].count("nothing to do") == 3
