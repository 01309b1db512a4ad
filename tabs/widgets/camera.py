"""A button for the camera of a telephone, which makes the picture small before it is sent."""

from html import escape

import gradio as gr

from tabs import Words

LARGEST = 1600  # pixels on a side that are sent: writing needs no more, and a photograph has megabytes

SCRIPT = """
const input = element.querySelector('input');
input.addEventListener('change', async () => {
  const [file] = input.files;
  if (!file) return;
  input.value = '';
  let url;
  try {
    const photo = await createImageBitmap(file, {imageOrientation: 'from-image'});
    const scale = Math.min(1, LARGEST / Math.max(photo.width, photo.height));
    const canvas = document.createElement('canvas');
    canvas.width = Math.round(photo.width * scale);
    canvas.height = Math.round(photo.height * scale);
    const page = canvas.getContext('2d');
    page.fillStyle = 'white'; // what is transparent would be black in a JPEG
    page.fillRect(0, 0, canvas.width, canvas.height);
    page.drawImage(photo, 0, 0, canvas.width, canvas.height);
    url = canvas.toDataURL('image/jpeg', 0.9);
  } catch {
    url = 'data:,';  // no picture: the server says so
  }
  props.value = url;
  trigger('input');
  document.getElementById('TARGET')?.scrollIntoView({block: 'start'});
});
"""


def camera(words: Words, elem_id: str, target: str) -> gr.HTML:
    """A button that opens the camera where there is one, else a choice of files. Its value is a data URL.

    Args:
        words: of the page.
        elem_id: of the component.
        target: the element that is brought into sight, where the answer appears.
    """
    return gr.HTML(
        value=None,
        html_template=(
            f'<label class="photograph">{escape(words("digits.photograph"))}'
            '<input type="file" accept="image/*" capture="environment"></label>'
        ),
        js_on_load=SCRIPT.replace("LARGEST", str(LARGEST)).replace("TARGET", target),
        elem_id=elem_id,
        elem_classes="camera",
    )
