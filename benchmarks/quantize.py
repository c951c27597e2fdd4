"""Our vector quantizer beside vector-quantize-pytorch: the same codebook, batch and gradients.

    python benchmarks/quantize.py [--repetitions 30] [--threads 1]

One process, forward and backward of a training step (EMA codebook, random parts off) and lookup
alone, interleaved A B A B; a ratio is the median of the pairs' ratios, with its middle half. The
two are first shown to agree: codes equal, values and gradients within 1e-5; otherwise nothing is
timed.
"""

import argparse
import platform
from functools import partial
from statistics import median, quantiles
from time import perf_counter

import torch
import vector_quantize_pytorch

from course_lib.quantize import VectorQuantizer

CASES = (  # name, batch, width, frames, entries
    ("notebook 03", 16, 64, 40, 1024),
    ("a codec's batch", 16, 128, 300, 1024),
    ("one second", 1, 128, 75, 1024),
)


def pair(dim: int, size: int, gradient: str):
    torch.manual_seed(0)
    ours = VectorQuantizer(dim, size, gradient=gradient, init="random", dead=0)
    theirs = vector_quantize_pytorch.VectorQuantize(
        dim,
        size,
        decay=ours.decay,
        channel_last=False,
        rotation_trick=gradient == "rotation",
    )
    with torch.no_grad():
        theirs._codebook.embed.copy_(ours.codebook[None])
        theirs._codebook.embed_avg.copy_(ours.codebook[None])
    return ours, theirs


def step_ours(vq, z):
    out = vq(z)
    (out.values.square().mean() + out.commitment).backward()
    return out.codes[:, 0], out.values


def step_theirs(vq, z):
    values, codes, loss = vq(z)
    (values.square().mean() + loss.sum()).backward()
    return codes, values


def agree(ours, theirs, z) -> None:
    a, b = z.clone().requires_grad_(), z.clone().requires_grad_()
    codes, values = step_ours(ours, a)
    their_codes, their_values = step_theirs(theirs, b)
    assert torch.equal(codes, their_codes), "the codes differ"
    torch.testing.assert_close(values, their_values, rtol=0, atol=1e-5)
    torch.testing.assert_close(a.grad, b.grad, rtol=1e-4, atol=1e-6)


def seconds(function, *arguments) -> float:
    start = perf_counter()
    function(*arguments)
    return perf_counter() - start


def train(step, vq, z) -> float:
    return seconds(step, vq, z.clone().requires_grad_())


def compare(ours, theirs, repetitions: int) -> str:
    times = [(ours(), theirs()) for _ in range(repetitions + 5)][5:]
    ratios = [b / a for a, b in times]
    low, _, high = quantiles(ratios, n=4)
    a, b = (1000 * median(side) for side in zip(*times, strict=True))
    return f"{a:8.2f} ms {b:8.2f} ms   {median(ratios):5.2f} times ({low:.2f} to {high:.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description="Our quantizer beside vector-quantize-pytorch.")
    parser.add_argument("--repetitions", type=int, default=30)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"torch {torch.__version__}, {options.threads} thread(s), {platform.machine()}")
    print(f"{'':44}{'ours':>11} {'theirs':>11}   theirs / ours")
    for name, batch, dim, frames, size in CASES:
        z = torch.randn(batch, dim, frames)
        for gradient in ("straight_through", "rotation"):
            ours, theirs = pair(dim, size, gradient)
            agree(ours, theirs, z)
            line = compare(
                partial(train, step_ours, ours, z),
                partial(train, step_theirs, theirs, z),
                options.repetitions,
            )
            print(f"{name + ', training, ' + gradient:44}{line}", flush=True)
        ours.eval(), theirs.eval()
        with torch.no_grad():
            assert torch.equal(ours(z).codes[:, 0], theirs(z)[1])
            line = compare(
                partial(seconds, ours, z), partial(seconds, theirs, z), options.repetitions
            )
        print(f"{name + ', lookup':44}{line}", flush=True)


if __name__ == "__main__":
    main()
