"""A new Python without the wait for its imports: a fork of one that has imported what is heavy, `forkserver.py`.

What is said to it is what is said to `python`: `run(FOLDER, "-m", "train", "list")`. It has a process, an environment,
a folder, handlers of signals and an end of its own. But what is read at an import, such as the address of the Hub, is
as it was before the tests, and cards look at few drawings; and that a command imports what it needs is for `shell.run`.
"""

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO, Self

import forkserver
from shell import environment

BEFORE = environment()  # without what a test may set
# As `-m train`, but each step takes 20 ms more, and so does each file between its writing and its renaming: on any
# machine there is time to stop it, and in the midst of a file too. It costs no work. Cards look at few drawings, as in
# a fork.
SLOW_TRAIN = f"""
import os, runpy, sys, time
sys.path.append({os.path.dirname(__file__)!r})
import pytest, shell
from train.engine import loop

def late(function):
    return lambda *arguments: (time.sleep(0.02), function(*arguments))[1]

shell.draw_few(pytest.MonkeyPatch())
os.fsync, loop._Run.step = late(os.fsync), late(loop._Run.step)
runpy.run_module("train", run_name="__main__", alter_sys=True)
"""


class Forked:
    """A process that is running, as `subprocess.Popen` has it; all it says is in `stdout`. It ends with the context.

    Args:
        cwd, words: where, and what comes after `python`: `-m MODULE`, `-c CODE` or a file, and arguments.
        files: where standard output and errors go instead.
        more: what it has in its environment besides.
    """

    def __init__(self, cwd: Path, *words: object, files: tuple[BinaryIO, BinaryIO] | None = None, **more: str):
        order = {"cwd": str(cwd), "words": [str(word) for word in words], "environment": environment(**more)}
        self.status: int | None = None
        if files:
            self.pid = ask(order, [file.fileno() for file in files])
            return
        read, write = os.pipe()
        self.stdout = os.fdopen(read, "rb")
        self.pid = ask(order, [write, write])
        os.close(write)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self.wait()

    def send_signal(self, number: int) -> None:
        if self.status is None:  # until `wait` has it, no other process has its number
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def wait(self, timeout: float = 300) -> int:
        """Its exit status; -N if signal N has ended it."""
        if self.status is None:
            descriptor = os.pidfd_open(self.pid)
            ended, _, _ = select.select([descriptor], [], [], timeout)
            os.close(descriptor)
            if not ended:
                raise TimeoutError(f"Process {self.pid} is still running after {timeout} s.")
            self.status = ask({"wait": self.pid})
        return self.status


def run(cwd: Path, *words: object, **more: str) -> subprocess.CompletedProcess[str]:
    """The same from its beginning to its end."""
    with (
        TemporaryFile() as output,
        TemporaryFile() as errors,
        Forked(cwd, *words, files=(output, errors), **more) as it,
    ):
        return finished(it, output, errors)


def pair(cwd: Path, *words: object) -> list[subprocess.CompletedProcess[str]]:
    """Two that train together, from their beginning to their end: in their environment is what torchrun puts there."""
    from torch.distributed import TCPStore

    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)  # where they meet; torchrun has one too
    told = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": store.port, "TORCHELASTIC_USE_AGENT_STORE": True}
    told |= {"TORCHELASTIC_RUN_ID": "tests", "TORCHELASTIC_RESTART_COUNT": 0, "TORCHELASTIC_MAX_RESTARTS": 0}
    told |= {"WORLD_SIZE": 2, "LOCAL_WORLD_SIZE": 2, "GROUP_WORLD_SIZE": 1, "GROUP_RANK": 0}
    with ExitStack() as after:
        both = []
        for rank in (0, 1):
            files = after.enter_context(TemporaryFile()), after.enter_context(TemporaryFile())
            more = {name: str(value) for name, value in {**told, "RANK": rank, "LOCAL_RANK": rank}.items()}
            both.append((after.enter_context(Forked(cwd, *words, files=files, **more)), *files))
        return [finished(*one) for one in both]


def finished(process: Forked, *files: BinaryIO) -> subprocess.CompletedProcess[str]:
    """Wait for the end of a process, and read what it said to its two files."""
    status = process.wait()
    for file in files:
        file.seek(0)
    return subprocess.CompletedProcess(process.pid, status, *(file.read().decode() for file in files))


@cache
def server() -> socket.socket:
    """Start what is forked, which ends with this process."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = subprocess.Popen([sys.executable, forkserver.__file__], stdin=theirs, env=BEFORE)
    theirs.close()
    atexit.register(process.wait)
    atexit.register(ours.close)  # which comes first
    return ours


def ask(message: dict[str, Any], files: list[int] | None = None) -> int:
    """What it answers: the number of a new process, or the status of one that has ended."""
    socket.send_fds(server(), [json.dumps(message).encode()], files or [])
    return int(server().recv(forkserver.LONGEST))
