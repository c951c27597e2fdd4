"""The training loop of the whole course: one device or many, stopped and resumed at will."""

import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from course_lib.training import draws, processes, state
from course_lib.training.average import AveragedWeights
from course_lib.training.data import Data, indices
from course_lib.training.history import History, Log
from course_lib.training.interrupt import Interrupt
from course_lib.training.precision import precision
from course_lib.training.schedule import warmup_cosine

Losses = Tensor | dict[str, Tensor]
Loss = Callable[[nn.Module, Any, draws.Draws], Losses | Iterator[tuple[str, Losses]]]


def fit(
    model: nn.Module,
    data: Data,
    loss: Loss,
    *,
    steps: int,
    batch_size: int = 32,
    lr: float = 3e-4,
    warmup: int = 50,
    clip: float = 1.0,
    average: float | None = None,
    optimizers: dict[str, Optimizer] | None = None,
    seed: int = 0,
    evaluate: Callable[[nn.Module], dict[str, float]] | None = None,
    evaluate_every: int | None = None,
    callbacks: Sequence[Callable[[int, dict[str, float]], None]] = (),
    log_every: int = 10,
    folder: Path | str | None = None,
    save_seconds: float = 30.0,
    device: torch.device | str | None = None,
    progress: bool = True,
) -> History:
    """Train `model` in place on `data` and return the course of the run.

    `loss(model, batch, draws)` returns what to minimise, a mean over the batch: a scalar, or a
    dict whose entry "loss" it is and whose other scalars are logged. A model with several
    `optimizers`, by name, yields (name, losses) for each in turn instead; each loss moves only the
    parameters of its optimiser. Random numbers in the loss come from `draws`.

    The learning rate climbs over `warmup` steps, then falls along a cosine. Gradients are clipped
    to norm `clip`. With `average` (a decay such as 0.999) the model ends up with averaged weights,
    and `evaluate(model)`, called every `evaluate_every` steps and at the end, sees them too.
    `callbacks` get (step, row) at every logged row.

    With a `folder`, the state is saved there about every `save_seconds`, and the same call goes on
    where it stopped, whether by the stop button, a kill or the end of `steps` (then returning at
    once, or going on if there are more `steps` now). On the CPU the weights are the same bit for
    bit as those of a run never stopped. All processes of a run must see the folder.

    Raises ValueError for settings out of range or other than those of the run in `folder`, and
    FloatingPointError where the loss stops being a number. Taught in notebook 03.
    """
    from accelerate.utils import send_to_device

    world = processes.world(device)
    settings = _checked(len(data), steps, batch_size, log_every, world.num_processes)
    settings |= {"batch_size": batch_size, "lr": lr, "warmup": warmup, "clip": clip}
    settings |= {"average": average, "seed": seed}
    device = torch.device(world.device if device is None else device)
    device = torch.device("cpu") if device.type == "cpu" else device  # not "cpu:0"
    numbers = precision(device)
    model.to(device)
    optimizers = optimizers or {"model": AdamW(_trained(model), lr=lr, fused=True)}
    initial_lr = {n: [g["lr"] for g in o.param_groups] for n, o in optimizers.items()}
    scaler = torch.amp.GradScaler(device.type, enabled=numbers.scaled)
    processes.send_weights(model, world.num_processes)
    averages = None if average is None else AveragedWeights(model, average)
    running: dict[str, Tensor] = {}  # sums of what the losses returned since the last row
    start, before, since = 0, 0.0, 0  # steps done, seconds they took, steps since the last row

    path = None if folder is None else Path(folder) / "state.safetensors"
    if path is not None and path.exists():
        counters = state.read_counters(path)
        _check_same_run(settings, counters["settings"], path.parent)
        start, before, since = (counters[key] for key in ("step", "seconds", "since"))
        running = state.load(path, model, optimizers, averages, device)
        scaler.load_state_dict(counters["scaler"])
    world.wait_for_everyone()  # before process 0 changes any file that another is reading
    log = Log(None if path is None or not world.is_main_process else path.parent, start)

    share = batch_size // world.num_processes
    mine = range(world.process_index * share, (world.process_index + 1) * share)
    began = saved = monotonic()

    def save(step: int) -> None:
        if path is not None and world.is_main_process:
            seconds = before + monotonic() - began
            counters = {"step": step, "since": since, "seconds": seconds, "settings": settings}
            counters |= {"scaler": scaler.state_dict()}
            state.save(path, counters, model, optimizers, averages, running)

    bar = _bar(start, steps, progress and world.is_main_process)
    cuda = [device] if device.type == "cuda" else []
    with bar, Interrupt(enabled=world.num_processes == 1) as interrupt, torch.random.fork_rng(cuda):
        for step in range(start, steps):
            model.train()
            chosen = indices(seed, step, batch_size, len(data))[mine.start : mine.stop]
            batch = send_to_device(data.batch(chosen), device, non_blocking=True)
            draws.seed_torch(draws.number(seed, step, world.process_index, "torch"), device)
            factor = warmup_cosine(step, steps, warmup)
            random = draws.Draws(seed, step, mine, device)
            for part, losses in _parts(loss, model, batch, random, numbers, device):
                losses = _checked_losses(losses, part, optimizers)
                optimizer = optimizers[part]
                for group, own in zip(optimizer.param_groups, initial_lr[part], strict=True):
                    group["lr"] = own * factor
                norm = _descend(losses["loss"], optimizer, scaler, clip, world.num_processes)
                prefix = "" if len(optimizers) == 1 else f"{part}_"
                for name, value in (losses | {"gradient_norm": norm}).items():
                    value = torch.as_tensor(value, dtype=torch.float32, device=device).detach()
                    running[prefix + name] = running.get(prefix + name, 0) + value
            scaler.update()
            if averages is not None:
                averages.update(step + 1)
            bar.update()

            done, since = step + 1, since + 1
            if done % log_every and done < steps and not interrupt.asked:
                continue
            # From here on the device is read: once every `log_every` steps.
            means = _read(running, since, world.num_processes)
            _check_finite(means, done, since)
            if done % log_every == 0 or done == steps:
                running.clear()
                since = 0
                row = {"step": done, "seconds": round(before + monotonic() - began, 2)}
                row |= {"lr": next(iter(initial_lr.values()))[0] * factor} | means
                due = done == steps or (evaluate_every and done % evaluate_every == 0)
                if evaluate is not None and due and world.is_main_process:
                    row |= _evaluated(evaluate, model, averages)
                log.append(row)
                bar.set_postfix({"loss": f"{next(iter(means.values())):.4g}"})
                if world.is_main_process:
                    for callback in callbacks:
                        callback(done, row)
            if done == steps or interrupt.asked or monotonic() - saved >= save_seconds:
                save(done)
                saved = monotonic()
            interrupt.raise_if_asked(done, steps, path)

    if averages is not None:
        averages.copy_to_model()
    model.eval()
    seconds = before + monotonic() - began if start < steps else before
    return History(tuple(log.rows), max(start, steps), seconds, str(device))


def _checked(items: int, steps: int, batch_size: int, log_every: int, processes: int) -> dict:
    if items < 1:
        raise ValueError("The data set is empty: there is nothing to train on.")
    for name, value in (("steps", steps), ("batch_size", batch_size), ("log_every", log_every)):
        if value < 1:
            raise ValueError(f"{name}={value} must be at least 1.")
    if batch_size % processes:
        raise ValueError(
            f"batch_size={batch_size} can't be divided among {processes} processes: make it a "
            f"multiple of {processes}."
        )
    return {"items": items}


def _check_same_run(settings: dict, saved: dict, folder: Path) -> None:
    for name, value in settings.items():
        if saved.get(name) != value:
            raise ValueError(
                f"The run saved in {folder} has {name}={saved.get(name)}, this one {name}={value}: "
                "choose another folder, or delete that one to start again."
            )


def _trained(model: nn.Module) -> list[Tensor]:
    return [p for p in model.parameters() if p.requires_grad]


def _parts(loss, model, batch, random, numbers, device) -> Iterator[tuple[str, Losses]]:
    """The losses of a step, each computed when the one before has moved its parameters."""
    with numbers.autocast(device):
        result = loss(model, batch, random)
    if not inspect.isgenerator(result):
        yield "model", result
        return
    while True:
        with numbers.autocast(device):  # left in between: weights cast before are out of date
            part = next(result, None)
        if part is None:
            return
        yield part


def _checked_losses(losses: Losses, part: str, optimizers: dict) -> dict[str, Tensor]:
    if part not in optimizers:
        raise ValueError(f"The loss yields {part!r}, but optimizers are {', '.join(optimizers)}.")
    losses = losses if isinstance(losses, dict) else {"loss": losses}
    if not isinstance(losses.get("loss"), Tensor):
        given = f"a dict of {sorted(losses)}" if "loss" not in losses else repr(losses["loss"])
        raise TypeError(
            f"The loss returned {given}; expected a tensor, or a dict with a tensor 'loss'."
        )
    for name, value in losses.items():
        if isinstance(value, Tensor) and value.ndim:
            raise ValueError(
                f"The loss returned {name!r} of shape {list(value.shape)}; expected a scalar: take "
                "its mean over the batch."
            )
    return losses


def _descend(
    loss: Tensor, optimizer: Optimizer, scaler: torch.amp.GradScaler, clip: float, processes_: int
) -> Tensor:
    """One step down the gradient; its norm before clipping."""
    parameters = [p for g in optimizer.param_groups for p in g["params"] if p.requires_grad]
    optimizer.zero_grad(set_to_none=True)
    # `inputs` keeps the generator's loss out of the discriminator's gradients, and the reverse.
    scaler.scale(loss).backward(inputs=parameters)
    processes.average_gradients(parameters, processes_)
    scaler.unscale_(optimizer)
    norm = nn.utils.clip_grad_norm_(parameters, clip)
    scaler.step(optimizer)
    return norm


def _read(running: dict[str, Tensor], since: int, processes_: int) -> dict[str, float]:
    values = processes.averaged(torch.stack(list(running.values())), processes_)
    return dict(zip(running, (values / since).tolist(), strict=True))


def _check_finite(means: dict[str, float], step: int, since: int) -> None:
    for name, value in means.items():
        if name.endswith("loss") and not math.isfinite(value):
            steps = f"step {step}" if since == 1 else f"steps {step - since + 1} to {step}"
            raise FloatingPointError(
                f"The {name} became {value} in {steps}: lower the learning rate, or look for NaN "
                "in the data. What was saved before is whole."
            )


@torch.no_grad()
def _evaluated(evaluate, model: nn.Module, averages: AveragedWeights | None) -> dict[str, float]:
    model.eval()
    if averages is None:
        return evaluate(model)
    with averages.applied():
        return evaluate(model)


def _bar(start: int, steps: int, shown: bool):
    from tqdm.auto import tqdm

    return tqdm(initial=start, total=max(start, steps), disable=not shown, unit="step")
