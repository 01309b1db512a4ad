"""Controls whose values reach the pipelines as they are: those say what is wrong with one, in a sentence."""

from typing import Any

import gradio as gr


class Slider(gr.Slider):
    """A `gr.Slider` without Gradio's own refusals, which print a traceback.

    A class, because Gradio rebuilds a component from its class for every session in which an event updates it.
    """

    is_template = True  # to the browser it is a gr.Slider

    def preprocess(self, payload: Any) -> Any:
        return payload
