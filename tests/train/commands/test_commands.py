"""What the training command says and keeps when something is wrong, and its smaller commands."""

import hashlib
import json
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import tiny
import torch
from hub_server import HubServer
from huggingface_hub import ModelCard
from shell import FILES, contents, names, sentence

import models
from train import export


def test_token_that_is_refused_stops_at_once(
    cli: Callable, hub: HubServer, tmp_path: Path, tiny_mnist: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the first epoch, before even the data is read; in one sentence, without the token."""
    arguments = ["fit", "mnist-dense", "--dataset", tiny_mnist, "--push-to-hub"]
    for token, repo_id, words in (
        ("hf_OfNobody", "alice/x", "HF_TOKEN"),
        ("hf_read", "alice/x", "write role"),
        ("hf_bob", "alice/x", "may not write to alice/x"),
        ("hf_write", "x", "NAMESPACE/NAME"),
    ):
        monkeypatch.setenv("HF_TOKEN", token)
        result = cli(*arguments, repo_id)
        assert words in sentence(result)
        assert token not in result[1] + result[2] and "images to train on" not in result[1]
    assert not (tmp_path / "runs").exists()
    assert hub.repos == {}


def test_upload_that_fails_can_be_tried_again(
    cli: Callable,
    hub: HubServer,
    checkpoints: Path,
    tiny_mnist: Path,
    written_graphs: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The folder is kept, the command that tries again is printed; it works, and pins what it pushed."""
    monkeypatch.setenv("HF_TOKEN", "hf_write")
    hub.faults.refuse_commit = True
    output = checkpoints.parent / "my checkpoint"
    told = sentence(
        cli(
            "fit", "mnist-dense", "--dataset", tiny_mnist, "--epochs", 1, "--output", output, "--push-to-hub", "alice/x"
        )
    )
    assert "try again with: " in told, told
    assert len(hub.commits("alice/x")) == 1
    assert names(output) == FILES
    hub.faults.refuse_commit = False
    again = shlex.split(told.split("try again with: ")[1])
    assert again[:4] == ["python", "-m", "train", "push"]
    status, stdout, stderr = cli(*again[3:])
    assert status == 0, stderr
    commit = hub.commits("alice/x")[-1]
    assert commit["sha"] in stdout
    net = models.load("mnist-dense")
    assert (net.provenance.source, net.provenance.revision) == ("hub", commit["sha"])
    assert net.provenance.sha256 == commit["files"]["model.safetensors"]


def test_push(
    cli: Callable,
    hub: HubServer,
    fitted: Path,
    checkpoints: Path,
    written_graphs: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is no checkpoint of that name stays at home; what is goes up from `checkpoints/` and is pinned."""
    monkeypatch.setenv("HF_TOKEN", "hf_write")
    resnet = checkpoints / "mnist-resnet"
    models.create("mnist-resnet", widths=(2, 2), blocks=(1,)).save_pretrained(resnet)
    broken = checkpoints / "broken"
    shutil.copytree(fitted / "checkpoint", broken)
    (broken / "model.safetensors").write_bytes(b"short")
    for arguments, words in (
        (("mnist-dense", "alice/x"), "config.json cannot be read"),
        (("mnist-dense", "alice/x", "--folder", broken), "no whole safetensors file"),
        (("mnist-dense", "alice/x", "--folder", resnet), "ResNet"),
        (("mnist-dance", "alice/x"), f"choose one of {', '.join(models.names())}"),
    ):
        assert words in sentence(cli("push", *arguments))
    assert hub.requests == []
    assert not (checkpoints / "hub.json").exists()
    shutil.copytree(fitted / "checkpoint", checkpoints / "mnist-dense")
    assert cli("push", "mnist-dense", "alice/x", "--private")[0] == 0
    assert hub.repos["alice/x"]["private"] is True
    assert models.load("mnist-dense").provenance.source == "hub"


def test_export_of_a_repository(cli: Callable, hub: HubServer, tmp_path: Path) -> None:
    """What is on the Hub is exported as what is in a folder."""
    net = models.create("moons-mlp", hidden=5)
    net.push_to_hub("alice/points", token="hf_write")
    assert cli("export", "alice/points")[0] == 0
    (file,) = (tmp_path / "runs" / "onnx").iterdir()
    assert export.distance(net, file) < 1e-4
    assert "no repository alice/none" in sentence(cli("export", "alice/none"))


def test_a_run_is_not_overwritten(cli: Callable, fitted: Path, tiny_mnist: Path) -> None:
    """Without --resume a run that is there stays, and with another recipe it is not gone on with."""
    before, state = contents(fitted / "checkpoint"), (fitted / "seed-0" / "state.pt").read_bytes()
    arguments = ["fit", "mnist-dense", "--dataset", tiny_mnist, "--epochs"]
    assert "add --resume" in sentence(cli(*arguments, 2))
    assert "a run with another epochs (2, not 3)" in sentence(cli(*arguments, 3, "--resume"))
    assert "a run with another lr (0.001, not 0.5)" in sentence(cli(*arguments, 2, "--resume", "--lr", 0.5))
    assert contents(fitted / "checkpoint") == before
    assert (fitted / "seed-0" / "state.pt").read_bytes() == state
    shutil.rmtree(fitted / "checkpoint")
    assert cli(*arguments, 2, "--resume")[0] == 0  # a finished run: the folder is written again
    assert contents(fitted / "checkpoint") == before


def test_evaluate_and_list(cli: Callable, fitted: Path, checkpoints: Path, tiny_mnist: Path) -> None:
    """`evaluate` finds the figures of the card, by folder or by name; `list` tells sizes and what the cards say."""
    figures = {
        r.metric_type: r.metric_value for r in ModelCard.load(fitted / "checkpoint" / "README.md").data.eval_results
    }
    shutil.copytree(fitted / "checkpoint", checkpoints / "mnist-dense")
    for name in (fitted / "checkpoint", "mnist-dense"):
        status, stdout, _ = cli("evaluate", name, "--dataset", tiny_mnist)
        assert status == 0 and "100 test images" in stdout
        found = dict(re.findall(r"^  (\w+) +([\d.]+)$", stdout, re.MULTILINE))
        for key, value in figures.items():
            assert float(found[key]) == pytest.approx(value, abs=6e-5)
    status, stdout, _ = cli("list")
    assert status == 0 and [line.split()[0] for line in stdout.splitlines()] == models.names()
    lines = dict(zip(models.names(), stdout.splitlines(), strict=True))
    dense = lines.pop("mnist-dense")
    assert "407,050 parameters" in dense and f"Accuracy {figures['accuracy']:.2%}" in dense
    assert all("no checkpoint" in line for line in lines.values())


def test_dataset_of_the_hub_by_another_way(cli: Callable, tmp_path: Path, tiny_mnist: Path) -> None:
    """A folder that has the name of the recipe's dataset is taken for a copy of it, and the card names it."""
    shutil.copytree(tiny_mnist, tmp_path / "mnist")
    assert cli("fit", "mnist-dense", "--dataset", "mnist", "--max-steps", 1, "--output", "out")[0] == 0
    data = ModelCard.load(tmp_path / "out" / "README.md").data
    assert data.datasets == ["ylecun/mnist"]
    assert {result.dataset_type for result in data.eval_results} == {"ylecun/mnist"}


@pytest.mark.parametrize("command", ["", "fit", "evaluate", "push", "list"])
def test_help(cli: Callable, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """--help names everything that there is to say."""
    with pytest.raises(SystemExit, match="0"):
        cli(*command.split(), "--help")
    shown = capsys.readouterr().out
    options = (
        "--dataset --output --config --epochs --batch-size --accumulation --lr --patience --seed --mixed-precision "
        "--max-steps --save-minutes --tracker --resume --push-to-hub"
    )
    expected = {
        "": "fit evaluate push list",
        "fit": options,
        "evaluate": "--dataset",
        "push": "--folder NAMESPACE/NAME",
    }
    assert all(word in shown for word in expected.get(command, "usage").split())


def test_a_later_seed_that_is_taken(cli: Callable, tmp_path: Path, tiny_mnist: Path) -> None:
    """Of several seeds one holds a run already: that is said before the first is trained."""
    fit = ["fit", "mnist-dense", "--dataset", tiny_mnist, "--epochs", 1]
    assert cli(*fit, "--seed", 1)[0] == 0
    assert "seed-1 holds a run" in sentence(cli(*fit, "--seeds", 2))
    assert not (tmp_path / "runs" / "mnist-dense" / "seed-0" / "state.pt").exists()


def test_another_network(cli: Callable, tmp_path: Path, tiny_mnist: Path) -> None:
    """It is built as the command line says; a run goes on with the same only."""
    fit = ["fit", "mnist-dense", "--dataset", tiny_mnist, "--epochs", 1, "--network"]
    assert cli(*fit, '{"hidden": 16}')[0] == 0
    net = models.load(tmp_path / "runs" / "mnist-dense" / "checkpoint")
    assert net.kwargs == {"hidden": 16} and net.parameter_count == 785 * 16 + 17 * 10
    assert "of another network" in sentence(cli(*fit, '{"hidden": 17}', "--resume"))


MISTAKES = {
    "unknown name": (f"choose one of {', '.join(models.names())}", "fit", "mnist-dance"),
    "unknown name to evaluate": (f"choose one of {', '.join(models.names())}", "evaluate", "mnist-dance"),
    "no such dataset": ("check the name or the folder", "fit", "mnist-dense", "--dataset", "./nowhere"),
    "no such folder": ("./nowhere", "evaluate", "./nowhere", "--dataset", "TINY"),
    "a rate that is too large": ("not finite at step", "fit", "mnist-dense", "--dataset", "TINY", "--lr", "1e38"),
    "a network of no such thing": ("unknown or missing width", "fit", "mnist-dense", "--network", '{"width": 8}'),
    "a network too wide": ("hidden must be between", "fit", "mnist-dense", "--network", '{"hidden": 5000}'),
    "a start of nothing": ("choose one of", "fit", "mnist-dance", "--init", "mnist-dense"),
    "a start where there is one": ("of face-unet: leave --init out", "fit", "face-gan", "--init", "face-unet"),
    "an output that is a file": ("is a file, not", "fit", "mnist-dense", "--output", "file"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes(cli: Callable, tmp_path: Path, tiny_mnist: Path, mistake: str) -> None:
    """Whatever a user gets wrong is one sentence and the status 1."""
    (tmp_path / "file").touch()
    words, *arguments = MISTAKES[mistake]
    assert words in sentence(cli(*(tiny_mnist if word == "TINY" else word for word in arguments)))


@pytest.mark.parametrize(
    "option",
    [
        *("--epochs 0", "--batch-size -3", "--max-steps 0", "--seeds 0", "--seed -1", "--lr much", "--what"),
        *("--accumulation 0", "--patience 0", "--save-minutes -1", "--save-minutes nan", "--tracker wandb"),
        *("--network 8", "--network {", "--network [8]"),
    ],
)
def test_options_that_are_none(cli: Callable, option: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A value that cannot be is argparse's to refuse."""
    with pytest.raises(SystemExit, match="2"):
        cli("fit", "mnist-dense", *option.split())
    assert option.split()[0] in capsys.readouterr().err


@pytest.mark.parametrize("name", ["mnist-dense", "mnist-sparse-ae"])
def test_evaluate_writes(name: str, cli: Callable, checkpoints: Path, tiny_mnist: Path, monkeypatch) -> None:
    """With `--write` card and README tell the figures of other data; weights, recipe and all of the training stay, and
    so does what somebody wrote below the card.
    """
    folder, readme = checkpoints / name, checkpoints.parent / "README.md"
    monkeypatch.setattr("train.commands.evaluate.README", readme)
    readme.write_text(f"| [`{name}`](x/README.md) | what it is | 7 | 5 % |\n| [`other`](x/README.md) | no | 1 | 2 |\n")
    assert cli("fit", name, "--dataset", tiny_mnist, "--epochs", 1, "--seeds", 2, "--output", folder)[0] == 0
    mine = "\n## Mine\n\n```python\nprint('mine')\n```\n"
    with open(folder / "README.md", "a") as file:
        file.write(mine)
    before = contents(folder)
    card = ModelCard.load(folder / "README.md")
    few = checkpoints.parent / "few"
    tiny.write_split(few, "train", *tiny.bars(60, seed=5))
    tiny.write_split(few, "test", *tiny.bars(30, seed=6))
    status, told, stderr = cli("evaluate", name, "--dataset", few, "--write")
    assert status == 0, stderr
    found = dict(re.findall(r"^  (\w+) +(-?[\d.]+)$", told, re.MULTILINE))
    after, new = contents(folder), ModelCard.load(folder / "README.md")
    assert {file for file in before if before[file] != after[file]} >= {"README.md"}
    for file in ("model.safetensors", "config.json", "recipe.json", "learning-curve.png"):
        assert after[file] == before[file]
    assert after["README.md"].decode().endswith(f"```\n{mine}") and new.text.count("## ") == card.text.count("## ")
    training = re.compile(r"^## Training\n.*?^## Limits$", re.MULTILINE | re.DOTALL)
    assert training.search(new.text)[0] == training.search(card.text)[0]
    assert "30 test images of few" in new.text and "100 test images" not in new.text
    assert [result.metric_type for result in new.data.eval_results] == [r.metric_type for r in card.data.eval_results]
    for result in new.data.eval_results:
        assert result.metric_value == pytest.approx(float(found[result.metric_type]), abs=1e-4)
    first, second = readme.read_text().splitlines()
    assert re.fullmatch(rf"\| \[`{name}`\]\(x/README.md\) \| what it is \| [\d,]+ \| .*; .* over 2 seeds \|", first)
    assert second == "| [`other`](x/README.md) | no | 1 | 2 |"


def test_evaluate_for_programs(cli: Callable, tmp_path: Path, tiny_mnist: Path) -> None:
    """Standard output is one JSON object: whose weights, on what, the figures; accuracy is counted here."""
    torch.manual_seed(0)
    models.create("mnist-dense").save_pretrained(tmp_path / "mine")
    status, out, err = cli("evaluate", tmp_path / "mine", "--dataset", tiny_mnist, "--json")
    told = json.loads(out)
    assert status == 0 and "100 test images" in err
    assert (told["name"], told["model"], told["size"]) == (str(tmp_path / "mine"), "mnist-dense", 100)
    assert told["sha256"] == hashlib.sha256((tmp_path / "mine" / "model.safetensors").read_bytes()).hexdigest()
    assert told["revision"] is None
    pictures, labels = tiny.bars(100, seed=2)
    with torch.inference_mode():
        logits = models.load(tmp_path / "mine")(torch.from_numpy(pictures)[:, None] / 255)
    right = (logits.argmax(1) == torch.from_numpy(labels)).sum().item()
    assert 100 * told["figures"]["accuracy"] == pytest.approx(right)
    assert told["figures"].keys() >= {"accuracy", "precision", "recall", "f1"}


@pytest.mark.parametrize("called", ["mnist-lstm", "mine"])
def test_evaluate_knows_what_a_folder_holds(called: str, cli: Callable, tmp_path: Path, tiny_mnist: Path) -> None:
    """Of networks of one architecture that which the folder, or its card, is called."""
    models.create("mnist-lstm").save_pretrained(tmp_path / called)
    if called == "mine":
        card = "---\nmodel-index:\n- name: mnist-lstm\n  results: []\n---\n"
        (tmp_path / called / "README.md").write_text(card)
    told = json.loads(cli("evaluate", tmp_path / called, "--dataset", tiny_mnist, "--json")[1])
    assert told["model"] == "mnist-lstm"


@pytest.mark.parametrize("name", ["alice/mnist-dense", "folder"])
def test_evaluate_writes_no_card_of_others(name: str, cli: Callable, tmp_path: Path, tiny_mnist: Path) -> None:
    """What has no card on this machine, or one that tells of no training, is refused, and stays as it is."""
    models.create("mnist-dense").save_pretrained(tmp_path / "folder")
    assert "card" in sentence(cli("evaluate", name, "--dataset", tiny_mnist, "--write"))
    (tmp_path / "folder" / "README.md").write_text("# Mine\n")
    if name == "folder":
        assert "train the network again" in sentence(cli("evaluate", name, "--dataset", tiny_mnist, "--write"))
        assert (tmp_path / "folder" / "README.md").read_text() == "# Mine\n"
