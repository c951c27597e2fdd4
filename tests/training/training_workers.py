"""Twenty steps of a small run as one of several processes: python training_workers.py OUT.

torchrun's variables say which process this is. Weights, buffers, averages and the codes of every
step go to OUT/DTYPE-RANK.safetensors.
"""

import os
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from training_runs import Model, data

from course_lib.training import fit


class Same(Model):
    """Without dropout, and keeping its codes."""

    def __init__(self):
        super().__init__()
        self.dropout = torch.nn.Identity()
        self.codes = []

    def forward(self, x):
        made, quantized = super().forward(x)
        self.codes.append(quantized.codes)
        return made, quantized


def loss(model, batch, draws):
    batch = batch.to(model.decode.weight.dtype)
    made, quantized = model(batch + 0.1 * draws.normal(3, 12))
    mse = (made - batch).square().mean()
    return {"loss": mse + 0.25 * quantized.commitment, "mse": mse}


def result(dtype: torch.dtype, **settings) -> tuple[dict[str, torch.Tensor], float]:
    """State and codes int64 [steps, B, 1, F] of this process, and the last logged loss."""
    torch.manual_seed(1 + int(os.environ.get("RANK", 0)))  # process 0 sends its weights
    model = Same().to(dtype)
    settings |= {"average": 0.9, "log_every": 20, "progress": False, "device": "cpu"}
    history = fit(model, data(), loss, steps=20, batch_size=8, lr=1e-2, **settings)
    return model.state_dict() | {"codes": torch.stack(model.codes)}, history.last["loss"]


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name in ("float64", "float32"):
        found, last = result(getattr(torch, name))
        found["last"] = torch.tensor(last, dtype=torch.float64)
        save_file(found, Path(sys.argv[1]) / f"{name}-{os.environ['RANK']}.safetensors")
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()
    sys.stdout.flush()
    os._exit(0)  # the interpreter's own teardown after gloo aborts now and then
