"""What the page reader hands on of composed pages: digits as a classifier gets to see them, and its false alarms."""

import numpy as np
import torch
from PIL import Image

from models.errors import InputError
from models.pictures.detections import overlap
from models.pipelines import PageReader
from train.data.glyphs import SHOWN
from train.data.pages import composed
from train.data.splits import Split

SIDE, AT_ONCE, DIGITS = 192, 50, 1000  # pixels of a page; pages that share hands, and digits that they choose from
RIGHT, WRONG = 0.5, 0.1  # of intersection over union: what is found is that digit; it is none


def handed(digits: Split, count: int, seed: int) -> tuple[Split, torch.Tensor]:
    """What is found on about so many composed pages: digits, and what is none, (N, 1, 28, 28) uint8.

    There are no words and no marks on them: of a letter alone nobody can say whether it is an o or a 0.

    Raises ValueError where there are no sound weights of the page reader.
    """
    reader, generator = PageReader(), torch.Generator().manual_seed(seed)
    seen, labels, nothing = [], [], []
    for number in range(-(-count // AT_ONCE)):
        some = torch.randint(len(digits), (DIGITS,), generator=generator)
        given = digits.images[some], digits.labels[some]
        for page in composed(*given, AT_ONCE, SIDE, seed + number, letters=SHOWN, words=False):
            try:
                found = reader(Image.fromarray(page.image))
            except InputError:  # there is nothing to be seen on it
                continue
            for one in found:
                shares = np.array([overlap(one.box, box) for box in page.boxes.tolist()] or [0.0])
                picture = torch.from_numpy(np.array(one.seen))[None]
                if shares.max() > RIGHT:
                    seen.append(picture)
                    labels.append(int(page.labels[shares.argmax()]))
                elif shares.max() < WRONG:
                    nothing.append(picture)
    return Split(_stacked(seen), torch.tensor(labels, dtype=torch.int64)), _stacked(nothing)


def _stacked(pictures: list[torch.Tensor]) -> torch.Tensor:
    return torch.stack(pictures) if pictures else torch.empty(0, 1, 28, 28, dtype=torch.uint8)
