"""How fast training is. Bar: 1.5 times the images a second of the usual example, on two cores.

`mnist-cnn` with its recipe: batch 64, Adam, and bfloat16 where the hardware is fast at it. Ours is the whole
`train.engine.loop.fit`: its own data, evaluation and state on the disk included. The usual example is a `DataLoader`
over pictures that are made tensors and normalised one by one, as torchvision's `ToTensor` and `Normalize` do it;
without workers and with two, the better counts. Network, batch, optimiser and precision are the same; each has one
epoch of 12,000 synthetic pictures, in turn, five times. Run from the repository's root:
python tests/bench/bench_training.py
"""

import sys
import tempfile
import time
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from statistics import median

import common  # noqa: F401 (it says where the modules below are)
import numpy as np
import torch
from accelerate import Accelerator
from PIL import Image
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, Dataset

# ruff: isort: split
import tiny

import models
from models.networks.classifiers import MNIST_MEAN, MNIST_SD
from train.commands.arguments import fast_bf16
from train.data.splits import Data
from train.engine.loop import fit
from train.tasks import RECIPES
from train.tasks.classification import Classification

NAME, IMAGES, ROUNDS, CORES, BAR = "mnist-cnn", 12_000, 5, 2, 1.5


class Pictures(Dataset):
    """PIL pictures in memory, each transformed when it is asked for."""

    def __init__(self, pixels: np.ndarray, labels: np.ndarray):
        self.pictures = [Image.fromarray(picture) for picture in pixels]
        self.labels = labels.tolist()

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        picture = self.pictures[index]
        # torchvision.transforms.functional.to_tensor
        tensor = torch.from_numpy(np.array(picture, np.uint8, copy=True))
        tensor = tensor.view(picture.size[1], picture.size[0], 1).permute(2, 0, 1).contiguous()
        tensor = tensor.to(torch.float32).div(255)
        # torchvision.transforms.functional.normalize
        mean, sd = torch.as_tensor([MNIST_MEAN]), torch.as_tensor([MNIST_SD])
        return tensor.clone().sub_(mean.view(-1, 1, 1)).div_(sd.view(-1, 1, 1)), self.labels[index]


def usual(pictures: Pictures, precision: str, workers: int) -> float:
    """Images a second of one epoch of the usual example."""
    recipe = RECIPES[NAME]
    torch.manual_seed(0)
    start = time.perf_counter()
    net = models.create(NAME).to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.Adam(net.parameters(), lr=recipe.lr)
    total = 0.0
    for images, labels in DataLoader(pictures, recipe.batch_size, shuffle=True, num_workers=workers):
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16) if precision == "bf16" else nullcontext():
            logits = net(images.contiguous(memory_format=torch.channels_last))
        loss = cross_entropy(logits.float(), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
    return len(pictures) / (time.perf_counter() - start)


def ours(data: Data, precision: str) -> float:
    """Images a second of one epoch of `train.engine.loop.fit`, from a fresh network to the last state on the disk."""
    recipe = replace(RECIPES[NAME], epochs=1, mixed_precision=precision)
    accelerator = Accelerator(mixed_precision=precision, cpu=True)
    with tempfile.TemporaryDirectory() as folder:
        torch.manual_seed(0)
        start = time.perf_counter()
        fit(models.create(NAME), Classification(), data, recipe, accelerator, Path(folder) / "seed-0" / "state.pt")
        return IMAGES / (time.perf_counter() - start)


def main() -> int:
    """Measure, print, and tell by the status whether the bar is met."""
    torch.set_num_threads(CORES)
    precision = "bf16" if RECIPES[NAME].mixed_precision == "bf16" and fast_bf16() else "no"
    data = tiny.data(train=IMAGES, validation=500, test=10)
    pictures = Pictures(data.train.images[:, 0].numpy(), data.train.labels.numpy())
    runs = {
        "ours": lambda: ours(data, precision),
        "DataLoader": lambda: usual(pictures, precision, workers=0),
        "DataLoader, two workers": lambda: usual(pictures, precision, workers=2),
    }
    rates: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(1 + ROUNDS):
        for name, run in runs.items():
            rate = run()
            rates[name] += [rate] if number else []  # the first round warms up
    print(f"{NAME}, {IMAGES:,} images, batch {RECIPES[NAME].batch_size}, {CORES} threads, precision {precision}")
    print(f"{'images/s':24} {'median':>8} {'least':>8} {'most':>8}")
    for name, values in rates.items():
        print(f"{name:24} {median(values):8,.0f} {min(values):8,.0f} {max(values):8,.0f}   n = {len(values)}")
    best = max(median(rates[name]) for name in runs if name != "ours")
    ratio = median(rates["ours"]) / best
    print(f"ours / the better of the usual: {ratio:.2f}, bar {BAR:g}: {'met' if ratio >= BAR else 'MISSED'}")
    return int(ratio < BAR)


if __name__ == "__main__":
    sys.exit(main())
