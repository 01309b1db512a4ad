"""A run: how far it is, and what came of it."""

from dataclasses import dataclass, field

import torch

from models.base import Model


@dataclass
class Progress:
    """How far a run is.

    `history` has a row of figures for every finished epoch, `snapshots` pictures of what the network does then (of
    some epochs), `best` the weights to publish.
    """

    step: int = 0
    seconds: float = 0.0
    loss_sum: float = 0.0  # over the images of the epoch under way
    history: list[dict[str, float]] = field(default_factory=list)
    snapshots: list[dict] = field(default_factory=list)  # {"epoch", "picture": (H, W) or (H, W, 3) uint8}
    best: dict | None = None  # {"score", "epoch", "weights"}
    finished: bool = False
    stopped_by: int = 0  # the signal that ended it before


@dataclass(frozen=True)
class Run:
    """One trained seed: the network to publish, how training went, its last touch, its figures on the test split."""

    seed: int
    net: Model
    progress: Progress
    finish: dict[str, float]
    test: dict[str, float]
    device: torch.device
