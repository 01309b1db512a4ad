"""What 64 new digits cost. Bar: p50 of `sample` twice that of an endpoint that returns a ready picture of that size.

The other endpoint has the same signature and runs in the same process; calls are raw HTTP, in turn, each with a seed of
its own. Run from the repository's root: python tests/bench/bench_sample.py
"""

import http.client
import json
import sys
import time

from bench_endpoint import in_turn
from common import verdict

BAR = 2.0
NETWORK = "mnist-cvae"


def serve(port: int) -> None:
    """The app with one endpoint more."""
    import gradio as gr
    from PIL import Image

    import app
    from models.pictures import images
    from models.pipelines import sampler

    sheet = images.grid(sampler(NETWORK)(64), 8)

    def ready(network: str, digit: str, count: int, temperature: float, seed: int) -> Image.Image:
        return sheet.copy()

    demo = app.build()
    with demo:
        given = [gr.Dropdown([NETWORK], visible=False), gr.Dropdown(["any"], visible=False)]
        given += [gr.Slider(1, 64, visible=False), gr.Slider(0, 2, visible=False), gr.Number(visible=False)]
        picture = gr.Image(format="png", visible=False)
        gr.Button(visible=False).click(ready, given, picture, api_name="ready", concurrency_limit=2)
    demo.launch(server_port=port, quiet=True, ssr_mode=False)


def call(connection: http.client.HTTPConnection, name: str, seed: int) -> float:
    """Milliseconds from sending a request to having read its answer."""
    body = json.dumps({"data": [NETWORK, "any", 64, 1.0, seed]}).encode()
    start = time.perf_counter()
    connection.request("POST", f"/gradio_api/run/{name}", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    data = answer.read()
    taken = (time.perf_counter() - start) * 1000
    assert answer.status == 200 and json.loads(data)["data"][0]["url"], data
    return taken


def main() -> int:
    """Measure, print, and tell by the status whether the bar is met."""
    ready, sample = in_turn(__file__, ("ready", "sample"), call)
    return verdict(f"64 digits by {NETWORK} / a ready picture, p50", sample / ready, BAR)


if __name__ == "__main__":
    sys.exit(serve(int(sys.argv[2])) if "--serve" in sys.argv else main())
