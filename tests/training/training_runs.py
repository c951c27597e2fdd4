"""A small run with everything that has a state, for the tests and for the processes they start.

Run as a script it trains into a folder until it is killed or done:

    python training_runs.py FOLDER WHERE

where WHERE is `loss:N` (killed in the loss of step N), `file:N` (killed at the N-th time a file
of the folder is opened, renamed or removed) or `never`.
"""

import os
import signal
import sys
from pathlib import Path

import torch
from torch import nn

from course_lib.quantize import VectorQuantizer
from course_lib.training import Tensors, fit

STEPS = 24


class Model(nn.Module):
    """Convolution, dropout, quantizer with EMA codebook and revival, and back."""

    def __init__(self):
        super().__init__()
        self.encode = nn.Conv1d(3, 4, 3, padding=1)
        self.dropout = nn.Dropout(0.1)
        self.quantize = VectorQuantizer(4, 16, dead=0.3)
        self.decode = nn.Conv1d(4, 3, 3, padding=1)

    def forward(self, x):
        quantized = self.quantize(self.dropout(self.encode(x)))
        return self.decode(quantized.values), quantized


def model() -> Model:
    torch.manual_seed(1)
    return Model()


def data(items: int = 50) -> Tensors:
    return Tensors(torch.randn(items, 3, 12, generator=torch.Generator().manual_seed(2)))


def loss(model, batch, draws):
    noisy = batch + 0.1 * draws.normal(3, 12)
    made, quantized = model(noisy)
    mse = (made - batch).square().mean()
    return {"loss": mse + 0.25 * quantized.commitment, "mse": mse}


def run(folder, loss=loss, steps=STEPS, **settings):
    """Train a new model in `folder`, saving at every logged row: every third step."""
    made = model()
    settings = {"average": 0.9, "log_every": 3, "save_seconds": 0, "progress": False} | settings
    history = fit(made, data(), loss, steps=steps, batch_size=8, lr=1e-2, folder=folder, **settings)
    return made, history


def main(folder: str, where: str) -> None:
    torch.set_num_threads(1)
    kind, _, number = where.partition(":")
    seen = 0

    def die() -> None:
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))

    def mortal(model, batch, draws):
        if kind == "loss" and draws.step == int(number):
            die()
        return loss(model, batch, draws)

    def watch(event, arguments):
        nonlocal seen
        if event in ("open", "os.rename", "os.remove", "os.chmod") and folder in str(arguments[0]):
            seen += 1
            if seen == int(number):
                die()

    if kind == "file":
        Path(folder).mkdir(exist_ok=True)
        sys.addaudithook(watch)
    run(folder, mortal)


if __name__ == "__main__":
    main(*sys.argv[1:])
