"""Model: an `nn.Module` that knows its config, and the register of all there are."""

import math
import tempfile
from collections.abc import Callable
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import nn

from models import hub
from models.hub import Provenance

FORMAT_VERSION = 1
MAX_PARAMETERS = 20_000_000
MAX_LIST = 8

_NAMES: dict[str, tuple[type["Model"], dict[str, Any]]] = {}
_ARCHITECTURES: dict[str, type["Model"]] = {}


Limit = tuple[float, float] | set[str] | type[bool]


class Model(nn.Module):
    """A network that can be rebuilt from its config alone.

    A subclass passes every keyword of its constructor on to `super().__init__`, which checks them against `limits`
    before anything is built. A limit is a pair (smallest, largest) of numbers, a set of words to choose from, or
    `bool`; a list of numbers is held to the limit one by one.

    Attributes:
        task: what the network does; set by `register`.
        stored: the type of its weights in a file; loaded they are float32. float16 keeps large ones below 10 MB.
        kwargs: what it was built with.
        provenance: where its weights came from; None for fresh, random weights.
    """

    task: ClassVar[str]
    stored: ClassVar[torch.dtype] = torch.float32
    limits: ClassVar[dict[str, Limit]] = {}

    def __init__(self, **kwargs: Any):
        super().__init__()
        check_kwargs(type(self), kwargs)
        self.kwargs = kwargs
        self.provenance: Provenance | None = None

    @property
    def config(self) -> dict[str, Any]:
        """What `config.json` holds: enough to build the network again."""
        return {
            "architecture": type(self).__name__,
            "task": self.task,
            "format_version": FORMAT_VERSION,
            "kwargs": self.kwargs,
        }

    @property
    def parameter_count(self) -> int:
        return sum(parameter.numel() for parameter in self.parameters())

    @classmethod
    def from_pretrained(cls, source: str | Path, *, revision: str | None = None, token: str | None = None) -> Self:
        """Load a checkpoint folder, or a Hub repository `NAMESPACE/NAME`, in eval mode and float32.

        Raises:
            ValueError: the source is not there, or does not hold exactly such a network.
        """
        net = read(hub.fetch(source, revision=revision, token=token))
        if not isinstance(net, cls):
            raise ValueError(f"{source} holds a {type(net).__name__}, not a {cls.__name__}: use {type(net).__name__}.")
        return net

    def save_pretrained(self, folder: str | Path) -> None:
        """Write `config.json` and `model.safetensors` into `folder`; other files there, the card too, stay."""
        tensors = self.state_dict().items()
        stored = {name: one.to(self.stored) if one.is_floating_point() else one for name, one in tensors}
        hub.write(Path(folder), self.config, stored)

    def push_to_hub(self, repo_id: str, *, private: bool = False, token: str | None = None) -> str:
        """Upload config and weights as one commit; a card that is there stays. Returns the commit's sha."""
        hub.prepare_push(repo_id, private=private, token=token)
        with tempfile.TemporaryDirectory() as folder:
            self.save_pretrained(folder)
            return hub.push(Path(folder), repo_id, keep_others=True, token=token)


def register(name: str, *, task: str, **kwargs: Any) -> Callable[[type[Model]], type[Model]]:
    """Class decorator: `name` is this architecture built with `kwargs`. One class may carry several names."""

    def add(cls: type[Model]) -> type[Model]:
        cls.task = task
        _NAMES[name] = (cls, kwargs)
        _ARCHITECTURES[cls.__name__] = cls
        return cls

    return add


def names(task: str | None = None) -> list[str]:
    """The registered names, in the order they were described; of one task where `task` is given."""
    return [name for name, (cls, _) in _NAMES.items() if task in (None, cls.task)]


def architecture(name: str) -> type[Model]:
    """The class behind a registered name. Raises ValueError for an unknown one, naming those there are."""
    if name not in _NAMES:
        near = get_close_matches(name, _NAMES, n=1, cutoff=0.8)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise ValueError(f"There is no model named {name!r}{hint}: choose one of {', '.join(_NAMES)}.")
    return _NAMES[name][0]


def create(name: str, **kwargs: Any) -> Model:
    """A fresh network with random weights. `kwargs` override what the name stands for."""
    cls = architecture(name)
    return cls(**{**_NAMES[name][1], **kwargs})


def check_kwargs(cls: type[Model], kwargs: dict[str, Any]) -> None:
    """Hold every value to `cls.limits`. Raises ValueError on the first that is unknown, missing or out of bounds."""
    if set(kwargs) != set(cls.limits):
        wrong = ", ".join(sorted(set(kwargs) ^ set(cls.limits)))
        raise ValueError(f"{cls.__name__} takes exactly {sorted(cls.limits)}: unknown or missing {wrong}.")
    for key, value in kwargs.items():
        limit = cls.limits[key]
        many = isinstance(value, list | tuple) and isinstance(limit, tuple)
        if many and not 1 <= len(value) <= MAX_LIST:
            raise ValueError(f"{cls.__name__}: {key} must hold 1 to {MAX_LIST} values.")
        for item in value if many else [value]:
            if not _within(item, limit):
                raise ValueError(f"{cls.__name__}: {key} must be {_allowed(limit)}, not {item!r:.40}.")


def _allowed(limit: Limit) -> str:
    if limit is bool:
        return "true or false"
    return f"one of {sorted(limit)}" if isinstance(limit, set) else f"between {limit[0]} and {limit[1]}"


def _within(value: Any, limit: Limit) -> bool:
    if limit is bool:
        return isinstance(value, bool)
    if isinstance(limit, set):
        return isinstance(value, str) and value in limit
    # The type of the smallest value tells whole numbers (widths) from rates; True is an int to Python, not to us.
    kinds = int if isinstance(limit[0], int) else (int, float)
    return isinstance(value, kinds) and not isinstance(value, bool) and limit[0] <= value <= limit[1]


def build(config: Any) -> Model:
    """Build the network that a config describes, with random weights.

    The whole config is checked before anything is allocated: a file from a stranger may lie, or ask for more memory
    than there is.

    Raises:
        ValueError: unknown architecture or key, a value out of bounds, more than `MAX_PARAMETERS`.
    """
    keys = {"architecture", "task", "format_version", "kwargs"}
    if not isinstance(config, dict) or set(config) != keys or not isinstance(config["kwargs"], dict):
        raise ValueError(f"The config must be an object with exactly the keys {', '.join(sorted(keys))}.")
    if type(config["format_version"]) is not int or config["format_version"] != FORMAT_VERSION:
        raise ValueError(f"The config has format {config['format_version']!r:.40}; this code reads {FORMAT_VERSION}.")
    cls = _ARCHITECTURES.get(str(config["architecture"]))
    if cls is None:
        raise ValueError(f"The config names an unknown architecture, {config['architecture']!r:.40}.")
    if config["task"] != cls.task:
        raise ValueError(f"The config says the task of {cls.__name__} is {config['task']!r:.40}; it is {cls.task!r}.")
    check_kwargs(cls, config["kwargs"])
    try:
        with torch.device("meta"):  # shapes without memory
            size = cls(**config["kwargs"]).parameter_count
    except (RuntimeError, TypeError, IndexError) as error:
        raise ValueError(f"The config's values do not make a {cls.__name__}: {error}") from error
    if size > MAX_PARAMETERS:
        raise ValueError(f"The config asks for {size:,} parameters; at most {MAX_PARAMETERS:,} are built.")
    return cls(**config["kwargs"])


def read(provenance: Provenance) -> Model:
    """The network in `provenance.folder`, in eval mode, float32, with provenance and sha256 filled in.

    Strict: every tensor of the network is in the file with its shape and finite, and nothing else is.

    Raises:
        ValueError: one sentence naming the folder and what is wrong with it.
    """
    folder = provenance.folder
    try:
        config, tensors, sha256 = hub.read(folder)
        net = build(config)
        _check_tensors(net.state_dict(), tensors)
    except ValueError as error:
        raise ValueError(f"{provenance.repo_id or folder}: {error}") from error
    net.load_state_dict(tensors, strict=True)
    net.provenance = replace(provenance, sha256=sha256)
    return net.float().eval()


def _check_tensors(wanted: dict[str, torch.Tensor], found: dict[str, torch.Tensor]) -> None:
    for problem, names_ in (("lack", wanted.keys() - found.keys()), ("hold an unknown", found.keys() - wanted.keys())):
        if names_:
            raise ValueError(f"the weights {problem} tensor {sorted(names_)[0]} ({len(names_)} in all).")
    for name, tensor in found.items():
        if tensor.shape != wanted[name].shape:
            shapes = f"{tuple(tensor.shape)}, the config says {tuple(wanted[name].shape)}"
            raise ValueError(f"the tensor {name} has shape {shapes}.")
        if tensor.is_floating_point() != wanted[name].is_floating_point():
            raise ValueError(f"the tensor {name} has type {tensor.dtype}, which does not fit {wanted[name].dtype}.")
        if tensor.is_floating_point() and not math.isfinite(tensor.float().sum().item()):
            raise ValueError(f"the tensor {name} holds values that are not finite.")


def fast_bf16() -> bool:
    """Whether this processor computes faster in bfloat16, numbers of 16 bits."""
    # What the processor can do is not enough: torch may have been told to make less of it, and then lacks the kernels.
    if not torch.backends.cpu.get_cpu_capability().startswith("AVX512"):
        return False
    abilities = torch.cpu.get_capabilities()
    return bool(abilities.get("amx_bf16") or abilities.get("avx512_bf16"))
