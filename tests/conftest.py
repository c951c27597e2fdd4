import pytest
from torch.utils._python_dispatch import TorchDispatchMode

# A number, or a shape that depends on numbers, read from the device. (bincount and multinomial
# read inside their CUDA kernels, out of this counter's sight.)
READS = ("_local_scalar_dense", "nonzero", "masked_select", "unique", "bincount", "multinomial")


class HostReads(TorchDispatchMode):
    """Within it, `reads` lists the operations for which a GPU would have to be waited for."""

    def __init__(self):
        super().__init__()
        self.reads = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if any(name in func.name() for name in READS):
            self.reads.append(func.name())
        return func(*args, **(kwargs or {}))


@pytest.fixture
def host_reads():
    """`with host_reads() as counter: ...`, then look at `counter.reads`."""
    return HostReads
