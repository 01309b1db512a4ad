"""`push NAME NAMESPACE/NAME`: a checkpoint folder to the Hub, and its pin."""

import argparse

from models import hub
from models.hub import repository
from train.commands import arguments
from train.commands.publishing import model
from train.commands.publishing.lock import alone


def run(args: argparse.Namespace) -> int:
    """Upload a folder and pin it."""
    folder = arguments.upload(args)
    with alone():
        model.expect_card(args.name, folder, args.repo_id)
        hub.prepare_push(args.repo_id, private=args.private)
        before = repository.head(args.repo_id)
        if not args.force:
            model.expect_ours(args.name, args.repo_id, before, "--force")
        revision = model.push(args.name, folder, args.repo_id, before)
        hub.pin(args.name, args.repo_id, revision, folder)
    same = before and before.commit == revision
    done = f"nothing changed: {args.repo_id} holds {folder} already" if same else f"pushed {folder} to {args.repo_id}"
    print(f"{done}, at {revision}; pinned in checkpoints/hub.json")
    return 0
