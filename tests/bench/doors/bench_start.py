"""How long the first page takes from the start of the process. Bar: 1.3 times an empty page that also imports torch.

Both are started in turn, five times. Run from the repository's root: python tests/bench/doors/bench_start.py
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from common import header, read_page, show, until_answered, verdict

# ruff: isort: split
from app_process import ROOT, environment, free_port

STARTS, BAR = 5, 1.3
EMPTY = """
import sys, torch, gradio
with gradio.Blocks() as demo:
    pass
demo.launch(server_port=int(sys.argv[2]), quiet=True, ssr_mode=False)
"""
COMMANDS = {"empty page": ["-c", EMPTY], "app": ["app.py"]}


def start(command: list[str], home: Path) -> float:
    """Milliseconds until / and /config have been read whole."""
    env = environment(home) | {"OMP_WAIT_POLICY": "PASSIVE"}
    return 1000 * until_answered(command, free_port(), ROOT, env, read_page)


def main() -> int:
    """Measure, print, and tell by the status whether the bar is met."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    with tempfile.TemporaryDirectory() as home:
        for command in COMMANDS.values():  # once for the disk's cache
            start(command, Path(home))
        for _ in range(STARTS):
            for name, command in COMMANDS.items():
                times[name].append(start(command, Path(home)))
    header()
    empty, app = (show(name, taken) for name, taken in times.items())
    return verdict("first page of the app / of an empty one", app / empty, BAR)


if __name__ == "__main__":
    sys.exit(main())
