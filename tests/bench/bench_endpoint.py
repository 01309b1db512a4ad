"""What a call of `classify` costs that names no session. Bar: p50 4 times that of a bare app of one endpoint.

The bare app takes the same picture through the same component and returns a constant; the same endpoint in our app
tells what the page around it costs. Calls are raw HTTP, in turn, each
of a new session. Run from the repository's root: python tests/bench/bench_endpoint.py
"""

import http.client
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from common import header, show, verdict

# ruff: isort: split
from app_process import data_url, drawn, environment, free_port, png

CALLS, WARM_UP, BAR = 200, 20, 4.0
NETWORK = "mnist-resnet"


def constant(image: object, network: str) -> dict[str, float]:
    """What the other endpoint answers."""
    return {str(digit): 0.1 for digit in range(10)}


def serve(port: int, *, bare: bool) -> None:
    """The app with one endpoint more, or that endpoint alone."""
    import gradio as gr

    import app
    import models
    from tabs.widgets.picture import Picture

    demo = gr.Blocks(analytics_enabled=False) if bare else app.build()
    with demo:
        image = Picture(visible=False)
        network = gr.Dropdown(models.names(task="classification"), visible=False)
        answer = gr.Label(visible=False)
        gr.Button(visible=False).click(constant, [image, network], answer, api_name="constant", queue=False)
    demo.launch(server_port=port, quiet=True, ssr_mode=False, _frontend=False, max_threads=app.THREADS)


def call(connection: http.client.HTTPConnection, name: str, body: bytes) -> float:
    """Milliseconds from sending a request to having read its answer."""
    start = time.perf_counter()
    connection.request("POST", f"/gradio_api/run/{name}", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    data = answer.read()
    taken = (time.perf_counter() - start) * 1000
    assert answer.status == 200 and len(json.loads(data)["data"][0]["confidences"]) == 10, data
    return taken


def connect(port: int, process: subprocess.Popen[bytes]) -> http.client.HTTPConnection:
    """A connection that is kept open, once the server is there."""
    while process.poll() is None:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.connect()
            return connection
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("The server has ended.")


def in_turn(
    script: str, names: tuple[str, str], call: Callable[[http.client.HTTPConnection, str, int], float]
) -> tuple[float, float]:
    """Start `script --serve PORT`, call its two endpoints in turn, print their rows; the median of each, ms.

    `call` is given the connection, the endpoint's name and the number of the round.
    """
    port = free_port()
    times: dict[str, list[float]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as home:
        process = subprocess.Popen([sys.executable, script, "--serve", str(port)], env=environment(Path(home)))
        try:
            connection = connect(port, process)
            for number in range(WARM_UP + CALLS):
                for name, taken in times.items():
                    taken.append(call(connection, name, number))
        finally:
            process.terminate()
            process.wait()
    header()
    first, second = (show(name, taken[WARM_UP:]) for name, taken in times.items())
    return first, second


def main() -> int:
    """Measure, print, and tell by the status whether the bar is met."""
    body = json.dumps({"data": [data_url(png(drawn())), NETWORK]}).encode()
    times: dict[str, list[float]] = {"bare": [], "constant": [], "classify": []}
    with tempfile.TemporaryDirectory() as home:
        processes, connections = [], {}
        try:
            for mode, names in (("--bare", ("bare",)), ("--serve", ("constant", "classify"))):
                port = free_port()
                command = [sys.executable, __file__, mode, str(port)]
                processes.append(subprocess.Popen(command, env=environment(Path(home))))
                connections |= {name: connect(port, processes[-1]) for name in names}
            for _ in range(WARM_UP + CALLS):
                for name, taken in times.items():
                    taken.append(call(connections[name], "classify" if name == "classify" else "constant", body))
        finally:
            for process in processes:
                process.terminate()
                process.wait()
    header()
    bare, same, classify = (show(name, taken[WARM_UP:]) for name, taken in times.items())
    print(f"the same endpoint in the app / bare, p50: {same / bare:.2f}")
    return verdict(f"classify with {NETWORK} / a bare endpoint, p50", classify / bare, BAR)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        sys.exit(serve(int(sys.argv[2]), bare=sys.argv[1] == "--bare"))
    sys.exit(main())
