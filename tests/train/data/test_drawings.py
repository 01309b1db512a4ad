"""The development set: as many of each kind as promised, the same for the same seed, and each kind what it says."""

import numpy as np
import pytest
import tiny
import torch
from PIL import Image

from models.pipelines import to_digit
from train.data import synthetic_digits
from train.data.splits import Split
from train.data.synthetic_digits import KINDS, Kind

EACH = 24


@pytest.fixture(scope="module")
def validation() -> Split:
    pictures, labels = tiny.bars(130, seed=5)
    return Split(torch.from_numpy(pictures)[:, None], torch.from_numpy(labels))


@pytest.fixture(scope="module")
def found(validation: Split) -> list[tuple[str, Image.Image, int]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(synthetic_digits, "EACH", EACH)
        return synthetic_digits.development_set(validation, seed=3)


def of(found: list[tuple[str, Image.Image, int]], kind: str) -> list[Image.Image]:
    return [image for name, image, _ in found if name == kind]


def greys(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("L"), np.float64)


def test_balance(found: list[tuple[str, Image.Image, int]]) -> None:
    """So many of every kind, labels from 0 to 9, and no picture twice."""
    assert {kind: len(of(found, kind)) for kind in KINDS} == dict.fromkeys(KINDS, EACH)
    assert len(found) == EACH * len(KINDS)
    assert {label for _, _, label in found} == set(range(10))
    assert all(isinstance(label, int) for _, _, label in found)
    assert len({(image.size, image.tobytes()) for _, image, _ in found}) == len(found)


def test_few_validation_images(validation: Split) -> None:
    """Of each kind then come twice a tenth of them, so that a small dataset is not drawn again and again."""
    few = Split(validation.images[:50], validation.labels[:50])
    found = synthetic_digits.development_set(few)
    assert [len(of(found, kind)) for kind in KINDS] == [10] * len(KINDS)
    one = Split(validation.images[:1], validation.labels[:1])
    assert len(synthetic_digits.development_set(one)) == 2 * len(KINDS)


def test_half_are_the_validation_split(validation: Split, monkeypatch: pytest.MonkeyPatch) -> None:
    """The labels of the first half of a kind are those of the images that are put there; no image comes twice."""
    monkeypatch.setattr(synthetic_digits, "EACH", EACH)
    seen: list[bytes] = []
    enlarged = synthetic_digits._enlarged
    monkeypatch.setattr(
        synthetic_digits, "_enlarged", lambda pixels, pen: seen.append(pixels.tobytes()) or enlarged(pixels, pen)
    )
    found = synthetic_digits.development_set(validation, seed=1)
    assert len(seen) == EACH // 2 * len(KINDS)
    known = {
        image.numpy().tobytes(): int(label) for image, label in zip(validation.images, validation.labels, strict=True)
    }
    for number in range(len(KINDS)):
        chosen = seen[number * EACH // 2 : (number + 1) * EACH // 2]
        assert len(set(chosen)) == EACH // 2
        assert [known[pixels] for pixels in chosen] == [
            label for _, _, label in found[number * EACH : number * EACH + EACH // 2]
        ]


def test_the_seed_decides(validation: Split, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice the same is the same byte for byte, whatever torch's own seed; another seed gives others."""
    monkeypatch.setattr(synthetic_digits, "EACH", 4)
    sets = []
    for number, seed in enumerate((1, 1, 2)):
        torch.manual_seed(number)
        sets.append(
            [
                (kind, image.tobytes(), label)
                for kind, image, label in synthetic_digits.development_set(validation, seed)
            ]
        )
    assert sets[0] == sets[1]
    assert not {pixels for _, pixels, _ in sets[0]} & {pixels for _, pixels, _ in sets[2]}


@pytest.mark.parametrize("kind", KINDS)
def test_sheet_and_polarity(found: list[tuple[str, Image.Image, int]], kind: str) -> None:
    """Each sheet has its kind's size; ink is darker than paper, or lighter where the kind says so."""
    way = KINDS[kind]
    for image in of(found, kind):
        assert image.size == way.sheet[::-1]
        assert image.mode == ("RGB" if way.noise else "L")
        pixels = greys(image)
        if way.uneven or kind == "few pixels":
            continue
        paper = np.median(pixels)
        darkest, lightest = np.percentile(pixels, (0.2, 99.8))
        assert (lightest - paper > 60 > paper - darkest) if way.light else (paper - darkest > 60 > lightest - paper)
        assert paper < 60 if way.light else paper > 190


@pytest.mark.parametrize("kind", [kind for kind, way in KINDS.items() if not way.uneven])
def test_share_of_the_sheet(found: list[tuple[str, Image.Image, int]], kind: str) -> None:
    """The digit's longer side takes the share of the sheet's height that its kind says, and lies somewhere on it."""
    low, high = KINDS[kind].share
    corners = []
    for image in of(found, kind):
        pixels = greys(image)
        ink = abs(pixels - np.median(pixels)) > 60
        if kind == "few pixels":  # where ink is more than paper
            edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
            ink = abs(pixels - np.median(edge)) > 60
        rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
        longest = max(np.ptp(rows), np.ptp(columns)) + 1
        # The outermost ink is faint.
        assert 0.8 * low * image.height - 1 <= longest <= high * image.height + 1
        corners.append((int(rows[0]), int(columns[0])))
    assert len(set(corners)) > EACH / 4


def evenness(image: Image.Image) -> float:
    """The darkest of a photograph's four by four fields by the lightest, as their papers are."""
    pixels = greys(image)
    height, width = (side // 4 for side in pixels.shape)
    papers = [
        np.percentile(pixels[row * height : (row + 1) * height, column * width : (column + 1) * width], 80)
        for row in range(4)
        for column in range(4)
    ]
    return min(papers) / max(papers)


@pytest.mark.parametrize("kind", ["scan", "photograph"])
def test_uneven_light(found: list[tuple[str, Image.Image, int]], kind: str) -> None:
    """A photograph loses light towards a side and in a shadow, a scan does not."""
    values = [evenness(image) for image in of(found, kind)]
    if KINDS[kind].uneven:
        assert np.mean(values) < 0.7 and max(values) < 0.9
        assert min(values) >= 0.2
    else:
        assert min(values) > 0.9


def test_noise(found: list[tuple[str, Image.Image, int]]) -> None:
    """Paper has the grain that its kind says, and none where it says none."""
    for kind, way in KINDS.items():
        for image in of(found, kind):
            pixels = np.asarray(image, np.float64)
            flat = pixels if pixels.ndim == 2 else pixels[..., 0]
            steps = np.diff(flat, axis=1)
            if not way.noise:
                assert len(np.unique(flat)) < 256 and np.median(abs(steps)) == 0
                continue
            # Of neighbours' differences; the middle half, so that strokes do not count, nor what is cut off at white.
            spread = np.subtract(*np.percentile(steps, (75, 25))) / 1.349 / 2**0.5
            assert 0.4 * way.noise < spread < 1.2 * way.noise, kind


def ink_of(kind: str, found: list[tuple[str, Image.Image, int]]) -> np.ndarray:
    """For each picture, how much ink there is for the square of the digit's longer side."""
    shares = []
    for image in of(found, kind):
        ink = abs(greys(image) - np.median(greys(image))) > 60
        rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
        shares.append(ink.sum() / (max(np.ptp(rows), np.ptp(columns)) + 1) ** 2)
    return np.array(shares)


def test_pens(found: list[tuple[str, Image.Image, int]]) -> None:
    """Thin ones leave far less ink than plain ones, thick ones far more: for both halves, MNIST's and the drawn."""
    for half in (slice(0, EACH // 2), slice(EACH // 2, EACH)):
        thin, plain, thick = (ink_of(kind, found)[half].mean() for kind in ("thin", "plain", "thick"))
        assert thin < 0.75 * plain
        assert thick > 1.15 * plain


def test_turned_lies_on_its_side_now_and_then() -> None:
    """An upright bar is turned by up to so many degrees, both ways."""
    bar = Image.new("L", (100, 100))
    bar.paste(255, (46, 5, 54, 95))
    draw, angles = np.random.default_rng(0), []
    for _ in range(200):
        pixels = np.asarray(synthetic_digits.put(bar, Kind(turn=20.0), draw), np.float64)
        rows, columns = np.nonzero(abs(pixels - np.median(pixels)) > 60)
        angles.append(np.degrees(np.arctan(np.polyfit(rows, columns, 1)[0])))
    assert -21 < min(angles) < -17 and 17 < max(angles) < 21
    assert abs(np.mean(angles)) < 2


def test_a_network_is_asked_by_kind(found: list[tuple[str, Image.Image, int]]) -> None:
    """`accuracy` is the share of right answers of each kind; what `to_digit` refuses is wrong."""
    few, each = found[::3], EACH // 3  # of each kind, from either half
    truth = {to_digit(image).tobytes(): label for _, image, label in few}

    def knows_all_but_threes(x: torch.Tensor) -> torch.Tensor:
        label = truth[np.uint8(x[0, 0].numpy() * 255 + 0.5).tobytes()]
        return torch.nn.functional.one_hot(torch.tensor([label if label != 3 else 8]), 10).float()

    wanted = {
        kind: np.mean([label != 3 for name, _, label in few if name == kind]) * each / (each + 1) for kind in KINDS
    }
    blanks = [(kind, Image.new("L", (50, 50), 255), 8) for kind in KINDS]
    assert synthetic_digits.accuracy(knows_all_but_threes, few + blanks) == pytest.approx(wanted)
