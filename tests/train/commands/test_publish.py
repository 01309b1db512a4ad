"""What `publish` puts on the Hub, by the real client: models, tags, pins, Space, collection; and what stops it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hub_server import HubError, HubServer
from huggingface_hub import ModelCard, metadata_load, snapshot_download
from shell import PUBLISHED, contents, sentence

import models
from models import hub as sources
from train import export, loading
from train.commands import publish as publish_command
from train.commands.publishing import space

SPACE = "spaces/alice/latent-lab"


def commits(hub: HubServer) -> dict[str, int]:
    """How many each repository has, beside its first."""
    return {repo_id: len(hub.commits(repo_id)) - 1 for repo_id in hub.repos}


def head(hub: HubServer, repo_id: str) -> str:
    return hub.commits(repo_id)[-1]["sha"]


def written(hub: HubServer, repo_id: str = SPACE) -> dict:
    """The head of a repository's README."""
    return yaml.safe_load(hub.files(repo_id)["README.md"].decode().split("---\n")[1])


def test_all_of_it(publish: Callable, hub: HubServer, lab: Path) -> None:
    """One commit for each: the folder's files and a graph; tag and pin stand at it, the collection holds all."""
    status, out, err = publish()
    assert (status, err) == (0, "")
    repos = [f"alice/{name}" for name in PUBLISHED]
    assert commits(hub) == {**dict.fromkeys(repos, 1), SPACE: 1}
    for name, repo_id in zip(PUBLISHED, repos, strict=True):
        there = {path: data for path, data in hub.files(repo_id).items() if path != ".gitattributes"}
        assert there.pop("model.onnx") == b"onnx " + type(models.create(name)).__name__.encode()
        assert there.keys() == contents(lab / name).keys()
        assert {path for path in there if there[path] != contents(lab / name)[path]} == {"README.md"}
        assert hub.repos[repo_id]["tags"] == {models.__version__: head(hub, repo_id)}
        pin = sources.pins()[name]
        assert (pin["repo_id"], pin["revision"]) == (repo_id, head(hub, repo_id))
        assert models.load(name).provenance.revision == head(hub, repo_id)
        assert f"{hub.url}/{repo_id} @ {head(hub, repo_id)[:7]}" in out
    (collection,) = hub.collections.values()
    items = [("model", repo_id) for repo_id in repos] + [("space", "alice/latent-lab")]
    assert [(item["type"], item["id"]) for item in collection["items"]] == items
    assert f"{hub.url}/collections/{collection['slug']}" in out
    assert f"{hub.url}/spaces/alice/latent-lab" in out


def test_the_clone_stays(publish: Callable, lab: Path) -> None:
    """Of all that is in `checkpoints/` the pins alone are written."""
    before = {name: contents(lab / name) for name in PUBLISHED}
    publish()
    assert {name: contents(lab / name) for name in PUBLISHED} == before
    assert {file.name for file in lab.iterdir()} == {*PUBLISHED, "hub.json", ".publish.lock"}


def test_again_sends_nothing(publish: Callable, hub: HubServer, lab: Path, written_graphs: list[str]) -> None:
    """Nothing changed: questions alone, no commit, no file that is written, no graph that is made again."""
    publish()
    before, pins = commits(hub), (lab / "hub.json").stat().st_mtime_ns
    hub.requests.clear()
    status, out, _ = publish()
    assert status == 0
    assert out.count("nothing to do") == 3
    assert commits(hub) == before
    assert {request.split()[0] for request in hub.requests} <= {"GET", "HEAD"}
    assert (lab / "hub.json").stat().st_mtime_ns == pins
    assert written_graphs == ["Dense", "MLP"]


def test_a_push_takes_nothing_away(cli: Callable, publish: Callable, hub: HubServer) -> None:
    """Into the repository that `publish` made: graph and card are what it sent, so there is nothing to commit."""
    publish("--no-space")
    before = hub.files("alice/mnist-dense")
    status, out, _ = cli("push", "mnist-dense", "alice/mnist-dense")
    assert status == 0 and "nothing changed" in out
    assert hub.files("alice/mnist-dense") == before and "model.onnx" in before
    assert commits(hub)["alice/mnist-dense"] == 1


def test_a_push_under_another_name(cli: Callable, hub: HubServer, lab: Path, written_graphs: list[str]) -> None:
    """The card that is sent names the repository that it is in, in all three ways; that of the folder stays.

    What somebody wrote below them is sent as it is, whatever it names.
    """
    card, mine = lab / "mnist-dense" / "README.md", '\n## Mine\n\n```python\nmodels.load("mnist-dense")\n```\n'
    card.write_text(card.read_text() + loading.section("mnist-dense", models.create("mnist-dense")) + mine)
    before = contents(lab / "mnist-dense")
    assert cli("push", "mnist-dense", "alice/mine")[0] == 0
    files = hub.files("alice/mine")
    sent = files["README.md"].decode()
    for way in ("hf download alice/mine config.json", "hf download alice/mine model.onnx", 'load("alice/mine")'):
        assert way in sent
    assert sent.endswith(f"```\n{mine}") and sent.count("## Load it") == 1
    assert "NAMESPACE" not in sent and "alice/mnist-dense" not in sent
    assert f"thumbnail: {hub.url}/alice/mine/resolve/main/reliability.png" in sent
    assert files["model.onnx"] == b"onnx Dense"
    assert contents(lab / "mnist-dense") == before


def test_the_bar_moves_by_pieces(publish: Callable, hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a large file too, and in the end it is at the bytes of all that was sent."""
    moves: list[int] = []

    class Bar(publish_command.tqdm):
        def update(self, n: int = 1) -> None:
            moves.append(n)
            self.n += n

    monkeypatch.setattr(publish_command, "tqdm", Bar)
    publish("--no-space")
    sent = sum(len(data) for name in PUBLISHED for path, data in hub.files(f"alice/{name}").items() if path[0] != ".")
    largest = max(len(data) for data in hub.files("alice/mnist-dense").values())
    assert sum(moves) == sent
    assert min(moves) >= 0 and max(moves) < largest / 4


def test_a_change_is_one_commit_and_the_tag_stays(publish: Callable, hub: HubServer, lab: Path) -> None:
    """Only what changed is sent; the pin follows; the tag does with `--retag` alone."""
    publish("--no-space")
    first = head(hub, "alice/mnist-dense")
    models.create("mnist-dense").save_pretrained(lab / "mnist-dense")
    hub.requests.clear()
    status, out, _ = publish("--no-space")
    second = head(hub, "alice/mnist-dense")
    assert status == 0 and second != first
    assert commits(hub) == {"alice/mnist-dense": 2, "alice/mnist-mlp": 1}
    assert len([request for request in hub.requests if request.startswith("PUT")]) == 1
    assert hub.repos["alice/mnist-dense"]["tags"] == {models.__version__: first}
    assert sources.pins()["mnist-dense"]["revision"] == second
    assert f"tag {models.__version__} stays at {first[:7]}" in out
    publish("--no-space", "--retag")
    assert hub.repos["alice/mnist-dense"]["tags"] == {models.__version__: second}
    assert commits(hub)["alice/mnist-dense"] == 2


def test_the_space(publish: Callable, hub: HubServer, lab: Path) -> None:
    """What it needs and no more; its head names repositories that are there, at the commits that are pinned."""
    publish()
    files = hub.files(SPACE)
    tops = {path.partition("/")[0] for path in files}
    assert tops == {"app.py", "tabs", "models", "requirements.txt", "README.md", "LICENSE", "checkpoints"} | {
        ".gitattributes"
    }
    assert not [path for path in files if "__pycache__" in path or path.endswith((".pyc", ".pyi", ".lock"))]
    assert files["checkpoints/mnist-dense/model.safetensors"] == (lab / "mnist-dense/model.safetensors").read_bytes()
    assert files["checkpoints/mnist-dense/README.md"] == hub.files("alice/mnist-dense")["README.md"]
    assert json.loads(files["checkpoints/hub.json"]) == sources.pins()
    settings = written(hub)
    assert settings["models"] == [f"alice/{name}" for name in PUBLISHED]
    assert settings["datasets"] == ["ylecun/mnist"]
    assert 0 < len(settings["short_description"]) <= 60
    for line, name in zip(settings["preload_from_hub"], PUBLISHED, strict=True):
        repo_id, wanted, revision = line.split(" ")
        assert (repo_id, revision) == (f"alice/{name}", head(hub, f"alice/{name}"))
        assert set(wanted.split(",")) == {"config.json", "model.safetensors", "README.md"}
    assert hub.repos[SPACE]["sdk"] == "gradio"
    assert ".github/" not in files["README.md"].decode()  # pictures that a Space has not


def test_what_else_lies_there_stays_at_home(publish: Callable, hub: HubServer, lab: Path) -> None:
    """Of `checkpoints/` the Space gets the models' own files and the pins."""
    (lab / "mine").mkdir()
    for place in ("mine/model.safetensors", "mnist-dense/notes.txt", "notes.txt"):
        (lab / place).write_bytes(b"not for others")
    publish()
    held = {path.removeprefix("checkpoints/") for path in hub.files(SPACE) if path.startswith("checkpoints/")}
    own = ("README.md", "config.json", "model.safetensors", "reliability.png")
    assert held == {"hub.json", *(f"{name}/{file}" for name in PUBLISHED for file in own)}


def test_the_thumbnail_is_a_file_of_the_space(publish: Callable, hub: HubServer, lab: Path) -> None:
    """The address in the head is that of a file which is there."""
    (lab / "mnist-cvae").mkdir()
    (lab / "mnist-cvae" / "samples.png").write_bytes(b"\x89PNG")
    publish("--only", "mnist-dense")
    path = written(hub)["thumbnail"].removeprefix(f"{hub.url}/spaces/alice/latent-lab/resolve/main/")
    assert hub.files(SPACE)[path] == b"\x89PNG"


def test_a_slim_space_loads_from_the_hub(publish: Callable, hub: HubServer) -> None:
    """Everything but the weights is in it."""
    publish("--slim")
    files = hub.files(SPACE)
    assert "checkpoints/mnist-dense/config.json" in files
    assert not [path for path in files if path.endswith(".safetensors")]


def test_a_slim_space_needs_every_model_on_the_hub(publish: Callable, hub: HubServer) -> None:
    """One that is neither published now nor pinned would not load: it is named, and nothing is made before."""
    assert "not pinned there: mnist-mlp." in sentence(publish("--slim", "--only", "mnist-dense"))
    assert hub.requests == []
    publish("--no-space")
    assert publish("--slim", "--only", "mnist-dense")[0] == 0
    pins = json.loads(hub.files(SPACE)["checkpoints/hub.json"])
    held = {path.split("/")[1] for path in hub.files(SPACE) if path.startswith("checkpoints/") and path.count("/") == 2}
    assert held == pins.keys() == set(PUBLISHED)


def test_cards_as_the_hub_reads_them(publish: Callable, hub: HubServer, lab: Path, tmp_path: Path) -> None:
    """Figures and a thumbnail, which is the address of a picture of the repository; the Hub has nothing against it."""
    publish("--no-space")
    folder = Path(snapshot_download("alice/mnist-dense"))
    metadata = metadata_load(folder / "README.md")
    assert metadata["model-index"][0]["results"][0]["metrics"][0] == {"type": "accuracy", "value": 0.97}
    assert metadata["thumbnail"] == f"{hub.url}/alice/mnist-dense/resolve/main/reliability.png"
    ModelCard.load(folder / "README.md").validate()
    for name in PUBLISHED:  # every other file of every repository is the folder's, byte for byte
        pulled = contents(Path(snapshot_download(f"alice/{name}")))
        assert pulled.pop(".gitattributes") and pulled.pop("model.onnx")
        here = contents(lab / name)
        assert pulled.keys() == here.keys() and {path for path in here if pulled[path] != here[path]} == {"README.md"}


def test_only_private_and_another_space(publish: Callable, hub: HubServer) -> None:
    """What is named alone is made, and seen by its owner alone; a Space that cannot read it preloads nothing."""
    assert publish("--only", "mnist-mlp", "--private", "--space", "mine")[0] == 0
    assert hub.repos.keys() == {"alice/mnist-mlp", "spaces/alice/mine"}
    assert all(repo["private"] for repo in hub.repos.values())
    (collection,) = hub.collections.values()
    assert collection["private"] is True
    assert "preload_from_hub" not in written(hub, "spaces/alice/mine")


def test_a_dry_run_does_nothing(publish: Callable, hub: HubServer, lab: Path) -> None:
    """It tells what would be made and updated."""
    before = {name: contents(lab / name) for name in PUBLISHED}
    status, out, _ = publish("--dry-run")
    assert status == 0 and out.count("would be made") == 2
    assert "ONNX graphs are made first, 2 of them" in out
    assert hub.repos == {} and hub.collections == {} and sources.pins() == {}
    assert {name: contents(lab / name) for name in PUBLISHED} == before
    publish("--only", "mnist-dense")
    (lab / "mnist-dense" / "reliability.png").write_bytes(b"\x89PNG another")
    counted = commits(hub)
    out = publish("--dry-run")[1]
    assert "would be updated, 1 files" in out and "would be made" in out
    assert "ONNX graphs are made first, 1 of them" in out
    assert commits(hub) == counted


def test_a_dry_run_where_the_pin_alone_is_missing(
    cli: Callable, publish: Callable, hub: HubServer, tmp_path: Path
) -> None:
    """That is told apart from nothing; a graph that is on the Hub and not on this machine is no change."""
    publish("--no-space")
    cli("unpin", "mnist-mlp")
    shutil.rmtree(tmp_path / export.FOLDER)
    _, out, _ = publish("--dry-run")
    told = {line.split()[0]: line for line in out.splitlines()}
    assert "nothing to do" in told["mnist-dense"] and "would be pinned" in told["mnist-mlp"]
    counted = commits(hub)
    _, out, _ = publish("--no-space")
    assert out.count("nothing to do") == 1 and "mnist-mlp             pinned" in out
    assert commits(hub) == counted and list(sources.pins()) == PUBLISHED


def test_a_space_that_costs(publish: Callable, hub: HubServer) -> None:
    """402: the models and their collection are published all the same; the sentence names the way out, which works."""
    hub.faults.paid = True
    status, _, err = publish()
    assert status == 1
    (line,) = err.strip().splitlines()
    assert "PRO" in line and "--hardware zero-a10g" in line and "30 days" in line
    assert commits(hub) == dict.fromkeys([f"alice/{name}" for name in PUBLISHED], 1)
    (collection,) = hub.collections.values()
    assert len(collection["items"]) == 2
    assert publish("--hardware", "zero-a10g")[0] == 0
    assert hub.repos[SPACE]["hardware"] == "zero-a10g"
    assert written(hub)["python_version"] == "3.12.12"
    lines = hub.files(SPACE)["requirements.txt"].decode().splitlines()
    plain = (space.ROOT / "requirements.txt").read_text().splitlines()
    assert [line for line in lines if line not in plain] == ["torch==2.11.0"]
    assert len(lines) == len(plain)
    assert publish()[1].count("nothing to do") == 3  # it stays fit for what it runs on


@pytest.mark.parametrize("status", [404, 501])
def test_a_hub_without_collections(publish: Callable, hub: HubServer, status: int) -> None:
    """One sentence; models and Space are there."""
    hub.faults.refuse = {"/api/collections": HubError(status, "Not here")}
    code, _, err = publish()
    assert code == 1
    (line,) = err.strip().splitlines()
    assert "no collection" in line
    assert commits(hub) == {"alice/mnist-dense": 1, "alice/mnist-mlp": 1, SPACE: 1}


def test_unpin(cli: Callable, publish: Callable) -> None:
    """One pin, then all: the app uses what is embedded again."""
    publish("--no-space")
    assert models.load("mnist-dense").provenance.source == "hub"
    assert cli("unpin", "mnist-dense")[0] == 0
    assert models.load("mnist-dense").provenance.source == "embedded"
    assert list(sources.pins()) == ["mnist-mlp"]
    assert "mnist-dense is not pinned" in sentence(cli("unpin", "mnist-dense"))
    assert "no model named" in sentence(cli("unpin", "mnist-dance"))
    assert "no longer pinned" in cli("unpin")[1]
    assert sources.pins() == {}
    assert "Nothing is pinned" in cli("unpin")[1]
