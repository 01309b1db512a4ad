"""What the training command has to load before it answers: the less, the sooner it does."""

import json
import re
import signal
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from shell import PYTHON, ROOT, environment, run, sentences

GRAMMAR = [["--help"], ["fit", "--help"], ["evaluate", "--what"], ["fit", "mnist-dense", "--epochs", "0"], []]
LIGHT = [
    ["fit", "mnist-dance", "--dataset", "./nowhere", "--tracker", "trackio", "--lr", "-1"],
    ["evaluate", "mnist-dance", "--dataset", "./nowhere"],
    ["push", "mnist-dense", "x", "--folder", "./nowhere"],
    ["list"],
]
LOADED = """
import contextlib, io, json, sys
from train.__main__ import main
for words in json.loads(sys.argv[1]):
    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
        main(words)
print(json.dumps(sorted(sys.modules)))
"""

WITHOUT = """
import json, sys
sys.modules |= dict.fromkeys(json.loads(sys.argv[1]))  # to import these is a ModuleNotFoundError
from train.__main__ import main
print([main(words) for words in json.loads(sys.argv[2])])
"""


def loaded(commands: list[list[str]], folder: Path) -> set[str]:
    """The packages that a new Python has imported after it was given these commands."""
    done = run(folder, sys.executable, "-c", LOADED, json.dumps(commands))
    assert done.returncode == 0, done.stderr
    return {name.partition(".")[0] for name in json.loads(done.stdout)}


def test_the_grammar_is_imported_alone(tmp_path: Path) -> None:
    """Help and what argparse refuses need the standard library."""
    packages = loaded(GRAMMAR, tmp_path) - sys.stdlib_module_names
    assert {name for name in packages if not name.startswith(("_", "distutils"))} == {"train"}


def test_what_is_heavy_waits(tmp_path: Path) -> None:
    """Mistakes that can be known at once are told, and models listed, without what training needs."""
    packages = loaded(LIGHT, tmp_path)
    assert "torch" in packages
    assert not packages & {"accelerate", "datasets", "matplotlib", "sklearn", "torchmetrics", "pandas", "skimage"}


def test_what_is_not_installed(tmp_path: Path) -> None:
    """With the app's packages alone: what needs a further one says in one sentence how it is had."""
    lines = (ROOT / "train" / "requirements.txt").read_text().splitlines()[1:]
    names = {line.partition("==")[0].lower() for line in lines}
    known = metadata.packages_distributions()
    missing = sorted(name for name, homes in known.items() if names & {home.lower() for home in homes})
    assert {"accelerate", "datasets", "onnxscript", "sklearn"} <= {*missing}
    needy = [["fit", "mnist-dense"], ["evaluate", "mnist-dense", "--json"], ["export", "mnist-dense"]]
    done = run(tmp_path, sys.executable, "-c", WITHOUT, json.dumps(missing), json.dumps(needy))
    assert (done.returncode, done.stdout) == (0, "[1, 1, 1]\n")
    for words, line in zip(needy, done.stderr.splitlines(), strict=True):
        told = rf"error: Without \w+ there is no `{words[0]}`: pip install -r train/requirements\.txt\."
        assert re.fullmatch(told, line)


def test_all_mistakes_at_once(cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each in a line of its own, whatever else is wrong."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    (tmp_path / "file").touch()
    (tmp_path / "runs" / "mnist-dense" / "seed-4").mkdir(parents=True)
    (tmp_path / "runs" / "mnist-dense" / "seed-4" / "state.pt").touch()
    (tmp_path / "empty").mkdir()
    wrong = ["--dataset", "empty", "--lr", "-1", "--batch-size", 2**40, "--network", '{"hidden": 0}', "--seed", 3]
    wrong += ["--seeds", 2, "--tracker", "tensorboard", "--output", "file/below", "--push-to-hub", "nobody"]
    told = sentences(cli("fit", "mnist-dense", *wrong))
    expected = ["contain any data files", "batch_size must", "lr must", "hidden must", "pip install tensorboard"]
    expected += ["file is a file, not a folder", "seed-4 holds a run: add --resume", "NAMESPACE/NAME"]
    assert [words for words, line in zip(expected, told, strict=True) if words not in line] == []
    told = sentences(cli("fit", "mnist-dance", *wrong))
    assert len(told) == 5 and "no model named 'mnist-dance'" in told[0]
    assert len(sentences(cli("evaluate", "mnist-dance", "--dataset", "file"))) == 2
    assert len(sentences(cli("push", "mnist-dense", "nobody", "--folder", "empty"))) == 2


@pytest.mark.parametrize("package", ["torch", "accelerate"])
def test_interrupt_while_it_is_loading(tmp_path: Path, package: str) -> None:
    """Ctrl-C ends it without a word, with the status that shells expect."""
    slow = tmp_path / "slow" / package
    slow.mkdir(parents=True)
    (slow / "__init__.py").write_text("print('loading', flush=True)\nimport time\ntime.sleep(60)\n")
    path = f"{slow.parent}:{environment()['PYTHONPATH']}"
    command = [*PYTHON, "fit", "mnist-dense"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment(PYTHONPATH=path), stdout=-1, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout.readline() == "loading\n"
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=30)[0] == ""
    assert process.returncode == 130
