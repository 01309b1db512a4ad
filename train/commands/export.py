"""`export NAME`: a trained model as one ONNX file."""

import argparse

from models import hub
from train import export
from train.commands import arguments


def run(args: argparse.Namespace) -> int:
    """Make the file where there is none of these weights yet, and tell where it is."""
    folder = hub.fetch(args.name).folder if "/" in args.name else arguments.folder(args)
    file = export.made(folder)
    size = f"{file.stat().st_size / 1e6:.1f} MB"
    print(f"{args.name}: {file}, {size}, opset {export.OPSET}, within {export.TOLERANCE} of torch")
    return 0
