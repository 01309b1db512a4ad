"""A small lab to publish: two checkpoints, and a Hub where alice may write."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hub_server import HubServer
from shell import PUBLISHED

import models

CARD = """---
license: apache-2.0
datasets:
- ylecun/mnist
model-index:
- name: {name}
  results:
  - task:
      type: image-classification
    dataset:
      type: ylecun/mnist
      name: MNIST
    metrics:
    - type: accuracy
      value: 0.97
---

# {name}

![Reliability](reliability.png)
"""


@pytest.fixture
def lab(checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two whole checkpoint folders, and a token that may write to alice's repositories."""
    monkeypatch.setenv("HF_TOKEN", "hf_write")
    for name in PUBLISHED:
        torch.manual_seed(0)
        models.create(name).save_pretrained(checkpoints / name)
        (checkpoints / name / "README.md").write_text(CARD.format(name=name))
        (checkpoints / name / "reliability.png").write_bytes(b"\x89PNG " + name.encode())
    return checkpoints


@pytest.fixture
def written_graphs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The exporter takes seconds for each network: here it leaves a few bytes, and a note of what it was asked for."""
    asked: list[str] = []

    def write(net: models.Model, file: Path) -> None:
        asked.append(type(net).__name__)
        file.write_bytes(b"onnx " + type(net).__name__.encode())

    monkeypatch.setattr("train.export.write", write)
    return asked


@pytest.fixture
def publish(cli: Callable, lab: Path, hub: HubServer, written_graphs: list[str]) -> Callable[..., tuple[int, str, str]]:
    return lambda *words: cli("publish", "alice", *words)
