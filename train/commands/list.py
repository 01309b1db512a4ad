"""`list`: the models there are."""

import argparse
import json
from typing import Any

import torch

import models
from models import hub
from train.tasks import RECIPES


def run(args: argparse.Namespace) -> int:
    """A line for each model: task, size, where it is from, the main one of its card's figures, where it is pinned."""
    pins = hub.pins()
    told = [_about(name, pins) for name in models.names()]
    if args.json:
        print(json.dumps(told, indent=2, ensure_ascii=False))
        return 0
    for one in told:
        pin = f"  {one['pin']['repo_id']} @ {one['pin']['revision'][:7]}" if one["pin"] else ""
        print(
            f"{one['name']:20} {one['task']:20} {one['parameters']:>9,} parameters  {one['main'] or 'no checkpoint':32}"
            f"  {one['source']}{pin}"
        )
    return 0


def _about(name: str, pins: dict[str, dict[str, str]]) -> dict[str, Any]:
    """What is known of a model without loading it."""
    with torch.device("meta"):  # to count parameters takes no memory
        net = models.create(name)
    results = hub.results(hub.CHECKPOINTS / name)
    main = None
    for result in results[:1]:
        form = ".2%" if result.metric_type == "accuracy" else ".4g"
        main = f"{result.metric_name} {result.metric_value:{form}}"
    return {
        "name": name,
        "task": net.task,
        "parameters": net.parameter_count,
        "source": RECIPES[name].source,
        "main": main,
        "figures": {result.metric_type: result.metric_value for result in results},
        "pin": pins.get(name),
    }
