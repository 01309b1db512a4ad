"""Every word on the page: the two languages say the same things, and no word is missing or left over."""

import ast
import json
import re
import string
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from app_process import ROOT

TEXTS = {language: json.loads((ROOT / f"tabs/locales/{language}.json").read_text("utf-8")) for language in ("en", "zh")}
KEYS = set(TEXTS["en"])
SECTIONS = {key.partition(".")[0] for key in KEYS if "." in key}


def nodes(*places: str) -> Iterator[ast.AST]:
    """Every node of the Python files in these places."""
    for place in places:
        for file in [ROOT / place] if place.endswith(".py") else sorted((ROOT / place).rglob("*.py")):
            yield from ast.walk(ast.parse(Path(file).read_text("utf-8")))


def placeholders(text: str) -> set[str]:
    """The names between braces."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def raised() -> dict[str, set[str]]:
    """The code of every `InputError` made anywhere, with the details it is given."""
    codes = {}
    for node in nodes("models", "tabs"):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
            code = node.args[0].value if isinstance(node.args[0], ast.Constant) else None
            if node.func.id == "InputError" and code:
                codes[code] = {keyword.arg for keyword in node.keywords}
            elif node.func.id in ("whole", "number") and isinstance(code, str):  # they raise it with their limits
                codes[code] = {"low", "high"}
    return codes


def asked() -> tuple[set[str], set[str]]:
    """The keys that the page asks for by name, and the sections of which it asks for keys that it puts together."""
    keys, sections = set(), set()
    for node in nodes("tabs", "app.py"):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "words":
            keys |= {argument.value for argument in node.args if isinstance(argument, ast.Constant)}
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            section, _, rest = node.value.partition(".")
            if section in SECTIONS and re.fullmatch(r"\w+", rest) and rest != "js":  # "pad.js" is a file
                keys.add(node.value)
        if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
            start = node.values[0].value
            sections |= {start[:-1]} if start[-1:] == "." and start[:-1] in SECTIONS else set()
    return keys, sections


def test_both_languages_say_the_same_things() -> None:
    """The same keys, in the same order, with the same figures and names to fill in."""
    assert list(TEXTS["en"]) == list(TEXTS["zh"])
    for key in KEYS:
        assert placeholders(TEXTS["en"][key]) == placeholders(TEXTS["zh"][key]), key


@pytest.mark.parametrize("language", TEXTS)
def test_the_tone_is_calm(language: str) -> None:
    """No empty text, no exclamation mark, no emoji; Chinese texts are Chinese."""
    for key, text in TEXTS[language].items():
        assert text.strip() == text != "", key
        assert not set("!！") & set(text), key
        assert not [sign for sign in text if unicodedata.category(sign) in ("So", "Sk", "Cs")], key
        if (
            language == "zh"
            and key not in ("title", "other_language", "photo.gained")
            and not key.startswith("network.mnist-")
        ):
            assert re.search(r"[一-鿿]", text), key


@pytest.mark.parametrize("language", TEXTS)
def test_every_error_has_its_sentence(language: str) -> None:
    """Each code of an `InputError` has a text that uses no detail which the error does not bring."""
    codes = raised()
    coded = {key for key in KEYS - asked()[0] if key.startswith("error.")}
    assert {f"error.{code}" for code in codes} == coded
    for code, details in codes.items():
        assert placeholders(TEXTS[language][f"error.{code}"]) <= details


def test_every_key_exists_and_is_used() -> None:
    """What the page asks for is there, and nothing is there that it does not ask for."""
    keys, sections = asked()
    assert sections >= {"error", "source"}
    assert keys - KEYS == set()
    assert {key for key in KEYS - keys if key.partition(".")[0] not in sections} == set()
    assert {f"source.{source}" for source in ("embedded", "hub", "path")} <= KEYS
