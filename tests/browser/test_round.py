"""The round of ten: which of two digits did a person write?"""

from lab import PAGES, PHONE, Lab, OpenLab, both_languages
from playwright.sync_api import expect

from models.pipelines import PAIRS, pairs

ROUND = "?tab=sample&part=guess&lang=en"


def shown(lab: Lab) -> list[str]:
    """The addresses of the two pictures that are seen."""
    pair = lab.page.locator("#round li:visible img")
    expect(pair).to_have_count(2)
    return [picture.get_attribute("src") for picture in pair.all()]


def play(lab: Lab, rights: int) -> None:
    """Answer as many pairs right as that, the rest wrong, by the keyboard alone."""
    for place, pair in enumerate(pairs(0)):
        side = int(pair.left != (place < rights))  # 0 is left
        expect(lab.page.locator("#round .round-score")).to_contain_text(str(place + 1))
        lab.page.locator("#round li:visible button").nth(side).press("Enter")
        said = lab.page.locator("#round .round-said")
        expect(said).to_contain_text(
            lab.words["guess.right"] if place < rights else lab.words[f"network.{pair.network}"]
        )
        expect(lab.page.locator("#round .round-next")).to_be_focused()
        lab.page.keyboard.press("Space")


@both_languages
def test_a_round(open_lab: OpenLab, language: str) -> None:
    """The score is how many were found; a network's, how often it passed for a person. Then there are others."""
    lab = open_lab(language, PAGES[language] + ROUND)
    first = shown(lab)
    play(lab, 7)
    end = lab.page.locator("#round .round-end")
    expect(end.locator(".sentence")).to_have_text(lab.words["guess.end"].format(right=7, count=PAIRS))
    passed = {}
    for place, pair in enumerate(pairs(0)):
        seen, taken = passed.get(pair.network, (0, 0))
        passed[pair.network] = seen + 1, taken + (place >= 7)
    rows = {row.locator("th").inner_text(): row.locator("td").inner_text() for row in end.locator("tbody tr").all()}
    assert rows == {
        lab.words[f"network.{name}"]: lab.words["guess.fooled"].format(right=taken, place=seen)
        for name, (seen, taken) in passed.items()
    }
    lab.page.locator("#round .round-again").press("Enter")
    lab.page.wait_for_url("**seed=1**")
    expect(lab.page.locator("#round li:visible button").first).to_be_focused()
    expect(lab.page.locator("#round .round-score")).to_contain_text("1")
    assert shown(lab) != first


def test_nothing_moves(open_lab: OpenLab) -> None:
    """Neither an answer nor the next pair shifts what is below."""
    for context in ({}, PHONE):
        lab = open_lab(path=PAGES["en"] + ROUND, **context)
        shown(lab)
        button = lab.page.locator("#round .round-next")
        places = []
        for _ in range(3):
            places.append(button.bounding_box()["y"])
            lab.page.locator("#round li:visible button").first.click()
            places.append(button.bounding_box()["y"])
            button.click()
        assert max(places) - min(places) < 0.5


def test_an_answer_counts_once(open_lab: OpenLab) -> None:
    """Neither picture can be chosen after the other."""
    lab = open_lab(path=PAGES["en"] + ROUND)
    shown(lab)
    score = lab.page.locator("#round .round-score")
    for button in lab.page.locator("#round li:visible button").all():
        button.dispatch_event("click")
    expect(score).to_have_text(lab.words["guess.score"].format(place=1, count=PAIRS, right=int(pairs(0)[0].left)))


def test_the_question_leads_to_it(open_lab: OpenLab) -> None:
    """Which of two digits a person wrote is asked where there are two, and nowhere else."""
    lab = open_lab(path="/?tab=sample")
    ask = lab.page.get_by_text(lab.words["guess.ask"])
    for part in ("new", "map", "morph", "rebuild"):
        lab.page.get_by_role("tab", name=lab.words[f"sample.{part}"], exact=True).click()
        expect(ask.filter(visible=True)).to_have_count(0)
    lab.page.get_by_role("button", name=lab.words["guess.try"]).click()
    lab.page.wait_for_url("**part=guess**")
    shown(lab)
    expect(ask).to_be_in_viewport()
