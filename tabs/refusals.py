"""What nobody asked for is refused in one sentence, and in one line of the log.

Gradio answers a wrong call with whatever error it met, and prints where: seventy lines for a name that no endpoint has,
the pictures of a call that lacks an input, and paths of this machine to the caller.
"""

import logging
import traceback
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import gradio as gr
from anyio import to_thread
from gradio import route_utils
from gradio.exceptions import InvalidPathError
from gradio.queueing import Queue
from gradio.utils import get_upload_folder
from starlette.responses import JSONResponse

from models.errors import InputError
from tabs import Words
from tabs.room import Room, needed
from tabs.sessions import bound
from tabs.uploads import Uploads, bound_fields, sweep
from tabs.widgets.picture import gone, pixels

HERE = Path(__file__).resolve()
OURS = tuple(f"{HERE.parents[1] / folder}/" for folder in ("tabs", "models"))
AROUND = (str(HERE), str(HERE.with_name("room.py")))  # they lie around all that fails
# What of Gradio is not offered: links that restore a session, each a file that stays, a developer's stream, files of
# components that others wrote, of which there are none, and whose addresses it would print, of any length, and what
# lies at other hosts, which it would hand on as ours.
CLOSED = tuple(f"/gradio_api/{name}" for name in ("deep_link", "dev/reload", "custom_component/", "file=http"))
SHORT = 50_000  # letters of what is sent, which is looked at without waiting for a thread
LONGEST = 100  # letters of what a caller sent, in a line of the log

log = logging.getLogger(__name__)
_told: set[tuple[str, str]] = set()
_process = route_utils.call_process_api


def noted(what: str, error: BaseException) -> bool:
    """Write a line about an error to the log; return whether it is a fault of ours.

    A fault of ours is told whole, once; of everything else its kind and place are enough.
    """
    frames = traceback.extract_tb(error.__traceback__)
    at = frames[-1] if frames else None
    kind, place = type(error).__name__, f"{Path(at.filename).name}:{at.lineno}" if at else ""
    ours = any(frame.filename.startswith(OURS) and frame.filename not in AROUND for frame in frames)
    whole = ours and (kind, place) not in _told
    if whole:
        _told.add((kind, place))
    what = "".join(letter if letter.isprintable() else "?" for letter in what[:LONGEST])
    log.warning("%s %s: %s, %s", "fault:" if ours else "refused:", what, kind, place, exc_info=error if whole else None)
    return ours


def soften(pages: Mapping[str, Words], room: Room, uploads: Uploads) -> None:
    """Let events answer with a sentence, of the words of their page, whatever error Gradio or ours meets.

    They wait until there is room for the pictures that they bring; which of them were uploaded is noted.
    """

    async def process(app: Any, body: Any, gr_request: Any, fn: Any, *args: Any, **options: Any) -> dict[str, Any]:
        words = pages[fn.page]
        title = words("error.title")
        try:
            if (given := len(body.data)) < (asked := len(fn.inputs)):
                raise gr.Error(words("error.inputs", needed=asked, given=given), title=title, print_exception=False)
            uploads.note(body.session_hash, body.data)
            async with room.taken(needed(await _pixels(body.data))):
                return await _process(app, body, gr_request, fn, *args, **options)
        except InputError as error:
            told = words.sentence(error)
        except InvalidPathError:
            told = words.sentence(gone())
        except Exception as error:
            if isinstance(error, gr.Error) and not error.print_exception:
                raise
            told = _sentence(words, noted(str(fn.api_name), error))
        raise gr.Error(told, title=title, print_exception=False)

    route_utils.call_process_api = process
    route_utils.delete_files_created_by_app = sweep
    bound(pages[""])
    bound_fields()
    # What nobody is shown; and of one session with half a letter in its name it fails for everybody.
    Queue.compute_analytics_summary = lambda queue, records: {}


async def _pixels(values: list[Any]) -> int:
    """Those of the pictures that an event brings."""

    def count() -> int:
        return sum(pixels(value, get_upload_folder()) for value in values)

    sent = [value.get("url") if isinstance(value, dict) else value for value in values]
    is_short = all(len(one) < SHORT for one in sent if isinstance(one, str))
    return count() if is_short else await to_thread.run_sync(count)


class Refusals:
    """A layer around the app (ASGI) that answers where the app has failed to.

    Args:
        app: what it lies around.
        words: those of its answers.
    """

    def __init__(self, app: Any, words: Words):
        self.app, self.words = app, words

    async def __call__(self, scope: dict[str, Any], receive: Callable, send: Callable[..., Awaitable]) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        if scope["path"].startswith(CLOSED):
            return await JSONResponse({"error": self.words("error.call")}, 404)(scope, receive, send)
        started = False

        async def following(message: dict[str, Any]) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, following)
        except InputError as error:
            await JSONResponse({"error": self.words.sentence(error)}, 400)(scope, receive, send)
        except Exception as error:
            ours = noted(f"{scope['method']} {scope['path']}", error)
            if started:
                return await send({"type": "http.response.body", "body": b""})
            answer = JSONResponse({"error": _sentence(self.words, ours)}, 500 if ours else 400)
            await answer(scope, receive, send)


def _sentence(words: Words, ours: bool) -> str:
    return words("error.fault") if ours else words("error.call")
