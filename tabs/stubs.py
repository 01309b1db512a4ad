"""Gradio, without the stubs that it keeps for editors: a fifth of the app's start goes into looking, for the class of
each component, whether the one beside its file is up to date. Nothing may import Gradio before this.
"""

import inspect
from typing import Any

_file_of = inspect.getfile


def _no_file(thing: Any) -> str:
    if type(thing).__name__ == "ComponentMeta":
        raise OSError("what has no file gets no stub")
    return _file_of(thing)


inspect.getfile = _no_file
try:
    from gradio import component_meta
finally:
    inspect.getfile = _file_of
component_meta.create_or_modify_pyi = lambda *_: None  # nor do components of ours
