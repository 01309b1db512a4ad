"""`diff A B`: whether two checkpoints have the same tensors, and how far apart they are."""

import argparse

import models


def run(args: argparse.Namespace) -> int:
    """Print each tensor that differs. Returns 0 where all are the same, else 1, as the command of that name does."""
    first, second = (models.load(source).state_dict() for source in (args.first, args.second))
    different = 0
    for name in sorted(first.keys() | second.keys()):
        one, other = first.get(name), second.get(name)
        if one is None or other is None:
            told = f"only in {args.second if one is None else args.first}"
        elif one.shape != other.shape:
            told = f"shape {tuple(one.shape)}, {tuple(other.shape)}"
        elif (one != other).any():
            apart = (one.double() - other.double()).abs()
            told = f"largest difference {apart.max().item():.3g}, mean {apart.mean().item():.3g}"
        else:
            continue
        different += 1
        print(f"{name:40} {told}")
    print(f"{different} of {len(first.keys() | second.keys())} tensors differ" if different else "the same tensors")
    return 1 if different else 0
