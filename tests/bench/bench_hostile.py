"""A thousand hostile uploads and calls. Bars: 200 kB of log; resident memory back to 1.1 times what it was before.

Run from the repository's root: python tests/bench/bench_hostile.py
"""

import random
import sys
import tempfile
from itertools import chain
from pathlib import Path

from common import TESTS, verdict

sys.path.insert(0, str(TESTS / "tabs"))

# ruff: isort: split
import hostile
from app_process import bomb, drawn, free_port, png, resident, running

COUNT, LOG, BAR = 1000, 200, 1.1
FORM = "multipart/form-data; boundary=line"


def requests() -> list[hostile.Request]:
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


def main() -> int:
    """Measure, print, and tell by the status whether the bars are met."""
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
        before, start = resident(app), len(app.log)
        for request in requests():
            hostile.send(app.url, request)
        alive = app.classify(hostile.data_url(hostile.PNG), "mnist-cnn")[0] == 200
        after, log = resident(app), (len(app.log) - start) / 1000
    print(f"memory before {before:.0f} MB, after {after:.0f}; it {'answers' if alive else 'is DEAD'}")
    missed = [verdict("log, kB", log, LOG), verdict("memory, after / before", after / before, BAR)]
    return int(any(missed) or not alive)


if __name__ == "__main__":
    sys.exit(main())
