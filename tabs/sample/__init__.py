"""Sample: digits that nobody wrote. Four parts: new ones, a map of them, the way from one to another, and codes."""

import gradio as gr

from tabs import Words
from tabs.sample import latent_map, morph, new, rebuild

PARTS = {"new": new, "map": latent_map, "morph": morph, "rebuild": rebuild}


def build(words: Words, opened: gr.Tab, *, public: bool) -> None:
    """Lay out the tab. The endpoints are made where `public`; the events that serve the page are private."""
    with gr.Tabs(elem_id="parts"):
        for name, part in PARTS.items():
            with gr.Tab(words(f"sample.{name}")):
                part.build(words, public=public)
    with gr.Accordion(words("digits.how_title"), open=False):
        gr.Markdown(words("sample.how"))
