"""Our residual quantizer beside vector-quantize-pytorch: the same codebooks and the same batch.

    python benchmarks/rvq.py [--repetitions 30] [--threads 1]        (--threads 0: all cores)

One process, interleaved A B A B; a ratio is the median of the pairs' ratios, with its middle half.
Training is forward and backward with the commitment of every stage (EMA codebooks, with and without
the revival of dead entries); evaluation is the forward pass without gradients. The two are first
shown to agree, with the random parts off: codes equal, values and losses within 1e-5, the same
gradient of the commitment, and, as the one difference, theirs passing on the gradient of the value
as many times as it has stages; otherwise nothing is timed. Reads are numbers asked of the device in
one step, for each of which a GPU would be waited for; counted on whatever device this runs on.
"""

import argparse
import os
import platform
from functools import partial
from importlib.metadata import version
from statistics import median, quantiles
from time import perf_counter

import torch
import vector_quantize_pytorch
from host_reads import reads

from course_lib.quantize import ResidualVQ

STAGES, DIM, SIZE = 8, 128, 1024
CASES = (  # name, batch, frames
    ("a codec's batch, 16 x 300", 16, 300),
    ("a small batch, 16 x 50", 16, 50),
    ("one second, 1 x 75", 1, 75),
)


def pair(revive: bool, rotation: bool = False):
    torch.manual_seed(0)
    gradient = "rotation" if rotation else "straight_through"
    dead = 0.1 if revive else 0
    ours = ResidualVQ(DIM, SIZE, STAGES, init="random", dead=dead, decay=0.99, gradient=gradient)
    theirs = vector_quantize_pytorch.ResidualVQ(
        dim=DIM,
        codebook_size=SIZE,
        num_quantizers=STAGES,
        decay=0.99,
        rotation_trick=rotation,
        threshold_ema_dead_code=0.1 if revive else 0,
    )
    with torch.no_grad():
        for stage, layer in zip(ours.stages, theirs.layers, strict=True):
            layer._codebook.embed.copy_(stage.codebook[None])
            layer._codebook.embed_avg.copy_(stage.codebook[None])
    return ours, theirs


def step_ours(rvq, z):
    out = rvq(z)
    (out.values.square().mean() + out.commitment).backward()


def step_theirs(rvq, z):
    values, codes, losses = rvq(z)
    (values.square().mean() + losses.sum()).backward()


def evaluate(rvq, z):
    with torch.no_grad():
        rvq(z)


def agree(ours, theirs, z) -> None:
    """`z` [B, F, D]; ours takes [B, D, F]."""
    a, b = z.transpose(1, 2).clone().requires_grad_(), z.clone().requires_grad_()
    q, (values, codes, losses) = ours(a), theirs(b)
    assert torch.equal(q.codes, codes.transpose(1, 2)), "the codes differ"
    torch.testing.assert_close(q.values, values.transpose(1, 2), rtol=0, atol=1e-5)
    torch.testing.assert_close(q.commitment, losses.sum(), rtol=1e-5, atol=1e-6)
    for mine, other, times in (
        (q.commitment, losses.sum(), 1),
        (q.values.sum(), values.sum(), STAGES),
    ):
        (to_a,) = torch.autograd.grad(mine, a, retain_graph=True)
        (to_b,) = torch.autograd.grad(other, b, retain_graph=True)
        torch.testing.assert_close(times * to_a, to_b.transpose(1, 2), rtol=1e-4, atol=1e-6)


def seconds(function, rvq, z) -> float:
    z = z.clone().requires_grad_(z.requires_grad)
    start = perf_counter()
    function(rvq, z)
    return perf_counter() - start


def compare(name, ours, theirs, z, functions, repetitions: int) -> None:
    a, b = z.transpose(1, 2).contiguous(), z.clone()
    if ours.training:
        a.requires_grad_(), b.requires_grad_()
    mine = partial(seconds, functions[0], ours, a)
    other = partial(seconds, functions[1], theirs, b)
    times = [(mine(), other()) for _ in range(repetitions + 5)][5:]
    ratios = [b / a for a, b in times]
    low, _, high = quantiles(ratios, n=4)
    ms = [1000 * median(side) for side in zip(*times, strict=True)]
    asked = [
        reads(partial(f, rvq, z))
        for f, rvq, z in zip(functions, (ours, theirs), (a, b), strict=True)
    ]
    print(
        f"{name:58}{ms[0]:9.2f} ms {ms[1]:9.2f} ms {median(ratios):6.2f} times "
        f"({low:.2f} to {high:.2f}) {asked[0]:5d} {asked[1]:5d}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Our residual VQ beside vector-quantize-pytorch.")
    parser.add_argument("--repetitions", type=int, default=30)
    parser.add_argument("--threads", type=int, default=1, help="0: as many as there are cores")
    options = parser.parse_args()
    threads = options.threads or os.cpu_count()
    torch.set_num_threads(threads)
    theirs = f"vector-quantize-pytorch {version('vector-quantize-pytorch')}"
    print(f"torch {torch.__version__}, {theirs}, {threads} thread(s), {platform.machine()}")
    print(f"{STAGES} stages of {SIZE} entries of {DIM} numbers")
    print(f"{'':58}{'ours':>12} {'theirs':>12} {'theirs / ours':>29} {'reads: ours, theirs':>20}")
    steps, looks = (step_ours, step_theirs), (evaluate, evaluate)
    for name, batch, frames in CASES:
        z = torch.randn(batch, frames, DIM)
        agree(*pair(revive=False), z)
        for rest, revive, rotation in (
            ("training, random parts off", False, False),
            ("training, revival", True, False),
            ("training, revival, rotation", True, True),
        ):
            ours, theirs = pair(revive, rotation)
            compare(f"{name}: {rest}", ours, theirs, z, steps, options.repetitions)
        ours, theirs = (rvq.eval() for rvq in pair(revive=False))
        assert torch.equal(ours(z.transpose(1, 2)).codes, theirs(z)[1].transpose(1, 2))
        compare(f"{name}: evaluation", ours, theirs, z, looks, options.repetitions)


if __name__ == "__main__":
    main()
