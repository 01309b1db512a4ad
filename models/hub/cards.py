"""What a checkpoint folder's card tells programs."""

import math
from pathlib import Path

from huggingface_hub import EvalResult, ModelCard
from yaml import YAMLError

CARD = "README.md"


def results(folder: Path) -> list[EvalResult]:
    """The test figures on a folder's card in the card's order, the main one first; empty without a readable card."""
    try:
        found = ModelCard.load(folder / CARD).data.eval_results or []
    except (OSError, ValueError, YAMLError):
        return []
    numbers = (result for result in found if isinstance(result.metric_value, int | float))
    return [result for result in numbers if math.isfinite(result.metric_value)]


def model_name(folder: Path) -> str | None:
    """What a folder's card calls the network; None without a readable card, or one that does not say."""
    try:
        return ModelCard.load(folder / CARD).data.model_name
    except (OSError, ValueError, YAMLError):
        return None


def figures(folder: Path) -> dict[str, float]:
    """The same by metric type (`accuracy`, ...)."""
    return {result.metric_type: result.metric_value for result in results(folder)}
