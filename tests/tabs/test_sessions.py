"""A session that begins lightly holds what Gradio's own holds."""

import gradio as gr
from gradio.state_holder import SessionState

from tabs.sessions import Settings, _begin, lighten


def test_the_same_settings() -> None:
    """All that a link restores, after an event has changed a component; another session has nothing of it."""
    with gr.Blocks() as demo:
        gr.HTML("<b>fixed</b>")
        slider = gr.Slider(1, 9, value=3)
        gr.State(5)
    lighten()
    own = SessionState.__new__(SessionState)
    _begin(own, demo)
    lean, other = SessionState(demo), SessionState(demo)
    assert isinstance(lean.config_values, Settings) and not dict.keys(lean.config_values)
    for state in (own, lean):
        state[slider._id] = gr.Slider(1, 9, value=7, render=False)
        state._update_value_in_config(slider._id, 8)
    assert list(lean.components) == list(own.components)
    values = {one["id"]: one["props"].get("value") for one in other.components}
    assert values[slider._id] == 3
    assert [one["id"] for one in other.components] == [one["id"] for one in own.components]
