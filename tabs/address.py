"""Everything has an address: what of the page is said in it, and how the page becomes what an address says.

Tabs, pads and the map are opened by `static/lab.js` alone; the values of Gradio's components come through one event,
which only a visitor whose address says something sends.
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import gradio as gr
from gradio.components import Component

from tabs import PAGE
from tabs.head import STATIC
from tabs.widgets.picture import HEAVIEST

SEEDS = range(2**32)


def script(views: Mapping[str, tuple[str, ...]], labels: Mapping[str, Mapping[str, str]]) -> str:
    """The page's own script, told which tabs there are, the parts of each, and what Gradio's labels become."""
    text = (STATIC / "lab.js").read_text("utf-8")
    given = {"views": json.dumps(views), "labels": json.dumps(labels), "heaviest": str(HEAVIEST)}
    for name, value in given.items():
        text = text.replace(f"'${name}'", value)
    return text


class Address:
    """What of one page is said in its address.

    A view is a tab, "faces", or a part of one, "sample/new"; of each, components have a name in the address.

    Args:
        views: the tabs by their names, and the parts of each, the one that is opened first before the others.
    """

    def __init__(self, views: Mapping[str, tuple[str, ...]]):
        self.views = views
        self._named: list[tuple[str, str, Component]] = []
        self._said: dict[str, gr.HTML] = {}

    def add(self, view: str, beside: Mapping[str, str] | None = None, **components: Component) -> None:
        """Note what a visitor changes, under these names.

        Args:
            view: of the components.
            beside: of a component, what else its usual value depends on.
            components: by their names.
        """
        for key, component in components.items():
            self._named.append((view, key, component))
            given = (view, key, component.value, (beside or {}).get(key, ""))
            of, name, usual, other = map(json.dumps, given)
            noted = f"(value) => lab.note({of}, {name}, value, {usual}, {other})"
            component.change(None, component, None, js=noted, api_visibility="private")

    def said(self, view: str) -> gr.HTML:
        """What changes once an address has said something of a view: components do not tell this from what the page
        itself sets."""
        self._said[view] = gr.HTML(visible="hidden")
        return self._said[view]

    def opens(self, tab: gr.Tab, *view: str) -> None:
        """Note that this tab was opened; the view in one or two words."""
        tab.select(None, None, None, js=f"() => lab.opened({', '.join(map(json.dumps, view))})")

    def build(self) -> None:
        """Lay out what reads the address when the page opens; after everything was added."""
        asked = gr.HTML(
            visible="hidden",
            js_on_load="lab.asks((search) => { props.value = search; trigger('input'); });",
        )
        components = [component for _, _, component in self._named]
        asked.input(self._values, asked, [*components, *self._said.values()], **PAGE)

    def _values(self, search: str) -> list[Any]:
        query = {key: values[0] for key, values in parse_qs(str(search).removeprefix("?")).items()}
        view = self._view(query)
        values = [
            _taken(component, query[key]) if key in query and view == of else gr.skip()
            for of, key, component in self._named
        ]
        return [*values, *("said" if of == view else gr.skip() for of in self._said)]

    def _view(self, query: Mapping[str, str]) -> str:
        tab = query["tab"] if query.get("tab") in self.views else next(iter(self.views))
        parts = self.views[tab]
        part = query["part"] if query.get("part") in parts else next(iter(parts), "")
        return "/".join(filter(None, (tab, part)))


def _taken(component: Component, text: str) -> Any:
    """The value that an address says, as the component takes it; nothing changes where that is none of its."""
    if isinstance(component, gr.Checkbox):
        return {"true": True, "false": False}.get(text, gr.skip())
    if isinstance(component, gr.Radio):
        return text if text in [value for _, value in component.choices] else gr.skip()
    try:
        number = float(text)
    except ValueError:
        return gr.skip()
    number = int(number) if number.is_integer() else number
    if isinstance(component, gr.Slider):
        return number if component.minimum <= number <= component.maximum else gr.skip()
    return number if number in SEEDS else gr.skip()
