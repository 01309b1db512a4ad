"""A recipe as a file, and the limits of what a recipe can say."""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, fields, replace
from pathlib import Path
from types import NoneType
from typing import Any, TypeVar, get_args, get_type_hints

from models.networks.inpainters import SIZE
from train.data.augmentation import Augment
from train.engine.optimizers import OPTIMIZERS
from train.recipes import PATCH, SMALLEST, Recipe

Fields = TypeVar("Fields", Recipe, Augment)
LARGEST = sys.float_info.max  # also of the whole numbers that a file has for a float
Rule = tuple[str, Callable[[Any], bool]]  # what is allowed, in words and as a test of a value of the right type


def _whole(low: int, high: int) -> Rule:
    return f"a whole number from {low} to {high}", lambda value: low <= value <= high


def _one_of(*names: str) -> Rule:
    return f"one of {', '.join(names)}", lambda value: value in names


COUNT = _whole(1, 2**31 - 1)
ABOVE_ZERO: Rule = ("a number above 0", lambda value: 0 < value <= LARGEST)
SHARE: Rule = ("a number from 0 to 1", lambda value: 0 <= value <= 1)
BELOW_ONE: Rule = ("a number from 0 to below 1", lambda value: 0 <= value < 1)
RULES: dict[str, Rule] = {
    "epochs": COUNT,
    "batch_size": COUNT,
    "accumulation": COUNT,
    "patience": COUNT,
    "critic_steps": COUNT,
    "patch": _whole(16, PATCH),
    "largest": _whole(SMALLEST, SIZE),
    "seed": _whole(0, 2**63 - 1),
    "lr": ABOVE_ZERO,
    "clip": ABOVE_ZERO,
    "warmup": BELOW_ONE,
    "kl_warmup": BELOW_ONE,
    "label_smoothing": BELOW_ONE,
    "ema": BELOW_ONE,
    "grey": SHARE,
    "camera": SHARE,
    "clipped": SHARE,
    "optimizer": _one_of(*OPTIMIZERS),
    "schedule": _one_of("constant", "cosine"),
    "mixed_precision": _one_of("no", "bf16"),
}
RULES_BY_TYPE: dict[type, Rule] = {
    str: ("text", lambda value: True),
    bool: ("true or false", lambda value: True),
    float: ("a number of 0 or more", lambda value: 0 <= value <= LARGEST),
    Augment: ("an object of settings", lambda value: True),
}


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
    hints = get_type_hints(type(recipe))
    found = (_mistake(name, getattr(recipe, name), hint) for name, hint in hints.items())
    return [sentence for sentence in found if sentence]


def _override(base: Fields, given: Any) -> Fields:
    hints = get_type_hints(type(base))
    if not isinstance(given, dict):
        raise ValueError(f"expected an object with some of the keys {', '.join(hints)}.")
    values = {}
    for name, value in given.items():
        if name not in hints:
            raise ValueError(f"there is no setting {name!r}; known are {', '.join(hints)}.")
        if Augment in get_args(hints[name]) and isinstance(value, dict):
            nothing = Augment(**dict.fromkeys((field.name for field in fields(Augment)), 0.0))
            value = _override(getattr(base, name) or nothing, value)
        if mistake := _mistake(name, value, hints[name]):
            raise ValueError(mistake)
        whole = type(value) is int and int not in _types(hints[name])
        values[name] = float(value) if whole else value
    return replace(base, **values)


def _mistake(name: str, value: Any, hint: Any) -> str | None:
    types = _types(hint)
    words, allowed = RULES.get(name) or RULES_BY_TYPE[types[0]]
    if value is None and NoneType in types:
        return None
    right_type = type(value) in types or (type(value) is int and float in types)
    if value is not None and right_type and allowed(value):
        return None
    alternative = " or null" if NoneType in types else ""
    return f"{name} must be {words}{alternative}, not {json.dumps(value)}."


def _types(hint: Any) -> tuple[type, ...]:
    """The types that a hint such as `float | None` allows."""
    return get_args(hint) or (hint,)
