"""Checks of the exercises of notebook 01, vector quantization."""

import math

import torch

from course_lib.notebook.expecting import expect, expect_close
from course_lib.quantize import nearest


def bits_per_second(answer):
    got = float(answer(256, 16000, 250, 3))  # 64 frames a second, 8 bits a code: 1536
    per_frame = 3 * math.log2(256)
    expect_close(
        got,
        64 * 3 * math.log(256),
        "The natural logarithm counts nats, not bits.",
        "math.log2 counts how often you must choose between two.",
        differs=True,
    )
    expect_close(
        got, 64 * 3 * 256, "That counts entries, not bits.", "math.log2 of the size.", differs=True
    )
    expect_close(
        got,
        per_frame,
        "Those are the bits of one frame.",
        "How many frames a second?",
        differs=True,
    )
    expect_close(
        got,
        16000 * per_frame,
        "That is one code for each sample.",
        "A frame comes every `hop` samples.",
        differs=True,
    )
    expect_close(
        got,
        64 * math.log2(256),
        "You counted one table; there are `codebooks` of them.",
        "Each table gives a code in each frame.",
        differs=True,
    )
    expect_close(got, 64 * per_frame, hint="Frames a second, codes a frame, bits a code.")


def start_averages(answer):
    centroids = torch.tensor([[1.0, 2.0], [-3.0, 4.0], [0.5, -0.5]])  # [3, 2]
    frames = torch.tensor([10.0, 40.0, 2.0])  # [3]
    sums, counts = _tensors(answer(centroids.clone(), frames.clone()), 2, "sums and counts")
    expect(
        sums.shape == centroids.shape,
        f"The sums have shape {list(sums.shape)}, expected {list(centroids.shape)}.",
        "One vector an entry: multiply with counts[:, None].",
    )
    expect(
        counts.shape == frames.shape,
        f"The counts have shape {list(counts.shape)}, expected {list(frames.shape)}.",
        "One number an entry.",
    )
    expect(
        bool((counts > 0).all()),
        "Some counts are zero: an entry would be divided by nothing.",
        "The counts are known: they are given.",
    )
    expect_close(
        sums / counts[:, None],
        centroids / frames[:, None],
        "Every entry shrinks by its count in the first step: its sum is its centroid alone.",
        "A mean of n frames is their sum over n. What is the sum?",
        differs=True,
    )
    expect_close(
        sums / counts[:, None],
        centroids,
        "Sum over count does not give the centroid.",
        "The sum of n frames is n times their mean.",
    )
    expect_close(
        counts / counts.sum(),
        frames / frames.sum(),
        "The counts forget how many frames each entry has, so rare entries weigh as much as common "
        "ones.",
        "Keep the counts that were given, and let the sums follow.",
    )


def revive(answer):
    codebook = torch.tensor([[0.0, 0.0], [90.0, 90.0], [5.0, 5.0], [-80.0, 80.0]])  # [4, 2]
    counts = torch.tensor([10.0, 0.01, 8.0, 0.2])  # [4]
    sums = codebook * counts[:, None]  # [4, 2]
    batch = torch.tensor([[1.0, 0.0], [4.0, 6.0], [0.5, 0.5]])  # [3, 2]
    least = 0.5
    given = [t.clone() for t in (codebook, sums, counts, batch)]
    answered = _tensors(answer(*given, least), 3, "codebook, sums and counts")
    new_codebook, new_sums, new_counts = answered
    expect_close(
        new_codebook[[0, 2]],
        codebook[[0, 2]],
        "An entry in use was moved.",
        "Only those with counts < least are dead.",
    )
    expect(
        not torch.allclose(new_codebook[1], new_codebook[3]),
        "The dead entries all moved to the same frame, where all but one will die again.",
        "The k-th dead entry takes the k-th frame of the batch.",
    )
    expect_close(
        new_codebook[[1, 3]],
        batch[:2],
        "The dead entries are not on the first frames of the batch.",
        "batch[: len(dead)], in order.",
    )
    after = new_sums / new_counts[:, None]  # what the next average makes of the entries
    expect_close(
        new_sums[[1, 3]],
        sums[[1, 3]],
        "The entries moved, but their sums did not: the next average moves them back.",
        "Three tensors must agree: entry = sum / count.",
        differs=True,
    )
    expect_close(
        new_counts[[1, 3]],
        torch.full((2,), least),
        "The counts of the revived entries are not `least`.",
        "With its old count an entry is still dead, and is moved again at every step.",
    )
    expect_close(
        after[[1, 3]],
        batch[:2],
        "Sum over count does not give the frame, so the next average moves the entry away.",
        "Three tensors must agree: entry = sum / count.",
    )
    expect_close(after[[0, 2]], codebook[[0, 2]], "The sums of an entry in use were changed.")


def two_stages(answer):
    generator = torch.Generator().manual_seed(0)
    frames = torch.randn(40, 3, generator=generator) + 2  # [40, 3]
    first = torch.randn(8, 3, generator=generator) + 2  # [8, 3]
    second = torch.randn(8, 3, generator=generator) / 3  # [8, 3]
    (got,) = _tensors(answer(frames.clone(), first, second), 1, "the decoded frames")
    coarse = first[nearest(frames, first)]
    fine = second[nearest(frames - coarse, second)]
    expect_close(
        got,
        coarse,
        "That is the first stage alone.",
        "Add what the second table says.",
        differs=True,
    )
    expect_close(
        got,
        coarse + second[nearest(frames, second)],
        "The second table saw the frames again, not what was left over.",
        "What is left over is the frame minus its first entry.",
        differs=True,
    )
    expect_close(
        got,
        coarse + second[nearest(coarse - frames, second)],
        "The sign of what is left over is turned round.",
        "Left over: the frame minus its first entry, so that the sum comes back.",
        differs=True,
    )
    expect_close(
        got,
        fine,
        "You decoded what was left over, without the first entry.",
        "The decoded frame is a sum of two entries.",
        differs=True,
    )
    expect_close(got, coarse + fine, hint="The decoded frame is a sum of two entries.")


def _tensors(answered, count: int, what: str) -> tuple[torch.Tensor, ...]:
    """The answer as `count` tensors, or the mistake that it is something else."""
    parts = answered if isinstance(answered, tuple | list) else (answered,)
    expect(
        len(parts) == count and all(isinstance(p, torch.Tensor) for p in parts),
        f"The answer should be {what}, {count} tensor{'s' if count > 1 else ''}.",
        "Look at the stub's docstring: what goes in, what comes out.",
    )
    return tuple(parts)
