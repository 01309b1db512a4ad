"""What stands above and below the tabs."""

import os
from html import escape

import gradio as gr

from tabs import Words


def top(words: Words, other: str) -> None:
    """Title, a link to what one sees, the way to the other language's page at the address `other`."""
    usual, done, picture = (escape(words(f"copy.{key}")) for key in ("usual", "done", "picture"))
    gr.HTML(
        f'<div class="head"><h1>{escape(words("title"))}</h1>'
        f'<span><button type="button" class="copy-link" data-usual="{usual}" data-done="{done}"'
        f' data-picture="{picture}">{usual}</button><span class="said" role="status"></span>'
        f'<a class="language" href="{other}">{escape(words("other_language"))}</a></span></div>'
        f'<p class="subtitle">{escape(words("subtitle"))}</p>',
        js_on_load=None,
    )


def question(words: Words, tab: str, way: tuple[str, str] | None) -> None:
    """What a tab asks its visitor; `way` names a button beside it, and the part that it opens."""
    button = f' <button type="button" data-opens="{way[1]}">{escape(words(way[0]))}</button>' if way else ""
    gr.HTML(f'<p class="question">{escape(words(f"question.{tab}"))}{button}</p>', js_on_load=None)


def bottom(words: Words) -> None:
    """What this is, where its source and weights are, under which licence, and what becomes of what one draws."""
    space = os.environ.get("SPACE_ID")  # "alice/latent-lab", set by the Hub
    source = words("foot.space", address=f"https://huggingface.co/spaces/{space}/tree/main") if space else ""
    parts = [words("foot.what"), source or words("foot.source"), words("foot.licence"), words("foot.privacy")]
    gr.HTML(f'<div class="foot">{"".join(f"<p>{part}</p>" for part in parts)}</div>', js_on_load=None)
