"""The head of the served pages, as those who show links read it."""

import gzip
import io
import urllib.request
from html.parser import HTMLParser

import pytest
from app_process import App
from PIL import Image


class Heads(HTMLParser):
    """The tags of a page's head: names with their values, in their order."""

    def __init__(self, page: str):
        super().__init__()
        self.language, self.tags, self.title = "", [], ""
        self._in_title = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.language = self.language or given.get("lang", "")
        self._in_title = tag == "title"
        if tag in ("meta", "link"):
            self.tags.append((given.get("property") or given.get("name") or given.get("rel"), given))

    def handle_data(self, data: str) -> None:
        self.title += data if self._in_title else ""
        self._in_title = False

    def all(self, name: str) -> list[str]:
        """Every value under a name."""
        return [given.get("content") or given.get("href") for one, given in self.tags if one == name]


def heads(app: App, path: str, **headers: str) -> Heads:
    request = urllib.request.Request(
        app.url + path, headers={key.replace("_", "-"): text for key, text in headers.items()}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert int(answer.headers["content-length"]) > 1000
        return Heads(answer.read().decode())


@pytest.mark.parametrize(("path", "language", "said"), [("/", "en", "number"), ("/zh", "zh", "数")])
def test_a_link_says_what_it_is(app: App, path: str, language: str, said: str) -> None:
    """Each tag once, ours; crawlers take the first, so none of the framework's is left."""
    found = heads(app, path + "?tab=faces")
    assert found.language == language
    assert "Latent Lab" in found.title
    names = [name for name, _ in found.tags if name and name.startswith(("og:", "twitter:"))]
    assert len(names) == len(set(names))
    for name in ("og:title", "og:description", "twitter:title", "twitter:description", "description"):
        (text,) = found.all(name)
        assert "Gradio" not in text and len(text) > 10
    assert said in found.all("og:description")[0]
    address = f"{app.url}{path}"
    assert found.all("og:url") == found.all("canonical") == [address]
    assert found.all("og:image") == found.all("twitter:image")


def test_a_shared_link_names_its_own_host(app: App) -> None:
    """Behind a proxy, as a share link and a Space are, the addresses are those that a visitor sees."""
    found = heads(app, "/", X_Forwarded_Host="lab.example.org", X_Forwarded_Proto="https")
    assert found.all("og:url") == ["https://lab.example.org/"]
    assert found.all("og:image")[0].startswith("https://lab.example.org/")


def test_the_picture_of_a_link(app: App) -> None:
    """As large as its tags say, and small enough to be fetched."""
    found = heads(app, "/")
    status, data = app.get(found.all("og:image")[0].removeprefix(app.url))
    assert status == 200 and len(data) < 300_000
    assert Image.open(io.BytesIO(data)).size == (1200, 630)
    assert (found.all("og:image:width"), found.all("og:image:height")) == (["1200"], ["630"])


def test_the_icon_is_ours(app: App) -> None:
    status, data = app.get("/favicon.ico")
    assert status == 200 and data.startswith(b"<svg")


def test_a_page_is_small_on_the_way(app: App) -> None:
    """Whoever reads gzip gets it, and finds the same page; whoever does not gets it plain."""
    plain = urllib.request.urlopen(app.url + "/", timeout=30)
    packed = urllib.request.urlopen(
        urllib.request.Request(app.url + "/", headers={"Accept-Encoding": "gzip, br"}), timeout=30
    )
    assert plain.headers["content-encoding"] is None and packed.headers["content-encoding"] == "gzip"
    small, large = packed.read(), plain.read()
    assert len(small) == int(packed.headers["content-length"]) < len(large) / 4
    read = [Heads(page.decode()) for page in (gzip.decompress(small), large)]
    assert read[0].tags == read[1].tags
