"""The Space: composes the tabs and serves them."""

# ruff: noqa: E402
import argparse
import os

# A second thread costs these small networks more than it gives, and while both cores are busy it costs seconds.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Large tensors lie in large pages of memory, where Linux has them: a photograph is denoised in 0.9 of the time.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
# Else the Hub's client asks it first which programs to report, and of a Hub that is silent it asks in vain for seconds.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")


def number(name: str, usual: int, most: int) -> int:
    """A variable of the environment, 1 to `most`, or `usual` where it is not set. Raises SystemExit for any other."""
    text = os.environ.get(name, str(usual)).strip()
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most):
        raise SystemExit(f"error: {name} is {text[:40]!r}: set it to a whole number from 1 to {most}, or unset it.")
    return int(text)


MEMORY = "LATENT_LAB_MEMORY"
MEGABYTES = number(MEMORY, 1200, 10**6)  # for pictures at once, beside half a gigabyte that all else takes
PORT = number("GRADIO_SERVER_PORT", 7860, 65535)  # before Gradio's import, which reads it as well

from tabs import Words, denoise, digits, faces, frame, refusals, sample, sessions, spoken  # before Gradio, see there

# isort: split
import gradio as gr
from starlette.middleware import Middleware

from models.pipelines.common import share_heaps
from tabs.address import Address, script
from tabs.head import FAVICON, Head, static
from tabs.room import Bodies, Room
from tabs.theme import CSS, theme
from tabs.uploads import Uploads
from tabs.widgets.picture import HEAVIEST

TABS = {"digits": digits, "sample": sample, "denoise": denoise, "faces": faces}
VIEWS = {name: tuple(getattr(tab, "PARTS", ())) for name, tab in TABS.items()}
PAGES = {"": Words("en"), "zh": Words("zh")}
# Of Gradio's 40 each would hold memory of its own, while they wait for the same cores.
THREADS = max(4, 2 * (os.cpu_count() or 1))
KEPT = (600, 3000)  # every ten minutes, what was not used for fifty is deleted: within an hour, as the foot says


def page(words: Words, other: str, *, public: bool) -> None:
    """The whole page in one language; `other` is the address of the other language's page."""
    address = Address(VIEWS)
    frame.top(words, other)
    with gr.Tabs(elem_id="tabs"):
        for name, tab in TABS.items():
            with gr.Tab(words(f"tab.{name}"), elem_id=f"tab-{name}") as opened:
                frame.question(words, name, getattr(tab, "TRY", None))
                tab.build(words, address, public=public)
            address.opens(opened, name)
    address.build()
    frame.bottom(words)


def build() -> gr.Blocks:
    """The app: English at /, Chinese at /zh, the endpoints on the first."""
    share_heaps()
    sessions.lighten()
    with gr.Blocks(title="Latent Lab", analytics_enabled=False, delete_cache=KEPT) as demo:
        page(PAGES[""], "zh", public=True)
    with demo.route("中文", "/zh", show_in_navbar=False):
        page(PAGES["zh"], "./?lang=en", public=False)
    with demo:
        refusals.soften(PAGES, Room(MEGABYTES * 1_000_000), Uploads(demo))
    demo.queue(max_size=64, default_concurrency_limit=2)
    # Else Gradio looks a thousand times a second whether somebody waits, for which an idle app takes 6 % of a core.
    demo._queue.sleep_when_free = 0.01
    return demo


def layers() -> list[Middleware]:
    """What lies around Gradio's own app, from the outside in."""
    words = PAGES[""]
    return [
        Middleware(Head, pages=PAGES, script=script(VIEWS, spoken.labels(PAGES))),
        Middleware(refusals.Refusals, words=words),
        Middleware(Bodies, words=words),
    ]


def register_gpu() -> None:
    """Name ZeroGPU one function, without which it starts no Space; these networks are faster than a GPU is lent."""
    try:
        import spaces
    except ImportError:  # it is there on Spaces alone
        return
    spaces.GPU(lambda: None)


def main() -> None:
    """Parse the command line and serve until stopped."""
    parser = argparse.ArgumentParser(description="Latent Lab in the browser.")
    parser.add_argument("--host", default=os.environ.get("GRADIO_SERVER_NAME"), help="0.0.0.0: reachable from outside")
    parser.add_argument("--port", type=int, help="default: GRADIO_SERVER_PORT, or 7860")
    parser.add_argument("--share", action="store_true", help="also serve through a public link (or GRADIO_SHARE=1)")
    args = parser.parse_args()
    port = args.port or PORT
    register_gpu()
    print(f"* Pictures take at most {MEGABYTES} MB at once ({MEMORY}); the others wait.", flush=True)
    try:
        build().launch(
            server_name=args.host,
            server_port=args.port,
            share=args.share or os.environ.get("GRADIO_SHARE", "").lower() in ("1", "true"),
            theme=theme(),
            css=CSS,
            favicon_path=FAVICON,
            app_kwargs={"routes": [static()], "middleware": layers()},
            max_threads=THREADS,
            max_file_size=HEAVIEST,
            footer_links=[],
            i18n=spoken.missing(PAGES),
            run_history=False,
            state_session_capacity=256,  # of 10,000, what tabs show of their pictures would take gigabytes
            ssr_mode=False,
            pwa=False,
            mcp_server=False,
            enable_monitoring=False,
            _frontend=False,  # else it asks itself for the page, and gives up where a busy machine takes 3 seconds
            show_error=True,  # else what Gradio itself refuses has no sentence
        )
    except OverflowError:
        raise SystemExit(f"error: there is no port {port}: choose a --port of at most 65535.") from None
    except OSError:  # in use, or another machine's
        where = f"{args.host or '127.0.0.1'}:{port}"
        raise SystemExit(f"error: the app cannot listen at {where}: choose another --port or --host.") from None


if __name__ == "__main__":
    main()
