"""The house keeps its order: imports point one way, folders and files stay small. All is read from the tree."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from app_process import ROOT

# From the roof to the cellar: a part may use what stands below it. What is not named counts for the part around it.
FLOORS = [
    "app",
    "tabs",
    "train.__main__",
    "train.commands",
    "train.card",
    "train.loading",
    "train.engine",
    "train.tasks",
    "train.standalone",
    "train.figures",
    "train.run",
    "train.recipe",
    "train.data",
    "train",
    "models.pipelines",
    "models.pictures",
    "models",
    "models.networks",
    "models.base",
    "models.hub",
    "models.errors",
]
ONLY = {  # a package of others, and who may know it
    "gradio": {"app", "tabs"},
    "huggingface_hub": {"models.hub", "train.card", "train.commands"},
    "safetensors": {"models.hub"},
}
MODULES, LINES = 14, 330
BENCHES = """
import runpy, sys
from pathlib import Path

path, known = sys.path[1:], set(sys.modules)
for file in sys.argv[1:]:
    sys.path[:] = [str(Path(file).parent), *path]
    try:
        runpy.run_path(file)
    except ModuleNotFoundError as error:
        if error.name not in {"bm3d", "pythae"}:  # the benches tell where these are to be had
            raise
    for name in set(sys.modules) - known:  # each finds the tests' own modules by itself
        if "/tests/" in (getattr(sys.modules[name], "__file__", None) or ""):
            del sys.modules[name]
"""
TOPS = ("app.py", "tabs", "models", "train")
FILES = sorted(file for top in TOPS for file in ([ROOT / top] if top.endswith(".py") else (ROOT / top).rglob("*.py")))


def module(file: Path) -> str:
    """models/networks/vae.py -> models.networks.vae."""
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


NAMES = {module(file) for file in FILES}


def imports(file: Path) -> Iterator[str]:
    """The modules that a file imports anywhere in it; of ours the ones that hold what is imported."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (
                name if (name := f"{node.module}.{alias.name}") in NAMES else node.module for alias in node.names
            )


def floor(name: str) -> str:
    """The part of the house that a module belongs to."""
    parts = name.split(".")
    above = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next(part for part in above if part in FLOORS)


@pytest.mark.parametrize("file", FILES, ids=module)
def test_arrows_point_down(file: Path) -> None:
    """What a module imports stands below it, or in the same part."""
    here = FLOORS.index(floor(module(file)))
    for name in imports(file):
        if name in NAMES:
            assert FLOORS.index(floor(name)) >= here, name
            assert name.partition(".")[0] == module(file).partition(".")[0] or name.startswith(("models", "tabs")), name


def test_no_circles() -> None:
    """Within a part, too, nobody uses by way of others what uses him."""
    uses = {module(file): {name for name in imports(file) if name in NAMES and name != module(file)} for file in FILES}

    def above(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, f"{' -> '.join(way)} -> {name}"
        for other in sorted(uses[name] - seen):
            above(other, (*way, name))
        seen.add(name)

    seen: set[str] = set()
    for name in sorted(uses):
        if name not in seen:
            above(name, ())


@pytest.mark.parametrize("package", ONLY)
def test_who_knows_whom(package: str) -> None:
    """A package of others has few doors."""
    users = {module(file) for file in FILES if package in {name.partition(".")[0] for name in imports(file)}}
    assert users
    for user in users:
        assert any(user == part or user.startswith(part + ".") for part in ONLY[package]), user


def test_sizes() -> None:
    """No folder holds more modules side by side than one can overlook, no file more lines."""
    tests = (file for file in (ROOT / "tests").rglob("*.py") if "node_modules" not in file.parts)
    everything = [*FILES, *tests]
    for folder in {file.parent for file in everything}:
        assert len(list(folder.glob("*.py"))) <= MODULES, folder
    for file in everything:
        assert len(file.read_text("utf-8").splitlines()) <= LINES, file


def test_benches_begin() -> None:
    """What measures is run now and then only: all that it imports is still there."""
    files = [str(file) for file in sorted((ROOT / "tests" / "bench").rglob("bench_*.py"))]
    begun = subprocess.run([sys.executable, "-c", BENCHES, *files], cwd=ROOT, capture_output=True, text=True)
    assert begun.returncode == 0, begun.stderr
