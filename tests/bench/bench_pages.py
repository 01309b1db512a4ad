"""How long it takes to read a page of 1 and of 12 megapixels on one core. Bars: 150 ms and 400 ms, medians.

The machine is told beside it: how long a 3x3 convolution of 16 channels takes over as many pixels.

Run from the repository's root: python tests/bench/bench_pages.py
"""

import sys
import time
from collections.abc import Callable

import torch
from common import header, show, verdict

# ruff: isort: split
from ink import number
from PIL import Image

from models.pipelines import DigitClassifier

TIMES = 9
BARS = {(1000, 1000): 150.0, (4000, 3000): 400.0}


def page() -> Image.Image:
    """Three numbers on a sheet of a megapixel."""
    sheet = Image.new("L", (1000, 1000), 235)
    for row, text in enumerate(("4071", "538", "29")):
        ink, _ = number(text, row)
        sheet.paste(40, (250, 100 + 300 * row), ink)
    return sheet


def milliseconds(act: Callable[[], object]) -> list[float]:
    times = []
    for _ in range(TIMES):
        start = time.perf_counter()
        act()
        times.append(1000 * (time.perf_counter() - start))
    return times


def main() -> int:
    """Measure and return the exit status: 1 where a bar is missed."""
    torch.set_num_threads(1)
    read, missed = DigitClassifier("mnist-resnet").read, 0
    convolution = torch.nn.Conv2d(16, 16, 3, padding=1).to(memory_format=torch.channels_last)
    pixels = torch.rand(1, 16, 1000, 1000).contiguous(memory_format=torch.channels_last)
    header()
    with torch.inference_mode():
        show("a convolution", milliseconds(lambda: convolution(pixels)))
    for size, bar in BARS.items():
        picture = page().convert("RGB").resize(size)
        assert "".join(reading.digit for reading in read(picture)) == "407153829"
        taken = show(f"{size[0]} x {size[1]}", milliseconds(lambda picture=picture: read(picture)))
        missed |= verdict(f"{size[0]} x {size[1]}, ms", taken, bar)
    return missed


if __name__ == "__main__":
    sys.exit(main())
