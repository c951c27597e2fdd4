"""The state of a run on disk: one safetensors file, whole at any instant.

Tensors: `model/…` (weights and buffers), `average/…`, `optimizer/PART/INDEX/…`, `running/…` (the
sums behind the next logged row). Counters are JSON in the file's metadata. Being one file renamed
into place, it can't be half new and half old, wherever the process is killed. No random generator
is among them: every draw is a function of (seed, step, item), see `draws.py`.
"""

import json
import os
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from course_lib import paths
from course_lib.training.average import AveragedWeights


def save(
    path: Path,
    counters: dict,
    model: nn.Module,
    optimizers: dict[str, Optimizer],
    average: AveragedWeights | None,
    running: dict[str, Tensor],
) -> None:
    """Write the state to `path`, replacing an older one at once or not at all."""
    tensors = {f"model/{name}": value for name, value in model.state_dict().items()}
    tensors |= {f"running/{name}": value for name, value in running.items()}
    if average is not None:
        tensors |= {f"average/{name}": value for name, value in average.weights.items()}
    scalars = {}
    for part, optimizer in optimizers.items():
        for index, values in optimizer.state_dict()["state"].items():
            for key, value in values.items():
                place = tensors if isinstance(value, Tensor) else scalars
                place[f"optimizer/{part}/{index}/{key}"] = value
    # Copies, because safetensors refuses tensors that share their memory.
    tensors = {
        name: torch.empty(v.shape, dtype=v.dtype).copy_(v.detach()) for name, v in tensors.items()
    }
    metadata = {"counters": json.dumps(counters), "scalars": json.dumps(scalars)}

    def write(temporary: Path) -> None:
        save_file(tensors, temporary, metadata=metadata)
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())

    paths.remove_leftovers(path)
    paths.replace_file(path, write)


def read_counters(path: Path) -> dict:
    """The counters in a state file. Raises ValueError where it is damaged."""
    return json.loads(_read(path)[1]["counters"])


@torch.no_grad()
def load(
    path: Path,
    model: nn.Module,
    optimizers: dict[str, Optimizer],
    average: AveragedWeights | None,
    device: torch.device,
) -> dict[str, Tensor]:
    """Put the state at `path` into model, optimisers and average; the running sums are returned.

    Raises ValueError where it does not fit the model or the optimisers.
    """
    tensors, metadata = _read(path)
    scalars = json.loads(metadata["scalars"])
    weights = _under(tensors, "model/")
    own = model.state_dict()
    differing = sorted(
        name
        for name in own.keys() | weights.keys()
        if name not in own or name not in weights or own[name].shape != weights[name].shape
    )
    if differing:
        raise ValueError(
            f"The run saved in {path.parent} is of a model with other weights ({differing[0]} "
            "differs): choose another folder, or delete this one to start again."
        )
    parts = {name.split("/")[1] for name in [*tensors, *scalars] if name.startswith("optimizer/")}
    if not parts <= optimizers.keys():  # one that has not moved yet has no state
        raise ValueError(
            f"The run saved in {path.parent} has the optimisers {', '.join(sorted(parts))}, this "
            f"one {', '.join(sorted(optimizers))}: choose another folder, or delete that one."
        )
    model.load_state_dict(weights)
    if average is not None:
        for name, value in _under(tensors, "average/").items():
            average.weights[name].copy_(value)
    for part, optimizer in optimizers.items():
        prefix = f"optimizer/{part}/"
        state: dict[int, dict] = {}
        for name, value in (_under(tensors, prefix) | _under(scalars, prefix)).items():
            index, key = name.split("/")
            state.setdefault(int(index), {})[key] = value
        groups = optimizer.state_dict()["param_groups"]
        optimizer.load_state_dict({"state": state, "param_groups": groups})
    return {name: value.to(device) for name, value in _under(tensors, "running/").items()}


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata, read into memory: a mapped file can't be replaced on Windows."""
    content = path.read_bytes()
    try:
        size = int.from_bytes(content[:8], "little")
        return load_tensors(content), json.loads(content[8 : 8 + size])["__metadata__"]
    except (SafetensorError, KeyError, ValueError) as error:
        raise ValueError(
            f"The saved run {path} is damaged ({error}): delete it to start again."
        ) from None


def _under(values: dict, prefix: str) -> dict:
    return {n.removeprefix(prefix): v for n, v in values.items() if n.startswith(prefix)}
