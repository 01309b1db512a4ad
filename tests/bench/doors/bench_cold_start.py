"""How long a Space takes from the start of its process to the first page and all its networks, cold from the Hub.

Beside it the same app with what is embedded. Bars: 1.5 times, all models pulled; and 3 seconds more where the Hub never
answers. The Hub is the tests' own, on the loopback. Run from the repository's root:
python tests/bench/doors/bench_cold_start.py
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
# ruff: isort: split
from common import read_page, until_answered, verdict

# ruff: isort: split
from app_process import ROOT, environment, free_port
from hub_server import HubServer

import models

STARTS, BAR, MORE = 3, 1.5, 3.0
SHOWN = {"tell": models.names(task="classification"), "tell_1": models.names(task="generation")}
PINNED = [name for names in SHOWN.values() for name in names]


def start(lab: Path, hub: HubServer) -> float:
    """Seconds until the page was read, and every network of the digits and the sample tab has told of its weights."""
    with tempfile.TemporaryDirectory() as home:
        env = environment(Path(home), HF_ENDPOINT=hub.url, HF_HUB_DISABLE_XET="1", OMP_WAIT_POLICY="PASSIVE")
        return until_answered(["app.py"], free_port(), lab, env, ask)


def ask(url: str) -> None:
    """What a visitor's page asks, and then each network."""
    events = {one["api_name"]: one["id"] for one in json.loads(read_page(url))["dependencies"]}
    for event, names in SHOWN.items():
        for name in names:
            body = json.dumps({"data": [name], "fn_index": events[event], "session_hash": "bench"}).encode()
            request = urllib.request.Request(
                f"{url}/gradio_api/run/predict", body, {"Content-Type": "application/json"}
            )
            urllib.request.urlopen(request, timeout=120).read()


def main() -> int:
    """Measure, print, and tell by the status whether the bars are met."""
    with tempfile.TemporaryDirectory() as place, HubServer(Path(place, "server")) as hub:
        labs = {name: Path(place, name) for name in ("pinned", "embedded")}
        for lab in labs.values():
            for name in ("models", "train", "tabs", "checkpoints"):
                shutil.copytree(ROOT / name, lab / name, ignore=shutil.ignore_patterns("__pycache__", "hub.json"))
            for name in ("app.py", "README.md", "LICENSE", "requirements.txt"):
                shutil.copy(ROOT / name, lab)
        env = {**os.environ, "HF_ENDPOINT": hub.url, "HF_TOKEN": "hf_write", "HF_HUB_DISABLE_XET": "1"}
        for name in PINNED:
            words = [sys.executable, "-m", "train", "push", name, f"alice/{name}"]
            subprocess.run(words, cwd=labs["pinned"], env=env, check=True, stdout=subprocess.DEVNULL)
        times: dict[str, list[float]] = {"embedded": [], "cold": [], "silent": []}
        for turn in range(STARTS + 1):
            for name in times:
                hub.faults.delay = 600 if name == "silent" else 0
                taken = start(labs["embedded" if name == "embedded" else "pinned"], hub)
                times[name] += [taken] * (turn > 0)  # the first is for the disk's cache
    embedded, cold, silent = (median(values) for values in times.values())
    print(f"embedded {embedded:.2f} s, cold from the Hub {cold:.2f}, from a Hub that is silent {silent:.2f}")
    missed = verdict("cold start / embedded", cold / embedded, BAR)
    return missed + verdict("seconds more with a silent Hub", silent - embedded, MORE)


if __name__ == "__main__":
    sys.exit(main())
