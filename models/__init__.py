"""The networks: `names()` lists them, `load(name)` gives one that is trained, `create(name)` a fresh one."""

import os
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from models import hub
from models.base import Model, architecture, create, names, read
from models.hub import Provenance

# Importing networks registers them, in this order.
for _module in ("classifiers", "autoencoders", "vae", "gan", "denoisers", "inpainters", "points", "readers"):
    import_module(f"models.networks.{_module}")

__all__ = ["Model", "Provenance", "create", "load", "names"]
__version__ = "1.0.0"  # of what is published: the tag of every model on the Hub


def load(source: str | Path) -> Model:
    """A trained network in eval mode, float32, on the CPU; `net.provenance` tells where its weights came from.

    Args:
        source: a registered name, a checkpoint folder, or a Hub repository `NAMESPACE/NAME`. For a name, the sources
            are asked in turn (see `hub.sources`) and the first whose weights are sound is used; why an earlier one was
            not is in `net.provenance.notes`.

    Raises:
        ValueError: no source has sound weights. Random weights are never given instead.
    """
    if str(source) not in names():
        if os.path.isdir(source) or "/" in str(source):
            return Model.from_pretrained(source)
        architecture(str(source))  # raises, naming what there is
    notes: list[str] = []
    for fetch in hub.sources(str(source)):
        try:
            net = read(fetch())
            if not isinstance(net, architecture(str(source))):
                raise ValueError(f"{net.provenance.folder} holds a {type(net).__name__}, which is not {source}.")
        except ValueError as error:
            notes.append(str(error))
        else:
            net.provenance = replace(net.provenance, notes=(*notes, *net.provenance.notes))
            return net
    raise ValueError(f"There are no weights for {source}: {' '.join(notes)} Train it: python -m train fit {source}.")
