"""Trained models on disk: `NAME.safetensors` with the weights and `NAME.json`, the card.

The card says which class of `course_lib.models` to build with which configuration, which parents
(by hash) the model was trained on, and what it measured on the test split. Nothing read from a
file is executed.
"""

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as to_bytes
from torch import Tensor, nn

from course_lib import paths

SMALL = 4096  # tensors of fewer numbers stay float32: biases, norms, codebook counts
SCALE = "::scale"  # after a tensor's name: float32 scales of its rows, where those are int8


def load(name: str, mine: bool = False) -> nn.Module:
    """The trained model `name`, in evaluation mode on the CPU.

    It is the shipped one; with `mine`, the student's own (`course train NAME --mine`) where there
    is one whose parents fit the parents that would be loaded with it. What does not fit is printed.
    Raises FileNotFoundError where nothing is trained, ValueError where files are damaged, belong to
    another configuration or name a parent that is not there. Taught in notebook 03.
    """
    path, said = _fitting(name, mine)
    for line in said:
        print(f"{line}: the shipped one is used.")
    return read(path)


def card(name: str, mine: bool = False) -> dict[str, Any]:
    """The card of the model that `load(name, mine)` returns."""
    return _read_card(_fitting(name, mine)[0])


def available(mine: bool = False) -> tuple[str, ...]:
    """Names of the artefacts that are shipped or, with `mine`, that the student has trained."""
    return tuple(sorted(path.stem for path in folder(mine).glob("*.json")))


def folder(mine: bool = False) -> Path:
    """Where artefacts lie: the shipped ones, or the student's own."""
    return paths.home("checkpoints") if mine else paths.data("checkpoints")


def save(
    folder: Path, name: str, model: nn.Module, facts: Mapping[str, Any], int8: bool = False
) -> Path:
    """Write `model` as artefact `name` into `folder` and return the path of its card.

    `model.config` is the frozen dataclass it was built from; `facts` (JSON values) go on the card:
    parents' hashes, data seed, steps, seconds, device, metrics. With `int8` matrices are stored as
    int8 with a scale for each row, otherwise as float16. Raises TypeError for a model that `load`
    could not build again.
    """
    kind = type(model).__name__
    config = getattr(model, "config", None)
    if not is_dataclass(config) or type(config) is not _classes(kind, name)[1]:
        raise TypeError(f"{kind} can't be saved: its `config` must be a {kind}Config.")
    content = to_bytes(pack(model.state_dict(), int8))
    page = {
        "name": name,
        "model": kind,
        "config": asdict(config),
        "parameters": sum(p.numel() for p in model.parameters()),
        **facts,
        "versions": versions(),
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    text = json.dumps(page, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    path = Path(folder) / f"{name}.json"
    for file in (path, path.with_suffix(".safetensors")):
        paths.remove_leftovers(file)
    # Killed in between, the old card does not match the new weights, which `load` says in words.
    paths.replace_file(path.with_suffix(".safetensors"), lambda p: p.write_bytes(content))
    paths.replace_file(path, lambda p: p.write_text(text, encoding="utf-8"))
    return path


def read(path: Path) -> nn.Module:
    """Build the model of the card at `path` and fill it with its weights. Raises as `load` does."""
    page = _read_card(path)
    weights = path.with_suffix(".safetensors")
    if not weights.is_file():
        raise FileNotFoundError(f"The weights {weights} of card {path.name} are missing.")
    content = weights.read_bytes()
    if hashlib.sha256(content).hexdigest() != page["sha256"]:
        raise ValueError(
            f"{weights} is damaged or not the file of its card (sha256 differs): restore both "
            f"files, or train again with 'course train {page['name']}'."
        )
    try:
        tensors = load_tensors(content)
    except SafetensorError as error:
        raise ValueError(f"{weights} is not a safetensors file ({error}).") from None
    cls, config = _classes(page["model"], path)
    try:
        model = cls(_config(config, page["config"]))
        model.load_state_dict(unpack(tensors, model.state_dict()))
    except (TypeError, ValueError, KeyError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(
            f"{path.name} is of another configuration than {page['model']} has now ({reason}): "
            f"train it again with 'course train {page['name']}'."
        ) from None
    return model.eval()


def parent_hashes(names: tuple[str, ...], mine: bool = False) -> dict[str, str]:
    """sha256 of the artefacts that `load(name, mine)` returns, by name, for a child's card."""
    return {name: card(name, mine)["sha256"] for name in names}


def pack(state: Mapping[str, Tensor], int8: bool) -> dict[str, Tensor]:
    """The tensors to store: small ones float32, matrices int8 by row if chosen, the rest float16.

    Integers stay, and so does what float16 can't hold (beyond 65,504). The sums of a codebook's
    running averages are left out, since its entries and counts give them. Raises ValueError for NaN
    and infinity, which int8 would hide.
    """
    packed = {}
    for name, value in state.items():
        place = name.removesuffix("sums")
        if name.endswith("sums") and {f"{place}codebook", f"{place}counts"} <= state.keys():
            continue
        value = value.detach().cpu().clone(memory_format=torch.contiguous_format)
        if value.is_floating_point():
            if not value.isfinite().all():
                raise ValueError(f"{name} holds NaN or infinity: train again before saving.")
            value = value.float()
            if value.numel() >= SMALL and int8 and value.ndim >= 2:
                rows = value.flatten(1)
                scale = (rows.abs().amax(1) / 127).clamp(min=1e-12)
                packed[name + SCALE] = scale
                value = (rows / scale[:, None]).round().to(torch.int8).view_as(value)
            elif value.numel() >= SMALL and value.half().isfinite().all():
                value = value.half()
        packed[name] = value
    return packed


def unpack(packed: Mapping[str, Tensor], like: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What `pack` stored, in the types of the state `like`."""
    state = {}
    for name, value in packed.items():
        if name.endswith(SCALE):
            continue
        if name + SCALE in packed:
            scale = packed[name + SCALE]
            value = value.float() * scale.view(-1, *[1] * (value.ndim - 1))
        state[name] = value.to(like[name].dtype) if name in like else value
    return state


def versions() -> dict[str, str]:
    """Versions of what decides the numbers."""
    import numpy

    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": numpy.__version__,
    }


def device_name(device: str | None = None) -> str:
    """A device in words, such as "cpu, 2 threads" or the name of the GPU; by default the best."""
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    if torch.device(device).type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device}, {torch.get_num_threads()} threads"


def _fitting(name: str, mine: bool) -> tuple[Path, list[str]]:
    """The card of `name` whose parents are those loaded with it, and what was passed over."""
    said = []
    plain = name.replace("_", "").isalnum()  # no path leads out of the folder
    for own in (True, False) if mine else (False,):
        path = folder(own) / f"{name}.json"
        if not (plain and path.is_file()):
            if own:
                said.append(f"You have not trained '{name}' yet")
            continue
        reason = _misfit(_read_card(path), mine)
        if reason is None:
            return path, said
        said.append(f"{'Your' if own else 'The shipped'} '{name}' does not fit: {reason}")
    again = f"'course train {name}{' --mine' if mine else ''}'"
    if any("does not fit" in line for line in said):
        raise ValueError(f"{'. '.join(said)}: train it again with {again}.")
    known = sorted({*available(), *(available(mine=True) if mine else ())})
    raise FileNotFoundError(
        f"There is no trained {name!r} yet (there are: {', '.join(known) or 'none'}): make it with "
        f"{again}."
    )


def _misfit(page: dict[str, Any], mine: bool) -> str | None:
    """Why the parents named on a card are not those that would be loaded, or None."""
    for parent, wanted in page.get("parents", {}).items():
        try:
            found = card(parent, mine)["sha256"]
        except FileNotFoundError:
            return f"its parent '{parent}' is missing"
        if found != wanted:
            return f"it was trained on another '{parent}' ({wanted[:8]}…, here {found[:8]}…)"
    return None


def _read_card(path: Path) -> dict[str, Any]:
    try:
        page = json.loads(path.read_text(encoding="utf-8"))
        if not {"name", "model", "config", "sha256"} <= page.keys():
            raise ValueError("entries are missing")
        if not (isinstance(page["config"], dict) and isinstance(page.get("parents", {}), dict)):
            raise ValueError("the configuration or the parents are not an object")
    except (ValueError, AttributeError) as error:
        raise ValueError(
            f"The card {path} is damaged ({error}): restore it, or train again with "
            f"'course train {path.stem}'."
        ) from None
    return page


def _classes(kind: str, where: object) -> tuple[type[nn.Module], type]:
    """A model class of course_lib.models and its configuration; nothing else can be built."""
    from course_lib import models

    found = getattr(models, str(kind), None)
    config = getattr(models, f"{kind}Config", None)
    if not (isinstance(found, type) and issubclass(found, nn.Module) and is_dataclass(config)):
        raise ValueError(
            f"{where} names the model {kind!r}, which course_lib.models does not have."
        )
    return found, config


def _config(cls: type, values: Mapping[str, Any]) -> Any:
    """The frozen dataclass `cls` from JSON: lists become tuples, nested dataclasses are built."""
    hints = get_type_hints(cls)
    unknown = values.keys() - _names(cls)
    if unknown:
        raise TypeError(f"{cls.__name__} has no {sorted(unknown)[0]!r}")
    return cls(**{name: _value(hints[name], value) for name, value in values.items()})


def _value(hint: Any, value: Any) -> Any:
    kinds = [kind for kind in (hint, *get_args(hint)) if is_dataclass(kind)]
    if kinds and isinstance(value, dict):
        # Of several dataclasses it is the one with most of these fields.
        return _config(max(kinds, key=lambda k: len(value.keys() & _names(k))), value)
    if isinstance(value, list):
        return tuple(_value(None, item) for item in value)
    return value


def _names(cls: type) -> set[str]:
    return {field.name for field in fields(cls)}
