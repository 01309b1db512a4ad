"""Figures are read off any card, also a stranger's."""

from pathlib import Path

import pytest

from models import hub as sources

GOOD = "---\nmodel-index:\n- name: a\n  results:\n  - task: {type: t}\n    dataset: {name: n, type: d}\n    metrics:\n"


CARDS = {
    "figures": (GOOD + "    - {type: accuracy, value: 0.5}\n---\n# A card\n", {"accuracy": 0.5}),
    "no metadata": ("# A card\n", {}),
    "no results": ("---\nlicense: mit\n---\n", {}),
    "broken YAML": ("---\nlicense: [mit\n---\n", {}),
    "no table": ("---\n- license\n---\n", {}),
    "no bytes": ("", {}),
    "no index": ("---\nmodel-index: 5\n---\n", {}),
    "half an index": ("---\nmodel-index:\n- results: []\n---\n", {}),
    "half a result": ("---\nmodel-index:\n- name: a\n  results:\n  - task: {type: t}\n---\n", {}),
    "figures in words": (GOOD + "    - {type: accuracy, value: high}\n---\n", {}),
    "figures that are none": (GOOD + "    - {type: accuracy, value: .nan}\n---\n", {}),
}


@pytest.mark.parametrize("card", CARDS)
def test_figures_of_any_card(tmp_path: Path, hub: object, card: str) -> None:
    """A page that tells a stranger's accuracy does not fall over their card: what is no figure is not there."""
    text, expected = CARDS[card]
    (tmp_path / "README.md").write_text(text)
    assert sources.figures(tmp_path) == expected
    assert hub.requests == []


def test_figures_without_a_readable_card(tmp_path: Path, hub: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """No card, or one that is no text: no figures, and the Hub is not asked for a repository of the folder's name."""
    assert sources.figures(tmp_path) == {}
    monkeypatch.chdir(tmp_path)
    assert sources.figures(Path("alice")) == {}
    (tmp_path / "README.md").write_bytes(b"---\n\xff\xfe\n---\n")
    assert sources.figures(tmp_path) == {}
    assert hub.requests == []
