"""What several processes do as one: decide once, and end on a signal."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from accelerate import Accelerator
from accelerate.utils import DistributedType, InitProcessGroupKwargs, broadcast_object_list

# The first process alone reads data and measures; torch would let the others wait for 10 minutes on GPUs, else for 30.
PATIENCE = InitProcessGroupKwargs(timeout=timedelta(hours=3))
IN_PIECES = (DistributedType.FSDP, DistributedType.DEEPSPEED, DistributedType.MEGATRON_LM)


def expect_whole(accelerator: Accelerator) -> None:
    """Raise ValueError where Accelerate is told to cut networks into pieces, which the first process cannot measure."""
    if accelerator.distributed_type in IN_PIECES:
        raise ValueError(
            f"Accelerate is configured for {accelerator.distributed_type.value}, but each process holds its network "
            "whole: choose MULTI_GPU, or use torchrun."
        )


def once(accelerator: Accelerator, function: Callable[[], Any]) -> Any:
    """Call `function` in the main process alone; every process gets its result, which must be picklable.

    Raises:
        ValueError, OSError: what `function` raised, in the main process; the others leave without a word.
    """
    told: list = [None, None]
    if accelerator.is_main_process:
        try:
            told[0] = function()
        except (ValueError, OSError) as error:
            told[1] = error
    result, error = broadcast_object_list(told)
    if error and accelerator.is_main_process:
        raise error
    if error:
        raise SystemExit(1)
    return result


@contextmanager
def stop_on_signal() -> Iterator[list]:
    """A list that Ctrl-C, or a polite kill, fills; a second Ctrl-C ends the program at once."""
    stop: list = []

    def note(number: int, _frame: object) -> None:
        if stop:
            raise KeyboardInterrupt
        stop.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
