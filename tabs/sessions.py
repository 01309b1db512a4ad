"""A session's settings are computed when somebody asks for them.

Gradio computes those of every component of the page when a session begins, for links that restore its state: 26 ms for
each visitor, and for each call of an endpoint that names no session. No such link is offered here.
"""

from collections.abc import ItemsView
from types import SimpleNamespace
from typing import Any

from gradio.blocks import Blocks, BlocksConfig
from gradio.state_holder import SessionState

_begin = SessionState.__init__


class Settings(dict[int, dict[str, Any]]):
    """The settings of a session's components by their number: those that changed, until all are asked for."""

    def __init__(self, config: BlocksConfig, shown: frozenset[int]):
        super().__init__()
        self.config, self.shown = config, shown

    def items(self) -> ItemsView[int, dict[str, Any]]:
        """All of them. What no event has changed is as it is on the page."""
        made = {
            number: self[number] if number in self else self.config.config_for_block(number, [], block)
            for number, block in self.config.blocks.items()
            if number in self or number in self.shown
        }
        return made.items()


def _lean(state: SessionState, blocks: Blocks) -> None:
    """As Gradio begins a session, of a page without components; they come as they are asked for."""
    _begin(state, SimpleNamespace(default_config=blocks.default_config, blocks=()))
    state.config_values = Settings(state.blocks_config, frozenset(blocks.blocks))


def lighten() -> None:
    """Let sessions begin at once."""
    SessionState.__init__ = _lean
