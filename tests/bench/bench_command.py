"""How long the training command takes to say something, against `import torch`. Bars: 0.4, 1.5 and 2.5 times that.

All are run in turn, five times. Run from the repository's root: python tests/bench/bench_command.py
"""

import subprocess
import sys
import time

from common import TESTS, header, show, verdict

TURNS = 5
TRAIN = ["-m", "train"]
COMMANDS = {
    "import torch": (["-c", "import torch"], 1.0),
    "--help": ([*TRAIN, "--help"], 0.4),
    "fit --help": ([*TRAIN, "fit", "--help"], 0.4),
    "a wrong option": ([*TRAIN, "fit", "mnist-dense", "--epoch", "0"], 0.4),
    "a wrong name": ([*TRAIN, "fit", "mnist-dance"], 1.5),
    "a wrong folder": ([*TRAIN, "fit", "mnist-dense", "--dataset", "./nowhere"], 2.5),
    "list": ([*TRAIN, "list"], 2.5),
}


def taken(words: list[str]) -> float:
    """Milliseconds from the start of a new Python to its end."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *words], cwd=TESTS.parent, capture_output=True)
    return 1000 * (time.perf_counter() - start)


def main() -> int:
    """Measure, print, and tell by the status whether the bars are met."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for turn in range(TURNS + 1):
        for name, (words, _) in COMMANDS.items():
            times[name] += [taken(words)] * (turn > 0)  # the first is for the disk's cache
    header()
    medians = {name: show(name, values) for name, values in times.items()}
    torch = medians.pop("import torch")
    return max(verdict(f"{name} / import torch", value / torch, COMMANDS[name][1]) for name, value in medians.items())


if __name__ == "__main__":
    sys.exit(main())
