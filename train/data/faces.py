"""Aligned faces: a dataset of pictures that all have the face in the same place."""

import torch

from models.networks.inpainters import SIZE
from train.data import tables
from train.data.digits import decode, gathered, image_column
from train.data.splits import Data, Split


def load(name: str, config: str | None = None, revision: str | None = None, column: str | None = None) -> Data:
    """Read a dataset of faces in colour, cut square around the middle and scaled to 128x128; all labels are 0.

    Args:
        name, config, revision: as for `data.load`; there are no folders for classes.
        column: that of the images; without it the only one.

    Raises:
        ValueError: one sentence on what cannot be read or does not fit, and what to do.
    """

    def split(table, where: str) -> Split:
        images, kept = decode(table, where, image_column(table, where, column), mode="RGB", size=SIZE)
        return Split(images, torch.zeros(len(kept), dtype=torch.int64))

    return gathered(name, tables.read(name, config, revision, classes=False), split)
