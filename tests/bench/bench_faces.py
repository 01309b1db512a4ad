"""What `reconstruct` costs beyond the network. Bar: p50 2 times that of the network's forward pass alone.

A face of 128x128 pixels with a hidden box of 28x28, over raw HTTP: the face is found, the hole filled and joined. The
forward pass runs in this process, in turn with the calls, with threads and memory as the app has them. Run from the
repository's root: python tests/bench/bench_faces.py
"""

import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ |= {"OMP_NUM_THREADS": "1", "THP_MEM_ALLOC_ENABLE": "1"}

import torch
from PIL import Image
from skimage import data

from common import header, show, verdict  # isort: skip
from app_process import data_url, environment, free_port, png  # isort: skip
from bench_endpoint import connect  # isort: skip

import models

CALLS, WARM_UP, BAR = 100, 10, 2.0
NETWORK = "face-gan"


def main() -> int:
    """Measure, print, and tell by the status whether the bar is met."""
    net = models.load(NETWORK)
    face = Image.fromarray(data.astronaut()).crop((174, 74, 274, 174)).resize((128, 128))
    hole = Image.new("L", face.size)
    hole.paste(255, (60, 40, 88, 68))
    image = torch.rand(1, 3, 128, 128).contiguous(memory_format=torch.channels_last)
    mask = (torch.rand(1, 1, 128, 128) < 0.05).float()
    body = json.dumps({"data": [data_url(png(face)), data_url(png(hole)), "box", 0, NETWORK]}).encode()
    times: dict[str, list[float]] = {"forward": [], "reconstruct": []}
    port = free_port()
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "app.py", "--port", str(port)]
        process = subprocess.Popen(command, env=environment(Path(home)), stdout=subprocess.DEVNULL)
        try:
            connection = connect(port, process)
            for _ in range(WARM_UP + CALLS):
                start = time.perf_counter()
                with torch.inference_mode():
                    net(image, mask)
                times["forward"].append(1000 * (time.perf_counter() - start))
                times["reconstruct"].append(call(connection, body))
        finally:
            process.terminate()
            process.wait()
    header()
    forward, endpoint = (show(name, taken[WARM_UP:]) for name, taken in times.items())
    return verdict(f"reconstruct with {NETWORK} / forward pass, p50", endpoint / forward, BAR)


def call(connection: http.client.HTTPConnection, body: bytes) -> float:
    """Milliseconds from sending a request to having read its answer."""
    start = time.perf_counter()
    connection.request("POST", "/gradio_api/run/reconstruct", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    told = answer.read()
    taken = 1000 * (time.perf_counter() - start)
    assert answer.status == 200, told
    return taken


if __name__ == "__main__":
    sys.exit(main())
