"""From a photograph to a face and back: known pixels bit-equal, hidden ones never read, any size and mode."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage import data
from skimage.metrics import peak_signal_noise_ratio

from models.errors import InputError
from models.networks.inpainters import SIZE, FaceUNet
from models.pictures.classical import biharmonic
from models.pictures.corruptions import MASKS
from models.pictures.faces import Square, centre
from models.pictures.photographs import unpacked
from models.pipelines.reconstructor import hidden, quality_inside, restored


def photo(width: int = 90, height: int = 70, mode: str = "RGB") -> Image.Image:
    return Image.fromarray(data.astronaut()[60:200, 150:330]).resize((width, height)).convert(mode)


def covered(size: tuple[int, int], box: tuple[int, int, int, int]) -> Image.Image:
    mask = Image.new("L", size)
    mask.paste(255, box)
    return mask


def average(image: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """What is missing gets the mean of what is known."""
    known = 1 - mask
    return (
        (image * known).sum((2, 3), keepdim=True)
        / known.sum((2, 3), keepdim=True).clamp_min(1)
        * torch.ones_like(image)
    )


def rebuilder(truth: Image.Image) -> Callable:
    """A fill that knows the truth, at the size of the network."""
    true = torch.from_numpy(np.asarray(truth.resize((SIZE, SIZE), Image.Resampling.BILINEAR)).copy())
    return lambda image, mask: true.permute(2, 0, 1)[None] / 255


@settings(max_examples=30, deadline=None)
@given(
    width=st.integers(1, 300),
    height=st.integers(1, 300),
    mode=st.sampled_from(["L", "RGB", "RGBA", "P", "CMYK", "1", "I;16"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_picture_and_mask(width: int, height: int, mode: str, seed: int) -> None:
    """Known pixels stay bit for bit; what is under the mask changes nothing, wherever the face is said to be."""
    rng = np.random.default_rng(seed)
    picture = (
        Image.fromarray(rng.integers(0, 65535, (height, width), np.uint16))
        if mode == "I;16"
        else photo(width, height, mode)
    )
    side = int(rng.integers(1, 400))
    left, top = (int(rng.integers(-side + 1, one)) for one in (width, height))
    face = Square(left, top, side, int(rng.choice([0, 0, -45, 17, 40, 90, -110, 180])))
    left, top = (int(rng.integers(0, one)) for one in (width, height))
    mask = covered((width, height), (left, top, left + int(rng.integers(1, 200)), top + int(rng.integers(1, 200))))
    gone = np.asarray(mask) > 0
    assume(gone.mean() <= 0.75)  # beyond, it is the other way about
    before = unpacked(picture, gone)[0]
    try:
        found = restored(average, picture, mask, face)
    except InputError as error:
        assert error.code == "all_hidden"
        return
    assert found.size == picture.size
    after = unpacked(found)[0]
    assert np.array_equal(after[~gone], before[~gone])
    if mode in ("L", "RGB"):
        other = before.copy()
        other[gone] = rng.integers(0, 256, other[gone].shape)
        again = restored(average, Image.fromarray(other[:, :, 0] if mode == "L" else other), mask, face)
        assert np.array_equal(unpacked(again)[0], after)


def test_face_is_looked_for_in_what_is_known() -> None:
    """Without a square too, nothing under the mask is read; the face that is found is the astronaut's."""
    pixels = data.astronaut()
    mask = covered((512, 512), (195, 95, 225, 120))
    other = pixels.copy()
    other[95:120, 195:225] = np.random.default_rng(0).integers(0, 256, (25, 30, 3))
    squares = []

    def fill(image: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        squares.append(mask.mean().item())
        return average(image, mask)

    one, two = (restored(fill, Image.fromarray(picture), mask) for picture in (pixels, other))
    assert np.array_equal(np.asarray(one), np.asarray(two))
    assert 0.03 < squares[0] < 0.2  # of the face: of the whole photograph it would be 0.003


@pytest.mark.parametrize("tilt", [-130, -90, -40, -20, 20, 40, 180])
def test_a_tilted_face_is_seen_upright(tilt: int) -> None:
    """The network sees what it sees of an upright one, and what it makes lies as the face does, without a seam."""
    face = Square(160, 60, 128)
    upright = Image.fromarray(data.astronaut()).resize((448, 448), Image.Resampling.BICUBIC)
    mask = hidden(upright, face, "box", 3)
    seen = []

    def fill(image: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        seen.append((255 * image[0]).permute(1, 2, 0).numpy())
        return rebuilder(upright.crop(face.box))(image, mask)

    restored(fill, upright, mask, face)
    about = (face.left + face.side / 2, face.top + face.side / 2)
    leaning = upright.rotate(tilt, Image.Resampling.BICUBIC, center=about)
    turned = Square(face.left, face.top, face.side, tilt)
    gone = hidden(leaning, turned, "box", 3)
    found = restored(fill, leaning, gone, turned)
    known = (seen[0] > 0).all(2) & (seen[1] > 0).all(2)
    assert known.mean() > 0.9 and abs(seen[0] - seen[1])[known].mean() < 4
    assert quality_inside(leaning, found, gone).psnr > 30
    # The mask follows the tilt, too.
    followed = np.asarray(mask.rotate(tilt, center=about)) > 0
    assert (followed != (np.asarray(gone) > 0)).sum() < 0.1 * followed.sum()


@pytest.mark.parametrize("side", [64, 128, 500])
def test_there_and_back(side: int) -> None:
    """A fill that knows the truth gives it back to within what interpolation loses, at any size."""
    true = Image.fromarray(data.astronaut()[75:172, 176:273]).resize((side, side), Image.Resampling.BICUBIC)
    mask = covered(true.size, (side // 4, side // 3, side // 2, side * 2 // 3))
    found = restored(rebuilder(true), true, mask, Square(0, 0, side))
    assert quality_inside(true, found, mask).psnr > (28 if side < 128 else 35)


def test_aligned_faces_go_as_they_are() -> None:
    """A face of 128x128 reaches the network pixel for pixel, with the mask as it is."""
    true, seen = photo(SIZE, SIZE), {}

    def fill(image: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        seen.update(image=image, mask=mask)
        return image

    mask = covered(true.size, (40, 50, 68, 78))
    restored(fill, true, mask, centre(true))
    gone = np.asarray(mask) > 0
    assert np.array_equal(seen["mask"][0, 0].numpy() > 0, gone)
    pixels = (255 * seen["image"][0].permute(1, 2, 0)).round().numpy()
    assert np.array_equal(pixels[~gone], np.asarray(true)[~gone]) and not pixels[gone].any()


def test_seam() -> None:
    """A fill that is a fifth too dark joins what is around it all the same."""
    true = photo(SIZE, SIZE)
    mask = covered(true.size, (40, 50, 68, 78))
    truth = rebuilder(true)
    dark = restored(lambda image, mask: 0.8 * truth(image, mask), true, mask, centre(true))
    assert quality_inside(true, dark, mask).psnr > 28


def test_grain() -> None:
    """A smooth fill in a grainy photograph is as grainy; in a smooth one it stays smooth."""
    rng = np.random.default_rng(0)
    for sigma in (0, 8):
        pixels = np.clip(128 + sigma * rng.standard_normal((200, 200, 3)), 0, 255).astype(np.uint8)
        found = np.asarray(
            restored(average, Image.fromarray(pixels), covered((200, 200), (60, 60, 140, 140)), Square(0, 0, 200))
        )
        assert found[60:140, 60:140].std() == pytest.approx(sigma, abs=0.2 + 0.2 * sigma)


@pytest.mark.parametrize(
    ("mask", "code"),
    [
        (Image.new("L", (90, 71), 255), "mask_size"),
        (Image.new("L", (90, 70), 127), "nothing_hidden"),
        (Image.new("L", (90, 70), 255), "all_hidden"),
        (Image.new("RGBA", (90, 70), (0, 0, 0, 255)), "nothing_hidden"),
        (Image.new("RGBA", (90, 70), (255, 255, 255, 0)), "nothing_hidden"),
    ],
)
def test_masks_that_cannot_be(mask: Image.Image, code: str) -> None:
    with pytest.raises(InputError) as caught:
        restored(average, photo(), mask)
    assert caught.value.code == code and str(caught.value).endswith(".")


def layer(mask: Image.Image, ink: tuple[int, int, int]) -> Image.Image:
    """The mask as a drawing on a transparent layer."""
    found = Image.new("RGBA", mask.size)
    found.paste(ink, mask=mask)
    return found


MASK_FORMS = {
    "1": lambda mask: mask.convert("1"),
    "P": lambda mask: mask.convert("P"),
    "LA": lambda mask: mask.convert("LA"),
    "RGB": lambda mask: mask.convert("RGB"),
    "16 bits": lambda mask: Image.fromarray(np.asarray(mask, np.uint16) * 257),
    "32 bits": lambda mask: mask.convert("I"),
    "floats from 0 to 1": lambda mask: Image.fromarray(np.asarray(mask, np.float32) / 255),
    "LAB": lambda mask: Image.merge("LAB", (mask, *[Image.new("L", mask.size, 128)] * 2)),
    "white on a layer": lambda mask: layer(mask, (255, 255, 255)),
    "black on a layer": lambda mask: layer(mask, (0, 0, 0)),
    "blue on a layer": lambda mask: layer(mask, (0, 0, 200)),
    "a layer with premultiplied colours": lambda mask: layer(mask, (255, 255, 255)).convert("RGBa"),
}


@pytest.mark.parametrize("form", MASK_FORMS)
def test_forms_of_masks(form: str) -> None:
    """The same mask in any form that a program writes hides the same, and is measured where it hides."""
    true, mask = photo(), covered((90, 70), (20, 20, 50, 60))
    expected = restored(average, true, mask, centre(true))
    found = restored(average, true, MASK_FORMS[form](mask), centre(true))
    assert np.array_equal(np.asarray(found), np.asarray(expected))
    assert quality_inside(true, found, MASK_FORMS[form](mask)) == quality_inside(true, expected, mask)


@pytest.mark.parametrize("mode", ["F", "I"])
def test_white_is_found_in_what_is_known(mode: str) -> None:
    """Of 32 bits too: pixels under the mask do not say how bright the others are."""
    values = np.asarray(photo(mode="L"), np.float32) / (255 if mode == "F" else 1)
    answers = []
    for inside in (0, 30000):
        pixels = values.copy()
        pixels[20:60, 20:50] = inside
        picture = Image.fromarray(pixels if mode == "F" else pixels.astype(np.int32))
        answers.append(np.asarray(restored(average, picture, covered((90, 70), (20, 20, 50, 60)), Square(0, 0, 90))))
    assert np.array_equal(*answers)
    assert answers[0][:20].tolist() == np.asarray(photo(mode="L"))[:20].tolist()


def test_transparency() -> None:
    """What was missing is opaque, whatever was there; elsewhere the transparency stays."""
    mask, alpha = covered((90, 70), (20, 20, 50, 60)), np.random.default_rng(0).integers(0, 256, (70, 90), np.uint8)
    picture = photo()
    picture.putalpha(Image.fromarray(alpha))
    found = np.asarray(restored(average, picture, mask, centre(picture)).getchannel("A"))
    gone = np.asarray(mask) > 0
    assert (found[gone] == 255).all() and np.array_equal(found[~gone], alpha[~gone])


@pytest.mark.parametrize("kind", MASKS)
def test_hidden(kind: str) -> None:
    """Within the face, the same for the same seed, another for another, and as large as the photograph."""
    picture, face = photo(300, 200), Square(100, 20, 150)
    one, same, other = (np.asarray(hidden(picture, face, kind, seed)) for seed in (1, 1, 2))
    assert one.shape == (200, 300) and set(np.unique(one)) == {0, 255}
    assert np.array_equal(one, same) and not np.array_equal(one, other)
    outside = one.copy()
    outside[20:170, 100:250] = 0
    assert not outside.any()
    if kind == "box":  # 28 of 128
        assert one.any(0).sum() == pytest.approx(150 * 28 / 128, abs=2)
    for wrong in ({"kind": "moon"}, {"kind": 1}, {"seed": -1}, {"seed": 0.5}):
        with pytest.raises(InputError):
            hidden(picture, face, **{"kind": kind, **wrong})


@pytest.mark.parametrize("kind", MASKS)
def test_hidden_at_the_edge(kind: str) -> None:
    """Of a face that is half out of the photograph, a part within it is hidden, whatever the seed."""
    picture, face = photo(80, 200), Square(-70, 20, 140)
    for seed in range(20):
        mask = hidden(picture, face, kind, seed)
        assert (np.asarray(mask) > 0).sum() > 0.01 * face.side**2
        restored(average, picture, mask, face)  # enough is left to go by
    for small, where in ((picture, Square(90, 20, 140)), (photo(1, 1), Square(0, 0, 1))):
        with pytest.raises(InputError) as caught:
            hidden(small, where, kind)
        assert caught.value.code == "face_small"


def test_quality_inside() -> None:
    """scikit-image's PSNR of the hidden pixels alone; infinite where nothing differs."""
    true, mask = photo(), covered((90, 70), (20, 20, 50, 60))
    pixels = np.asarray(true).copy()
    pixels[:10] = 0  # outside: it does not count
    assert quality_inside(true, Image.fromarray(pixels), mask).psnr == np.inf
    pixels[20:60, 20:50] = np.clip(pixels[20:60, 20:50] * 0.9, 0, 255)
    found = quality_inside(true, Image.fromarray(pixels), mask)
    expected = peak_signal_noise_ratio(np.asarray(true)[20:60, 20:50], pixels[20:60, 20:50])
    assert found.psnr == pytest.approx(expected, abs=1e-3) and 0 < found.ssim < 1
    with pytest.raises(InputError, match="Nothing is hidden"):
        quality_inside(true, true, Image.new("L", true.size))
    for made, where in ((true.resize((50, 50)), mask), (true, mask.resize((50, 50)))):
        with pytest.raises(InputError, match="50 × 50"):
            quality_inside(true, made, where)


def test_quality_of_32_bits() -> None:
    """Where the hidden part is the brightest, what is right is found to be right."""
    values, mask = np.asarray(photo(mode="L"), np.int32).copy(), covered((90, 70), (20, 20, 50, 60))
    values[20:60, 20:50] *= 3
    right = Image.fromarray(values.clip(0, 255).astype(np.uint8))
    assert quality_inside(Image.fromarray(values), right, mask).psnr == np.inf


def test_networks_and_methods_fit() -> None:
    """Each takes what the pipeline gives."""
    torch.manual_seed(0)
    true, mask = photo(), covered((90, 70), (20, 20, 40, 40))
    for fill in (biharmonic, FaceUNet(widths=(16, 32)).eval()):
        assert restored(fill, true, mask).size == (90, 70)


def test_black_and_white_stays_so() -> None:
    """A grey photograph kept in three channels gets what one of one channel gets, whatever lies beneath the mask."""
    grey, mask = photo(mode="L"), covered((90, 70), (30, 20, 60, 50))
    face = Square(10, 5, 60)
    coloured = grey.convert("RGB")
    coloured.paste((200, 30, 0), (30, 20, 60, 50))
    for fill in (biharmonic, lambda x, mask: x * 0 + x.new_tensor([0.9, 0.5, 0.2]).view(1, 3, 1, 1)):
        expected = np.asarray(restored(fill, grey, mask, face))
        assert (np.asarray(restored(fill, coloured, mask, face)) == expected[..., None]).all()
