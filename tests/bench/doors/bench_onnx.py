"""How long the ONNX graph of each network takes beside torch, at batch 1 and with one thread each. Bar: 1.2 times.

Both answer in turn. Sides that may change are 256x320. Run from the repository's root, with names
for some alone: python tests/bench/doors/bench_onnx.py
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import onnxruntime
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
# ruff: isort: split
from common import verdict

import models
from models import hub
from train import export

BAR, TURNS, SECONDS = 1.2, 15, 0.1


def milliseconds(call: Callable[[], object], count: int) -> float:
    """What one call takes, of so many."""
    began = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - began) * 1000 / count


def ratio(name: str) -> float:
    """Time of the graph / of torch, the median of turns that each take a tenth of a second."""
    net = models.Model.from_pretrained(hub.CHECKPOINTS / name)
    wanted, options = export.graph(net), onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    file = export.made(hub.CHECKPOINTS / name)
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    drawn = export.example(wanted, {"batch": 1, "height": 256, "width": 320}, torch.Generator().manual_seed(0))
    given = {word: value.numpy() for word, value in drawn.items()}
    calls = (lambda: session.run(None, given), lambda: wanted.forward(*drawn.values()))
    with torch.inference_mode():
        counts = [max(1, int(SECONDS * 1000 / milliseconds(call, 2))) for call in calls]
        pairs = [[milliseconds(call, count) for call, count in zip(calls, counts, strict=True)] for _ in range(TURNS)]
    graph, plain = (median(times) for times in zip(*pairs, strict=True))
    print(f"{name:22} {graph:9.3f} {plain:9.3f} {graph / plain:6.2f}", flush=True)
    return graph / plain


def main() -> int:
    """Measure, print, and tell by the status whether the bar is met."""
    torch.set_num_threads(1)
    print(f"{'ms':22} {'ONNX':>9} {'torch':>9}")
    found = {name: ratio(name) for name in sys.argv[1:] or models.names()}
    worst = max(found, key=found.get)
    return verdict(f"ONNX / torch, the worst of {len(found)}, {worst}", found[worst], BAR)


if __name__ == "__main__":
    sys.exit(main())
