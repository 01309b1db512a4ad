"""Where faces are in a photograph, upright or tilted, by dlib's histograms of oriented gradients (King 2015).

The detector alone misses a third of the faces that are turned by 40 degrees, and what it is unsure of is as often none.
So every window that might be a face is looked at once more, closely, at several angles: that of two angles that suit it
best tell whether it is one, and all of them how far it leans. Its filters for leaning heads are weaker than the others:
what they alone have hardly seen is looked at, too, from their side.
"""

import math
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain, pairwise, repeat
from typing import NamedTuple

import dlib
import numpy as np
from PIL import Image

from models.pictures.photographs import unpacked

# Pixels on the longer side of the picture in which faces are looked for, of 40 pixels on a side and more; and of those
# in which larger pictures are looked at then, as long as nothing is found, or faces that are hardly large enough.
SEARCHED, CLOSER = 640, (1280, 2560)
HARDLY = 70  # pixels on a side in such a look
ENLARGED, SMALLEST = 2, 64  # times; pixels on the shorter side of a picture in which the detector finds anything
# From one size of the picture to the next: the first two steps, which are over the largest ones, and dlib's own.
FAST, FINE = 0.76, 5 / 6
COARSE = 160  # pixels on the longer side, for a face that fills the picture
# Scores, of which 0 is dlib's own threshold. Chosen on faces of UTKFace in BSDS's photographs, and on those alone.
MAYBE, FACE, SURE = -0.9, -0.15, 0.2
HINT = -1.2  # a first score of a filter of leaning heads; two angles have to reach dlib's threshold then
PLAIN = 0.6  # a first score with which an upright window needs no further proof
# A first score of an upright filter that tells that the head is upright, too: none leaning by 20 degrees has it, of
# those by 16 degrees one in 25, of the upright ones more than half.
CERTAIN = 1.0
UPRIGHT = 3  # of the detector's five filters the first: a face from the front, and from either side
ANGLES = (-45, -25, 0, 25, 45)  # degrees
LEANING = {3: ANGLES[3:], 4: ANGLES[:2]}  # the other filters, and on which side the heads lean that they are for
FAR = -0.6  # a score at an angle that is far from that of the face
CLOSE, WIDE = 90, 162  # pixels on a side: of a window that is looked at closely, and with what is around it
NEAR = [FINE**step for step in range(4)]  # its sizes
TELLING = {3: (0, 25), 4: (-25, 0)}  # the angles that are looked at first, by filter
DOUBT = -0.5  # a score that one of them has to reach
LYING = (90, -90, 180)  # degrees by which a picture is turned in which no face is sure
LAID, LIKELY = 480, -0.6  # pixels on its longer side, as in `SEARCHED`; a first score of what may be sure
LEVEL = 10  # degrees: a head that leans less is upright
MOST = 40  # faces that are offered
# By the detector's windows on aligned training faces: a crop is 1.14 of their side wide, and has the same middle.
FRAME = 1.14


@dataclass(frozen=True)
class Square:
    """A part of a photograph with a face in the training data's framing; it may reach over the edge.

    Args:
        left, top, side: of the square, in pixels, before it is turned about its middle.
        tilt: degrees by which it is turned, anticlockwise.
    """

    left: int
    top: int
    side: int
    tilt: int = 0

    @property
    def margin(self) -> int:
        """Pixels by which the turned square reaches over the other on each side."""
        turned = abs(math.cos(math.radians(self.tilt))) + abs(math.sin(math.radians(self.tilt)))
        return math.ceil(self.side * (turned - 1) / 2)

    @property
    def box(self) -> tuple[int, int, int, int]:
        """The upright square that holds it, as Pillow has it: left, top, right, bottom."""
        left, top = self.left - self.margin, self.top - self.margin
        return left, top, left + self.side + 2 * self.margin, top + self.side + 2 * self.margin

    def turned(self, part: Image.Image) -> Image.Image:
        """What lies in the square, upright and of its size, as it lies in `box`; nothing around it."""
        whole = Image.new(part.mode, (self.side + 2 * self.margin,) * 2)
        whole.paste(part, (self.margin,) * 2)
        return whole.rotate(self.tilt, Image.Resampling.NEAREST)

    def scaled(self, scale: float) -> "Square":
        """The same part of a photograph that is `scale` times as large."""
        left, top, side = (round(scale * one) for one in (self.left, self.top, self.side))
        return replace(self, left=left, top=top, side=max(1, side))

    def moved(self, right: int, down: int) -> "Square":
        """The same square elsewhere."""
        return replace(self, left=self.left + right, top=self.top + down)

    def laid(self, angle: int, size: tuple[int, int]) -> "Square":
        """The same square, once the picture is turned anticlockwise by a multiple of 90 degrees, and has this size."""
        cos, sin = round(math.cos(math.radians(angle))), round(math.sin(math.radians(angle)))
        before = size if cos else size[::-1]
        right, down = (2 * at + self.side - whole for at, whole in zip((self.left, self.top), before, strict=True))
        left, top = (size[0] + cos * right + sin * down) // 2, (size[1] + cos * down - sin * right) // 2
        return Square(left - self.side // 2, top - self.side // 2, self.side, self.tilt + angle)


class Window(NamedTuple):
    """What the detector takes for a face: its middle and side in pixels, its score, and which of its filters did."""

    x: float
    y: float
    side: float
    score: float
    filter: int


class Face(NamedTuple):
    """A window that was looked at closely, the score that counts, and how far it leans in degrees."""

    window: Window
    score: float
    tilt: float


_own = threading.local()


@cache
def _trained() -> bytes:
    """dlib's detector, which is to look at one size of a picture, not at a thousand: the numbers as it writes them."""
    return dlib.get_frontal_face_detector().__getstate__()[0].replace(b"\2\xe8\3", b"\2\1\0", 1)


def _detector() -> dlib.fhog_object_detector:
    """This thread's own: one that two threads use at once, since it keeps the picture that it looks at, falls over."""
    if not hasattr(_own, "detector"):
        _own.detector = dlib.fhog_object_detector.__new__(dlib.fhog_object_detector)
        _own.detector.__setstate__((_trained(),))
    return _own.detector


def find(image: Image.Image) -> list[Square]:
    """The faces of a picture, frontal or half turned, the heads upright or leaning by up to 45 degrees.

    The largest comes first; after all that are surely faces come those that may be none. Where none is surely one, but
    some are once the picture is turned onto another side, it is these.
    """
    if not all(image.size):
        return []
    pixels = unpacked(image)[0]
    grey = Image.fromarray(pixels[:, :, 0]) if pixels.shape[2] == 1 else Image.fromarray(pixels).convert("L")
    del pixels
    longest = max(grey.size)
    faces = _first(grey)
    for before, searched in pairwise((SEARCHED, *CLOSER)):
        if longest <= before or any(face.window.side * before / longest >= HARDLY for face in faces):
            break
        faces += _closer(grey, before, searched)
    if all(face.score < SURE or face.window.side < min(image.size) / 3 for face in faces):
        faces += _filling(grey)
    faces = apart(faces)
    if all(face.score < SURE for face in faces) and (lying := _lying(grey)):
        return lying[:MOST]
    faces.sort(key=lambda face: (face.score < SURE, -face.window.side))
    return [_square(face) for face in faces[:MOST]]


def _first(grey: Image.Image) -> list[Face]:
    """The faces of an 'L' picture seen where it has `SEARCHED` pixels; their windows are those of the whole picture."""
    small, scale = _reduced(grey, ENLARGED * SEARCHED)
    found = _windows(small, _sizes(small, SEARCHED), HINT)
    hints = [_leaning(small, one) for one in found if one.score <= MAYBE and one.filter in LEANING]
    return [_larger(face, 1 / scale) for face in _faces(small, found) + [one for one in hints if one.score > 0]]


def _closer(grey: Image.Image, before: int, searched: int) -> list[Face]:
    """Those that are smaller than what was looked for before; of the many windows of the closest look the sure ones."""
    small, scale = _reduced(grey, ENLARGED * searched)
    finer = [one for one in _sizes(small, searched) if one * max(small.size) > 1.05 * ENLARGED * before]
    faces = _faces(small, _windows(small, finer, MAYBE))
    return [_larger(face, 1 / scale) for face in faces if searched < CLOSER[-1] or face.score >= SURE]


def _lying(grey: Image.Image) -> list[Square]:
    """The sure faces of an 'L' picture that has to be turned to stand upright, the largest first."""
    small, scale = _reduced(grey, ENLARGED * LAID)
    fewer = list(_sizes(small, LAID))
    for turn in LYING:
        upright = small.rotate(turn, expand=True)
        if found := _sure(_faces(upright, _windows(upright, fewer, LIKELY))):
            found = _sure(_first(grey.rotate(turn, expand=True))) or [_larger(face, 1 / scale) for face in found]
            return [_square(face).laid(-turn, grey.size) for face in found]
    return []


def _sure(faces: list[Face]) -> list[Face]:
    return sorted((face for face in faces if face.score >= SURE), key=lambda face: -face.window.side)


def _sizes(grey: Image.Image, searched: float) -> Iterator[float]:
    """By what a picture is multiplied to find the faces that are seen where it has `searched` pixels."""
    size, steps = ENLARGED * min(1.0, searched / max(grey.size)), chain((FAST, FAST), repeat(FINE))
    yield size
    while (size := size * next(steps)) * min(grey.size) >= SMALLEST:
        yield size


def _reduced(grey: Image.Image, longest: int) -> tuple[Image.Image, float]:
    """An 'L' picture of so many pixels on its longer side, or less, and by what it was multiplied."""
    scale = min(1.0, longest / max(grey.size))
    return grey.resize([max(1, round(scale * side)) for side in grey.size], Image.Resampling.BOX), scale


def _filling(grey: Image.Image) -> list[Face]:
    """A face that fills the picture: its forehead is beyond the edge, where the detector wants to look."""
    small, scale = _reduced(grey, COARSE)
    margin = min(small.size) // 4
    padded = Image.fromarray(np.pad(np.asarray(small), margin, mode="edge"))
    found = _windows(padded, _sizes(padded, max(padded.size) / (1 if scale == 1 else ENLARGED)), MAYBE)
    return [_larger(face, 1 / scale, margin) for face in _faces(padded, found)]


def _larger(face: Face, scale: float, margin: int = 0) -> Face:
    """Where it is in a picture without the margin that is `scale` times as large."""
    x, y, side = face.window[:3]
    return face._replace(window=face.window._replace(x=scale * (x - margin), y=scale * (y - margin), side=scale * side))


def _faces(grey: Image.Image, found: list[Window]) -> list[Face]:
    """Those of an 'L' picture's windows with faces."""
    faces = [_judged(grey, window) for window in found if window.score > MAYBE]
    return apart([face for face in faces if face.score > FACE])


def _windows(grey: Image.Image, sizes: Iterable[float], threshold: float) -> list[Window]:
    """What the detector takes for faces in an 'L' picture that is multiplied by each of the sizes, largest first."""
    found, small = [], grey
    for size in sizes:
        shape = [max(1, round(size * side)) for side in grey.size]
        small = (grey if size > 0.5 else small).resize(shape, Image.Resampling.BILINEAR)
        scale = grey.width / small.width
        for one, score, filter in zip(*_detector().run(np.asarray(small), 0, threshold), strict=True):
            x, y = (one.left() + one.right()) / 2, (one.top() + one.bottom()) / 2
            found.append(Window(scale * x, scale * y, scale * one.width(), score, filter))
    kept: list[Window] = []
    for one in sorted(found, key=lambda one: -one.score):
        if not any(_on_each_other(one, other) for other in kept):
            kept.append(one)
    return kept


def _on_each_other(one: Window, other: Window) -> bool:
    """As dlib's detector has it: a third of both is common to them, or four fifths of the smaller."""
    half, smaller = (one.side + other.side) / 2, min(one.side, other.side)
    common = math.prod(min(smaller, max(0, half - abs(off))) for off in (one.x - other.x, one.y - other.y))
    return common > 0.33 * (one.side**2 + other.side**2 - common) or common > 0.79 * smaller**2


def _judged(grey: Image.Image, window: Window) -> Face:
    """The mean of the two best scores at any angle; the first where the window is surely upright."""
    if window.filter < UPRIGHT and window.score > CERTAIN:
        return Face(window, window.score, 0.0)
    close = _close(grey, window)
    scores = {angle: _score(close, angle) for angle in TELLING.get(window.filter, (ANGLES[1], ANGLES[-2]))}
    if max(scores.values()) < DOUBT:
        return Face(window, DOUBT, 0.0)
    scores |= {angle: _score(close, angle) for angle in ANGLES[1:-1] if angle not in scores}
    if window.filter < UPRIGHT and window.score > PLAIN and max(scores, key=scores.get) == 0:
        return Face(window, window.score, _tilt(scores))
    scores |= {angle: _score(close, angle) for angle in (ANGLES[0], ANGLES[-1])}
    return Face(window, sum(sorted(scores.values())[-2:]) / 2, _tilt(scores))


def _leaning(grey: Image.Image, window: Window) -> Face:
    """The mean of the scores at the angles of the filter that has seen it."""
    close, (one, other) = _close(grey, window), LEANING[window.filter]
    scores = {one: _score(close, one)}
    if scores[one] > DOUBT:
        scores[other] = _score(close, other)
    return Face(window, sum(scores.values()) / len(scores), _tilt(scores))


def _tilt(scores: dict[int, float]) -> float:
    """The mean of the angles, weighed by their scores."""
    return float(np.average(list(scores), weights=[max(score - FAR, 1e-3) ** 2 for score in scores.values()]))


def _close(grey: Image.Image, window: Window) -> tuple[Image.Image, Window]:
    """What is around a window, not much larger than it has to be, and the window there."""
    reach = math.ceil(WIDE / CLOSE * window.side)  # what is turned comes from no farther
    left, top = math.floor(window.x) - reach, math.floor(window.y) - reach
    factor = max(1, int(window.side // CLOSE))
    around = grey.crop((left, top, left + 2 * reach, top + 2 * reach)).reduce(factor)
    x, y = (window.x - left) / factor, (window.y - top) / factor
    return around, window._replace(x=x, y=y, side=window.side / factor)


def _score(close: tuple[Image.Image, Window], angle: float) -> float:
    """The best score of a window about where one is expected, in what is turned clockwise by `angle` degrees."""
    around, (x, y, side, *_) = close
    cos, sin = side / CLOSE * math.cos(math.radians(angle)), side / CLOSE * math.sin(math.radians(angle))
    half = WIDE / 2
    matrix = (cos, sin, x - half * (cos + sin), -sin, cos, y + half * (sin - cos))
    turned = around.transform((WIDE, WIDE), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)
    fit = [MAYBE - 0.3]
    for one in _windows(turned, NEAR, MAYBE - 0.1):
        off = math.hypot(one.x - WIDE / 2, one.y - WIDE / 2)
        if off < 0.35 * CLOSE and 0.6 < one.side / CLOSE < 1.7:
            fit.append(one.score)
    return max(fit)


def apart(faces: list[Face]) -> list[Face]:
    """Of faces that lie on each other the one with the best score."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda face: -face.score):
        x, y, side = face.window[:3]
        if all(max(abs(x - one.x), abs(y - one.y)) > max(side, one.side) / 2 for one, _, _ in kept):
            kept.append(face)
    return kept


def _square(face: Face) -> Square:
    x, y, side = face.window[:3]
    side *= FRAME
    tilt = round(face.tilt) if abs(face.tilt) > LEVEL else 0
    return Square(round(x - side / 2), round(y - side / 2), max(1, round(side)), tilt)


def centre(image: Image.Image) -> Square:
    """The largest square in the middle, for when no face is found."""
    side = min(image.size)
    return Square((image.width - side) // 2, (image.height - side) // 2, side)
