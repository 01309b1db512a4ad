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

SECTION = re.compile(r"^## Load it\n.*\Z", re.MULTILINE | re.DOTALL)  # of a card, its last
NOBODY = "NAMESPACE"  # stands for whoever publishes


def section(name: str, net: Model, namespace: str = NOBODY) -> str:
    """The part of a card on loading: three ways, each of which runs as it stands.

    Args:
        name: the registered one.
        net: such a network; its weights do not matter.
        namespace: whose repository it is.
    """
    repo_id = f"{namespace}/{name}"
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

With Latent Lab, in a clone of it, where `python -m train export {name}` makes that file too:

```python
import models

net = models.load("{name}")  # or a folder, or "{repo_id}" on the Hub
```
"""


def renewed(text: str, name: str, folder: Path, namespace: str) -> str:
    """The text of a folder's card as this code and that namespace have it; one that tells nothing of loading stays.

    Raises ValueError and OSError if the folder's config cannot be read.
    """
    if not SECTION.search(text):
        return text
    with torch.device("meta"):  # what it is takes no memory
        net = base.build(json.loads((folder / hub.CONFIG).read_text(encoding="utf-8")))
    told = section(name, net, namespace)
    return SECTION.sub(lambda _: told, text)
