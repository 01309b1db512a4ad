"""Nothing unsound is ever loaded: damaged repositories, broken pins, and nothing sound at all."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch
from hub_server import HubServer
from world import REPO, World

import models


def tensors(change: Callable[[dict[str, torch.Tensor]], object]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        found = safetensors.torch.load_file(folder / "model.safetensors")
        change(found)
        safetensors.torch.save_file(found, folder / "model.safetensors")

    return damage


def config(**changes: object) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        text = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(text | changes))

    return damage


def shorten(folder: Path) -> None:
    data = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(data[:-1])


def resnet(folder: Path) -> None:
    models.create("mnist-resnet", widths=(2, 2), blocks=(1,)).save_pretrained(folder)


DAMAGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "another architecture": (resnet, "holds a ResNet, which is not mnist-dense"),
    "another shape": (config(kwargs={"hidden": 5}), "has shape"),
    "an extra tensor": (tensors(lambda found: found.update(extra=torch.zeros(1))), "unknown tensor extra"),
    "a missing tensor": (tensors(lambda found: found.pop("output.bias")), "lack tensor output.bias"),
    "whole numbers": (tensors(lambda found: found.update({"output.bias": torch.zeros(10).int()})), "type torch.int32"),
    "not a number": (tensors(lambda found: found["output.bias"].fill_(torch.nan)), "not finite"),
    "infinity": (tensors(lambda found: found["hidden.weight"].view(-1)[7].fill_(torch.inf)), "not finite"),
    "short weights": (shorten, "no whole safetensors file"),
    "empty weights": (lambda folder: (folder / "model.safetensors").write_bytes(b""), "no whole safetensors file"),
    "a pickle": (lambda folder: torch.save({}, folder / "model.safetensors"), "no whole safetensors file"),
    "no weights": (lambda folder: (folder / "model.safetensors").rename(folder / "a.png"), "model.safetensors"),
    "no config": (lambda folder: (folder / "config.json").unlink(), "config.json"),
    "a config that is not JSON": (lambda folder: (folder / "config.json").write_text("{"), "config.json is not JSON"),
    "a deep config": (lambda folder: (folder / "config.json").write_text("[" * 60_000), "config.json is not JSON"),
    "a long config": (lambda folder: (folder / "config.json").write_text('"' + "x" * 70_000 + '"'), "too long"),
    "a config in bytes": (lambda folder: (folder / "config.json").write_bytes(b"\xff\xfe"), "config.json is not JSON"),
    "a config that lies": (config(architecture="Oracle"), "unknown architecture"),
    "a gigantic config": (config(kwargs={"hidden": 10**9}), "between 1 and 4096"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage(world: World, damage: str) -> None:
    """A repository with the right sha256 and the wrong content is not half-loaded; the next source serves."""
    sha256 = hashlib.sha256((world.folder / "model.safetensors").read_bytes()).hexdigest()
    DAMAGES[damage][0](world.folder)
    if (world.folder / "model.safetensors").exists():
        sha256 = hashlib.sha256((world.folder / "model.safetensors").read_bytes()).hexdigest()
    world.pin(world.publish(), sha256=sha256)
    provenance = world.expect_embedded(DAMAGES[damage][1])
    assert REPO in provenance.notes[0] or "models--alice--lab" in provenance.notes[0]


PINS = {
    "not JSON": "{",
    "no table": "[]",
    "a word": '"mnist-dense"',
    "no pin": '{"mnist-dense": null}',
    "half a pin": '{"mnist-dense": {"repo_id": "alice/lab"}}',
    "numbers": '{"mnist-dense": {"repo_id": "alice/lab", "revision": "REVISION", "sha256": 5}}',
    "a revision in numbers": '{"mnist-dense": {"repo_id": "alice/lab", "revision": 5, "sha256": "00"}}',
    "a repository in numbers": '{"mnist-dense": {"repo_id": 5, "revision": "REVISION", "sha256": "00"}}',
    "an illegal repository": '{"mnist-dense": {"repo_id": "a/b/c", "revision": "REVISION", "sha256": "00"}}',
    "deep": "[" * 100_000,
}


@pytest.mark.parametrize("text", PINS)
def test_broken_pins(world: World, text: str) -> None:
    """A `hub.json` that is no table of pins is said, and what is embedded serves."""
    (world.checkpoints / "hub.json").write_text(PINS[text].replace("REVISION", world.publish()))
    world.expect_embedded()


def test_nothing_sound_anywhere(pinned: World) -> None:
    """Then there is an error that says what was tried and what to do: never random weights."""
    shorten(pinned.checkpoints / "mnist-dense")
    pinned.hub.stop()
    with pytest.raises(ValueError, match="no weights for mnist-dense") as refusal:
        models.load("mnist-dense")
    for part in (REPO, "no whole safetensors file", "python -m train fit mnist-dense"):
        assert part in str(refusal.value)
    assert "\n" not in str(refusal.value)
    with pytest.raises(ValueError, match=r"no weights for mnist-resnet: .*config\.json cannot be read"):
        models.load("mnist-resnet")


LONG = 5000 * "b"


@pytest.mark.parametrize(
    "source",
    ["alice/none", "nowhere/at/all", "/no/such/folder", "a/" + LONG, LONG, "a/b\0", "a\nb", ""],
    ids=lambda source: repr(source[:9]),
)
def test_what_is_not_there(hub: HubServer, source: str) -> None:
    """A folder or repository that does not exist is one sentence."""
    with pytest.raises(ValueError) as refusal:
        models.load(source)
    assert "\n" not in str(refusal.value)
