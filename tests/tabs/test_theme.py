"""The colours: text stands out from what it is written on, by day and by night (WCAG 2, AA)."""

import re

import pytest

from tabs.theme import CSS


def colours(selector: str) -> dict[str, str]:
    """The variables of one block of the style sheet."""
    block = re.search(re.escape(selector) + r" \{(.*?)\}", CSS, re.DOTALL)[1]
    return dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block))


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it, 0 to 1."""
    red, green, blue = (
        share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4
        for share in (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_ratio_is_the_one_of_wcag() -> None:
    """Black on white is 21 : 1, and #767676 on white is known as the lightest grey that passes."""
    assert luminance("#ffffff") == pytest.approx(1)
    assert 1.05 / (luminance("#000000") + 0.05) == pytest.approx(21)
    assert 4.5 <= 1.05 / (luminance("#767676") + 0.05) < 4.6


@pytest.mark.parametrize("selector", [":root", ".dark"])
@pytest.mark.parametrize("text", ["ink", "muted", "accent"])
@pytest.mark.parametrize("ground", ["paper", "raised"])
def test_text_can_be_read(selector: str, text: str, ground: str) -> None:
    """4.5 : 1 at least."""
    found = colours(selector)
    darker, lighter = sorted((luminance(found[text]), luminance(found[ground])))
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def test_every_colour_is_a_variable() -> None:
    """Both pages define the same ones, no rule uses another, and none names a colour of its own."""
    assert colours(":root").keys() == colours(".dark").keys()
    _, rules = re.split(r"\.dark \{.*?\}", CSS, flags=re.DOTALL)
    measures = {"at", "aspect", "share"}  # set on an element
    assert set(re.findall(r"var\(--(\w+)\)", rules)) - measures <= colours(":root").keys()
    assert not re.findall(r"#[0-9a-f]{3,8}\b(?=[^{}]*;)|rgba?\(", rules)
