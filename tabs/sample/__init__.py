"""Sample: digits that nobody wrote. New ones, a map of them, ways, codes, and a game."""

import gradio as gr

from tabs import Words
from tabs.address import Address
from tabs.sample import guess, latent_map, morph, new, rebuild
from tabs.widgets.prose import how

PARTS = {"new": new, "map": latent_map, "morph": morph, "rebuild": rebuild, "guess": guess}
TRY = ("guess.try", "part-sample-guess")  # what the question above leads to


def build(words: Words, address: Address, *, public: bool) -> None:
    """Lay out the tab. The endpoints are made where `public`; the events that serve the page are private."""
    with gr.Tabs(elem_id="parts", elem_classes="parts"):
        for name, part in PARTS.items():
            with gr.Tab(words(f"sample.{name}"), elem_id=f"part-sample-{name}") as shown:
                part.build(words, address, public=public)
            address.opens(shown, "sample", name)
    how(words, "sample")
