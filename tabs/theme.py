"""The look: warm paper, ink, one accent; `static/lab.css` has all that Gradio's theme cannot say."""

import gradio as gr

from tabs.head import STATIC

CSS = "".join((STATIC / name).read_text("utf-8") for name in ("lab.css", "before_after.css", "chrome.css", "round.css"))

_BOTH = {
    "body_background_fill": "var(--paper)",
    "body_text_color": "var(--ink)",
    "body_text_color_subdued": "var(--muted)",
    "background_fill_primary": "var(--raised)",
    "background_fill_secondary": "var(--paper)",
    "block_background_fill": "var(--raised)",
    "block_border_color": "var(--line)",
    "block_label_background_fill": "var(--raised)",
    "block_label_text_color": "var(--muted)",
    "block_title_text_color": "var(--muted)",
    "border_color_primary": "var(--line)",
    "border_color_accent": "var(--accent)",
    "color_accent_soft": "var(--soft)",
    "input_background_fill": "var(--raised)",
    "input_border_color": "var(--line)",
    "input_border_color_focus": "var(--accent)",
    "button_secondary_background_fill": "var(--raised)",
    "button_secondary_background_fill_hover": "var(--paper)",
    "button_secondary_border_color": "var(--line)",
    "button_secondary_text_color": "var(--ink)",
    "button_primary_background_fill": "var(--accent)",
    "button_primary_background_fill_hover": "var(--accent)",
    "button_primary_text_color": "var(--paper)",
    "slider_color": "var(--accent)",
    "stat_background_fill": "var(--accent)",
    "link_text_color": "var(--accent)",
}


def theme() -> gr.themes.Base:
    """`gr.themes.Base` in our colours; system fonts only, so the page asks no other host."""
    fonts = ["ui-sans-serif", "system-ui", "Noto Sans SC", "sans-serif"]
    dark = {f"{key}_dark": value for key, value in _BOTH.items()}
    return gr.themes.Base(font=fonts, font_mono=["ui-monospace", "monospace"], radius_size="lg").set(
        **_BOTH, **dark, color_accent="var(--accent)", block_shadow="none", button_large_radius="10px"
    )
