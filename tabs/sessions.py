"""A session keeps nothing of what its components hold, and of its answers no more than somebody may still fetch.

Gradio copies the settings of every component when a session begins, and then every value that is sent, for links that
restore its state: of 256 sessions that each send a file of 20 MB as text it would hold 5 GB. No such link is offered.
"""

from types import SimpleNamespace
from typing import Any

from gradio.blocks import Blocks
from gradio.queueing import Queue
from gradio.state_holder import SessionState, StateHolder

from models.errors import InputError
from tabs import Words

LONGEST = 100  # letters of a session's name, which is kept as long as anything of it; the page's has eleven
EVENTS, SESSIONS = 32, 64  # of each session, and of all, whose answers are kept though nobody has come for them

_begin = SessionState.__init__
_of = StateHolder.__getitem__
_push = Queue.push


class Nothing(dict[int, dict[str, Any]]):
    """The settings of a session's components, of which none are kept."""

    def __setitem__(self, number: int, settings: dict[str, Any]) -> None:
        """Keep none."""


def _lean(state: SessionState, blocks: Blocks) -> None:
    """As Gradio begins a session, of a page without components."""
    _begin(state, SimpleNamespace(default_config=blocks.default_config, blocks=()))
    state.config_values = Nothing()


def _named(sessions: StateHolder, name: str) -> SessionState:
    """As Gradio finds a session, or makes it. Raises InputError for a name that is too long to be kept."""
    if len(name) > LONGEST:
        raise InputError("session", f"The name of a session has at most {LONGEST} letters.", most=LONGEST)
    return _of(sessions, name)


def lighten() -> None:
    """Let sessions begin at once, and keep nothing."""
    SessionState.__init__ = _lean
    StateHolder.__getitem__ = _named
    SessionState._update_value_in_config = SessionState._update_config = lambda state, *_: None


def bound(words: Words) -> None:
    """Let the queue keep only so many answers that nobody fetches, and refuse in these words what would be more."""

    async def push(queue: Queue, body: Any, *args: Any, **options: Any) -> tuple[bool, Any, str]:
        sessions = queue.pending_event_ids_session
        if body.session_hash in sessions:
            sessions[body.session_hash] = sessions.pop(body.session_hash)  # the last that has asked
        _forget(queue)
        if len(sessions.get(body.session_hash, ())) >= EVENTS:
            return False, words("error.unfetched"), "queue_full"
        return await _push(queue, body, *args, **options)

    Queue.push = push


def _forget(queue: Queue) -> None:
    """Drop what was answered to all but the last sessions of those that wait for nothing more."""
    sessions = queue.pending_event_ids_session
    over = [one for one, events in sessions.items() if queue.event_ids_to_events.keys().isdisjoint(events)]
    for one in over[:-SESSIONS]:
        del sessions[one]
        queue.pending_messages_per_session.pop(one, None)
