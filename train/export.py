"""A network as an ONNX graph: one file that onnxruntime reads, on a server or in a browser, without our code."""

import logging
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn

from models import base, hub
from models.base import Model
from models.networks import denoisers
from models.networks.generators import DIGITS

if TYPE_CHECKING:
    from onnx import ModelProto

FOLDER = Path("runs") / "onnx"
GRAPH = "model.onnx"  # of a repository
OPSET = 18
TOLERANCE, INPUTS = 1e-4, 20  # how far from torch it may be, and on how many inputs that is looked at
PICTURE = ("batch", 1, 28, 28)

Shape = tuple[int | str, ...]  # a word is a size that may change


@dataclass(frozen=True)
class Graph:
    """What a graph computes.

    Attributes:
        forward: takes tensors in the order of `inputs`, gives one or a tuple.
        inputs: name -> shape.
        outputs: the names.
        multiple: what heights and widths divide by.
    """

    forward: Callable[..., torch.Tensor | tuple[torch.Tensor, ...]]
    inputs: dict[str, Shape]
    outputs: tuple[str, ...]
    multiple: int = 1


def graph(net: Model) -> Graph:
    """What is exported of a network, by its task: `decode` of a generator, of all others what they are called with."""
    kind = net.task
    if kind == "generation":
        told = {"digit": ("batch",)} if net.conditional else {}
        return Graph(net.decode, {"z": ("batch", net.latent), **told}, ("picture",))
    if kind == "autoencoding":
        return Graph(lambda picture: _both(net, picture), {"picture": PICTURE}, ("rebuilt", "code"))
    if kind == "point-classification":
        return Graph(net.forward, {"points": ("batch", 2)}, ("logits",))
    if kind == "denoising":
        coloured = isinstance(net, denoisers.PhotoDenoiser)
        told = {"sigma": ("batch",)} if coloured else {}
        return Graph(net.forward, {"noisy": ("batch", 3 if coloured else 1, "height", "width"), **told}, ("clean",))
    if kind == "noise-estimation":
        return Graph(net.forward, {"picture": ("batch", 3, "height", "width")}, ("sigma",))
    if kind == "page-reading":
        return Graph(net.forward, {"page": ("batch", 1, "height", "width")}, ("heat", "boxes", "ink"))
    if kind == "inpainting":
        sides = (128, 128) if hasattr(net, "latent") else ("height", "width")
        inputs = {"image": ("batch", 3, *sides), "mask": ("batch", 1, *sides)}
        return Graph(net.forward, inputs, ("filled",), 2 ** len(net.kwargs["widths"]))
    return Graph(net.forward, {"picture": PICTURE}, ("logits",))


def _both(net: Model, picture: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    code = net.encode(picture)
    return net.decode(code), code


def example(wanted: Graph, sizes: dict[str, int], generator: torch.Generator | None = None) -> dict[str, torch.Tensor]:
    """Inputs of a graph, drawn as such inputs are; `sizes` tells those that may change."""
    drawn = {}
    for name, shape in wanted.inputs.items():
        numbers = [sizes[size] if isinstance(size, str) else size for size in shape]
        values = torch.rand(numbers, generator=generator)
        kinds = {
            "z": lambda values: torch.randn(values.shape, generator=generator),
            "digit": lambda values: (DIGITS * values).long(),
            "sigma": lambda values: denoisers.LARGEST_SIGMA * values,
            "mask": lambda values: (values > 0.5).float(),
        }
        drawn[name] = kinds.get(name, lambda values: values)(values)
    return drawn


def script(net: Model) -> str:
    """Python that runs the graph in the folder it stands in, with nothing but numpy and onnxruntime."""
    wanted = graph(net)
    sizes = {"batch": DIGITS if "digit" in wanted.inputs else 1, "height": 256, "width": 320}
    lines = ["import numpy as np", "import onnxruntime", ""]
    for name, shape in wanted.inputs.items():
        numbers = ", ".join(str(sizes.get(size, size)) for size in shape)
        drawn = {
            "z": f'np.random.randn({numbers}).astype("float32")',
            "digit": f"np.arange({numbers})",
            "sigma": f'np.full({numbers}, 25, "float32")',
            "mask": f'(np.random.rand({numbers}) > 0.5).astype("float32")  # 1 is hidden',
        }
        lines.append(f"{name} = " + drawn.get(name, f'np.random.rand({numbers}).astype("float32")'))
    given = ", ".join(f'"{name}": {name}' for name in wanted.inputs)
    found = ", ".join(wanted.outputs) if len(wanted.outputs) > 1 else f"({wanted.outputs[0]},)"
    lines += ['session = onnxruntime.InferenceSession("model.onnx")', f"{found} = session.run(None, {{{given}}})"]
    return "\n".join(lines)


def place(folder: Path) -> Path:
    """Where the graph of a checkpoint folder is, or would be: the same weights have the same."""
    return FOLDER / f"{hub.sha256_of(folder / hub.WEIGHTS)}.onnx"


def made(folder: Path) -> Path:
    """The graph of a checkpoint folder, made where there is none yet, and checked before it takes its place.

    Raises:
        ValueError: no checkpoint, or a graph that is not what the network is.
        OSError: it cannot be written.
    """
    file = place(folder)
    if not file.is_file():
        net = base.read(hub.Provenance("path", folder))
        with hub.aside(FOLDER) as temporary:
            write(net, temporary / file.name)
    return file


def write(net: Model, file: Path) -> None:
    """Write a network's graph and see that it is one. Raises ValueError and OSError."""
    import onnxruntime  # noqa: F401
    import onnxscript  # noqa: F401  # which torch would miss in words of its own

    wanted = graph(net)
    drawn = example(wanted, {"batch": 2, "height": 48, "width": 56})
    free = {name: _free(shape) for name, shape in wanted.inputs.items()}
    with _quiet(), _mirrored_by_index():
        program = torch.onnx.export(
            _Forward(wanted, net).eval(),
            tuple(drawn.values()),
            dynamo=True,
            opset_version=OPSET,
            input_names=list(wanted.inputs),
            output_names=list(wanted.outputs),
            dynamic_shapes=(tuple(free.values()),),
            verbose=False,
        )
    file.write_bytes(_tidied(program.model_proto, wanted).SerializeToString(deterministic=True))
    off = distance(net, file)
    if not off <= TOLERANCE:
        raise ValueError(f"The graph of {type(net).__name__} is {off:.1e} from the network: it is not kept.")


def distance(net: Model, file: Path) -> float:
    """How far a graph is from its network, on inputs of several sizes: the largest difference of any value."""
    import onnxruntime

    wanted, generator = graph(net), torch.Generator().manual_seed(0)
    session, differences = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"]), []
    for index in range(INPUTS):
        sides = (wanted.multiple * -(-(side + 3 * index) // wanted.multiple) for side in (24, 41))
        sizes = dict(zip(("batch", "height", "width"), (1 + index % 3, *sides), strict=True))
        drawn = example(wanted, sizes, generator)
        with torch.inference_mode():
            expected = wanted.forward(*drawn.values())
        found = session.run(list(wanted.outputs), {name: value.numpy() for name, value in drawn.items()})
        pairs = zip(expected if isinstance(expected, tuple) else (expected,), found, strict=True)
        differences += [(one - torch.from_numpy(other)).abs().max() for one, other in pairs]
    return torch.stack(differences).max().item()  # Python's own would let what is no number through


def _tidied(model: "ModelProto", wanted: Graph) -> "ModelProto":
    """The same graph without what the exporter notes of this machine, its sizes called as ours are."""
    symbols = {}
    for value, shape in zip(model.graph.input, wanted.inputs.values(), strict=True):
        sizes = value.type.tensor_type.shape.dim
        symbols |= {sizes[index].dim_param: word for index, word in enumerate(shape) if isinstance(word, str)}
    for value in (*model.graph.input, *model.graph.output):
        for size in value.type.tensor_type.shape.dim:
            if size.dim_param:
                size.dim_param = re.sub(r"\bs\d+\b", lambda found: symbols.get(found[0], found[0]), size.dim_param)
    del model.graph.value_info[:], model.graph.metadata_props[:], model.metadata_props[:]
    for node in (*model.graph.node, *model.graph.input, *model.graph.output):
        del node.metadata_props[:]
    return model


class _Forward(nn.Module):
    """A module that is called as the graph is."""

    def __init__(self, wanted: Graph, net: Model):
        super().__init__()
        self.net, self.wanted = net, wanted

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, ...]:
        return self.wanted.forward(*inputs)


def _free(shape: Shape) -> dict[int, object]:
    return {index: torch.export.Dim.DYNAMIC for index, size in enumerate(shape) if isinstance(size, str)}


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter speaks of what it was not asked for."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


@contextmanager
def _mirrored_by_index() -> Iterator[None]:
    """While it is traced, a picture is mirrored without a loop: how often that turns depends on its size."""
    plain = denoisers.mirrored
    denoisers.mirrored = _mirrored
    try:
        yield
    finally:
        denoisers.mirrored = plain


def _mirrored(x: torch.Tensor, below: int, right: int) -> torch.Tensor:
    """What `denoisers.mirrored` gives."""
    height, width = x.shape[2:]
    return x[:, :, _bounced(height, below)][:, :, :, _bounced(width, right)]


def _bounced(size: int, more: int) -> torch.Tensor:
    """Which places of a side stand where there are `more`: to the end, and back again."""
    period = (2 * torch.arange(size)[-1:]).clamp(min=1)
    places = torch.remainder(torch.arange(size + more), period)
    return torch.minimum(places, period - places)
