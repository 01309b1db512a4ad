"""What a tab says in words: a sentence in the place of a result, and what folds away below it."""

from html import escape

import gradio as gr

from tabs import Words


def sentence(text: str) -> str:
    """A paragraph of its own, as HTML."""
    return f'<p class="sentence">{escape(text)}</p>'


def muted(text: str) -> str:
    """The same for what is beside the point, smaller and grey."""
    return f'<p class="muted">{escape(text)}</p>'


def how(words: Words, tab: str, **figures: object) -> None:
    """What happens in this tab, to unfold; `figures` are what the text of the locale asks for."""
    with gr.Accordion(words("how.title"), open=False, elem_classes="how"):
        gr.Markdown(words(f"how.{tab}", **figures))
