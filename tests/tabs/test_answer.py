"""What the page says to what a network reads: the sentence, the numeral, the bars."""

import re
from pathlib import Path

import pytest
from app_process import drawn
from PIL import Image

from models.hub import Provenance
from models.pictures import images
from models.pipelines import SURE, DigitClassifier, Facts, Reading, classifier, sampler
from tabs import Words
from tabs.digits import Shown, explained
from tabs.digits.answer import answer, decided, shown_with, whole_percent
from tabs.digits.bars import bars, verdicts
from tabs.sample import new
from tabs.widgets.networks import source

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
    "a digit": ([reading(7)], "7", True, "I am 99% sure."),  # never a hundred
    "a doubtful digit": ([reading(7, DOUBT)], "7", False, f"I am unsure: 7 at {PERCENT}%, or maybe 4."),
    "a letter": ([letter()], "?", False, "I do not think this is a digit."),
    "a word": ([letter(), letter(), letter()], "?", False, "I do not think this is a digit."),
    "a number": ([reading(4), reading(0, 0.95), reading(7)], "407", True, "I am at least 95% sure of each digit."),
    "a doubtful number": (
        [reading(1), reading(7, DOUBT)],
        "17",
        False,
        f"I am unsure about the 7: {PERCENT}%, or maybe 4.",
    ),
    "a number with a letter": ([reading(4), letter(), reading(7)], "4?7", False, "I do not think all of these are "),
}


@pytest.mark.parametrize(("readings", "numeral", "is_sure", "sentence"), SAID.values(), ids=SAID)
def test_what_is_said(readings: list[Reading], numeral: str, is_sure: bool, sentence: str) -> None:
    html = answer(Words("en"), "mnist-resnet", readings)
    assert f'<b class="numeral{"" if is_sure else " muted"}">{numeral}</b>' in html
    assert f'<span class="sentence">{sentence}' in html
    assert html.count("<img") == html.count("<i ") == len(readings)


def told(html: str) -> list[tuple[str, str]]:
    """Each bar's digit and what is written above it."""
    return re.findall(r"<dt>(.)</dt><dd><i></i><span>([^<]*)</span>", html.replace("&lt;", "less than "))


def test_bars() -> None:
    """All ten of one digit, ties among them; of a number its digits in their order, twice the same among them."""
    words = Words("en")
    one = told(bars(words, [reading(7, 0.9)]))
    assert [digit for digit, _ in one] == [str(digit) for digit in range(10)]
    assert (one[7], one[4], one[0]) == (("7", "90%"), ("4", "10%"), ("0", "less than 1%"))
    assert [percent for _, percent in told(bars(words, [letter()]))] == ["10%"] * 10
    several = told(bars(words, [reading(1, 0.9), reading(1, 0.95), letter()]))
    assert several == [("1", "90%"), ("1", "95%"), ("?", "10%")]
    assert told(bars(words, ())) == [(str(digit), "") for digit in range(10)]


def test_a_percentage_never_reaches_a_limit_before_the_share_does() -> None:
    """What is called unsure is not shown as the limit of what is sure; and nothing is shown as certain."""
    assert whole_percent(SURE) == round(100 * SURE) > whole_percent(SURE - 1e-4)
    assert whole_percent(1.0) == 99 and whole_percent(0.0) == 0


def test_verdicts() -> None:
    """One for each network, beside this answer alone; those that disagree with the answer stand out."""
    opinions = {"mnist-mlp": [reading(7)], "mnist-cnn": [reading(1)], "mnist-rnn": [letter()]}
    sheet = verdicts([reading(7)], opinions)
    rules = re.findall(
        r'value="(\S+)"[^{]+{ --verdict: "(.)"; --verdict-seen: var\((\S+)-visible, hidden\);( --verdict-colour)?',
        sheet,
    )
    assert [(name, verdict, bool(colour)) for name, verdict, _, colour in rules] == [
        ("mnist-mlp", "7", False),
        ("mnist-cnn", "1", True),
        ("mnist-rnn", "?", True),
    ]
    others = {"mnist-mlp": [reading(4), reading(2)], "mnist-cnn": [reading(4), letter()]}
    several = verdicts([reading(4), reading(2)], others)
    assert [(verdict, "colour" in rest) for verdict, rest in re.findall(r'--verdict: "(.*?)"(.*?)}', several)] == [
        ("42", False),
        ("4?", True),
    ]
    assert {
        f"{block}-visible: visible" in answer(Words("zh"), "mnist-mlp", [reading(7)]) for *_, block, _ in rules
    } == {True}
    assert {f"{block}-visible" in answer(Words("en"), "mnist-mlp", [reading(1)]) for *_, block, _ in rules} == {False}


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


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(("recall", "shown"), [(0.77, ["77"]), (0.006, ["1"]), (0.0015, [])])
def test_what_a_network_draws_is_told_in_words(language: str, recall: float, shown: list[str]) -> None:
    """Beside a hundred digits stand how many pass, and how many of MNIST's have their like; no nought stands alone."""
    figures = {"frechet": 1.0, "precision": 0.9, "recall": recall}
    facts = Facts("GAN", 1000, figures, Provenance("embedded", Path()), Path())
    summary = re.search("<summary>(.+?)</summary>", source(Words(language), "mnist-gan", facts))[1]
    assert sorted(re.findall(r"\d+", summary)) == sorted(["100", "90", *["100"] * len(shown), *shown])
    assert "%" not in summary


def test_what_the_page_opens_with_is_worked_on_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """For the first visitor; what visitors draw is explained each time, and nothing of it is kept. All see the same."""
    explain, asked = DigitClassifier.explain, []
    monkeypatch.setattr(DigitClassifier, "explain", lambda self, one: asked.append(one) or explain(self, one))
    readings = classifier("mnist-mlp").readings([images.to_digit(drawn())])
    maps = {
        (is_ours, turn): explained(Shown("mnist-mlp", readings, False, is_ours))
        for is_ours in (True, False)
        for turn in range(3)
    }
    assert len(asked) == 1 + 3
    assert len({one.tobytes() for (one,) in maps.values()}) == 1
    other = classifier("mnist-mlp").readings([images.to_digit(drawn([(0.5, 0.2), (0.5, 0.8)]))])
    assert explained(Shown("mnist-mlp", other, False, True))[0].tobytes() != maps[True, 0][0].tobytes()


def test_the_first_sheet_is_what_its_network_draws() -> None:
    name, _, count, temperature, seed = new.FIRST
    drawn = sampler(name)(count, None, seed, float(temperature))
    assert [one.tobytes() for one in new.first(sampler(name))] == [one.tobytes() for one in drawn]
