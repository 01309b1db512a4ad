"""A Python that imports what is heavy, then forks for each order: what `tests/forked.py` talks to, over its stdin.

It computes nothing and has no threads of its own, so that it may be forked. A Python that a fork starts, as torchrun
does, is a fork of that one.
"""

import atexit
import gc
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
import traceback
from functools import partial
from importlib import import_module
from typing import Any

# The second is what the first step of an optimiser imports, the third what a card's figures are computed with.
HEAVY = ["train.commands.fit", "torch._dynamo", "torchmetrics.classification"]
LONGEST = 2**17  # bytes of a message


def serve(asked: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Answer until nobody asks any more. It returns in each fork, with what that is to be, and its two files."""
    while message := (received := socket.recv_fds(asked, LONGEST, 2))[0]:
        order, files = json.loads(message), received[1]
        if "wait" in order:
            answer = os.waitstatus_to_exitcode(os.waitpid(order["wait"], 0)[1])
        elif (answer := os.fork()) == 0:
            return order, files
        for file in files:
            os.close(file)
        asked.send(str(answer).encode())
    sys.exit()


def become(order: dict[str, Any], files: list[int]) -> None:
    """Be what a new process is."""
    for number, file in enumerate([os.open(os.devnull, os.O_RDONLY), *files]):
        os.dup2(file, number)
        os.close(file)
    os.chdir(order["cwd"])
    be(order["environment"])


def be(environment: dict[str, str]) -> None:
    """The same of a process that has its files and its folder."""
    import numpy as np

    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(environment)
    np.random.seed()


class Popen(subprocess.Popen):
    """Starts what it is asked to, but a Python without the wait for its imports."""

    def __init__(self, args: Any, *given: Any, env: dict[str, str] | None = None, **options: Any):
        if isinstance(args, list | tuple) and args[0] == sys.executable:
            options["preexec_fn"] = partial(begin, list(args[1:]), env or dict(os.environ))
        super().__init__(args, *given, env=env, **options)


def begin(words: list[str], environment: dict[str, str]) -> None:
    """Be a new Python in the place of what would be executed; it does not return."""
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))  # whoever forked waits for that
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    atexit._clear()  # what whoever forked has to do
    try:
        be(environment)
        conclude(words)
    except BaseException:
        traceback.print_exc()
    os._exit(1)


def execute(words: list[str]) -> None:
    """Do what `python` does with them."""
    match words:
        case ["-u", *rest]:  # which it is
            execute(rest)
        case ["-m", name, *_]:
            sys.argv, sys.path[0] = words[1:], os.getcwd()
            runpy.run_module(name, run_name="__main__", alter_sys=True)
        case ["-c", code, *rest]:
            sys.argv, sys.path[0] = ["-c", *rest], ""
            exec(code, {"__name__": "__main__"})
        case [file, *_]:
            sys.argv, sys.path[0] = words, os.path.dirname(file)
            runpy.run_path(file, run_name="__main__")


def conclude(words: list[str]) -> None:
    """Do it to its end, as the process."""
    try:
        execute(words)
    except SystemExit as end:
        if not isinstance(end.code or 0, int):
            raise
        leave(end.code or 0)
    leave(0)


def leave(status: int) -> None:
    """End as Python does, but without clearing up all that was ever imported, which takes 0.4 s."""
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    os._exit(status)


def main() -> None:
    import pytest
    from shell import draw_few

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who presses Ctrl-C means pytest, and the end of that is ours
    subprocess.Popen = Popen
    for name in HEAVY:
        import_module(name)
    draw_few(pytest.MonkeyPatch())
    gc.collect()
    gc.freeze()  # forks need not look through what is there, and share its memory
    order, files = serve(socket.socket(fileno=sys.stdin.fileno()))
    become(order, files)
    conclude(order["words"])


if __name__ == "__main__":
    main()
