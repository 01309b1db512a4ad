"""Denoise: take noise away. Two parts: photographs of any size, and digits as in the textbook."""

import gradio as gr

from tabs import Words, denoise_digit, denoise_photo

PARTS = {"photo": denoise_photo, "digit": denoise_digit}


def build(words: Words, *, public: bool) -> None:
    """Lay out the tab. The endpoint is made where `public`; the events that serve the page are private."""
    with gr.Tabs(elem_classes="parts"):
        for name, part in PARTS.items():
            with gr.Tab(words(f"denoise.{name}")):
                part.build(words, public=public)
    with gr.Accordion(words("digits.how_title"), open=False):
        gr.Markdown(words("denoise.how"))
