"""Pages as a card shows them: what was found, in orange."""

import numpy as np
from PIL import Image, ImageDraw

from models.pictures.detections import Detection

MISSED = (130, 130, 130)
FOUND, INK = (217, 102, 31), (255, 190, 130)


def marked(page: np.ndarray, found: list[Detection], ink: np.ndarray, missed: np.ndarray) -> Image.Image:
    """A page (S, S) uint8 in colours: ink (S / 2, S / 2) tinted, boxes drawn, those missed (n, 4) in grey."""
    mask = Image.fromarray(np.uint8(110 * ink)).resize(page.shape[::-1], Image.Resampling.BILINEAR)
    picture = Image.fromarray(page).convert("RGB")
    picture.paste(Image.new("RGB", picture.size, INK), mask=mask)
    pencil = ImageDraw.Draw(picture)
    for box in missed.tolist():
        pencil.rectangle(box, outline=MISSED, width=2)
    for one in found:
        pencil.rectangle(one.box, outline=FOUND, width=2)
    return picture
