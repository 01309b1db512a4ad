"""A config or a file that lies is refused before it costs anything."""

import math
import resource
from pathlib import Path

import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from nets import AUTOENCODER, CVAE, DENOISER, DENSE, GAN, RECURRENT, RESNET, lived_in

import models
from models import base


def test_half_precision_on_disk_is_float32_in_memory(tmp_path: Path) -> None:
    """Weights may be stored as float16; what is loaded is float32 with the rounded values."""
    net = lived_in("mnist-resnet")
    net.save_pretrained(tmp_path)
    halved = {key: t.half() if t.is_floating_point() else t for key, t in net.state_dict().items()}
    safetensors.torch.save_file(halved, tmp_path / "model.safetensors")
    for key, tensor in models.load(tmp_path).state_dict().items():
        expected = net.state_dict()[key]
        assert tensor.dtype == expected.dtype
        assert torch.equal(tensor, expected.half().to(expected.dtype)), key


LIES = {
    "no object": (["Dense"], "must be an object"),
    "nothing": (None, "must be an object"),
    "a key too many": (DENSE | {"extra": 1}, "must be an object with exactly the keys"),
    "a key too few": ({key: DENSE[key] for key in ("architecture", "task", "kwargs")}, "exactly the keys"),
    "kwargs no object": (DENSE | {"kwargs": [8]}, "must be an object"),
    "unknown architecture": (DENSE | {"architecture": "Oracle"}, "unknown architecture, 'Oracle'"),
    "architecture no word": (DENSE | {"architecture": ["Dense"]}, "unknown architecture"),
    "another task": (DENSE | {"task": "generation"}, "is 'generation'; it is 'classification'"),
    "a later format": (DENSE | {"format_version": 2}, "has format 2; this code reads 1"),
    "format in words": (DENSE | {"format_version": "1"}, "has format '1'"),
    "format true": (DENSE | {"format_version": True}, "has format True"),
    "no kwarg": (DENSE | {"kwargs": {}}, "unknown or missing hidden"),
    "another kwarg": (DENSE | {"kwargs": {"hidden": 8, "depth": 1}}, "unknown or missing depth"),
    "too small": (DENSE | {"kwargs": {"hidden": 0}}, "between 1 and 4096, not 0"),
    "too large": (DENSE | {"kwargs": {"hidden": 4097}}, "between 1 and 4096, not 4097"),
    "enormous": (DENSE | {"kwargs": {"hidden": 10**400}}, "between 1 and 4096"),
    "true": (DENSE | {"kwargs": {"hidden": True}}, "not True"),
    "a fraction": (DENSE | {"kwargs": {"hidden": 8.0}}, "not 8.0"),
    "words": (DENSE | {"kwargs": {"hidden": "8"}}, "not '8'"),
    "null": (DENSE | {"kwargs": {"hidden": None}}, "not None"),
    "a list for a number": (DENSE | {"kwargs": {"hidden": [8]}}, "Dense"),
    "NaN": (RESNET | {"kwargs": RESNET["kwargs"] | {"dropout": math.nan}}, "between 0.0 and 0.9, not nan"),
    "infinity": (RESNET | {"kwargs": RESNET["kwargs"] | {"dropout": math.inf}}, "not inf"),
    "a list for a rate": (RESNET | {"kwargs": RESNET["kwargs"] | {"dropout": [0.1]}}, "ResNet"),
    "a number for a list": (RESNET | {"kwargs": RESNET["kwargs"] | {"widths": 4}}, "ResNet"),
    "nested lists": (RESNET | {"kwargs": RESNET["kwargs"] | {"widths": [[4], 8]}}, r"not \[4\]"),
    "an empty list": (RESNET | {"kwargs": RESNET["kwargs"] | {"blocks": []}}, "must hold 1 to 8 values"),
    "a long list": (RESNET | {"kwargs": RESNET["kwargs"] | {"blocks": [1] * 9}}, "must hold 1 to 8 values"),
    "an unknown cell": (
        RECURRENT | {"kwargs": RECURRENT["kwargs"] | {"cell": "rrn"}},
        r"one of \['gru', 'lstm', 'rnn'\]",
    ),
    "a cell by number": (RECURRENT | {"kwargs": RECURRENT["kwargs"] | {"cell": 1}}, "cell must be one of"),
    "a list of cells": (RECURRENT | {"kwargs": RECURRENT["kwargs"] | {"cell": ["rnn", "gru"]}}, "Recurrent"),
    "one for true": (RECURRENT | {"kwargs": RECURRENT["kwargs"] | {"bidirectional": 1}}, "true or false, not 1"),
    "true in words": (RECURRENT | {"kwargs": RECURRENT["kwargs"] | {"bidirectional": "true"}}, "true or false"),
    "a list of truths": (RECURRENT | {"kwargs": RECURRENT["kwargs"] | {"bidirectional": [True]}}, "Recurrent"),
    "a list of sizes": (RECURRENT | {"kwargs": RECURRENT["kwargs"] | {"hidden": [8]}}, "Recurrent"),
    "too wide a state": (RECURRENT | {"kwargs": RECURRENT["kwargs"] | {"hidden": 1025}}, "between 1 and 1024"),
    "no width at all": (DENSE | {"architecture": "MLP", "kwargs": {"widths": []}}, "must hold 1 to 8 values"),
    "one width": (DENSE | {"architecture": "MLP", "kwargs": {"widths": 128}}, "MLP"),
    "an unknown activation": (
        AUTOENCODER | {"kwargs": {"latent": 8, "activation": "tanh"}},
        r"activation must be one of \['relu', 'sigmoid'\]",
    ),
    "no code at all": (AUTOENCODER | {"kwargs": {"latent": 0, "activation": "relu"}}, "between 1 and 4096, not 0"),
    "an autoencoder that classifies": (AUTOENCODER | {"task": "classification"}, "is 'classification'; it is 'autoenc"),
    "one for conditional": (CVAE | {"kwargs": CVAE["kwargs"] | {"conditional": 1}}, "true or false, not 1"),
    "too wide a VAE": (CVAE | {"kwargs": CVAE["kwargs"] | {"width": 129}}, "width must be between 1 and 128"),
    "a VAE too large": (CVAE | {"kwargs": CVAE["kwargs"] | {"width": 128, "hidden": 4096}}, "parameters; at most"),
    "a denoiser too deep": (DENOISER | {"kwargs": {"widths": [4, 8], "blocks": 9}}, "blocks must be between 1 and 8"),
    "a denoiser of no width": (DENOISER | {"kwargs": {"widths": [], "blocks": 1}}, "must hold 1 to 8 values"),
    "a denoiser too large": (DENOISER | {"kwargs": {"widths": [512] * 8, "blocks": 8}}, "parameters; at most"),
    "one width as a number": (DENOISER | {"kwargs": {"widths": 8, "blocks": 1}}, "PhotoDenoiser"),
    "one hidden layer as a number": (GAN | {"kwargs": {"latent": 8, "hidden": 8}}, "MLPGenerator"),
    "no hidden layer": (GAN | {"kwargs": {"latent": 8, "hidden": []}}, "must hold 1 to 8 values"),
    "a kwarg where none is": (DENSE | {"architecture": "WideCNN"}, "unknown or missing hidden"),
    "lists that do not fit": (RESNET | {"kwargs": RESNET["kwargs"] | {"blocks": [1, 1]}}, "one number more"),
}


@pytest.mark.parametrize("lie", LIES)
def test_config_that_lies(lie: str) -> None:
    """Whatever is wrong with a config is one sentence that names it."""
    config, sentence = LIES[lie]
    with pytest.raises(ValueError, match=sentence) as refusal:
        base.build(config)
    assert len(str(refusal.value)) < 300 and "\n" not in str(refusal.value)


def test_gigantic_network_costs_no_memory() -> None:
    """2.1 GB of weights, every number within its bound, are refused before they are made."""
    base.build(DENSE)
    base.build(RECURRENT)
    base.build(AUTOENCODER)
    base.build(CVAE)
    base.build(GAN)
    base.build(DENOISER)
    blocks = 7 * 16 * 2 * (9 * 512 * 512 + 2 * 512) + 7 * (512 * 512 + 2 * 512)
    count = blocks + (9 * 512 + 2 * 512) + (512 * 10 + 10)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # KiB, the most so far
    with pytest.raises(ValueError, match=f"asks for {count:,} parameters; at most 20,000,000"):
        base.build(RESNET | {"kwargs": {"widths": [512] * 8, "blocks": [16] * 7, "dropout": 0.0}})
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.integers(-1, 700)


values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=9) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
)


nearly = st.fixed_dictionaries(
    {
        "network": st.sampled_from([(key, cls.task) for key, cls in base._ARCHITECTURES.items()])
        | st.tuples(values, values),
        "format_version": st.just(1) | values,
        "kwargs": st.just({})
        | st.fixed_dictionaries({"hidden": values})
        | st.fixed_dictionaries({"widths": st.lists(st.integers(0, 5000), max_size=9) | values})
        | st.fixed_dictionaries({"dropout": st.floats(0, 1) | values})
        | st.fixed_dictionaries(
            {
                "cell": st.sampled_from(["rnn", "gru", "lstm"]) | values,
                "hidden": st.integers(0, 1100) | values,
                "bidirectional": st.booleans() | values,
            }
        )
        | st.fixed_dictionaries({"latent": st.integers(0, 600), "activation": st.just("relu") | values})
        | st.fixed_dictionaries({"latent": st.integers(0, 600), "hidden": st.integers(0, 600) | values})
        | st.fixed_dictionaries({"latent": st.integers(0, 600), "width": st.integers(0, 300) | values})
        | st.fixed_dictionaries(
            {
                "latent": st.integers(0, 600),
                "conditional": st.booleans() | values,
                "width": st.integers(0, 150),
                "hidden": st.integers(0, 5000),
            }
        )
        | st.fixed_dictionaries(
            {
                "widths": st.lists(st.integers(0, 600), max_size=9) | values,
                "blocks": st.lists(st.integers(0, 17), max_size=9) | values,
                "dropout": st.floats() | values,
            }
        )
        | values,
    }
).map(lambda config: dict(zip(("architecture", "task"), config.pop("network"), strict=True)) | config)


@settings(max_examples=150, deadline=10_000)
@given(values | nearly)
def test_any_json_builds_or_is_refused(config: object) -> None:
    """No JSON whatever crashes `build`, and what it builds is within the bound."""
    try:
        net = base.build(config)
    except ValueError as error:
        assert str(error)
    else:
        assert net.parameter_count <= base.MAX_PARAMETERS
        assert net.config == config


@settings(max_examples=100, deadline=10_000)
@given(st.data())
def test_any_damage_is_refused_or_harmless(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """A weights file with bytes altered or cut off raises ValueError or loads finite numbers: nothing else."""
    folder = tmp_path_factory.mktemp("damaged")
    models.create("mnist-dense", hidden=1).save_pretrained(folder)
    file = folder / "model.safetensors"
    whole = bytearray(file.read_bytes())
    for place in data.draw(st.lists(st.integers(0, 400) | st.integers(0, len(whole) - 1), max_size=4)):
        whole[place] = data.draw(st.integers(0, 255))
    file.write_bytes(whole[: data.draw(st.just(len(whole)) | st.integers(0, len(whole)))])
    try:
        net = models.load(folder)
    except ValueError as error:
        assert str(folder) in str(error)
    else:
        assert all(tensor.isfinite().all() for tensor in net.state_dict().values())
