"""The Space that serves the models: what its repository holds, and the head of its README."""

import re
from pathlib import Path
from typing import Any

import yaml
from huggingface_hub import ModelCard, hf_hub_url

import models
from models import hub
from models.hub.failures import PaymentRequired
from models.hub.repository import Content, Head
from train import loading
from train.commands.publishing import model

ROOT = Path(models.__file__).resolve().parent.parent
CODE = ("app.py", "tabs", "models", "requirements.txt", "LICENSE")
THUMBNAIL = "checkpoints/mnist-cvae/samples.png"
ZERO = "zero-a10g"  # how the Hub calls ZeroGPU
ZERO_PYTHON, ZERO_TORCH = "3.12.12", "2.11.0"  # of those that ZeroGPU has
SECTIONS = ("Run", "Load", "Licence")  # of the README, those that are of use in a Space, beside its beginning
ADDRESS = "http://127.0.0.1:7860"  # of the app in it
PICTURE = re.compile(r"^!\[.*\]\(\.github/.*\)\n\n", re.MULTILINE)  # of the README, which a Space has not


def files(space_id: str, *, slim: bool, hardware: str | None, private: bool) -> dict[str, Content]:
    """Path -> what a Space needs to serve the models as they are pinned now: neither tests nor training, nor data.

    Args:
        space_id: NAMESPACE/NAME.
        slim: leave out the weights of what is pinned, which come from the Hub.
        hardware: `ZERO` for a Space that fits ZeroGPU.
        private: whether the models are, so that a Space cannot be built with them.
    """
    found: dict[str, Content] = {}
    left = {f"{hub.CHECKPOINTS.name}/{name}/{hub.WEIGHTS}" for name in hub.pins()} if slim else set()
    code = [file for name in CODE for file in [ROOT / name, *sorted((ROOT / name).rglob("*"))]]
    folders = [hub.CHECKPOINTS / name for name in models.names()]
    trained = [file for folder in folders if folder.is_dir() for file in hub.files(folder)]
    for root, wanted in ((ROOT, code), (hub.CHECKPOINTS.parent, [*trained, hub.CHECKPOINTS / hub.PINS])):
        for file in wanted:
            path = file.relative_to(root).as_posix()
            if file.is_file() and _is_published(path) and path not in left:
                found[path] = file
    for name, pin in hub.pins().items():  # as they are in the repositories
        if (path := f"{hub.CHECKPOINTS.name}/{name}/{hub.CARD}") in found:
            found[path] = model.card(name, hub.CHECKPOINTS / name, pin["repo_id"])
    if hardware == ZERO:
        text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
        found["requirements.txt"] = re.sub(r"(?m)^torch==.*$", f"torch=={ZERO_TORCH}", text).encode()
    found["README.md"] = _readme(space_id, found, hardware, private)
    return found


def _is_published(path: str) -> bool:
    parts = path.split("/")
    return not any(part.startswith(".") or part == "__pycache__" for part in parts) and not path.endswith(
        (".pyc", ".pyi", ".lock")  # Gradio writes stubs beside components
    )


def _readme(space_id: str, found: dict[str, Content], hardware: str | None, private: bool) -> bytes:
    """What of the README is true in a Space of somebody's, with what only such a one has in its head."""
    _, head, body = (ROOT / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    pins = hub.pins()
    settings: dict[str, Any] = yaml.safe_load(head)
    settings |= {"models": [pins[name]["repo_id"] for name in models.names() if name in pins]}
    settings |= {"datasets": _datasets()}
    if THUMBNAIL in found:
        settings["thumbnail"] = hf_hub_url(space_id, THUMBNAIL, repo_type="space")
    if not private:  # while a Space is built it has no token
        wanted = ",".join((hub.CONFIG, hub.WEIGHTS, hub.CARD))
        order = [pins[name] for name in models.names() if name in pins]
        settings["preload_from_hub"] = [f"{pin['repo_id']} {wanted} {pin['revision']}" for pin in order]
    if hardware == ZERO:
        settings["python_version"] = ZERO_PYTHON
    told = yaml.safe_dump(settings, sort_keys=False, allow_unicode=True, width=1000)
    first, *sections = re.split(r"(?m)^## (?=\w)", PICTURE.sub("", body))
    text = first + "".join(f"## {one}" for one in sections if one.partition("\n")[0] in SECTIONS)
    text = text.replace(f'"{ADDRESS}"', f'"{space_id}"').replace(f"{loading.NOBODY}/", f"{space_id.split('/')[0]}/")
    return f"---\n{told}---\n{text}".encode()


def _datasets() -> list[str]:
    """Those on the Hub that the models' cards name."""
    cards = [hub.CHECKPOINTS / name / hub.CARD for name in models.names()]
    named = [ModelCard.load(card).data.datasets or [] for card in cards if card.is_file()]
    return sorted({one for datasets in named for one in datasets})


def is_other(there: Head | None) -> bool:
    """Whether a Space holds something that is not this app; one that was just made holds a README at most."""
    if there is None or set(there.files) <= {".gitattributes", "README.md"}:
        return False
    return not {"app.py", "tabs/__init__.py", "models/base.py"} <= set(there.files)


def unpaid(space_id: str) -> PaymentRequired:
    """What to do where the Hub asks for money before it makes a Space."""
    return PaymentRequired(
        f"The models are published, but not the Space {space_id}: a Gradio Space on a free processor needs a PRO "
        f"account (402); add --hardware {ZERO}, of which an account older than 30 days may have two for nothing, or "
        "--no-space."
    )
