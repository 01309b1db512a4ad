"""What a recipe is: every hyper-parameter of a training, with its limits, and the same as a file."""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

from train.data.augmentation import Augment

LARGEST = sys.float_info.max  # also of the whole numbers that a file has for a float


class Limit(NamedTuple):
    """What a setting may be: in words, and as a test of a value that has the right type."""

    words: str
    allows: Callable[[Any], bool]


def whole(low: int, high: int) -> Limit:
    """A whole number within these limits."""
    return Limit(f"a whole number from {low} to {high}", lambda value: low <= value <= high)


Count = Annotated[int, whole(1, 2**31 - 1)]
Amount = Annotated[float, Limit("a number of 0 or more", lambda value: 0 <= value <= LARGEST)]
Positive = Annotated[float, Limit("a number above 0", lambda value: 0 < value <= LARGEST)]
Share = Annotated[float, Limit("a number from 0 to 1", lambda value: 0 <= value <= 1)]
BelowOne = Annotated[float, Limit("a number from 0 to below 1", lambda value: 0 <= value < 1)]
BY_TYPE: dict[type, Limit] = {
    str: Limit("text", lambda value: True),
    bool: Limit("true or false", lambda value: True),
    float: get_args(Amount)[1],
    Augment: Limit("an object of settings", lambda value: True),
}


@dataclass(frozen=True)
class Recipe:
    """How a model is trained. A family's own settings are those of a subclass.

    Attributes:
        dataset: the Hub dataset it was made for.
        epochs, batch_size, lr, optimizer, seed: as everywhere; `batch_size` is what one step of the optimiser sees,
            over all processes.
        accumulation: parts in which a process works through its share of a batch, for when memory is short.
        weight_decay: on weight matrices and kernels only, not on biases and norms.
        warmup: share of all steps in which the learning rate rises linearly to `lr`.
        schedule: "constant", or "cosine" down to zero after the warm-up.
        clip: largest norm of the gradient.
        ema: decay of the running average of the weights, which then is what is evaluated and published.
        augment: applied to every training batch.
        patience: stop after so many epochs without a better validation score.
        keep_best: publish the epoch with the best validation score instead of the last.
        mixed_precision: "bf16" where the hardware is fast at it, "no" to stay in float32.
        source: where the numbers come from, for the card.
    """

    dataset: str
    epochs: Count
    batch_size: Count
    lr: Positive
    optimizer: Literal["sgd", "rmsprop", "adam", "adam-wgan", "adamw", "muon"]
    source: str
    seed: Annotated[int, whole(0, 2**63 - 1)] = 0
    accumulation: Count = 1
    weight_decay: Amount = 0.0
    warmup: BelowOne = 0.0
    schedule: Literal["constant", "cosine"] = "constant"
    clip: Positive | None = None
    ema: BelowOne | None = None
    augment: Augment | None = None
    patience: Count | None = None
    keep_best: bool = False
    mixed_precision: Literal["no", "bf16"] = "no"


Fields = TypeVar("Fields", Recipe, Augment)


def recipe_json(recipe: Recipe) -> str:
    """All settings of a recipe, those of its augmentation too, as JSON that `read_recipe` reads."""
    return json.dumps(asdict(recipe), indent=2) + "\n"


def read_recipe(file: Path, base: Recipe) -> Recipe:
    """`base` with what a JSON file says otherwise; its format is that of `recipe_json`, all or some of the keys.

    What an augmentation does not name is as in `base`, or does nothing where `base` has none.

    Raises:
        ValueError: one sentence: the file cannot be read, or a key or its value is not allowed.
    """
    try:
        given = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{file} cannot be read ({error.strerror}).") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file} is not JSON ({error}).") from error
    try:
        return _override(base, given)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error


def mistakes(recipe: Recipe) -> list[str]:
    """A sentence for each setting that is not within its limits."""
    hints = get_type_hints(type(recipe), include_extras=True)
    found = (_mistake(name, getattr(recipe, name), hint) for name, hint in hints.items())
    return [sentence for sentence in found if sentence]


def _override(base: Fields, given: Any) -> Fields:
    hints = get_type_hints(type(base), include_extras=True)
    if not isinstance(given, dict):
        raise ValueError(f"expected an object with some of the keys {', '.join(hints)}.")
    if unknown := [name for name in given if name not in hints]:
        raise ValueError(f"there is no setting {unknown[0]!r}; known are {', '.join(hints)}.")
    values = {}
    for name, value in given.items():
        if Augment in get_args(hints[name]) and isinstance(value, dict):
            nothing = Augment(**dict.fromkeys((field.name for field in fields(Augment)), 0.0))
            value = _override(getattr(base, name) or nothing, value)
        if mistake := _mistake(name, value, hints[name]):
            raise ValueError(mistake)
        values[name] = float(value) if type(value) is int and _declared(hints[name])[0] is float else value
    return replace(base, **values)


def _mistake(name: str, value: Any, hint: Any) -> str | None:
    kind, limit, optional = _declared(hint)
    if value is None and optional:
        return None
    right_type = type(value) is kind or (type(value) is int and kind is float)
    if value is not None and right_type and limit.allows(value):
        return None
    return f"{name} must be {limit.words}{' or null' if optional else ''}, not {json.dumps(value)}."


def _declared(hint: Any) -> tuple[type, Limit, bool]:
    """What a hint such as `Count | None` says: the type, what is allowed, and whether None is."""
    optional = NoneType in get_args(hint)
    if optional:
        hint = next(one for one in get_args(hint) if one is not NoneType)
    if get_origin(hint) is Literal:
        words = get_args(hint)
        return str, Limit(f"one of {', '.join(words)}", lambda value: value in words), optional
    if get_origin(hint) is Annotated:
        return *get_args(hint)[:2], optional
    return hint, BY_TYPE[hint], optional
