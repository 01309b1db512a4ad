"""The head of the served page: what a link to it says of it, wherever it is posted. Gradio's own tags give way."""

import gzip
import re
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from gradio.route_utils import get_root_url
from starlette.requests import Request
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from tabs import Words

STATIC = Path(__file__).parent / "static"
FAVICON = STATIC / "favicon.svg"
PREVIEW = STATIC / "preview.jpg"  # made by tests/browser/makers/pictures.py
SIZE = (1200, 630)  # its width and height, as those who show links want them
LOCALES = {"en": "en_US", "zh": "zh_CN"}

_OTHERS = re.compile(r'<meta\s+(?:property="og:|name="(?:twitter:|description"))[^>]*>\s*|<title>.*?</title>\s*', re.S)


class Head:
    """A layer around the app (ASGI): it rewrites the head of the pages, and lets everything else through.

    Args:
        app: what it lies around.
        pages: the words of each page by its path, without slashes.
        script: runs before anything else of a page.
    """

    def __init__(self, app: Any, pages: Mapping[str, Words], script: str):
        self.app, self.pages, self.script = app, pages, script

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Serve one request."""
        path = scope["path"].strip("/") if scope["type"] == "http" else None
        if path not in self.pages:
            return await self.app(scope, receive, send)
        start: dict[str, Any] = {}
        body = bytearray()

        async def changed(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            body.extend(message.get("body", b""))
            if message.get("more_body"):
                return
            content = bytes(body)
            headers = [pair for pair in start["headers"] if pair[0].lower() != b"content-length"]
            if any(key.lower() == b"content-type" and value.startswith(b"text/html") for key, value in headers):
                root = get_root_url(Request(scope), f"/{path}" if path else "/", scope.get("root_path"))
                content = self._rewritten(content.decode(), path, root).encode()
                headers.append((b"vary", b"accept-encoding"))
                if "gzip" in Request(scope).headers.get("accept-encoding", ""):
                    # A fifth on the way: the settings of all components are written in it.
                    content = gzip.compress(content, 5)
                    headers.append((b"content-encoding", b"gzip"))
            await send({**start, "headers": [*headers, (b"content-length", str(len(content)).encode())]})
            await send({"type": "http.response.body", "body": content})

        return await self.app(scope, receive, changed)

    def _rewritten(self, page: str, path: str, root: str) -> str:
        words = self.pages[path]
        page = page.replace('lang="en"', f'lang="{words.language}"', 1)
        head, rest = page.split("</head>", 1)
        before, after = _OTHERS.sub("", head).split("<head>", 1)
        style = f"<style>{(STATIC / 'first.css').read_text('utf-8')}</style>"
        ours = f'<meta charset="utf-8">{self._tags(words, path, root)}{style}<script>{self.script}</script>'
        bones = f'<div id="bones" aria-hidden="true"><h1>{escape(words("title"))}</h1></div>'
        rest = re.sub(r"(<body[^>]*>)", rf"\g<1>{bones}", rest, count=1)
        return f"{before}<head>{ours}{after}</head>{rest}"

    def _tags(self, words: Words, path: str, root: str) -> str:
        addresses = {other.language: f"{root}/{place}" for place, other in self.pages.items()}
        title, told = words("head.title"), words("head.description")
        properties = {
            "type": "website",
            "site_name": words("title"),
            "title": title,
            "description": told,
            "url": addresses[words.language],
            "locale": LOCALES[words.language],
            "image": f"{root}/lab/{PREVIEW.name}",
            "image:width": SIZE[0],
            "image:height": SIZE[1],
            "image:alt": words("head.image"),
        }
        named = {"card": "summary_large_image", "title": title, "description": told, "image": properties["image"]}
        others = "".join(
            f'<link rel="alternate" hreflang="{language}" href="{escape(address)}">'
            for language, address in addresses.items()
        )
        return (
            f'<title>{escape(title)}</title><meta name="description" content="{escape(told)}">'
            f'<link rel="canonical" href="{escape(addresses[words.language])}">{others}'
            '<link rel="icon" type="image/svg+xml" href="favicon.ico">'
            + "".join(f'<meta property="og:{key}" content="{escape(str(value))}">' for key, value in properties.items())
            + "".join(f'<meta name="twitter:{key}" content="{escape(value)}">' for key, value in named.items())
        )


def static() -> Mount:
    """The page's own files."""
    return Mount("/lab", StaticFiles(directory=STATIC))
