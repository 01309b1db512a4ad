"""`list`: the models there are."""

import argparse

import torch

import models
from models import hub


def run(args: argparse.Namespace) -> int:
    """One line a model, with the main one of the figures that its card tells."""
    for name in models.names():
        with torch.device("meta"):  # to count parameters takes no memory
            net = models.create(name)
        known = "no checkpoint"
        for result in hub.results(hub.CHECKPOINTS / name)[:1]:
            form = ".2%" if result.metric_type == "accuracy" else ".4g"
            known = f"{result.metric_name} {result.metric_value:{form}}"
        print(f"{name:20} {net.task:20} {net.parameter_count:>9,} parameters  {known}")
    return 0
