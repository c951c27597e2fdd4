"""What several processes of one run exchange. Alone, a process exchanges nothing."""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

import torch
import torch.distributed as dist
from torch import Tensor

if TYPE_CHECKING:
    from accelerate import PartialState


def world(device: torch.device | str | None = None) -> "PartialState":
    """This process among how many, each with its device, as torchrun started them.

    Accelerate takes several processes for processes on the CPU only where it is told so.
    """
    from accelerate import PartialState

    several = int(os.environ.get("WORLD_SIZE", "1")) > 1
    on_cpu = not torch.accelerator.is_available() if device is None else str(device) == "cpu"
    return PartialState(cpu=several and on_cpu)


def average_gradients(parameters: Iterable[Tensor], processes: int) -> None:
    """Replace every gradient by its mean over the processes, in one exchange.

    The models here are small and a step may go back several times, through any method of the
    model, so this is simpler than a wrapper that hooks into one `forward`.
    """
    if processes == 1:
        return
    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([g.flatten() for g in gradients])
    dist.all_reduce(flat)
    parts = flat.div_(processes).split([g.numel() for g in gradients])
    for gradient, part in zip(gradients, parts, strict=True):
        gradient.copy_(part.view_as(gradient))


def averaged(values: Tensor, processes: int) -> Tensor:
    """The mean over the processes."""
    if processes > 1:
        values = values.clone()
        dist.all_reduce(values)
        values /= processes
    return values


def send_weights(model: torch.nn.Module, processes: int) -> None:
    """Start everywhere from the weights and buffers of process 0."""
    if processes > 1:
        for tensor in model.state_dict().values():
            dist.broadcast(tensor, src=0)
