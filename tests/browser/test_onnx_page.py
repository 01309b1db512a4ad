"""The ONNX graphs in a page, by onnxruntime-web: what they compute there is what torch does."""

import re
import shutil
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from app_process import ROOT
from playwright.sync_api import Page, expect

import models
from models import hub
from train import export

NODE = Path(__file__).parent / "node_modules"
SHOWN = re.search(r"```html\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)[1]
# One of each that takes or gives something else; further ones of a kind are the same operations.
KINDS = ["mnist-resnet", "mnist-lstm", "mnist-ae", "mnist-vae", "mnist-cvae", "mnist-dcgan", "photo-denoiser"]
KINDS += ["mnist-denoiser", "noise-level", "face-ae", "face-unet", "page-reader", "moons-mlp"]
RUN = """async ([name, given, outputs]) => {
  const ort = await import("./node_modules/onnxruntime-web/dist/ort.wasm.min.mjs");
  const session = await ort.InferenceSession.create(name);
  const feeds = Object.fromEntries(Object.entries(given).map(([name, [type, data, sides]]) => {
    const values = type === "int64" ? BigInt64Array.from(data, BigInt) : Float32Array.from(data);
    return [name, new ort.Tensor(type, values, sides)];
  }));
  const made = await session.run(feeds);
  return outputs.map((name) => Array.from(made[name].data));
}"""

pytestmark = pytest.mark.skipif(not NODE.is_dir(), reason="npm install --prefix tests/browser brings onnxruntime-web")


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A folder with the page that the README shows, and its address."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "node_modules").symlink_to(NODE)
    (folder / "index.html").write_text(SHOWN)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def graph(site: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., models.Model]:
    """Puts the graph of a trained network there, and gives the network."""
    monkeypatch.setattr(export, "FOLDER", ROOT / "runs" / "onnx")

    def put(name: str, file: str) -> models.Model:
        shutil.copy(export.made(hub.CHECKPOINTS / name), site[0] / file)
        return models.Model.from_pretrained(hub.CHECKPOINTS / name)

    return put


@pytest.fixture(scope="module")
def page(visitor: Callable) -> Iterator[Page]:
    page = visitor().new_page()
    yield page
    page.close()


def test_the_page_that_the_readme_shows(site: tuple[Path, str], graph: Callable, page: Page) -> None:
    """As it stands there it loads the graph and tells the logits."""
    net = graph("mnist-resnet", "model.onnx")
    page.goto(site[1])
    expect(page.locator("body")).to_have_text(re.compile(r"^\S+( \S+){9}$"), timeout=60_000)
    told = [float(word) for word in page.locator("body").inner_text().split()]
    with torch.inference_mode():
        assert told == pytest.approx(net(torch.full((1, 1, 28, 28), 0.5))[0].tolist(), abs=1e-4)


@pytest.mark.parametrize("name", KINDS)
def test_a_graph_in_a_browser(name: str, site: tuple[Path, str], graph: Callable, page: Page) -> None:
    """On two inputs at once, of sides that no graph was made with."""
    net = graph(name, f"{name}.onnx")
    wanted = export.graph(net)
    sizes = {"batch": 2, "height": 32, "width": 64}
    drawn = export.example(wanted, sizes, torch.Generator().manual_seed(0))
    given = {
        word: [str(one.dtype).removeprefix("torch."), one.flatten().tolist(), list(one.shape)]
        for word, one in drawn.items()
    }
    page.goto(site[1])
    found = page.evaluate(RUN, [f"./{name}.onnx", given, list(wanted.outputs)])
    with torch.inference_mode():
        made = wanted.forward(*drawn.values())
    for values, tensor in zip(found, made if isinstance(made, tuple) else (made,), strict=True):
        assert values == pytest.approx(tensor.flatten().tolist(), abs=1e-4)
