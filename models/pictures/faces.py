"""Where faces are in a photograph."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image
from skimage import data
from skimage.feature import Cascade

from models.pictures.photographs import packed, unpacked

SEARCHED = 512  # pixels on the longer side of the picture in which faces are looked for
SMALLEST = 24  # pixels on a side there: the cascade's own window
# Of a face's side: how far off the middles may be of windows that are of the same face, and how much smaller one of
# them. Where there is no face up to four windows agree, where there is one a dozen or two.
NEAR, ALIKE, VOTES = 0.3, 0.6, 5
MOST = 20  # faces that are offered
SMALL = 1 / 3  # of the largest one's side: one below is seldom a face, and never whom the photograph is of
# By the cascade's boxes on aligned training faces: 1.00 of a crop's side wide, their middle 0.08 above the crop's.
ABOVE = 0.08


@dataclass(frozen=True)
class Square:
    """A part of a photograph with a face in the training data's framing; it may reach over the edge."""

    left: int
    top: int
    side: int

    @property
    def box(self) -> tuple[int, int, int, int]:
        """As Pillow has it: left, top, right, bottom."""
        return self.left, self.top, self.left + self.side, self.top + self.side


@cache
def _cascade() -> Cascade:
    return Cascade(data.lbp_frontal_face_cascade_filename())


def find(image: Image.Image) -> list[Square]:
    """The upright frontal faces of a picture, the largest first, by scikit-image's cascade of local binary patterns."""
    if not all(image.size):
        return []
    scale = min(1.0, SEARCHED / max(image.size))
    plain = packed(unpacked(image)[0], None, image).convert("RGB")
    small = plain.resize([max(1, round(scale * side)) for side in image.size], Image.Resampling.BOX)
    # A face that fills the picture has its forehead beyond it, where the cascade wants to look.
    margin = min(small.size) // 4
    pixels = np.pad(np.asarray(small), ((margin,) * 2, (margin,) * 2, (0, 0)), mode="edge")
    largest = min(pixels.shape[:2])
    if largest < SMALLEST:
        return []
    sizes = {"min_size": (SMALLEST, SMALLEST), "max_size": (largest, largest)}
    each = {"min_neighbor_number": 1, "intersection_score_threshold": 1.01}  # every window that looks like a face
    windows = _cascade().detect_multi_scale(pixels, scale_factor=1.15, step_ratio=1, **sizes, **each)
    boxes = np.array([(one["c"] - margin, one["r"] - margin, one["width"]) for one in windows], float).reshape(-1, 3)
    found = []
    for left, top, width in agreed(boxes / scale):
        found.append(Square(round(left), round(top + ABOVE * width), max(1, round(width))))
    found.sort(key=lambda face: -face.side)
    return [face for face in found if face.side >= SMALL * found[0].side][:MOST]


def agreed(boxes: np.ndarray) -> list[np.ndarray]:
    """Of windows (N, 3), left, top and width each, the means of those groups that say nearly the same."""
    found, middles = [], boxes[:, :2] + boxes[:, 2:] / 2
    left = np.ones(len(boxes), bool)
    off = abs(middles[:, None] - middles).max(2)
    small, large = (pick(boxes[:, None, 2], boxes[None, :, 2]) for pick in (np.minimum, np.maximum))
    alike = (off < NEAR * small) & (small > ALIKE * large)
    while left.any():
        votes = (alike & left & left[:, None]).sum(1)
        group = alike[votes.argmax()] & left
        if votes.max() < VOTES:
            break
        found.append(boxes[group].mean(0))
        left &= ~group & (off[votes.argmax()] > np.maximum(boxes[:, 2], found[-1][2]) / 2)
    return found


def centre(image: Image.Image) -> Square:
    """The largest square in the middle, for when no face is found."""
    side = min(image.size)
    return Square((image.width - side) // 2, (image.height - side) // 2, side)
