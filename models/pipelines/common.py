"""What all pipelines share: how they are loaded, what a page tells of them, and the limits of what they are asked."""

import ctypes
import math
from collections.abc import Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from numbers import Real
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

import models
from models import hub
from models.base import Model, architecture
from models.errors import InputError

LARGEST_SEED = 2**32 - 1
M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8  # of malloc.h
LARGE = 262_144  # bytes

Pipeline = TypeVar("Pipeline")

_LOADING = Lock()  # callers who come together wait for one loading instead of each starting their own


@dataclass(frozen=True)
class Facts:
    """What a page tells about a network: `figures` are those of its card, on the test split; `accuracy` one of them."""

    architecture: str
    parameters: int
    figures: dict[str, float]
    provenance: hub.Provenance
    weights: Path

    @property
    def accuracy(self) -> float | None:
        """None where the card does not say."""
        return self.figures.get("accuracy")

    @classmethod
    def of(cls, net: Model) -> "Facts":
        """Those of a network that was loaded."""
        folder = net.provenance.folder
        return cls(type(net).__name__, net.parameter_count, hub.figures(folder), net.provenance, folder / hub.WEIGHTS)


def loaded(source: str | Path, names: Sequence[str]) -> Model:
    """The network of a source, for inference. Raises ValueError if it has no weights, or is none such as `names`."""
    net = models.load(source).to(memory_format=torch.channels_last).requires_grad_(False)
    if not isinstance(net, tuple({architecture(name) for name in names})):
        raise ValueError(f"{source} does something else: choose one of {', '.join(names)}.")
    return net


def fused(net: Model) -> Model:
    """The same network with each batch norm in the convolution before it, sooner done so (Jacob et al. 2018, 3.2).

    It is a copy, on the processor and in eval mode; the network itself, as it is, where it has no such norm.
    """
    copy = deepcopy(net).cpu().eval()
    pairs = [
        (module, name, after)
        for module in copy.modules()
        for name, after in pairwise(module._modules)
        if isinstance(module._modules[name], nn.Conv2d) and isinstance(module._modules[after], nn.BatchNorm2d)
    ]
    for module, name, after in pairs:
        module._modules[name] = fuse_conv_bn_eval(module._modules[name], module._modules[after])
        module._modules[after] = nn.Identity()
    return copy if pairs else net


@cache
def _shared(pipeline: type[Pipeline], name: str) -> Pipeline:
    return pipeline(name)


def shared(pipeline: type[Pipeline], name: str) -> Pipeline:
    """The pipeline of a registered network, loaded once. Raises ValueError as its class does."""
    with _LOADING:
        return _shared(pipeline, name)


def share_heaps() -> None:
    """Let all threads allocate from two heaps, of which the C library of Linux keeps eight for each core otherwise.

    Each keeps what its threads have freed: 64 callers of a classifier left 1.2 GB, and leave 0.9. What is large stays
    out of them, so that it is given back when it is freed: among it the small things that stay would hold it.
    """
    with suppress(AttributeError, OSError, TypeError):
        library = ctypes.CDLL(None)
        library.mallopt(M_ARENA_MAX, 2)
        library.mallopt(M_MMAP_THRESHOLD, LARGE)


def release() -> None:
    """Give memory that was freed back to the system, which the C library of Linux keeps for a later need."""
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def whole(code: str, value: Any, low: int, high: int) -> int:
    """A whole number within limits; 7.0 is one. Raises InputError(code) for anything else."""
    if isinstance(value, bool) or not isinstance(value, Real) or not low <= value <= high or value != int(value):
        raise InputError(code, f"The {code} must be a whole number from {low} to {high}.", low=low, high=high)
    return int(value)


def number(code: str, value: Any, low: float, high: float) -> float:
    """A number within limits. Raises InputError(code) for anything else."""
    if isinstance(value, bool) or not isinstance(value, Real) or not low <= value <= high or math.isnan(value):
        raise InputError(
            code, f"The {code} must be a number from {low:g} to {high:g}.", low=f"{low:g}", high=f"{high:g}"
        )
    return float(value)
