"""The ONNX graphs: what onnxruntime alone makes of them is what torch makes of the networks, at any size."""

import json
import math
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnxruntime import InferenceSession
from shell import ROOT, sentence

import models
from models import hub
from train import export

NAMES = models.names()


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """The graphs that this clone has made already: all of them take some minutes."""
    monkeypatch.setattr(export, "FOLDER", ROOT / "runs" / "onnx")


@pytest.mark.parametrize("name", NAMES)
def test_graphs(cache: None, name: str) -> None:
    """One file, in an opset for browsers, close to torch on twenty inputs; of this machine nothing is in it."""
    folder = hub.CHECKPOINTS / name
    file = export.made(folder)
    assert file.stem == hub.sha256_of(folder / "model.safetensors")
    assert not list(file.parent.glob("*.data"))
    net = models.Model.from_pretrained(folder)
    assert export.distance(net, file) <= 1e-4
    model = onnx.load(file)
    onnx.checker.check_model(model)
    assert [one.version for one in model.opset_import if one.domain == ""] == [18]
    for weights in model.graph.initializer:
        weights.ClearField("raw_data")  # which may happen to hold any three bytes
    assert not re.search(rb"\.py\b|/tmp/|/home/|site-packages", model.SerializeToString())
    dims = [value.type.tensor_type.shape.dim[0].dim_param for value in (*model.graph.input, *model.graph.output)]
    assert set(dims) == {"batch"}


def test_fresh_graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made twice it has the same bytes; once it is there it is not made again."""
    folder = hub.CHECKPOINTS / "moons-mlp"
    made = []
    for place in ("one", "two"):
        monkeypatch.setattr(export, "FOLDER", tmp_path / place)
        made.append(export.made(folder))
    assert made[0].read_bytes() == made[1].read_bytes()
    monkeypatch.setattr(export, "write", None)
    assert export.made(folder) == made[1]
    logits = InferenceSession(made[0]).run(["logits"], {"points": np.array([[0.5, 0.2]], np.float32)})[0]
    expected = models.Model.from_pretrained(folder)(torch.tensor([[0.5, 0.2]]))
    assert logits == pytest.approx(expected.detach().numpy(), abs=1e-5)


def test_a_graph_that_is_another_network_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is compared before it takes its place."""
    monkeypatch.setattr(export, "FOLDER", tmp_path / "onnx")
    monkeypatch.setattr(export, "TOLERANCE", -1.0)
    with pytest.raises(ValueError, match="it is not kept"):
        export.made(hub.CHECKPOINTS / "moons-mlp")
    assert not (tmp_path / "onnx").exists()


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (9, 8), (45, 51)])
def test_mirrored_by_index(size: tuple[int, int]) -> None:
    """What stands in the place of the loop while a picture is traced gives the same."""
    x = torch.rand(1, 1, *size)
    below, right = (-side % 8 for side in size)
    assert torch.equal(export._mirrored(x, below, right), export.denoisers.mirrored(x, below, right))


def test_command(cli, tmp_path: Path) -> None:
    """`export` tells where the file is; of a name that is none it says so."""
    status, out, _ = cli("export", "moons-mlp")
    (file,) = (tmp_path / "runs" / "onnx").iterdir()
    assert status == 0 and file.name in out
    onnxruntime.InferenceSession(file)
    assert "no model named" in sentence(cli("export", "mnist-dance"))
    assert "neither a folder nor a Hub repository" in sentence(cli("export", "./nowhere"))


def test_diff(cli, tmp_path: Path) -> None:
    """The same weights, and others: how far apart, tensor by tensor."""
    net = models.create("moons-mlp")
    net.save_pretrained(tmp_path / "one")
    with torch.no_grad():
        net.output.bias += 0.5
    net.save_pretrained(tmp_path / "two")
    status, out, _ = cli("diff", tmp_path / "one", tmp_path / "one")
    assert (status, "the same" in out) == (0, True)
    status, out, _ = cli("diff", tmp_path / "one", tmp_path / "two")
    assert status == 1
    assert re.search(r"output\.bias .*0\.5", out) and "hidden.weight" not in out
    models.create("moons-mlp", hidden=3).save_pretrained(tmp_path / "three")
    assert "(3, 2)" in cli("diff", tmp_path / "one", tmp_path / "three")[1]


def test_list_for_programs(cli) -> None:
    """One object a model, with what the table tells."""
    status, out, _ = cli("list", "--json")
    told = json.loads(out)
    assert status == 0 and [one["name"] for one in told] == NAMES
    dense = next(one for one in told if one["name"] == "mnist-dense")
    assert dense["parameters"] == models.create("mnist-dense").parameter_count
    assert dense["figures"]["accuracy"] == pytest.approx(hub.figures(hub.CHECKPOINTS / "mnist-dense")["accuracy"])
    assert dense["pin"] is None and dense["task"] == "classification"


def test_no_number_is_no_likeness(monkeypatch: pytest.MonkeyPatch) -> None:
    """A graph that gives no numbers, if only for some input, is far from any network."""
    answers = iter([np.zeros((1, 10), np.float32), *[np.full((1, 10), np.nan, np.float32)] * export.INPUTS])
    session = SimpleNamespace(run=lambda *given: [next(answers)])
    monkeypatch.setattr("onnxruntime.InferenceSession", lambda *given, **options: session)
    assert math.isnan(export.distance(models.create("mnist-dense").eval(), Path("graph.onnx")))
