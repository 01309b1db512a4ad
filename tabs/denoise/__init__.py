"""Denoise: take noise away. Two parts: photographs of any size, and digits as in the textbook."""

import gradio as gr

from tabs import Words
from tabs.address import Address
from tabs.denoise import digit, photo
from tabs.widgets.prose import how

PARTS = {"photo": photo, "digit": digit}


def build(words: Words, address: Address, *, public: bool) -> None:
    """Lay out the tab. The endpoint is made where `public`; the events that serve the page are private."""
    with gr.Tabs(elem_classes="parts"):
        for name, part in PARTS.items():
            with gr.Tab(words(f"denoise.{name}"), elem_id=f"part-denoise-{name}") as shown:
                part.build(words, address, public=public)
            address.opens(shown, "denoise", name)
    how(words, "denoise")
