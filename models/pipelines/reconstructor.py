"""A photograph and what is missing of a face in it, in; the photograph with that part made up, out."""

import math
import time
from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
import torch
from PIL import Image
from scipy.ndimage import convolve, distance_transform_cdt
from skimage.metrics import structural_similarity

import models
from models.errors import InputError
from models.networks.inpainters import SIZE
from models.pictures import classical, corruptions, images, masks, photographs
from models.pictures.blending import joined, membrane, shrunk
from models.pictures.faces import SEARCHED, Square, centre, find
from models.pictures.photographs import packed, unpacked
from models.pipelines.common import LARGEST_SEED, Facts, loaded, release, shared, whole
from models.pipelines.comparison import WINDOW, Attempt, Quality

AROUND = 0.25  # of a hole's side: how far around it the surroundings count
FINE = 8.0  # pixels of the face at 128x128 that are texture where it meets its surroundings
LUMA = np.float32(photographs.LUMA)
LARGE = 4_000_000  # pixels, of which what is missing is made up in the photograph's own size
FEW = 50  # pixels, of which noise cannot be told
DRAWS = 100  # of places, until one is in the photograph
GRAIN = 12.0  # deviation of the grain that is added, at most, 0-255 scale

Fill = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def names() -> list[str]:
    """The registered networks that fill what is missing of a face."""
    return models.names(task="inpainting")


class FaceReconstructor:
    """Fills what is missing of a face in a photograph; all other pixels stay as they are, bit for bit.

    What appears is plausible, not the truth: what the picture holds under the mask is never read.

    Args:
        source: what `models.load` takes; an inpainter.

    Raises:
        ValueError: there are no weights for it, or it does something else.
    """

    def __init__(self, source: str = "face-gan"):
        self.net = loaded(source, names())

    @cached_property
    def facts(self) -> Facts:
        """Size, test figures, and where the weights came from."""
        return Facts.of(self.net)

    def __call__(self, image: Image.Image, mask: Image.Image, face: Square | None = None) -> Image.Image:
        """The photograph, whole again: the same size, 'L' for grey and 'RGB' for colour, with 'A' where it had one.

        What was missing is opaque in the answer.

        Args:
            image: of any size and mode, with a face in it, its head upright or leaning.
            mask: of the same size; what is white on black is missing, or as `models.pictures.masks` reads it: a colour
                or classes on black, 0 and 1, strokes on a transparent layer, what was erased, black on white. If that
                is anything but white on black, `info["hidden"]` of the answer says what it was.
            face: where the face is; None looks for it in what is not missing, and takes the middle if it finds none.

        Raises:
            InputError: the picture is too large or has no pixels, the mask has another size, is a photograph, or
                hides nothing, or all of the picture or of the face.
        """
        return restored(self.net, image, mask, face)


def reconstructor(name: str) -> FaceReconstructor:
    """The pipeline of a registered network, loaded once and shared. Raises ValueError as `FaceReconstructor` does."""
    return shared(FaceReconstructor, name)


def hidden(image: Image.Image, face: Square, kind: str = "box", seed: int = 0) -> Image.Image:
    """A mask, 'L', that hides a part of a face.

    Args:
        image: whose size it is to have.
        face: the part of it with the face.
        kind: one of `corruptions.MASKS`.
        seed: 0 to 2^32 - 1; the same seed hides the same.

    Raises InputError.
    """
    if not isinstance(kind, str) or kind not in corruptions.MASKS:
        listed = ", ".join(corruptions.MASKS)
        raise InputError("mask_kind", f"There is no such mask: choose one of {listed}.", offered=listed)
    generator = torch.Generator().manual_seed(whole("seed", seed, 0, LARGEST_SEED))
    for _ in range(DRAWS):
        part = corruptions.MASKS[kind](1, SIZE, SIZE, generator=generator)[0, 0]
        part = Image.fromarray(np.uint8(255 * part.numpy())).resize((face.side,) * 2, Image.Resampling.NEAREST)
        part = face.turned(part)
        mask = Image.new("L", image.size)
        mask.paste(part, face.box)
        # Of a face at the photograph's edge a part may be drawn that is not in the photograph, or is all that is.
        gone = np.asarray(mask) > 0
        if np.count_nonzero(part) / 2 <= np.count_nonzero(gone) and gone.any() and _seen(gone, face):
            return mask
    raise InputError("face_small", "Too little of a face is in this picture to hide a part of it: choose a larger one.")


def restored(fill: Fill, image: Image.Image, mask: Image.Image, face: Square | None = None) -> Image.Image:
    """As `FaceReconstructor`, with any `fill` of faces (1, 3, 128, 128) and masks (1, 1, 128, 128)."""
    images.check_size(image)
    _check_mask(mask, image)
    told = masks.read(mask)
    missing = told.hidden
    pixels, alpha = unpacked(image, missing)
    try:
        face = face or _looked_for(pixels, missing)
        if not _seen(missing, face):
            raise masks.all_hidden()
        rows, columns = _region(missing, face)
        part, gone = pixels[rows, columns], missing[rows, columns]
        is_grey = (part == part[..., :1])[~gone].all()  # three channels of the same would get a tint
        made = _made_up(fill, part[..., :1] if is_grey else part, gone, face.moved(-columns.start, -rows.start))
        np.copyto(part, made, where=gone[..., None])
        if alpha is not None:
            alpha.paste(255, mask=Image.fromarray(np.uint8(255 * missing)))
        result = packed(pixels, alpha, image)
        if told.said:
            result.info["hidden"] = told.said
        return result
    finally:
        release()


def compare_faces(image: Image.Image, mask: Image.Image, face: Square | None = None) -> list[Attempt]:
    """What every method makes of what is hidden, networks first, with the quality inside the mask.

    Args:
        image: the true photograph; what is under the mask is read for the quality alone.
        mask, face: as for `FaceReconstructor`.

    Raises:
        InputError: as there.
        ValueError: there are no weights for a network.
    """
    fills = {**{name: reconstructor(name).net for name in names()}, **classical.INPAINTERS}
    attempts = []
    for name, fill in fills.items():
        start = time.perf_counter()
        picture = restored(fill, image, mask, face)
        milliseconds = 1000 * (time.perf_counter() - start)
        attempts.append(Attempt(name, picture, milliseconds, quality_inside(image, picture, mask)))
    return attempts


def quality_inside(true: Image.Image, made: Image.Image, mask: Image.Image) -> Quality:
    """How near a picture is to the true one where it was missing. SSIM's window reaches a little beyond.

    Raises InputError if the mask hides nothing, or has another size than one of the pictures.
    """
    for one in (true, made):
        _check_mask(mask, one)
    missing = masks.read(mask).hidden
    places = [np.nonzero(missing.any(axis))[0] for axis in (1, 0)]
    region = tuple(slice(max(0, one[0] - WINDOW), one[-1] + 1 + WINDOW) for one in places)
    gone = missing[region]
    pair = [unpacked(one, missing)[0][region].astype(np.float32) for one in (true, made)]
    error = float(np.square(pair[0] - pair[1]).mean(2)[gone].mean())
    ssim = None
    if min(gone.shape) >= WINDOW:
        options = {"gaussian_weights": True, "use_sample_covariance": False, "data_range": 255, "full": True}
        grey = [one @ LUMA if one.shape[2] == 3 else one[..., 0] for one in pair]
        ssim = float(structural_similarity(*grey, **options)[1][gone].mean())
    return Quality(10 * math.log10(255**2 / error) if error else math.inf, ssim)


def _check_mask(mask: Image.Image, image: Image.Image) -> None:
    if mask.size != image.size:
        theirs, ours = (f"{one.width} × {one.height}" for one in (mask, image))
        message = f"The mask has {theirs} pixels, the picture {ours}: give one of the same size."
        raise InputError("mask_size", message, mask=theirs, image=ours)


def _made_up(fill: Fill, part: np.ndarray, gone: np.ndarray, face: Square) -> np.ndarray:
    """What is missing of a part of a photograph, (H, W, C) uint8; what is not is of no account.

    Of a large part that is thought out in a smaller one, of a whole share of its size: it takes eighty bytes a pixel.
    """
    share = math.ceil(math.sqrt(gone.size / LARGE))
    known, hole = (part.astype(np.float32), gone) if share == 1 else shrunk(part, gone, share)
    face = face.scaled(1 / share)
    result = known
    if hole.any():
        result = joined(known, _filled(fill, known, hole, face), hole, FINE * face.side / SIZE)
        result += _grain(known, result, hole)
    small = result.clip(0, 255).round().astype(np.uint8)
    if share == 1:
        return small
    large = Image.fromarray(small.squeeze()).resize(
        [share * side for side in small.shape[1::-1]], Image.Resampling.BILINEAR
    )
    return np.asarray(large).reshape(*large.size[::-1], -1)[: gone.shape[0], : gone.shape[1]]


def _looked_for(pixels: np.ndarray, missing: np.ndarray) -> Square:
    """The face of which most is missing, in a picture that shows nothing of what is missing."""
    size = pixels.shape[1::-1]
    scale = min(1.0, SEARCHED / max(size))
    size = [max(1, round(scale * side)) for side in size]
    share = max(1, int(1 / scale / 2))
    known, hole = shrunk(pixels, missing, share)
    seen = Image.fromarray(np.broadcast_to(known, (*hole.shape, 3)).round().astype(np.uint8))
    hole = np.asarray(Image.fromarray(np.uint8(255 * hole)).resize(size, Image.Resampling.BOX)) > 0
    calm = membrane(np.asarray(seen.resize(size, Image.Resampling.BOX), np.float32), hole)
    found = find(Image.fromarray(calm.clip(0, 255).astype(np.uint8)))
    if not found:
        return centre(Image.fromarray(missing))
    return most_hidden(hole, found).scaled(1 / scale)


def most_hidden(missing: np.ndarray, faces: Sequence[Square]) -> Square:
    """The face of which most is missing (H, W); the first of those of which as much is."""
    return max(faces, key=lambda one: _within(missing, one).sum())


def _within(values: np.ndarray, face: Square) -> np.ndarray:
    """Those of a picture's values (H, W) that lie in the square, (N,)."""
    left, top, right, bottom = face.box
    square = np.asarray(face.turned(Image.new("L", (face.side,) * 2, 255))) > 0
    square = square[max(0, -top) : max(0, values.shape[0] - top), max(0, -left) : max(0, values.shape[1] - left)]
    return values[max(0, top) : max(0, bottom), max(0, left) : max(0, right)][square]


def _seen(missing: np.ndarray, face: Square) -> bool:
    return bool((~_within(missing, face)).any())


def _region(missing: np.ndarray, face: Square) -> tuple[slice, slice]:
    """The rows and columns that hold the face and all that is missing, and a bit around it."""
    found, (left, top, right, bottom) = [], face.box
    for axis, start, end in ((0, top, bottom), (1, left, right)):
        places = np.nonzero(missing.any(1 - axis))[0]
        low, high = min(start, places[0] - 2), max(end, places[-1] + 3)
        found.append(slice(max(0, low), min(high, missing.shape[axis])))
    return tuple(found)


def _filled(fill: Fill, part: np.ndarray, gone: np.ndarray, face: Square) -> np.ndarray:
    """What the network makes of the face, as large as in the photograph, (H, W, C); its border goes on beyond."""
    picture, hole = _cut_out(part, gone, face)
    weight = _resized(np.float32(~hole)[..., None], SIZE)
    # A pixel is known where nothing that is hidden has a share in it.
    known = _resized(np.float32(hole)[..., None], SIZE)[..., 0] <= 0
    small = _resized(np.float32(picture * ~hole[..., None]), SIZE) / np.maximum(weight, 1e-6)
    small = np.where(known[..., None], small, 0).clip(0, 255) / 255
    x = torch.from_numpy(np.broadcast_to(small, (SIZE, SIZE, 3)).copy()).permute(2, 0, 1)[None].float()
    with torch.inference_mode():
        x = x.contiguous(memory_format=torch.channels_last)
        filled = fill(x, torch.from_numpy(~known)[None, None].float())
    filled = torch.where(torch.from_numpy(known), x, filled)[0].permute(1, 2, 0).float().numpy()
    if part.shape[2] == 1:
        filled = filled @ LUMA[:, None]
    left, top, right, bottom = face.box
    made = _turned(_resized(255 * filled, face.side, Image.Resampling.BICUBIC), face.tilt, right - left)
    reach = (
        np.clip(np.arange(gone.shape[0]) - top, 0, bottom - top - 1),
        np.clip(np.arange(gone.shape[1]) - left, 0, right - left - 1),
    )
    return made[np.ix_(*reach)]


def _cut_out(part: np.ndarray, gone: np.ndarray, face: Square) -> tuple[np.ndarray, np.ndarray]:
    """The square, upright, (side, side, C), and what is missing of it: all in which what is hidden has a share."""
    left, top, right, bottom = face.box
    margins = [(max(0, -start), max(0, end - length))
               for start, end, length in ((top, bottom, gone.shape[0]), (left, right, gone.shape[1]))]  # fmt: skip
    top, left = top + margins[0][0], left + margins[1][0]
    square = np.s_[top : top + bottom - face.box[1], left : left + right - face.box[0]]
    picture = np.pad(np.where(gone[..., None], 0, part), (*margins, (0, 0)), mode="edge")[square]
    hole = np.pad(gone, margins, mode="edge")[square]
    if not face.tilt:
        return picture, hole
    turned = _turned(np.float32(hole)[..., None], -face.tilt, face.side)[..., 0]
    return _turned(picture, -face.tilt, face.side), turned > 0


def _turned(values: np.ndarray, tilt: int, side: int) -> np.ndarray:
    """The middle (side, side, C) of floats (H, H, C) that are turned anticlockwise; their border goes on beyond."""
    reach = math.ceil((side * math.sqrt(2) - len(values)) / 2) + 1 if tilt else 0
    reach = max(0, reach, (side - len(values)) // 2)
    padded = np.pad(values, ((reach,) * 2, (reach,) * 2, (0, 0)), mode="edge")
    channels = [Image.fromarray(np.ascontiguousarray(padded[..., k], np.float32)) for k in range(padded.shape[2])]
    turned = np.stack([np.asarray(one.rotate(tilt, Image.Resampling.BILINEAR)) for one in channels], 2)
    off = (len(padded) - side) // 2
    return turned[off : off + side, off : off + side]


def _resized(values: np.ndarray, side: int, method: Image.Resampling = Image.Resampling.BILINEAR) -> np.ndarray:
    """(H, W, C) floats as (side, side, C)."""
    channels = [Image.fromarray(np.ascontiguousarray(values[..., k])) for k in range(values.shape[2])]
    return np.stack([np.asarray(one.resize((side, side), method)) for one in channels], 2)


def _grain(part: np.ndarray, made: np.ndarray, gone: np.ndarray) -> np.ndarray:
    """Noise, (H, W, C), that makes what was made up as grainy as its surroundings; the same for the same picture."""
    distance = max(3, round(AROUND * gone.sum() ** 0.5))
    away = distance_transform_cdt(~gone, "taxicab")
    near = (away > 2) & (away <= distance)
    if near.sum() < FEW:
        return np.zeros_like(made)
    lacking, directions = np.linalg.eigh(_noise(part, near) - _noise(made, gone))
    spread = directions * np.sqrt(lacking.clip(0, GRAIN**2))
    return np.random.default_rng(0).standard_normal(made.shape).astype(np.float32) @ spread.T.astype(np.float32)


def _noise(pixels: np.ndarray, where: np.ndarray) -> np.ndarray:
    """The covariance (C, C) of the channels' noise in a region.

    By Immerkær 1996, with the median for the mean: edges are no noise.
    """
    kernel = np.float32([[1, -2, 1], [-2, 4, -2], [1, -2, 1]])[..., None]
    found = convolve(pixels, kernel, mode="nearest")[where]
    deviation = np.median(np.abs(found), 0) / (0.6745 * 6)
    jitter = 1e-6 * np.random.default_rng(0).standard_normal(found.shape)  # flat channels have no correlation
    alike = np.atleast_2d(np.corrcoef(found + jitter, rowvar=False))
    return alike * np.outer(deviation, deviation)
