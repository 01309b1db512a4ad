"""Pages composed by processes of their own, where a training has cores to spare."""

import atexit
import os
import signal
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from threading import Thread

import numpy as np
import torch

from train.data.pages import Page, composed


class Composers:
    """So many processes, which begin with the first page that is asked for and end with this one."""

    def __init__(self, processes: int):
        self.processes = processes
        self.pool = ProcessPoolExecutor(processes, get_context("spawn"), _begin)
        atexit.register(self.pool.shutdown, cancel_futures=True)
        self.ahead: list[Future[list[Page]]] | None = None

    def __call__(self, images: torch.Tensor, labels: torch.Tensor, count: int, side: int, seed: int) -> list[Page]:
        """The like of `composed`, but what was asked for last time, so that nobody waits; at first what is asked now.

        Each process has a seed of its own.
        """
        parts = min(count, self.processes)
        counts = [len(part) for part in np.array_split(np.arange(count), parts)]
        seeds = np.random.SeedSequence(seed).generate_state(parts, np.uint64).tolist()
        given = images.cpu(), labels.cpu()
        asked = [self.pool.submit(composed, *given, some, side, one) for some, one in zip(counts, seeds, strict=True)]
        ready, self.ahead = self.ahead or asked, asked
        return [page for one in ready for page in one.result()]


def spare_cores() -> int:
    """Cores on which no process of this training computes, for each of them."""
    return (os.cpu_count() or 1) // int(os.environ.get("LOCAL_WORLD_SIZE", 1)) - 1


def _begin() -> None:
    # What is sent to all processes of a group, Ctrl-C or a polite kill, is for the training, which ends them.
    os.setpgid(0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent_process().join()
    os._exit(1)
