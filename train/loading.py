"""The ways in that a card shows: torch and safetensors alone, onnxruntime alone, this library."""

import json
import re
from pathlib import Path

import torch

from models import base, hub
from models.base import Model
from train import export
from train.standalone import script
from train.tasks import TASKS

# Of a card, to the end of the last way in; what somebody wrote below is no part of it.
SECTION = re.compile(r"^## Load it\n.*?(?:^net = models\.load\([^\n]*\n```(?:\n|\Z)|\Z)", re.MULTILINE | re.DOTALL)
NOBODY = "NAMESPACE"  # stands for whoever publishes


def section(name: str, net: Model, repo_id: str | None = None) -> str:
    """The part of a card on loading: three ways, each of which runs as it stands.

    Args:
        name: the registered one.
        net: such a network; its weights do not matter.
        repo_id: the repository that the card stands in; None where it stands in a folder of ours.
    """
    source = repo_id or name
    ours = "or a folder" if repo_id else f'or a folder, or "{NOBODY}/{name}" on the Hub'
    repo_id = repo_id or f"{NOBODY}/{name}"
    return f"""## Load it

With nothing but `torch` and `safetensors`, in an empty folder:

    hf download {repo_id} {hub.CONFIG} {hub.WEIGHTS} --local-dir .

```python
{script(type(net), TASKS[name].usage(net))}
```

With nothing but `onnxruntime`, in Python or in a browser:

    hf download {repo_id} {export.GRAPH} --local-dir .

```python
{export.script(net)}
```

With Latent Lab, in a clone of it, where `python -m train export {source}` makes that file too:

```python
import models

net = models.load("{source}")  # {ours}
```
"""


def below(text: str) -> str:
    """What somebody wrote on a card below the ways in."""
    found = SECTION.search(text)
    return text[found.end() :] if found else ""


def renewed(text: str, name: str, folder: Path, repo_id: str | None = None) -> str:
    """The text of a folder's card as this code and that repository have it; one that tells nothing of loading stays.

    Raises ValueError and OSError if the folder's config cannot be read.
    """
    if not SECTION.search(text):
        return text
    with torch.device("meta"):  # what it is takes no memory
        net = base.build(json.loads((folder / hub.CONFIG).read_text(encoding="utf-8")))
    told = section(name, net, repo_id)
    return SECTION.sub(lambda _: told, text)
