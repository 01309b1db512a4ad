"""`push NAME NAMESPACE/NAME`: a checkpoint folder to the Hub, and its pin."""

import argparse

from models import hub
from train.commands import arguments
from train.commands.publishing import model
from train.commands.publishing.lock import alone


def run(args: argparse.Namespace) -> int:
    """Upload a folder and pin it."""
    folder = arguments.upload(args)
    with alone():
        hub.prepare_push(args.repo_id, private=args.private)
        revision = model.push(args.name, folder, args.repo_id)
        hub.pin(args.name, args.repo_id, revision, folder)
    print(f"pushed {folder} to {args.repo_id} at {revision}; pinned in checkpoints/hub.json")
    return 0
