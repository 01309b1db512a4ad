"""Where faces are in a photograph, upright or tilted, by dlib's histograms of oriented gradients (King 2015).

The detector alone misses a third of the faces that are turned by 40 degrees, and what it is unsure of is as often none.
So every window that might be a face is looked at once more, closely, at several angles: that of two angles that suit it
best tell whether it is one, and all of them how far it leans. Its filters for leaning heads are weaker than the others:
what they alone have hardly seen is looked at, too, from their side.
"""

import math
import threading
from dataclasses import dataclass, replace
from typing import NamedTuple

import dlib
import numpy as np
from PIL import Image

from models.pictures.photographs import unpacked

SEARCHED = 640  # pixels on the longer side of the picture in which faces are looked for; it is enlarged twice there
CLOSER = 2  # times that, where nothing is found in a larger picture, or faces that are hardly large enough
HARDLY = 70  # pixels on a side in the first look
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
LYING = (90, -90, 180)  # degrees by which a picture is turned in which no face is sure
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


def _detector() -> dlib.fhog_object_detector:
    """This thread's own: one that two threads use at once, since it keeps the picture that it looks at, falls over."""
    if not hasattr(_own, "detector"):
        _own.detector = dlib.get_frontal_face_detector()
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
    faces = _at(grey, SEARCHED)
    large = max(image.size) > SEARCHED
    if large and all(face.window.side * SEARCHED / max(image.size) < HARDLY for face in faces):
        faces += _at(grey, CLOSER * SEARCHED)
    if all(face.score < SURE or face.window.side < min(image.size) / 3 for face in faces):
        faces += _filling(grey)
    faces = apart(faces)
    if all(face.score < SURE for face in faces) and (lying := _lying(grey)):
        return lying[:MOST]
    faces.sort(key=lambda face: (face.score < SURE, -face.window.side))
    return [_square(face) for face in faces[:MOST]]


def _lying(grey: Image.Image) -> list[Square]:
    """The sure faces of an 'L' picture that has to be turned to stand upright, the largest first."""
    small, scale = _reduced(grey, SEARCHED)
    for turn in LYING:
        upright = small.rotate(turn, expand=True)
        if faces := [_larger(face, 1 / scale) for face in _seen(upright, 1) if face.score >= SURE]:
            faces.sort(key=lambda face: -face.window.side)
            return [_square(face).laid(-turn, grey.size) for face in faces]
    return []


def _at(grey: Image.Image, longest: int) -> list[Face]:
    """The faces of an 'L' picture that is reduced to so many pixels; their windows are those of the whole picture."""
    small, scale = _reduced(grey, longest)
    return [_larger(face, 1 / scale) for face in _seen(small, 1)]


def _reduced(grey: Image.Image, longest: int) -> tuple[Image.Image, float]:
    """An 'L' picture of so many pixels on its longer side, or less, and by what it was multiplied."""
    scale = min(1.0, longest / max(grey.size))
    return grey.resize([max(1, round(scale * side)) for side in grey.size], Image.Resampling.BOX), scale


def _filling(grey: Image.Image) -> list[Face]:
    """A face that fills the picture: its forehead is beyond the edge, where the detector wants to look."""
    small, scale = _reduced(grey, COARSE)
    margin = min(small.size) // 4
    padded = Image.fromarray(np.pad(np.asarray(small), margin, mode="edge"))
    return [_larger(face, 1 / scale, margin) for face in _seen(padded, 0 if scale < 1 else 1)]


def _larger(face: Face, scale: float, margin: int = 0) -> Face:
    """Where it is in a picture without the margin that is `scale` times as large."""
    x, y, side = face.window[:3]
    return face._replace(window=face.window._replace(x=scale * (x - margin), y=scale * (y - margin), side=scale * side))


def _seen(grey: Image.Image, enlargements: int) -> list[Face]:
    """The faces of an 'L' picture as it is."""
    windows = _windows(grey, enlargements, HINT)
    faces = [_judged(grey, window) for window in windows if window.score > MAYBE]
    hints = [_leaning(grey, window) for window in windows if window.score <= MAYBE and window.filter in LEANING]
    return apart([face for face in faces if face.score > FACE] + [face for face in hints if face.score > 0])


def _windows(grey: Image.Image, enlargements: int, threshold: float) -> list[Window]:
    return [
        Window((one.left() + one.right()) / 2, (one.top() + one.bottom()) / 2, one.width(), score, filter)
        for one, score, filter in zip(*_detector().run(np.asarray(grey), enlargements, threshold), strict=True)
    ]


def _judged(grey: Image.Image, window: Window) -> Face:
    """The mean of the two best scores at any angle; the first where the window is surely upright."""
    if window.filter < UPRIGHT and window.score > CERTAIN:
        return Face(window, window.score, 0.0)
    scores = {angle: _score(_closely(grey, window, angle)) for angle in ANGLES[1:-1]}
    plain = window.score > PLAIN and max(scores, key=scores.get) == 0
    if not plain:
        scores |= {angle: _score(_closely(grey, window, angle)) for angle in (ANGLES[0], ANGLES[-1])}
    return Face(window, window.score if plain else sum(sorted(scores.values())[-2:]) / 2, _tilt(scores))


def _leaning(grey: Image.Image, window: Window) -> Face:
    """The mean of the scores at the angles of the filter that has seen it."""
    scores = {angle: _score(_closely(grey, window, angle)) for angle in LEANING[window.filter]}
    return Face(window, sum(scores.values()) / len(scores), _tilt(scores))


def _tilt(scores: dict[int, float]) -> float:
    """The mean of the angles, weighed by their scores."""
    return float(np.average(list(scores), weights=[max(score - FAR, 1e-3) ** 2 for score in scores.values()]))


def _closely(grey: Image.Image, window: Window, angle: float) -> Image.Image:
    """A window and what is around it, (`WIDE`, `WIDE`), turned clockwise by `angle` degrees."""
    reach = math.ceil(WIDE / CLOSE * window.side)  # what is turned comes from no farther
    left, top = math.floor(window.x) - reach, math.floor(window.y) - reach
    factor = max(1, int(window.side // CLOSE))
    around = grey.crop((left, top, left + 2 * reach, top + 2 * reach)).reduce(factor)
    x, y, scale = (window.x - left) / factor, (window.y - top) / factor, window.side / factor / CLOSE
    cos, sin = scale * math.cos(math.radians(angle)), scale * math.sin(math.radians(angle))
    half = WIDE / 2
    matrix = (cos, sin, x - half * (cos + sin), -sin, cos, y + half * (sin - cos))
    return around.transform((WIDE, WIDE), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)


def _score(close: Image.Image) -> float:
    """The best score of a window about where one is expected."""
    fit = [MAYBE - 0.3]
    for one in _windows(close, 0, MAYBE - 0.1):
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
