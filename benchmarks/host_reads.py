"""How often a computation reads back from the device: where a GPU would have to be waited for."""

from collections.abc import Callable

from torch.utils._python_dispatch import TorchDispatchMode

READS = ("_local_scalar_dense", "nonzero", "masked_select", "unique", "bincount", "multinomial")


class HostReads(TorchDispatchMode):
    """Within it, `count` counts the operations for which a GPU would have to be waited for."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.count += any(name in func.name() for name in READS)
        return func(*args, **(kwargs or {}))


def reads(function: Callable[[], object]) -> int:
    """The reads of one call of `function`."""
    with HostReads() as counter:
        function()
    return counter.count
