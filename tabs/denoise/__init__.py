"""Denoise: take noise away. Two parts: photographs of any size, and digits as in the textbook."""

import gradio as gr

from tabs import Words
from tabs.denoise import digit, photo


def build(words: Words, opened: gr.Tab, *, public: bool) -> None:
    """Lay out the tab. The endpoint is made where `public`; the events that serve the page are private."""
    with gr.Tabs(elem_classes="parts"):
        with gr.Tab(words("denoise.photo")):
            photo.build(words, opened, public=public)
        with gr.Tab(words("denoise.digit")):
            digit.build(words)
    with gr.Accordion(words("digits.how_title"), open=False):
        gr.Markdown(words("denoise.how"))
