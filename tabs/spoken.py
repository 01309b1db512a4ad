"""What Gradio itself says to its visitors, in the words of the page."""

from collections.abc import Mapping

import gradio as gr

from tabs import Words

LANGUAGES = {"en": "en", "zh": "zh-CN"}  # what Gradio calls these languages
LABELS = {  # what it calls its own buttons and fields in every language, and ours
    "Remove Image": "gradio.remove",
    "Upload file": "gradio.upload",
    "Capture from camera": "gradio.camera",
    "Paste from clipboard": "gradio.paste",
    "grant webcam access": "gradio.allow",
    "Click to Access Webcam": "gradio.allow",
    "capture photo": "gradio.capture",
    "select input source": "gradio.device",
    "number input for {title}": "gradio.number",
    "range slider for {title}": "gradio.slider",
    "Thumbnail {place} of {count}": "gradio.thumbnail",
}


def missing(pages: Mapping[str, Words]) -> gr.I18n:
    """What Gradio tells readers aloud, and has no words for: it would say the keys."""
    return gr.I18n(**{LANGUAGES[words.language]: _missing(words) for words in pages.values()})


def labels(pages: Mapping[str, Words]) -> dict[str, dict[str, str]]:
    """Of each language what stands in place of its English; what is in braces is filled in by `static/lab.js`."""
    return {
        words.language: {
            given: words(key, **{name: f"{{{name}}}" for name in ("title", "place", "count")})
            for given, key in LABELS.items()
        }
        for words in pages.values()
    }


def _missing(words: Words) -> dict[str, str]:
    queued = words("gradio.queued", position="{position}", size="{size}")
    return {"common.complete": words("gradio.complete"), "status.queue_position": queued}
