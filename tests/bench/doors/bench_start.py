"""How long the first page takes from the start of the process. Bar: 1.3 times an empty page that also imports torch.

Both are started in turn, five times. Run from the repository's root: python tests/bench/doors/bench_start.py
"""

import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from common import header, show, verdict

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
    url = f"http://127.0.0.1:{(port := free_port())}"
    env = environment(home) | {"OMP_WAIT_POLICY": "PASSIVE"}
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *command, "--port", str(port)], cwd=ROOT, env=env, stdout=subprocess.DEVNULL
    )
    try:
        while process.poll() is None:
            try:
                for path in ("/", "/config"):
                    with urllib.request.urlopen(url + path) as answer:
                        answer.read()
                return (time.perf_counter() - began) * 1000
            except OSError:
                time.sleep(0.01)
        raise RuntimeError("It has ended instead of serving.")
    finally:
        process.terminate()
        process.wait()


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
