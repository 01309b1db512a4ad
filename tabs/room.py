"""Memory has a ceiling: so much is worked on at once, and what comes beside it waits, or is told to come later.

What takes memory is pictures while they are worked on, and what a call sends, which is held as bytes, text and a file.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import JSONResponse

from models.errors import InputError
from tabs import Words

PATIENCE = 30.0  # seconds
LARGEST = 0.75
# Bytes for each pixel of a picture, and for so many of them more: `models.pipelines` works on parts of a photograph.
KEPT, WORKED_ON, PART = 20, 80, 4_000_000
SMALL = 1_000_000  # bytes of a call that waits for nobody
# Bytes of a call: a file of 20 MB as text; one that is queued, or goes on with it; files, which go to the disk.
CALL, QUEUED, FORM = 28_000_000, 8_000_000, 100_000_000
HELD = 2 * CALL  # bytes of calls at once
GRACE, SLOWEST = 10.0, 50_000  # seconds, and bytes a second from then on: slower calls give their room to others


class Room:
    """So much of something at once; who finds none waits, and what is smaller goes past.

    Args:
        size: how much; what is larger than `LARGEST` of it takes that, so that there is always room for small things.
    """

    def __init__(self, size: int):
        self.size = self.free = size
        self._freed = asyncio.Event()

    @asynccontextmanager
    async def taken(self, amount: int) -> AsyncIterator[None]:
        """Hold so much until the block ends. Raises InputError where there is no room for too long."""
        amount = min(amount, int(LARGEST * self.size))
        try:
            async with asyncio.timeout(PATIENCE):
                while self.free < amount:
                    self._freed.clear()
                    await self._freed.wait()
                self.free -= amount
        except TimeoutError:
            message = "Too many large pictures have come at once: send this one again in a minute."
            raise InputError("image_later", message) from None
        try:
            yield
        finally:
            self.free += amount
            self._freed.set()


def needed(pixels: int) -> int:
    """Bytes of memory that a picture takes while it is worked on."""
    return KEPT * pixels + WORKED_ON * min(pixels, PART)


class Bodies:
    """A layer around the app (ASGI) that reads no more of what is sent than there is room for.

    Args:
        app: what it lies around.
        words: those of its answers.
    """

    def __init__(self, app: Any, words: Words):
        self.app, self.words, self.room = app, words, Room(HELD)

    async def __call__(self, scope: dict[str, Any], receive: Callable, send: Callable[..., Awaitable]) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] not in ("POST", "PUT", "PATCH"):
            return await self.app(scope, receive, send)
        most = _most(scope["path"])
        told = Headers(scope=scope).get("content-length", "")
        length = int(told) if told.isdecimal() else most
        if length > most:
            answer = JSONResponse({"error": self.words("error.long", most=most // 1_000_000)}, 413)
            return await answer(scope, receive, send)
        read = 0

        async def limited() -> dict[str, Any]:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            return message if read <= most else {"type": "http.disconnect"}

        if length <= SMALL or most == FORM:  # which goes to the disk as it comes
            return await self.app(scope, limited, send)
        is_whole = False

        async def hurried() -> dict[str, Any]:
            nonlocal is_whole
            if is_whole:
                return await limited()
            try:
                async with asyncio.timeout_at(start + GRACE + read / SLOWEST):
                    message = await limited()
            except TimeoutError:
                return {"type": "http.disconnect"}
            is_whole = not message.get("more_body")
            return message

        try:
            async with self.room.taken(length):
                start = asyncio.get_running_loop().time()
                await self.app(scope, hurried, send)
        except InputError as error:
            await JSONResponse({"error": self.words.sentence(error)}, 503)(scope, receive, send)


def _most(path: str) -> int:
    parts = path.strip("/").split("/")
    if {"call", "queue", "stream"} & set(parts):
        return QUEUED
    return FORM if parts[-1] == "upload" and not {"run", "api"} & set(parts) else CALL
