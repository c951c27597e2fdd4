"""A tiny model in the namespace of course_lib.models, and empty folders for artefacts."""

from dataclasses import dataclass

import pytest
import torch
from torch import nn

from course_lib import checkpoints, models


@dataclass(frozen=True)
class Layer:
    width: int = 64


@dataclass(frozen=True)
class TinyConfig:
    inputs: int = 80
    layer: Layer = Layer()
    rates: tuple[int, ...] = (2, 3)

    def __post_init__(self):
        if isinstance(self.inputs, int) and self.inputs < 1:
            raise ValueError(f"inputs={self.inputs} must be at least 1.")


class Tiny(nn.Module):
    def __init__(self, config: TinyConfig):
        super().__init__()
        self.config = config
        self.first = nn.Linear(config.inputs, config.layer.width)
        self.last = nn.Linear(config.layer.width, 2)
        self.register_buffer("step", torch.tensor(7))


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    """The class Tiny, while artefacts lie in tmp_path/shipped and tmp_path/mine."""
    monkeypatch.setattr(models, "Tiny", Tiny, raising=False)
    monkeypatch.setattr(models, "TinyConfig", TinyConfig, raising=False)
    monkeypatch.setattr(
        checkpoints, "folder", lambda mine=False: tmp_path / ("mine" if mine else "shipped")
    )
    torch.manual_seed(0)
    return lambda **changes: Tiny(TinyConfig(**changes))
