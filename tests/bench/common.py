"""What the benches share: where the repository is, and how a result is told."""

import sys
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
