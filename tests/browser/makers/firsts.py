"""Makes what the page opens with, from the published networks: `python tests/browser/makers/firsts.py`.

A portrait with a hidden eye, an astronaut with a camera's noise, and small pictures of all that there is to try.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import numpy as np
import torch
from PIL import Image, ImageOps

from models.pictures import photographs
from models.pictures.photographs import to_pixels, to_tensor
from models.pipelines import denoiser, hidden, quality_inside, reconstructor
from tabs import denoise, faces
from tabs.faces import views
from tabs.head import STATIC
from train.tasks.noise_estimation import photographed

NOISY = 5  # the seed of the camera


def save(picture: Image.Image, path: Path, **options: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.convert("RGB").save(path, **options)


def noisy_photograph() -> None:
    """The astronaut through the model of cameras, and without its noise again."""
    folder = denoise.photo.FIRST
    (astronaut,) = photographs.faces()
    torch.manual_seed(NOISY)
    clean = to_tensor(np.asarray(Image.open(astronaut).convert("RGB"))[:512, :512])
    noisy, _ = photographed(clean, clean.shape[2])
    save(Image.fromarray(to_pixels(noisy)), folder / "noisy.jpg", quality=90)
    noisy, network = Image.open(folder / "noisy.jpg"), denoiser("photo-denoiser")
    found = network.judge(noisy)
    picture = network(noisy, found.sigma)
    save(picture, folder / "denoised.png", optimize=True)
    save(picture, folder / "denoised.webp", quality=88)
    said = {"sigma": round(found.sigma, 1), "kind": found.kind, "size": noisy.size}
    (folder / "said.json").write_text(json.dumps(said) + "\n")


def hidden_face() -> None:
    """The first portrait with its hole, filled, and as it is."""
    picture = Image.open(next(iter(faces.offered().values())))
    face = faces.looked(picture).face
    gone = hidden(picture, face, "box", faces.SEED)
    whole = reconstructor(faces.NETWORK)(picture, gone, face)
    for name, one in zip(views.NAMES, (views.covered(picture, gone), whole, picture), strict=True):
        save(views.crop(one, face), faces.FIRST / f"{name}.webp", quality=88)
    save(whole, faces.FIRST / "reconstructed.png", optimize=True)
    (faces.FIRST / "said.json").write_text(
        json.dumps({"psnr": round(quality_inside(picture, whole, gone).psnr, 2)}) + "\n"
    )


def thumbnails() -> None:
    """The middle of each, where a portrait has its face."""
    for name, path in {**denoise.photo.offered(), **faces.offered()}.items():
        picture = Image.open(path).convert("RGB")
        if name in faces.PORTRAITS:
            found = faces.looked(picture)
            picture = picture.crop(found.face.box) if found.any else picture
        save(ImageOps.fit(picture, (144, 144)), STATIC / "thumbs" / f"{name}.jpg", quality=82)


if __name__ == "__main__":
    noisy_photograph()
    hidden_face()
    thumbnails()
