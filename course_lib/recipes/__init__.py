"""Recipes: how each shipped model is made. One module an artefact, with a `RECIPE` in it.

`course train NAME` follows the recipe in `course_lib/recipes/NAME.py` and is the only way an
artefact comes about. A new module in this folder is a new artefact; nothing else lists it.
"""

import hashlib
import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torch.optim import Optimizer

from course_lib import checkpoints, paths
from course_lib.training import Data, fit, processes
from course_lib.training.fit import Loss

Parents = Mapping[str, nn.Module]


@dataclass(frozen=True)
class Recipe:
    """What a trained artefact is made of.

    model: builds the untrained model (torch is seeded with `seed` before).
    data: (split, size, parents) -> data set, where size is a songbook size ("quick", "full",
        "shipped") and parents are the loaded artefacts named in `parents`.
    loss: as `training.fit` takes it.
    training: (model, parents) -> what `fit` trains where that is more than the model: a module that
        holds the model and, say, its discriminators. The model alone is measured and shipped.
    optimizers: of what is trained, by name, for a loss that yields several; else AdamW with `lr`.
    test: (model, test data) -> metrics; called with the weights as they are stored.
    steps: at most 8 minutes on one large GPU, or what a CPU does in the time said on the card.
    int8: whether matrices are stored as int8 (where measured harmless), else float16.
    """

    model: Callable[[], nn.Module]
    data: Callable[[str, str, Parents], Data]
    loss: Loss
    test: Callable[[nn.Module, Data], dict[str, float]]
    steps: int
    size: str = "shipped"
    batch_size: int = 32
    lr: float = 3e-4
    warmup: int = 50
    clip: float = 1.0
    average: float | None = None
    seed: int = 0
    parents: tuple[str, ...] = ()
    int8: bool = False
    training: Callable[[nn.Module, Parents], nn.Module] | None = None
    optimizers: Callable[[nn.Module], dict[str, Optimizer]] | None = None


def names() -> tuple[str, ...]:
    """Names of all recipes: of the modules in this folder."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def find(name: str) -> Recipe:
    """The recipe of artefact `name`. Raises ValueError for an unknown name."""
    if name not in names():
        raise ValueError(f"There is no recipe {name!r}: choose from {', '.join(names())}.")
    return importlib.import_module(f"{__name__}.{name}").RECIPE


def train(
    name: str,
    size: str | None = None,
    steps: int | None = None,
    device: str | None = None,
    mine: bool = False,
    progress: bool = True,
) -> Path:
    """Train artefact `name`, measure it on the test split, save it, return the path of its card.

    It is shipped in `data/checkpoints`, or with `mine` kept among the student's own, built on the
    student's parents where they fit. `size` and `steps` stand in for those of the recipe. Stopped
    or killed, the same call goes on where it was. Raises ValueError for an unknown name and
    FileNotFoundError where a parent is not trained yet.
    """
    recipe = find(name)
    size, steps = size or recipe.size, recipe.steps if steps is None else steps
    hashes = checkpoints.parent_hashes(recipe.parents, mine)
    parents = {parent: checkpoints.load(parent, mine) for parent in recipe.parents}
    torch.manual_seed(recipe.seed)
    model = recipe.model()
    trained = model if recipe.training is None else recipe.training(model, parents)
    history = fit(
        trained,
        recipe.data("train", size, parents),
        recipe.loss,
        steps=steps,
        batch_size=recipe.batch_size,
        lr=recipe.lr,
        warmup=recipe.warmup,
        clip=recipe.clip,
        average=recipe.average,
        optimizers=None if recipe.optimizers is None else recipe.optimizers(trained),
        seed=recipe.seed,
        folder=_run_folder(name, size, steps, hashes, mine),
        device=device,
        progress=progress,
    )
    path = checkpoints.folder(mine) / f"{name}.json"
    if not processes.world(device).is_main_process:
        return path  # process 0 measures and writes
    stored = checkpoints.pack(model.state_dict(), recipe.int8)
    model.load_state_dict(checkpoints.unpack(stored, model.state_dict()))
    with torch.no_grad():
        metrics = recipe.test(model.eval(), recipe.data("test", size, parents))
    facts = {
        "parents": hashes,
        "data": {"size": size, "seed": recipe.seed},
        "steps": history.steps,
        "batch_size": recipe.batch_size,
        "seconds": round(history.seconds, 1),
        "device": checkpoints.device_name(history.device),
        "metrics": metrics,
    }
    return checkpoints.save(path.parent, name, model, facts, recipe.int8)


def _run_folder(name: str, size: str, steps: int, parents: dict[str, str], mine: bool) -> Path:
    """Where a run keeps its state: another recipe, size, parent or sound is another run."""
    from course_lib.songbook import rendering, voice

    source = Path(importlib.import_module(f"{__name__}.{name}").__file__).read_bytes()
    sound = (rendering.RENDER_VERSION, voice.VOICE_VERSION, rendering.scores_digest())
    key = hashlib.sha256(repr((source, size, steps, parents, sound)).encode()).hexdigest()[:12]
    return (paths.home if mine else paths.cache)("runs", f"{name}-{key}")
