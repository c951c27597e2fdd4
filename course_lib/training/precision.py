"""Which numbers to compute with on which device."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import wraps

import torch
from torch import Tensor


@dataclass(frozen=True)
class Precision:
    """What autocast computes in, and whether the loss must be scaled to keep small gradients.

    Weights, gradients, optimisers and averages are float32 throughout. With `dtype` float32
    nothing is cast: a float64 model stays one.
    """

    dtype: torch.dtype

    @property
    def scaled(self) -> bool:
        """float16 underflows where bfloat16 does not, so its losses are scaled."""
        return self.dtype == torch.float16

    def autocast(self, device: torch.device | str) -> AbstractContextManager:
        """The context to compute a loss in."""
        kind = torch.device(device).type
        return torch.autocast(kind, dtype=self.dtype, enabled=self.dtype != torch.float32)


def precision(device: torch.device | str) -> Precision:
    """bfloat16 on GPUs of compute capability 8 and above, float16 on older ones, else float32.

    Older GPUs (the T4 of Colab is 7.5) report that they support bfloat16 and emulate it slowly.
    Taught in notebook 03.
    """
    device = torch.device(device)
    if device.type != "cuda":
        return Precision(torch.float32)
    return Precision(torch.bfloat16 if compute_capability(device) >= (8, 0) else torch.float16)


def compute_capability(device: torch.device) -> tuple[int, int]:
    """Major and minor compute capability of an NVIDIA GPU."""
    return torch.cuda.get_device_capability(device)


def native_bfloat16(device: torch.device | str) -> AbstractContextManager:
    """Autocast to bfloat16 on CPUs that compute in it; elsewhere nothing.

    For the convolutions of what trains long on a CPU: such a CPU takes half the time for them.
    """
    known = getattr(torch.cpu, "get_capabilities", dict)()
    native = any(known.get(name, False) for name in ("avx512_bf16", "amx_bf16"))
    is_cpu = torch.device(device).type == "cpu"
    return torch.autocast("cpu", torch.bfloat16) if native and is_cpu else nullcontext()


def in_float32(function: Callable) -> Callable:
    """Let a function compute outside autocast, on float32 copies of half-precision arguments.

    For what loses its meaning in float16: STFTs, mel and adversarial losses, the balancer.
    """

    @wraps(function)
    def inner(*args, **kwargs):
        args = [_widened(a) for a in args]
        kwargs = {name: _widened(a) for name, a in kwargs.items()}
        kinds = {a.device.type for a in [*args, *kwargs.values()] if isinstance(a, Tensor)}
        with torch.autocast(kinds.pop() if len(kinds) == 1 else "cpu", enabled=False):
            return function(*args, **kwargs)

    return inner


def _widened(x):
    if isinstance(x, Tensor) and x.dtype in (torch.float16, torch.bfloat16):
        return x.float()
    if isinstance(x, list | tuple) and type(x) in (list, tuple):
        return type(x)(_widened(item) for item in x)
    return x
