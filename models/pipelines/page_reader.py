"""From a picture of any size to the digits on it: where people write them, and as a classifier sees them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Self

import numpy as np
import torch
from PIL import Image, ImageOps
from scipy.ndimage import find_objects, gaussian_filter, maximum_filter
from skimage.filters import threshold_otsu

import models
from models.base import Model, fast_bf16
from models.errors import InputError
from models.pictures import detections, images, mnist
from models.pictures.detections import Box, Detection
from models.pictures.modes import averageable, blank, to_grey
from models.pipelines.common import Facts, fused, loaded, shared

NAME = "page-reader"
MOST_PIXELS = 2_000_000  # that are looked at: of a larger picture, one in as few by as few as leaves no more
SMALLEST_SIDE = 192  # pixels: a smaller picture is enlarged
COARSER = 2  # from one look at a picture to the next, for large digits
COARSEST_SIDE = 64  # pixels: of the last look
LARGE, CLEAR = 28, 128  # pixels of a digit: below, the finer look knows better; up to that, no other look does
PREPARED = 160  # pixels on a side: a digit is prepared at that size at most
INKED, EDGE = 0.4, 0.25  # from here on a place is ink of a digit; beside one that is, from there on
# That much a look's own ink counts beside that of others: alike, and lines stick to digits; alone, and a large 7 loses
# its bar. Chosen with EDGE on composed pages of validation digits.
OWN = 2 / 3
FEWER = 4  # pixels on a side that are one where light is measured, which changes slowly
PAPER = 10  # pixels that are put around what was cut at its ink's edge
BEGINS = 0.2  # of the contrast: from here on something is ink at an edge
TWO_TONES = 0.8  # of a picture's variance between its light and its dark: it holds nothing but ink and paper
AROUND = 0.3  # of a digit's height: the paper around it that tells its tone
SHORT = fast_bf16()  # whether it is looked at with numbers of 16 bits, as the reader was trained with


@dataclass(frozen=True)
class Found:
    """A digit on a picture.

    Attributes:
        seen: as a classifier sees it, 28x28 'L', white on black.
        box: left, top, right, bottom, in pixels of the picture.
        line: in which it stands, from 0.
        share: how likely it is a digit.
    """

    seen: Image.Image
    box: Box
    line: int
    share: float


class PageReader:
    """Finds the digits on a page.

    Args:
        source: what `models.load` takes; a page reader.

    Raises:
        ValueError: there are no weights for it, or it does something else.
    """

    def __init__(self, source: str = NAME):
        self.net = loaded(source, models.names(task="page-reading"))
        self.fast = fused(self.net)

    @classmethod
    def of(cls, net: Model) -> Self:
        """One that runs this network, which stays as it is."""
        made = cls.__new__(cls)
        made.net = net
        made.fast = fused(net)
        return made

    @cached_property
    def facts(self) -> Facts:
        """Size, test figures, and where the weights came from."""
        return Facts.of(self.net)

    def __call__(self, image: Image.Image, larger: float = 1.0) -> list[Found]:
        """The digits on a picture of any size, mode and polarity, in reading order; none where there are none.

        A digit is to be 10 pixels high at least, once a picture is so small that it has at most `MOST_PIXELS`. Then it
        is looked at `larger` times as large, which may tell a little more or less; boxes are of the picture itself.

        Raises:
            InputError: the picture is empty, or too large.
        """
        images.check_size(image)
        grey, scale, margin = _looked_at(image)
        if larger != 1:
            grey = grey.resize([max(1, round(larger * side)) for side in grey.size], Image.Resampling.BICUBIC)
            scale, margin = larger * scale, larger * margin
        seen_by, looks = {}, []
        for look, kept in self._looks(grey):
            looks.append(look)
            seen_by |= dict.fromkeys(kept, look)
            if look.is_all(grey, kept):
                break
        once = detections.once(list(seen_by))
        made = [
            digit
            for look in dict.fromkeys(seen_by.values())
            for digit in look.beside(looks).cut(grey, once, [seen_by[one] is look for one in once])
        ]
        return [
            replace(made[index], box=tuple((side - margin) / scale for side in made[index].box), line=line)
            for line, index in detections.reading_order([one.box for one in made])
        ]

    @torch.inference_mode()
    def _looks(self, grey: Image.Image) -> Iterator[tuple["_Look", list[Detection]]]:
        """Look at a picture as it is, and reduced for what is large; first where one digit that fills it is clear."""
        factors = [1]
        while max(grey.size) / (coarser := COARSER * factors[-1]) >= COARSEST_SIDE:
            factors.append(coarser)
        first = next(factor for factor in factors if max(grey.size) / factor <= SMALLEST_SIDE)
        for factor in sorted(factors, key=lambda factor: (factor != first, factor)):
            small = grey if factor == 1 else grey.reduce(factor)
            with torch.autocast("cpu", torch.bfloat16, enabled=SHORT):
                heat, boxes, ink = self.fast(images.to_tensor(small).contiguous(memory_format=torch.channels_last))
            kept = detections.detections(heat[0], boxes[0])
            if factor > 1:
                kept = [one for one in kept if max(one.box[2] - one.box[0], one.box[3] - one.box[1]) >= LARGE]
            height, width = -(-small.height // 2), -(-small.width // 2)
            kept = [Detection(one.share, tuple(side * factor for side in one.box)) for one in kept]
            yield _Look(ink[0, 0, :height, :width].float().sigmoid().numpy(), 2 * factor), kept


@dataclass(frozen=True, eq=False)
class _Look:
    """How likely each place is ink of a digit, (h, w); a place has `size` pixels on a side."""

    ink: np.ndarray
    size: int

    def is_all(self, grey: Image.Image, found: list[Detection]) -> bool:
        """Whether no other look tells more: one digit is found, large but not too large, and around it is nothing."""
        if len(found) != 1:
            return False
        left, top, right, bottom = found[0].box
        if not LARGE <= max(right - left, bottom - top) / (self.size / 2) <= CLEAR:
            return False
        rest = np.asarray(grey).copy()
        rest[detections.window(found[0].box, AROUND * (bottom - top))] = rest[0, 0]
        return int(rest.max()) - int(rest.min()) < mnist.LEAST_CONTRAST

    def beside(self, looks: list["_Look"]) -> "_Look":
        """The same, with what the next closer and wider look say to its ink: what is a line to one, such as the bar of
        a large 7, may be known to another."""
        others = []
        for one in looks:
            if one.size in (self.size * COARSER, self.size // COARSER):
                ink, factor = Image.fromarray(one.ink), one.size / self.size
                size = [max(1, round(factor * side)) for side in ink.size]
                larger = np.asarray(ink.resize(size, Image.Resampling.BILINEAR))[: len(self.ink), : self.ink.shape[1]]
                missing = [(0, whole - part) for whole, part in zip(self.ink.shape, larger.shape, strict=True)]
                others.append(np.pad(larger, missing, mode="edge"))
        return _Look(OWN * self.ink + (1 - OWN) * np.mean(others, 0), self.size) if others else self

    def cut(self, grey: Image.Image, found: list[Detection], wanted: list[bool]) -> list[Found]:
        """Those digits that are wanted, cut out of the picture; without such as have no ink.

        The others take what is theirs, too.
        """
        boxes = [tuple(side / self.size for side in one.box) for one in found]
        owner = detections.owners(self.ink > INKED, boxes)
        tones = np.asarray(grey.reduce(self.size), np.float32)
        whole = detections.whole(tones, self.ink, owner, boxes, INKED)
        made = []
        places = find_objects(owner, len(found))
        for number, (one, place, is_wanted) in enumerate(zip(found, places, wanted, strict=True), 1):
            if place is None or not is_wanted:
                continue
            box = (place[1].start, place[0].start, place[1].stop, place[0].stop)
            pad = max(2, round(AROUND * (box[3] - box[1])))
            around = np.s_[max(0, box[1] - pad) : box[3] + pad, max(0, box[0] - pad) : box[2] + pad]
            own, ink = owner[around], whole[around]
            # The edges of a stroke are less likely ink than its middle.
            near = maximum_filter(own == number, 3) & ((own == number) | (own == 0)) & (ink > EDGE)
            left, top = around[1].start * self.size, around[0].start * self.size
            right, bottom = left + ink.shape[1] * self.size, top + ink.shape[0] * self.size
            part = grey.crop((left, top, min(grey.width, right), min(grey.height, bottom)))
            try:
                made.append(
                    Found(_digit(part, near, ink), tuple(float(side * self.size) for side in box), 0, one.share)
                )
            except InputError:  # ink so faint that it is lost on the way
                continue
        return made


def _looked_at(image: Image.Image) -> tuple[Image.Image, float, int]:
    """The picture, 'L', as large as it is looked at, how much larger that is, and how much paper was put around it."""
    image = averageable(image)
    factor = 1
    while image.width * image.height / factor**2 > MOST_PIXELS:
        factor += 1
    grey = to_grey(image.reduce(factor) if factor > 1 else image)
    low, high = grey.getextrema()
    if high - low < mnist.LEAST_CONTRAST:
        raise blank()
    margin = 0
    if (paper := _cut_at_its_ink(grey)) is not None:
        grey, margin = ImageOps.expand(grey, PAPER, paper), PAPER
    larger = -(-SMALLEST_SIDE // max(grey.size))
    if larger > 1:
        grey = grey.resize([larger * side for side in grey.size], Image.Resampling.BICUBIC)
    return grey, larger / factor, larger * margin


def _cut_at_its_ink(grey: Image.Image) -> int | None:
    """The tone of the paper of a picture, 'L', that was cut where its ink begins, on each side; None for any other.

    It holds nothing but ink and paper: two tones, parted as by Otsu (1979), hold most of its variance. Even of a digit
    that the thickest pen wrote most of the edge is paper.
    """
    pixels = np.asarray(grey)
    edges = [np.float32(edge) for edge in (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1])]
    paper, contrast = float(np.median(np.concatenate(edges))), np.ptp(pixels)
    if any(abs(edge - paper).max() < BEGINS * contrast for edge in edges):
        return None
    counts, tones = np.float64(grey.histogram()), np.arange(256)
    light = tones > threshold_otsu(hist=(counts, tones))
    bright, dark = (np.average(tones[side], weights=counts[side]) for side in (light, ~light))
    mean = np.average(tones, weights=counts)
    between, whole = (np.average((of - mean) ** 2, weights=counts) for of in (np.where(light, bright, dark), tones))
    return round(paper) if between > TWO_TONES * whole else None


def _digit(part: Image.Image, own: np.ndarray, ink: np.ndarray) -> Image.Image:
    """One digit as a classifier sees it, by a part of the picture and which ink there is its own: (h, w), bool.

    Raises InputError where that is too faint.
    """
    part.thumbnail((PREPARED, PREPARED), Image.Resampling.BOX)
    mine, all_ink = (
        np.asarray(Image.fromarray(np.float32(one)).resize(part.size, Image.Resampling.BILINEAR)) for one in (own, ink)
    )
    pixels = np.asarray(part, np.float32)
    # The paper under the ink is what it is around it, wherever the light changes.
    bare = (all_ink < 0.15) + np.float32(1e-3)
    paper = _around(pixels * bare) / _around(bare)
    differs = paper - pixels
    core = mine > 0.5
    if not core.any():
        raise blank()
    if differs[core].mean() < 0:
        differs = -differs
    span = max(float(np.quantile(differs[core], 0.9)), 1.0)
    grain = min(2 * float(np.median(abs(differs[bare > 0.5]))) if (bare > 0.5).any() else 0.0, span / 3)
    shade = np.uint8(255 * ((differs - grain) / (span - grain)).clip(0, 1))
    mask = Image.fromarray(np.uint8(255 * (2 * mine).clip(0, 1)))
    return mnist.fitted(Image.fromarray(shade), mask)


def _around(pixels: np.ndarray) -> np.ndarray:
    """The mean around each pixel, (h, w), as far as a sixth of the longer side; a sixteenth of the pixels tell it."""
    picture = Image.fromarray(pixels)
    few = [-(-side // FEWER) for side in picture.size]
    small = np.asarray(picture.resize(few, Image.Resampling.BOX))
    wide = Image.fromarray(gaussian_filter(small, max(few) / 6, truncate=2))
    return np.asarray(wide.resize(picture.size, Image.Resampling.BILINEAR))


@lru_cache(0)  # a reader that is there is shared; one that a silent Hub did not give may be there the next time
def missing() -> str | None:
    """Why there is no page reader, a sentence; None where there is one."""
    try:
        shared(PageReader, NAME)
    except ValueError as error:
        return str(error)
    return None


def page(image: Image.Image, larger: float = 1.0) -> list[Found]:
    """The digits on a picture, in reading order, as `PageReader` finds them; without sound weights of the reader all of
    it is one digit.

    Raises:
        InputError: the picture is empty, or too large.
    """
    if missing() is None:
        return shared(PageReader, NAME)(image, larger)
    return [_whole(image)]


def largest(image: Image.Image) -> Found:
    """The largest digit on a picture, of those that are more likely digits than not, if any is; all ink as one where
    none is found.

    Raises:
        InputError: the picture is empty, or too large.
    """
    found = page(image) or [_whole(image)]
    likely = [one for one in found if one.share >= 0.5] or [max(found, key=lambda one: one.share)]
    return max(likely, key=lambda one: (one.box[2] - one.box[0]) * (one.box[3] - one.box[1]))


def _whole(image: Image.Image) -> Found:
    return Found(images.to_digit(image), (0.0, 0.0, float(image.width), float(image.height)), 0, 1.0)


def to_digit(image: Image.Image) -> Image.Image:
    """The digit in a picture, 28x28 'L', white on black; the largest of several, and all ink where none is found.

    A drawing without a paper, and a picture that has MNIST's form already, need no reader.

    Raises:
        InputError: the picture is empty, or too large.
    """
    known = images.without_paper(image)
    return largest(image).seen if known is None else known
