"""The ways in that a card shows: each runs as it stands there, and gives what this library's network gives."""

import re
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from hub_server import HubServer
from huggingface_hub.cli.hf import main as hf
from nets import forward
from shell import ROOT
from torch.nn.functional import interpolate

import models
from models import hub as sources
from models.networks.vae import GaussianVAE
from models.pictures import corruptions
from train import export, loading
from train.commands.publishing import model
from train.data import strokes
from train.standalone import script
from train.tasks import TASKS

NAMES = models.names()
CLASSIFIERS = models.names(task="classification")
KINDS = {  # one of each that takes or gives something else
    "classifier": "mnist-dense",
    "recurrent": "mnist-rnn",
    "autoencoder": "mnist-ae",
    "vae": "mnist-vae",
    "cvae": "mnist-cvae",
    "gan": "mnist-gan",
    "dcgan": "mnist-dcgan",
    "photographs": "photo-denoiser",
    "digits": "mnist-denoiser",
    "noise": "noise-level",
    "pages": "page-reader",
    "faces": "face-ae",
    "inpainter": "face-unet",
    "points": "moons-mlp",
}


def shown(card: str) -> list[tuple[str, str]]:
    """The ways that a card shows, in its order: the command before the code, "" where there is none, and the code."""
    told = loading.SECTION.search(card)[0]
    way = re.compile(r"^With ([^\n]+):\n\n(?:    (hf [^\n]+)\n\n)?```python\n(.*?)```$", re.MULTILINE | re.DOTALL)
    ways = way.findall(told)
    by = [re.search("torch|onnxruntime|Latent Lab", words)[0] for words, _, _ in ways]
    assert by == ["torch", "onnxruntime", "Latent Lab"]
    return [(command, code) for _, command, code in ways]


def read(folder: Path) -> str:
    return (folder / "README.md").read_text(encoding="utf-8")


def taken(name: str, digits: torch.Tensor) -> torch.Tensor:
    """Digits (N, 1, 28, 28) as it takes pictures: a few, as large as a face; photographs have sides that divide."""
    if name.startswith("face"):
        return interpolate(digits[:3].expand(-1, 3, -1, -1), (128, 128))
    if name == "moons-mlp":
        return 6 * digits[:, 0, 10:12, 14] - 3  # points
    return digits.expand(-1, 3, -1, -1)[:, :, 2:26, 2:26] if name == "photo-denoiser" else digits


def expect_same(alone: object, net: models.Model, x: torch.Tensor) -> torch.Tensor:
    """What the card's own network makes of pictures, or draws at points of the latent, is what this one does."""

    def close(left: torch.Tensor, right: torch.Tensor) -> bool:
        return left.shape == right.shape and torch.allclose(left, right, rtol=1e-5, atol=1e-5)

    if net.task == "inpainting":
        masks = corruptions.box(len(x), 128, 128, generator=torch.Generator().manual_seed(0))
        x = torch.where(masks > 0, torch.nan, x)  # neither reads what is hidden
        made = net(x, masks)
        assert close(alone(x, masks), made)
        return made
    if net.task == "page-reading":
        made = forward(net, x)
        assert close(torch.cat([one.flatten(1) for one in alone(x)], 1), made)
        return made
    if net.task != "generation":
        made = net(x)
        assert close(alone(x), made)
        return made
    # The code of a network that no digit is told has no place for one.
    digit = [torch.arange(len(x)) % 10] if net.conditional else []
    z = torch.randn(len(x), net.latent, generator=torch.Generator().manual_seed(0))
    made = net.decode(z, *digit)
    assert close(alone.decode(z, *digit), made)
    if isinstance(net, GaussianVAE):
        assert close(alone.encode(x, *digit), net.encode(x, *digit))
    return made


@pytest.fixture
def lab(tmp_path: Path, checkpoints: Path, hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where alice publishes from, and where this clone's graphs are."""
    monkeypatch.setenv("HF_TOKEN", "hf_write")
    monkeypatch.setattr(export, "FOLDER", ROOT / "runs" / "onnx")
    return checkpoints


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], dict]:
    """Runs a way in an empty folder of its own, as a reader would; gives what its code has named."""

    def run(command: str, code: str) -> dict:
        folder = tmp_path / f"empty-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        monkeypatch.chdir(folder)
        if command:
            monkeypatch.setattr(sys, "argv", shlex.split(command))
            with pytest.raises(SystemExit) as ended:
                hf()
            assert ended.value.code == 0
        space: dict = {"__name__": "card"}
        exec(code, space)
        return space

    return run


@pytest.mark.parametrize("name", KINDS.values(), ids=KINDS)
def test_each_way_in(name: str, lab: Path, hub: HubServer, empty: Callable) -> None:
    """Of a published card: in an empty folder, from the Hub, they are the same network."""
    shutil.copytree(ROOT / "checkpoints" / name, lab / name)
    export.made(lab / name)
    model.send(model.plan(name, "alice"), private=False, retag=False)
    alone, graph, ours = shown(hub.files(f"alice/{name}")["README.md"].decode())
    assert alone[0] == f"hf download alice/{name} config.json model.safetensors --local-dir ."
    net = empty(*ours)["net"]
    assert (net.provenance.source, net.provenance.repo_id) == ("hub", f"alice/{name}")
    assert net.provenance.sha256 == sources.sha256_of(lab / name / "model.safetensors")
    draw = torch.Generator().manual_seed(0)
    with torch.inference_mode():
        assert "import models" not in alone[1] + graph[1] and "torch" not in graph[1]
        expect_same(empty(*alone)["net"], net, taken(name, strokes.pictures(strokes.digits(4, draw)[0], draw)))
        found, wanted = empty(*graph), export.graph(net)
        made = wanted.forward(*(torch.from_numpy(found[one]) for one in wanted.inputs))
        for word, tensor in zip(wanted.outputs, made if isinstance(made, tuple) else (made,), strict=True):
            assert found[word] == pytest.approx(tensor.numpy(), abs=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_code_on_the_card(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the card in `checkpoints/` shows for loading without this library runs as it stands and gives the same."""
    (_, code), *_ = shown(read(sources.CHECKPOINTS / name))
    assert "import models" not in code
    monkeypatch.chdir(sources.CHECKPOINTS / name)
    space: dict = {"__name__": "card"}
    exec(code, space)
    draw = torch.Generator().manual_seed(0)
    x = taken(name, strokes.pictures(strokes.digits(16, draw)[0], draw))
    with torch.inference_mode():
        made = expect_same(space["net"], models.Model.from_pretrained(sources.CHECKPOINTS / name), x)
        assert made.std() > (0.5 if name in CLASSIFIERS else 0.1)
        if "pictures" in space:  # what its last line draws
            assert space["pictures"].shape[1:] == (1, 28, 28)
            assert 0 <= space["pictures"].min() < 0.1 and 0.9 < space["pictures"].max() <= 1


@pytest.mark.parametrize("name", NAMES)
def test_code_for_the_next_card(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the next card of each network will show is that network, whatever its weights."""
    torch.manual_seed(0)
    net = models.create(name)
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):  # that has seen something
            torch.nn.init.normal_(module.running_mean, std=0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 2.0)
    net.eval().save_pretrained(tmp_path)
    monkeypatch.chdir(tmp_path)
    space: dict = {"__name__": "card"}
    usage = TASKS[name].usage(net)
    exec(script(type(net), usage), space)
    given, _, _ = usage.splitlines()[-1].partition(" = net")
    assert all(space[word].numel() and space[word].isfinite().all() for word in given.split(", "))
    with torch.inference_mode():
        expect_same(space["net"], type(net).from_pretrained(tmp_path), taken(name, torch.rand(16, 1, 28, 28)))


def test_who_publishes_next_is_on_the_card(tmp_path: Path) -> None:
    """Of a card that was published before: the other namespace takes the first one's place, the rest stays."""
    net = models.create("mnist-dense")
    net.save_pretrained(tmp_path)
    before = f"# mnist-dense\n\nBy alice/mnist-dense.\n\n{loading.section('mnist-dense', net, 'alice/mnist-dense')}"
    after = loading.renewed(before, "mnist-dense", tmp_path, "bob/my-dense")
    assert after.startswith("# mnist-dense\n\nBy alice/mnist-dense.\n\n## Load it\n")
    assert after.count("bob/my-dense") == 4 and after.count("alice") == 1  # two downloads, an export, a load
    assert loading.renewed("# No word of it\n", "mnist-dense", tmp_path, "bob/my-dense") == "# No word of it\n"
