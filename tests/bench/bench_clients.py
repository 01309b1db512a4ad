"""64 clients call `classify` 10,000 times. Bars: no error, p95 2 s, memory at the end 1.05 times that after a tenth.

One call goes before, so that the network is loaded; in the first tenth each thread gets what it needs for each size.
Each client keeps a connection open and sends a picture of its own, raw HTTP, one call after another. Then they call an
endpoint that returns a constant in the same way, in the same process, which tells what Gradio alone takes. Run from the
repository's root: python tests/bench/bench_clients.py [CALLS]
"""

import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median, quantiles

from bench_endpoint import NETWORK, call, connect
from common import verdict

# ruff: isort: split
from app_process import SEVEN, data_url, drawn, environment, free_port, png

CLIENTS, CALLS, BAR, P95 = 64, 10_000, 1.05, 2000
SERVER = Path(__file__).with_name("bench_endpoint.py")


def resident(pid: int) -> float:
    """MB of memory that a process holds."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def request(number: int) -> bytes:
    """What the client of this number sends: a seven of its own place and size."""
    stroke = [(x + 0.002 * number, y) for x, y in SEVEN]
    return json.dumps({"data": [data_url(png(drawn(stroke, 240 + 5 * number))), NETWORK]}).encode()


def client(number: int, port: int, process: subprocess.Popen[bytes], name: str, calls: int, told: list) -> None:
    """Call until there are so many; leave the milliseconds of each call, or the error that ended it."""
    connection, body = connect(port, process), request(number)
    while len(told) < calls:
        try:
            told.append(call(connection, name, body))
        except Exception as error:  # whatever it is, it counts
            told.append(error)
            return


def together(
    port: int, process: subprocess.Popen[bytes], name: str, calls: int
) -> tuple[list, dict[str, float], float]:
    """What every call took, the server's memory after a tenth, at the end and at most, and how many seconds it took."""
    told: list = []
    start = time.perf_counter()
    clients = [
        threading.Thread(target=client, args=(number, port, process, name, calls, told)) for number in range(CLIENTS)
    ]
    for one in clients:
        one.start()
    memory = {}
    while any(one.is_alive() for one in clients):
        time.sleep(0.5)
        memory["end"] = resident(process.pid)
        memory["most"] = max(memory.get("most", 0), memory["end"])
        if len(told) >= calls / 10:
            memory.setdefault("tenth", memory["end"])
    for one in clients:
        one.join()
    return told, memory, time.perf_counter() - start


def main(calls: int) -> int:
    """Measure, print, and tell by the status whether the bar is met."""
    port = free_port()
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, str(SERVER), "--serve", str(port)]
        process = subprocess.Popen(command, env=environment(Path(home)))
        try:
            call(connect(port, process), "classify", request(0))  # the network is loaded
            results = {name: together(port, process, name, calls) for name in ("classify", "constant")}
        finally:
            process.terminate()
            process.wait()
    print(f"{CLIENTS} clients, {calls} calls of each")
    print(
        f"{'ms':12} {'p50':>8} {'p95':>8} {'max':>8} {'calls/s':>8} {'errors':>8} {'MB, 10%':>8} {'end':>8} {'most':>8}"
    )
    errors = []
    p95 = {}
    for name, (told, memory, seconds) in results.items():
        times = [taken for taken in told if isinstance(taken, float)]
        errors += [taken for taken in told if not isinstance(taken, float)]
        p95[name] = quantiles(times, n=20, method="inclusive")[-1]
        print(
            f"{name:12} {median(times):8.1f} {p95[name]:8.1f} {max(times):8.1f} {len(times) / seconds:8.1f} "
            f"{len(told) - len(times):8} {memory['tenth']:8.1f} {memory['end']:8.1f} {memory['most']:8.1f}"
        )
    for error in errors:
        print(f"error: {error!r}")
    memory = results["classify"][1]
    missed = [
        verdict("classify, p95, ms", p95["classify"], P95),
        verdict("memory at the end / after a tenth", memory["end"] / memory["tenth"], BAR),
    ]
    return int(any(missed) or bool(errors))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else CALLS))
