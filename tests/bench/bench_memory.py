"""Sixteen clients send photographs of 12 to 50 megapixels, beside sixteen that draw.

Bars: the process stays below 2 GiB; the drawing clients' p95 is at most 3 times their median when they are alone; no
error but "come later". And a thousand hostile requests before: 200 kB of log, memory back to 1.1 times what it was. Run
from the repository's root: python tests/bench/bench_memory.py [SECONDS], which may be 0.
"""

import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from itertools import chain
from pathlib import Path
from statistics import median, quantiles

from bench_clients import request, resident
from bench_endpoint import connect
from common import TESTS, verdict

sys.path.insert(0, str(TESTS / "tabs"))

# ruff: isort: split
import hostile
from app_process import bomb, data_url, drawn, environment, file, free_port, png, running
from PIL import Image
from skimage import data

CLIENTS, SECONDS, BAR, CEILING = 16, 60, 3.0, 2048
SIZES = ((4000, 3000), (6000, 4000), (8000, 6000))
LATER = "come at once"
PATIENCE = 300  # seconds
COUNT, LOG, BACK = 1000, 200, 1.1
FORM = "multipart/form-data; boundary=line"


def photographs() -> dict[str, list[bytes]]:
    """What the heavy clients send to which endpoint."""
    sent: dict[str, list[bytes]] = {"classify": [], "reconstruct": [], "denoise": []}
    astronaut = Image.fromarray(data.astronaut())
    for size in SIZES:
        image = data_url(file(astronaut.resize(size), "JPEG", quality=85))
        rest = {
            "classify": ["mnist-resnet"],
            "reconstruct": [None, "box", 0, "face-gan"],
            "denoise": ["photo-denoiser", None],
        }
        for name, more in rest.items() if size == SIZES[0] else list(rest.items())[:2]:  # noise takes minutes
            sent[name].append(json.dumps({"data": [image, *more]}).encode())
    return sent


def post(connection, name: str, body: bytes) -> tuple[float, int, str]:
    """Milliseconds, status and the error of a call."""
    start = time.perf_counter()
    connection.request("POST", f"/gradio_api/run/{name}", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    told = json.loads(answer.read())
    return 1000 * (time.perf_counter() - start), answer.status, str(told.get("error"))


def client(
    port: int, process: subprocess.Popen[bytes], bodies: list[tuple[str, bytes]], end: float, told: list
) -> None:
    """Call until `end`, a body after the other."""
    connection, number = connect(port, process), 0
    connection.sock.settimeout(PATIENCE)
    while time.perf_counter() < end:
        name, body = bodies[number % len(bodies)]
        number += 1
        try:
            told.append((name, *post(connection, name, body)))
        except Exception as error:  # whatever it is, it counts
            told.append((name, 0.0, 0, repr(error)))
            connection = connect(port, process)


def together(port: int, process: subprocess.Popen[bytes], seconds: float, heavy: dict) -> tuple[list, list, float]:
    """What the drawing and the heavy clients were told, and the most memory that the process took, MB."""
    drawn, sent, most, end = [], [], 0.0, time.perf_counter() + seconds
    threads = [
        threading.Thread(target=client, args=(port, process, [("classify", request(number))], end, drawn))
        for number in range(CLIENTS)
    ]
    chance = random.Random(0)
    for _ in range(CLIENTS if heavy else 0):
        bodies = [(name, body) for name, some in heavy.items() for body in some]
        chance.shuffle(bodies)
        threads.append(threading.Thread(target=client, args=(port, process, bodies, end, sent)))
    for one in threads:
        one.start()
    while any(one.is_alive() for one in threads):
        most = max(most, resident(process.pid))
        time.sleep(0.02)
    return drawn, sent, most


def main(seconds: float) -> int:
    """Measure, print, and tell by the status whether the bars are met."""
    port, heavy = free_port(), photographs()
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "app.py", "--port", str(port)]
        process = subprocess.Popen(command, env=environment(Path(home)), stdout=subprocess.DEVNULL)
        try:
            connection = connect(port, process)
            connection.sock.settimeout(PATIENCE)
            for name, bodies in heavy.items():
                print(
                    name,
                    *(
                        f"{part:.0f} ms" if isinstance(part, float) else part
                        for part in post(connection, name, bodies[0])
                    ),
                )
            quiet, _, _ = together(port, process, min(20, seconds), {})
            drawn, sent, most = together(port, process, seconds, heavy)
            left = resident(process.pid)
        finally:
            process.terminate()
            process.wait()
    calm = median(one[1] for one in quiet)
    p95 = quantiles([one[1] for one in drawn], n=20, method="inclusive")[-1]
    later = [one for one in sent if LATER in one[3]]
    errors = [one for one in (*quiet, *drawn, *sent) if one[2] != 200 and LATER not in one[3]]
    print(f"alone: {len(quiet)} drawings, median {calm:.1f} ms; beside: {len(drawn)} drawings, p95 {p95:.1f} ms")
    print(
        f"photographs: {len(sent)}, told to come later: {len(later)}; memory at most {most:.0f}, at last {left:.0f} MB"
    )
    for name in heavy:
        taken = [one[1] / 1000 for one in sent if one[0] == name and one[2] == 200]
        print(
            f"  {name}: {len(taken)} answered"
            + (f", median {median(taken):.1f} s, most {max(taken):.1f}" if taken else "")
        )
    for error in errors[:5]:
        print(f"error: {error}")
    missed = [verdict("memory, MB", most, CEILING), verdict("drawing, p95 / quiet median", p95 / calm, BAR)]
    return int(any(missed) or bool(errors))


def wrong() -> list[hostile.Request]:
    """Wrong forms, and files that are damaged at random, bombs, and no pictures, each called for as well."""
    chance, some = random.Random(0), list(chain(hostile.uploads(), hostile.calls(), hostile.addresses()))
    found = [one for one in some if "upload_progress" not in one.path]  # it waits for three seconds
    while len(found) < COUNT:
        data = bytearray(chance.choice((png(drawn()), bomb(), chance.randbytes(50_000))))
        for _ in range(20):
            data[chance.randrange(len(data))] = chance.randrange(256)
        found.append(hostile.Request("damaged", f"{hostile.API}/upload", hostile.multipart(data=bytes(data)), FORM))
    chance.shuffle(found)
    return found[:COUNT]


def hostility() -> int:
    """Of a thousand requests that nobody means well with: the log, and the memory that is left."""
    port = free_port()
    with (
        tempfile.TemporaryDirectory() as home,
        running(Path(home), port, ["--port", str(port)]) as app,
    ):
        for endpoint in hostile.ENDPOINTS:  # the networks are loaded
            app.call(endpoint, {"data": [hostile.data_url(hostile.PNG), None, None, None, None]})
        for request in hostile.uploads():
            hostile.send(app.url, request)
        app.classify(hostile.data_url(hostile.PNG), "mnist-cnn")
        before, start = resident(app.process.pid), len(app.log)
        for request in wrong():
            hostile.send(app.url, request)
        alive = app.classify(hostile.data_url(hostile.PNG), "mnist-cnn")[0] == 200
        after, log = resident(app.process.pid), (len(app.log) - start) / 1000
    print(f"memory before {before:.0f} MB, after {after:.0f}; it {'answers' if alive else 'is DEAD'}")
    missed = [verdict("log, kB", log, LOG), verdict("memory, after / before", after / before, BACK)]
    return int(any(missed) or not alive)


if __name__ == "__main__":
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    sys.exit(hostility() | (main(seconds) if seconds else 0))
