"""Checks of homework 1, vector quantization. The marks come from other, hidden inputs."""

import math

import torch

from course_lib.notebook.expecting import expect, expect_close, expect_record

FAULTS = ("dead", "doubled", "shrunk", "shifted", "swapped")


def nearest(answer):
    x = torch.tensor([[0.0, 1.0], [4.0, 4.2], [9.0, 0.0]])  # [3, 2]
    codebook = torch.tensor([[0.0, 0.0], [5.0, 5.0], [8.0, 1.0]])  # [3, 2]
    free = answer(x.clone(), codebook.clone(), torch.zeros(3))
    expect_close(free, [1, 2, 1], "You took the farthest entry.", "argmin or argmax?", differs=True)
    expect_close(free, [0, 1, 2], "Without a price these are not the nearest entries.")
    expect(free.dtype == torch.int64, "The codes are not int64.", "argmin gives int64.")
    low, high = torch.tensor([0.0, 1.5, 30.0]), torch.tensor([0.0, 1.5, 60.0])  # [3]
    paid = answer(x.clone(), codebook.clone(), high)
    expect_close(paid, free, "The price changes nothing.", "Add price[k].", differs=True)
    expect_close(paid, [0, 1, 1], hint="Squared distance plus price.")
    expect_close(
        answer(x.clone(), codebook.clone(), low),
        [0, 1, 2],
        "The price weighs too much against the distance.",
        "|x - c|^2 = |x|^2 - 2 x.c + |c|^2: half of it needs half of the price.",
    )


def straight_through(answer):
    z = torch.tensor([[1.0, 2.0]], requires_grad=True)  # [1, 2]
    e = torch.tensor([[3.0, 1.0]], requires_grad=True)  # [1, 2]
    got = answer(z, e, 0.5)
    expect(
        isinstance(got, tuple) and len(got) == 2,
        "The answer should be two tensors, values and commitment.",
        "return values, commitment",
    )
    values, commitment = got
    expect_close(values, e, "Forward, the values are not e.", "z + sg(e - z)")
    expect_close(commitment, 2.5, "Summed, or without beta?", "A mean, times beta.", differs=True)
    expect_close(commitment, 1.25, hint="beta times the mean of (z - sg(e))^2.")
    expect(values.requires_grad, "No gradient passes through the values.", "z + sg(e - z)")
    (values * torch.tensor([[2.0, 3.0]])).sum().backward()
    expect(z.grad is not None, "The values pass no gradient to z.", "z + sg(e - z)")
    expect_close(z.grad, [[2.0, 3.0]], "z does not get the gradient of the values, once.")
    expect(e.grad is None, "The values pass a gradient to e.", "Stop it: sg(e - z).")
    commitment.backward()
    expect(e.grad is None, "The commitment pulls at e.", "It trains the encoder alone: sg(e).")


def ema_step(answer):
    sums = torch.tensor([[4.0, 0.0], [0.0, 6.0]])  # [2, 2]
    counts = torch.tensor([2.0, 3.0])  # [2]
    x, codes = torch.tensor([[1.0, 1.0], [3.0, 5.0]]), torch.tensor([1, 1])  # [2, 2], [2]
    got = answer(sums.clone(), counts.clone(), x, codes, 0.9, 1e-5)
    expect(
        isinstance(got, tuple) and len(got) == 3,
        "The answer should be three tensors: codebook, sums and counts.",
    )
    codebook, new_sums, new_counts = got
    swapped = [2 * 0.1, 3 * 0.1 + 0.9 * 2]
    expect_close(new_counts, swapped, "Decay weighs the past, not the batch.", differs=True)
    expect_close(new_counts, [1.8, 2.9], hint="decay * counts + (1 - decay) * arrived")
    expect_close(new_sums, [[3.6, 0.0], [0.4, 6.0]], hint="index_add_ sums the frames of a code.")
    smoothed = (new_counts + 1e-5) / (4.7 + 2e-5) * 4.7
    expect_close(codebook, new_sums / smoothed[:, None], hint="Sum over smoothed count.")


def farthest_start(answer):
    x = torch.tensor([[0.0], [1.0], [10.0], [6.0], [4.0]])  # [5, 1]
    got = answer(x.clone(), 3)
    expect_close(
        got, x[:3], "Those are the first frames.", "The first, then the farthest.", differs=True
    )
    expect_close(got, [[0.0], [10.0], [6.0]], "The third is not the farthest from both before.",
                 "Keep, for each frame, its distance to the nearest entry so far.")  # fmt: skip


def perplexity(answer):
    codes = torch.tensor([0, 0, 1, 1])  # [4]
    got = answer(codes, 8)
    expect(isinstance(got, tuple) and len(got) == 2, "The answer should be two numbers.")
    effective, unused = (float(v) for v in got)
    expect(not math.isnan(effective), "The perplexity is NaN.", "0 log 0 counts as 0.")
    expect_close(effective, 1.0, "That is the entropy in bits.", "2 to its power.", differs=True)
    expect_close(
        effective, math.e, "You mixed bits and nats.", "2 ** bits or exp(nats).", differs=True
    )
    expect_close(effective, 2.0, hint="Two entries, used equally: 2.")
    expect_close(unused, 0.75, hint="The share of the 8 entries that nobody chose.")


def diagnosis(answer):
    got = answer()
    expect(isinstance(got, dict), "The answer should be a dict.", "fault and entries")
    expect(got.get("fault") in FAULTS, f"The fault is one of {', '.join(FAULTS)}.")
    entries = got.get("entries")
    whole = isinstance(entries, list) and all(type(k) is int and 0 <= k < 64 for k in entries)
    expect(whole and entries, "The entries are a list of whole numbers from 0 to 63.")


def heard(answer):
    expect_record(answer)


def my_tune(answer):
    got = answer()
    expect(isinstance(got, dict), "The answer should be a dict.")
    names = ("tune", "frames", "codebook", "decibels")
    expect(all(k in got for k in names), f"The answer needs {', '.join(names)}.")
    frames, codebook = torch.as_tensor(got["frames"]), torch.as_tensor(got["codebook"])
    expect(frames.ndim == 2 and frames.shape[1] == 80, "The frames are not [F, 80].", "Transpose.")
    expect(codebook.shape == (16, 80), "The codebook is not [16, 80].")
    expect(0 < float(got["decibels"]) < 60, "That is no error in decibels a band.")
