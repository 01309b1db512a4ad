"""What the page says to what a network reads: the sentence, the numeral, the bars."""

import re

import pytest
from PIL import Image

from models.pipelines import SURE, Reading
from tabs import Words
from tabs.digits.answer import Bars, answer, decided, shown_with

LETTER = {str(digit): 0.1 for digit in range(10)}


def reading(digit: int, confidence: float = 0.999, second: int = 4) -> Reading:
    """One digit with a picture of its own; what is left over goes to `second`."""
    shares = {str(other): 0.0 for other in range(10)} | {str(second): 1 - confidence, str(digit): confidence}
    return Reading(Image.new("L", (28, 28), 10 * digit), shares)


def letter() -> Reading:
    return Reading(Image.new("L", (28, 28), 255), LETTER)


DOUBT = SURE - 0.1
PERCENT = round(100 * DOUBT)
SAID = {
    "a digit": ([reading(7)], "7", True, "I am 99 % sure."),  # never a hundred
    "a doubtful digit": ([reading(7, DOUBT)], "7", False, f"I am unsure: 7 at {PERCENT} %, or maybe 4."),
    "a letter": ([letter()], "?", False, "I do not think this is a digit."),
    "a word": ([letter(), letter(), letter()], "?", False, "I do not think this is a digit."),
    "a number": ([reading(4), reading(0, 0.95), reading(7)], "407", True, "I am at least 95 % sure of each digit."),
    "a doubtful number": (
        [reading(1), reading(7, DOUBT)],
        "17",
        False,
        f"I am unsure about the 7: {PERCENT} %, or maybe 4.",
    ),
    "a number with a letter": ([reading(4), letter(), reading(7)], "4?7", False, "I do not think all of these are "),
}


@pytest.mark.parametrize(("readings", "numeral", "is_sure", "sentence"), SAID.values(), ids=SAID)
def test_what_is_said(readings: list[Reading], numeral: str, is_sure: bool, sentence: str) -> None:
    html = answer(Words("en"), "mnist-resnet", readings).replace("\xa0", " ")
    assert f'<b class="numeral{"" if is_sure else " muted"}">{numeral}</b>' in html
    assert f'<span class="sentence">{sentence}' in html
    assert html.count("<img") == html.count("<i ") == len(readings)


def test_bars() -> None:
    """The three likeliest of one digit; of a number its digits in their order, twice the same among them."""
    bars = Bars(num_top_classes=3)
    one = bars.postprocess([reading(7, 0.9)])
    assert [bar.label for bar in one.confidences][:2] == ["7", "4"]
    assert len(one.confidences) == 3
    several = bars.postprocess([reading(1, 0.9), reading(1, 0.95), letter()])
    assert [(bar.label, bar.confidence) for bar in several.confidences] == [("1", 0.9), ("1", 0.95), ("?", 0.1)]
    assert bars.postprocess(None) == {}


def test_what_comes_later_finds_its_own_answer() -> None:
    """Heat maps go by picture and network, blocks by pictures alone."""
    maps = [Image.new("RGB", (28, 28))]

    def places(html: str) -> set[str]:
        return set(re.findall(r"--decided-\w+", html))

    seven = answer(Words("en"), "mnist-resnet", [reading(7)])
    assert places(decided("mnist-resnet", [reading(7)], maps)) == places(seven)
    assert not places(decided("mnist-dense", [reading(7)], maps)) & places(seven)
    assert not places(decided("mnist-resnet", [reading(1)], maps)) & places(seven)
    block = re.search(r"--answer-\w+", shown_with([reading(7)]))[0]
    assert block in seven
    assert block in answer(Words("zh"), "mnist-dense", [reading(7)])
    assert block not in answer(Words("en"), "mnist-resnet", [reading(1)])
