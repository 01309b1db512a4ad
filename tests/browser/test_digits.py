"""The digits page in headless Chromium, as a visitor meets it: draw, read, clear, switch, upload, download."""

import re
from pathlib import Path

import pytest
from app_process import ROOT, SEVEN, App, drawn, png
from lab import PHONE, RING, OpenLab
from playwright.sync_api import expect

both_languages = pytest.mark.parametrize("language", ["en", "zh"])


@both_languages
def test_a_page_opens_in_its_language(open_lab: OpenLab, language: str) -> None:
    """It opens without an error and asks no other host (`open_lab` sees to both), with a digit drawn and read; a first
    stroke takes its place, and an empty pad gets no guess."""
    lab = open_lab(language)
    expect(lab.page.get_by_role("tab", name=lab.words["tab.digits"])).to_be_visible()
    expect(lab.page.get_by_text(lab.words["subtitle"])).to_be_visible()
    expect(lab.numeral).to_have_text("5")
    lab.draw()
    expect(lab.numeral).to_have_text("7")
    lab.page.locator("#pad .pad-clear").click()
    lab.expect_nothing()


@both_languages
def test_a_drawn_seven_is_read(empty_lab: OpenLab, language: str) -> None:
    """The answer, its probabilities and the 28x28 picture that the network saw."""
    lab = empty_lab(language)
    lab.draw()
    expect(lab.numeral).to_have_text("7")
    before_the_figure = re.escape(lab.words["digits.sure"].split("{percent}")[0])
    expect(lab.sentence).to_have_text(re.compile(before_the_figure + r"\d\d"))
    expect(lab.label.locator("dt")).to_have_text([str(digit) for digit in range(10)])
    expect(lab.label.locator(".best dt")).to_have_text("7")
    expect(lab.label.locator(".best dd")).to_have_text(re.compile(r"^\d+%$"))
    seen = lab.page.locator("#answer img")
    expect(seen).to_be_visible()
    assert seen.evaluate("picture => [picture.naturalWidth, picture.naturalHeight]") == [28, 28]
    expect(lab.page.get_by_text(lab.words["digits.seen"])).to_be_visible()


def test_the_label_changes_while_the_stroke_goes_on(empty_lab: OpenLab) -> None:
    """The network speaks before the pointer is lifted, and again as the stroke goes on."""
    lab = empty_lab()
    lab.draw(SEVEN[:2], lift=False)
    expect(lab.sentence).not_to_have_text(lab.words["digits.empty"])
    early = lab.label.inner_text()
    assert early
    lab.settle()  # the pad speaks every 120 ms at most: the next move is sent for certain
    lab.go_on(SEVEN[2:])
    lab.settle()
    lab.go_on([(x + 0.01, y) for x, y in SEVEN[2:]])
    expect(lab.label).not_to_have_text(early, use_inner_text=True)
    expect(lab.numeral).to_have_text("7")
    lab.page.mouse.up()


@both_languages
def test_clear_empties_the_answer_too(empty_lab: OpenLab, language: str) -> None:
    """After Clear there is no guess left, and choosing a network makes none."""
    lab = empty_lab(language)
    lab.draw()
    expect(lab.numeral).to_have_text("7")
    lab.page.locator("#pad .pad-clear").click()
    lab.expect_nothing()
    lab.choose("Dense")
    lab.expect_nothing()
    lab.draw()
    expect(lab.numeral).to_have_text("7")


def test_each_example_is_named(empty_lab: OpenLab) -> None:
    """Three examples, each read as what it is."""
    lab = empty_lab()
    examples = lab.page.locator("#pad [data-strokes]")
    assert examples.count() == 3
    for example in examples.all():
        digit = re.search(r"\d", example.get_attribute("aria-label"))[0]
        example.click()
        expect(lab.numeral).to_have_text(digit)


@both_languages
def test_another_network_reads_the_same_drawing(empty_lab: OpenLab, language: str) -> None:
    """The source line tells the network, its size, its accuracy and its source, and the drawing is read again."""
    lab = empty_lab(language)
    lab.draw()
    expect(lab.numeral).to_have_text("7")
    with lab.page.expect_response(lambda answer: "numeral" in answer.text()) as read_again:
        lab.choose("Dense")
    assert '<b class="numeral">7</b>' in read_again.value.json()["data"][0]
    expect(lab.numeral).to_have_text("7")
    for word in ("network.parameters", "network.wrong", "source.embedded"):
        expect(lab.source).to_contain_text(re.compile(re.sub(r"\\{\w+\\}", ".+", re.escape(lab.words[word]))))


@both_languages
def test_an_uploaded_picture_is_read(empty_lab: OpenLab, language: str, tmp_path: Path) -> None:
    """A PNG is read, a change of network reads it again and not the pad, and taking it away empties the answer."""
    (tmp_path / "seven.png").write_bytes(png(drawn()))
    lab = empty_lab(language)
    lab.draw(RING)
    expect(lab.numeral).to_have_text("0")
    lab.upload(tmp_path / "seven.png")
    expect(lab.numeral).to_have_text("7")
    with lab.page.expect_response(lambda answer: "numeral" in answer.text()) as read_again:
        lab.choose("Dense")
    assert '<b class="numeral">7</b>' in read_again.value.json()["data"][0]
    lab.take_away()
    lab.expect_nothing()


def test_a_pasted_picture_is_read(open_lab: OpenLab) -> None:
    """A picture comes from the clipboard as well, each time: Gradio empties the field first, which must not win."""
    lab = open_lab(permissions=["clipboard-read", "clipboard-write"])
    lab.draw()
    lab.page.evaluate(
        """async (url) => {
          const picture = await (await fetch(url)).blob();
          await navigator.clipboard.write([new ClipboardItem({'image/png': picture})]);
        }""",
        lab.canvas.evaluate("canvas => canvas.toDataURL()"),
    )
    lab.page.locator("#pad .pad-clear").click()
    lab.page.locator("#picture button").first.click()
    for _ in range(3):
        lab.expect_nothing()
        lab.page.get_by_label(lab.words["gradio.paste"]).click()
        expect(lab.numeral).to_have_text("7")
        lab.take_away()


@both_languages
def test_a_bad_picture_gets_one_sentence(empty_lab: OpenLab, app: App, tmp_path: Path, language: str) -> None:
    """The sentence is on the page, in its language, old answer and broken file are not; server and pad go on."""
    lab, before = empty_lab(language), len(app.log)
    bad = {
        "text.png": (b"I am a poem.\n" * 40, "error.image_unreadable"),
        "cut.png": (png(drawn())[:300], "error.image_unreadable"),
        "dot.png": (png(drawn().resize((1, 1))), "error.image_blank"),
    }
    for name, (data, error) in bad.items():
        lab.draw(RING)
        expect(lab.numeral).to_have_text("0")
        (tmp_path / name).write_bytes(data)
        lab.upload(tmp_path / name)
        expect(lab.page.get_by_text(lab.words[error])).to_be_visible()
        expect(lab.numeral).to_have_text("?")
        if error == "error.image_unreadable":  # it is taken away by itself
            expect(lab.cross("picture")).to_have_count(0)  # another tab of this page may show one
        else:
            lab.take_away()
        lab.page.locator("#pad .pad-clear").click()
    lab.choose("Dense")
    lab.draw()
    expect(lab.numeral).to_have_text("7")
    # The browser's console tells an answer of 500 by itself; that is no fault of the page.
    lab.problems[:] = [problem for problem in lab.problems if "status of 500" not in problem]
    assert "Traceback" not in app.log[before:]


def test_download_gives_the_weights(empty_lab: OpenLab) -> None:
    """The button gives the chosen network's file, byte for byte."""
    lab = empty_lab()
    for network, name in ((None, "mnist-resnet"), ("Dense", "mnist-dense")):
        if network:
            lab.choose(network)
        with lab.page.expect_download() as download:
            lab.page.locator("#download").click()
        assert download.value.suggested_filename == "model.safetensors"
        wanted = (ROOT / "checkpoints" / name / "model.safetensors").read_bytes()
        assert Path(download.value.path()).read_bytes() == wanted


def test_a_small_digit_in_a_corner(empty_lab: OpenLab) -> None:
    """The pen is nearly as wide as the digit, of which a seven is left all the same."""
    lab = empty_lab()
    lab.draw([(0.1, 0.1), (0.18, 0.1), (0.13, 0.22)])
    expect(lab.numeral).to_have_text("7")


def test_a_finger_draws_and_the_page_stays(empty_lab: OpenLab) -> None:
    """A finger on the pad draws and scrolls nothing; beside the pad it scrolls."""
    lab = empty_lab(**PHONE)
    lab.swipe([lab.at(*point) for point in SEVEN])
    expect(lab.numeral).to_have_text("7")
    assert lab.page.evaluate("scrollY") == 0
    lab.swipe([(8, 600), (8, 300)])
    lab.page.wait_for_function("scrollY > 0")


def test_a_chinese_browser_is_greeted_in_chinese(open_lab: OpenLab) -> None:
    """It lands on /zh; the link to English leads to English, and a reload stays there."""
    lab = open_lab("zh", path="/")
    lab.page.wait_for_url("**/zh")
    expect(lab.numeral).to_have_text("5")
    lab.page.get_by_role("link", name=lab.words["other_language"]).click()
    english = lab.page.get_by_role("tab", name="Digits")
    expect(english).to_be_visible()
    lab.page.reload()
    lab.wait()
    expect(english).to_be_visible()
    assert "/zh" not in lab.page.url


def test_an_english_browser_may_read_chinese(open_lab: OpenLab) -> None:
    """The link to Chinese works for everyone, and nobody is sent back."""
    lab = open_lab()
    lab.page.get_by_role("link", name=lab.words["other_language"]).click()
    lab.page.wait_for_url("**/zh")
    lab.wait()
    expect(lab.page.get_by_role("tab", name="数字分类")).to_be_visible()


def test_a_drawing_in_the_dark_is_read(open_lab: OpenLab) -> None:
    """On the dark page ink is light, and read all the same."""
    for theme, ink in (("light", range(0, 80)), ("dark", range(176, 256))):
        lab = open_lab(path=f"/?__theme={theme}")
        lab.draw()
        expect(lab.numeral).to_have_text("7")
        x, y = (round(share * 280) for share in SEVEN[1])
        red = lab.canvas.evaluate(f"canvas => canvas.getContext('2d').getImageData({x}, {y}, 1, 1).data[0]")
        assert red in ink, theme
