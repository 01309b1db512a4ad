"""Files that the page can show and a visitor can take along.

Gradio serves files out of its cache alone, under a name by what is in them: two visitors may ask for the same one at
once, so each is made elsewhere and then moved there whole.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from gradio.components import Component
from gradio.processing_utils import save_file_to_cache
from PIL import Image
from PIL.PngImagePlugin import PngInfo


def cached(data: bytes, name: str, component: Component) -> str:
    """The path in the cache of a file with these bytes and that name."""
    with TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(data)
        return kept(path, component)


def png(image: Image.Image, name: str, component: Component) -> str:
    """The path in the cache of a PNG with Exif data, colour profile, dots per inch, and what was taken as hidden.

    Gradio would leave all but the colour profile out, and take ten times as long for a file a little smaller.
    """
    texts = PngInfo()
    if hidden := image.info.get("hidden"):
        texts.add_text("hidden", hidden)
    carried = {"exif": image.info.get("exif", b""), "dpi": image.info.get("dpi"), "pnginfo": texts}
    with TemporaryDirectory() as folder:
        path = Path(folder, f"{name}.png")
        image.save(path, compress_level=1, **carried)
        return kept(path, component)


def kept(path: Path, component: Component) -> str:
    """The path in the cache of the same file; one that lies elsewhere, as a package's do, Gradio does not show."""
    cached = save_file_to_cache(path, component.GRADIO_CACHE)
    component.temp_files.add(cached)  # or it would not be deleted with what the component shows
    return cached
