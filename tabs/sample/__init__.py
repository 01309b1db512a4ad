"""Sample: digits that nobody wrote. Four parts: new ones, a map of them, the way from one to another, and codes."""

from html import escape

import gradio as gr

from tabs import Words
from tabs.address import Address
from tabs.sample import latent_map, morph, new, rebuild

PARTS = {"new": new, "map": latent_map, "morph": morph, "rebuild": rebuild}


def build(words: Words, opened: gr.Tab, address: Address, *, public: bool) -> None:
    """Lay out the tab. The endpoints are made where `public`; the events that serve the page are private."""
    gr.HTML(f'<p class="question">{escape(words("sample.question"))}</p>', js_on_load=None)
    with gr.Tabs(elem_id="parts", elem_classes="parts"):
        for name, part in PARTS.items():
            with gr.Tab(words(f"sample.{name}"), elem_id=f"part-sample-{name}") as shown:
                part.build(words, address, public=public)
            address.opens(shown, "sample", name)
    with gr.Accordion(words("digits.how_title"), open=False):
        gr.Markdown(words("sample.how"))
