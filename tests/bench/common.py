"""What the benches share: where the repository is, and how a result is told."""

import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS.parent), str(TESTS), str(TESTS / "browser")]


def show(name: str, values: list[float]) -> float:
    """Print a row with the median, the 90th percentile and the largest of `values` (ms); return the median."""
    p90 = quantiles(values, n=10, method="inclusive")[-1]
    print(f"{name:24} {median(values):8.1f} {p90:8.1f} {max(values):8.1f}   n = {len(values)}")
    return median(values)


def header() -> None:
    """Print the heads of the columns of `show`."""
    print(f"{'ms':24} {'median':>8} {'p90':>8} {'max':>8}")


def verdict(what: str, value: float, bar: float) -> int:
    """Print the figure beside its bar; return the exit status."""
    print(f"{what}: {value:.2f}, bar {bar:g}: {'met' if value <= bar else 'MISSED'}")
    return int(value > bar)


def until_answered(words: list[str], port: int, cwd: Path, env: dict[str, str], ask: Callable[[str], None]) -> float:
    """Seconds from the start of Python with these words until `ask` of its address raises no OSError; it is ended then.

    Raises RuntimeError if it ends by itself.
    """
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *words, "--port", str(port)], cwd=cwd, env=env, stdout=subprocess.DEVNULL
    )
    try:
        while process.poll() is None:
            try:
                ask(f"http://127.0.0.1:{port}")
                return time.perf_counter() - began
            except OSError:
                time.sleep(0.01)
        raise RuntimeError("It has ended instead of serving.")
    finally:
        process.terminate()
        process.wait()


def read_page(url: str) -> bytes:
    """Read the page and its configuration, and give that back."""
    for path in ("/", "/config"):
        with urllib.request.urlopen(url + path) as answer:
            found = answer.read()
    return found
