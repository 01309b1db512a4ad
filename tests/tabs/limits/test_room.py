"""Memory has a ceiling: what finds no room waits, what is small goes past it, and nobody waits for ever."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor

import hostile
import pytest
from app_process import App
from hostile import API, Request, send

from models.errors import InputError
from tabs import Words, room
from tabs.room import Room


def alone(work: Callable[[], Coroutine[None, None, None]]) -> None:
    """Run it to its end in a thread: the browser of other tests has a loop that runs in this one."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(work())).result()


def test_never_more_than_there_is() -> None:
    """Ten that want most of it come one after the other; the small ones beside them."""
    most, ended = [0, 0], []

    async def one(place: Room, amount: int, number: int) -> None:
        async with place.taken(amount):
            most[0] += amount
            most[1] = max(most)
            await asyncio.sleep(0.01)
            most[0] -= amount
        ended.append(number)

    async def all_of_them() -> None:
        place = Room(100)
        await asyncio.gather(*(one(place, 70, number) for number in range(10)), one(place, 20, 10))
        assert place.free == 100

    alone(all_of_them)
    assert most[1] == 90
    assert sorted(ended) == list(range(11)) and ended.index(10) < 2


def test_what_is_too_large_alone() -> None:
    """It is let in when there is nothing else; after too long a wait one is told to come later, and takes nothing."""

    async def both() -> None:
        place = Room(100)
        async with place.taken(5000):
            with pytest.raises(InputError, match="come at once"):
                async with place.taken(50):
                    pytest.fail("there was no room")
        assert place.free == 100

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "PATIENCE", 0.05)
        alone(both)


def test_calls_that_do_not_come() -> None:
    """They hold all the room there is until they are too slow; then another has it, and is served in peace."""
    served: list[str] = []

    async def reads(scope: dict, receive: Callable, send: Callable) -> None:
        while (message := await receive()).get("more_body"):
            pass
        served.append(message["type"])
        if message["type"] == "http.request":
            assert (await receive())["type"] == "http.disconnect"  # of a caller who waits for the answer

    async def call(*parts: bytes, wait: float = 0) -> None:
        left = [{"type": "http.request", "body": part, "more_body": part != b"end"} for part in parts]

        async def receive() -> dict:
            if left:
                return left.pop(0)
            await asyncio.sleep(wait)
            return {"type": "http.disconnect"}

        scope = {"type": "http", "method": "POST", "path": "/run/x", "headers": [(b"content-length", b"28000000")]}
        await bodies(scope, receive, lambda message: pytest.fail("it is served"))

    async def all_of_them() -> None:
        slow = [asyncio.create_task(call(b"{", wait=3600)) for _ in range(2)]
        await asyncio.sleep(0.01)
        assert bodies.room.free == 0
        await call(b"begin", b"end", wait=0.3)  # longer than a body may take
        await asyncio.gather(*slow)
        assert served == ["http.disconnect", "http.disconnect", "http.request"] and bodies.room.free == room.HELD

    bodies = room.Bodies(reads, Words("en"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "GRACE", 0.1)
        alone(all_of_them)


@pytest.mark.parametrize(("path", "most"), [("run/classify", 28), ("call/classify", 8), ("queue/join", 8)])
def test_too_long_a_call(app: App, path: str, most: int) -> None:
    """It is refused by what it says of its length, in a sentence; the app goes on."""
    status, text = send(app.url, Request("long", f"{API}/{path}", b" " * (most * 1_000_000 + 1)))
    assert status == 413 and f"{most} MB" in json.loads(text)["error"]
    assert app.classify(hostile.data_url(hostile.PNG), "mnist-cnn")[0] == 200
