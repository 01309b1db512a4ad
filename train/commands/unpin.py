"""`unpin [NAME]`: the app uses what is in `checkpoints/` again, and asks no Hub."""

import argparse

from models import hub
from train.commands.publishing.lock import alone


def run(args: argparse.Namespace) -> int:
    """Take one pin back, or all."""
    if args.name is None and not (hub.CHECKPOINTS / hub.PINS).exists():
        print("Nothing is pinned: there is nothing to take back.")
        return 0
    with alone():
        hub.unpin(args.name)
    print(f"{args.name or 'All models'}: no longer pinned in checkpoints/hub.json")
    return 0
