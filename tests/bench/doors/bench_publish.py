"""How long `publish` takes beside `hf upload` of the same folders, a pull beside `hf download`, and a second `publish`.

Bars: 1.3 times for all models to an empty Hub, and for a pull of all; every file byte for byte the same; 3 seconds
beside the imports, and no commit, where nothing changed. The Hub is the tests' own, on the loopback. The graphs are
made before. Run from the repository's root: python tests/bench/doors/bench_publish.py
"""

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
# ruff: isort: split
from common import verdict

# ruff: isort: split
from app_process import ROOT, environment
from hub_server import HubServer
from huggingface_hub.constants import ENDPOINT

from models.hub import CARD
from train.commands.publishing.model import card

BAR, AGAIN = 1.3, 3.0
HF = str(Path(sys.executable).with_name("hf"))
IMPORTS = "import train.__main__, train.commands.publish"
PULL = "import models; [models.load(name) for name in models.names()]"


def seconds(lab: Path, hub: HubServer, *commands: list[str], **more: str) -> float:
    """How long these take one after the other in that clone, each as a process of its own."""
    env = environment(lab.parent / "home", HF_ENDPOINT=hub.url, HF_TOKEN="hf_write", HF_HUB_DISABLE_XET="1", **more)
    env |= {"HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_UPDATE_CHECK": "1", "OMP_NUM_THREADS": "1"}
    began = time.perf_counter()
    for command in commands:
        subprocess.run(command, cwd=lab, env=env, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> int:
    """Measure, print, and tell by the status whether the bars are met."""
    with tempfile.TemporaryDirectory() as place:
        lab, server = Path(place, "lab"), Path(place, "server")
        for name in ("models", "train", "tabs", "checkpoints"):
            shutil.copytree(ROOT / name, lab / name, ignore=shutil.ignore_patterns("__pycache__", "hub.json"))
        for name in ("app.py", "README.md", "LICENSE", "requirements.txt"):
            shutil.copy(ROOT / name, lab)
        (lab / "runs").mkdir()
        (ROOT / "runs" / "onnx").mkdir(parents=True, exist_ok=True)
        (lab / "runs" / "onnx").symlink_to(ROOT / "runs" / "onnx")
        names = sorted(folder.name for folder in (lab / "checkpoints").iterdir())
        python = [sys.executable, "-m", "train"]
        with HubServer(server) as hub:
            seconds(lab, hub, *([*python, "export", name] for name in names))
            imports = median(seconds(lab, hub, [sys.executable, "-c", IMPORTS]) for _ in range(3))
            ours = seconds(lab, hub, [*python, "publish", "alice", "--no-space"])
            seconds(lab, hub, [*python, "publish", "alice"])  # with the Space
            heads = {repo_id: hub.commits(repo_id)[-1] for repo_id in hub.repos}
            again = median(seconds(lab, hub, [*python, "publish", "alice"]) for _ in range(3))
            assert {repo_id: hub.commits(repo_id)[-1] for repo_id in hub.repos} == heads
            pull = seconds(lab, hub, [sys.executable, "-c", PULL], HF_HUB_CACHE=str(Path(place, "ours")))
            folders = {name: Path(place, "folders", name) for name in names}
            for name, folder in folders.items():
                folder.mkdir(parents=True)
                for path, data in hub.files(f"alice/{name}").items():
                    (folder / path).write_bytes(data)
                for file in (lab / "checkpoints" / name).iterdir():
                    sent, wanted = (folder / file.name).read_bytes(), file.read_bytes()
                    if file.name == CARD:  # on a Hub it names whose repository it is in, and where its picture is
                        sent = sent.replace(hub.url.encode(), ENDPOINT.encode())
                        wanted = card(name, file.parent, f"alice/{name}")
                    assert sent == wanted, file
        with HubServer(Path(place, "another")) as hub:
            theirs = seconds(lab, hub, *([HF, "upload", f"alice/{name}", str(folders[name])] for name in names))
            weights = ["config.json", "model.safetensors", "README.md"]
            cache = str(Path(place, "theirs"))
            down = seconds(
                lab, hub, *([HF, "download", f"alice/{name}", *weights] for name in names), HF_HUB_CACHE=cache
            )
    print(f"publish {ours:.1f} s, of which imports {imports:.1f}; hf upload {theirs:.1f}; again {again:.1f}")
    print(f"pull {pull:.1f} s; hf download {down:.1f}")
    missed = verdict("publish / hf upload", ours / theirs, BAR) + verdict("pull / hf download", pull / down, BAR)
    return missed + verdict("publish again beside the imports, s", again - imports, AGAIN)


if __name__ == "__main__":
    sys.exit(main())
