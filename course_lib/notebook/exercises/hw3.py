"""Checks of homework 3, a residual codec. The marks come from other, hidden inputs."""

import torch

from course_lib.notebook.expecting import expect, expect_close, expect_record

FAULTS = ("skipped", "doubled", "swapped", "late", "frozen")


def residual(answer):
    x = torch.tensor([[5.0, 1.0], [0.0, -4.0]])  # [2, 2]
    codebooks = torch.tensor([[[4.0, 0.0], [0.0, -3.0]], [[1.0, 1.0], [0.0, -1.0]]])  # [2, 2, 2]
    got = answer(x.clone(), codebooks.clone())
    expect(isinstance(got, tuple) and len(got) == 2, "The answer should be two: codes and sums.")
    codes, sums = got
    expect(codes.shape == (2, 2), f"The codes are {list(codes.shape)}, not [K, N].", "torch.stack")
    expect(codes.dtype == torch.int64, "The codes are not int64.")
    expect_close(codes[0], [0, 1], "The first stage does not take the nearest entries.")
    expect_close(codes[1], [0, 1], "The second stage sees the wrong thing.",
                 "It codes x minus the first entry.")  # fmt: skip
    expect_close(sums[1], [[1.0, 1.0], [0.0, -1.0]], "Those are the entries of each stage.",
                 "Add up the first k.", differs=True)  # fmt: skip
    expect_close(sums, [[[4.0, 0.0], [0.0, -3.0]], [[5.0, 1.0], [0.0, -4.0]]])


def commitments(answer):
    x = torch.tensor([[5.0, 2.0]], requires_grad=True)  # [1, 2]
    codebooks = torch.tensor([[[4.0, 0.0]], [[0.0, 1.0]]], requires_grad=True)  # [2, 1, 2]
    loss = answer(x, torch.zeros(2, 1, dtype=torch.int64), codebooks)
    expect_close(loss, 1.0, "That is the last stage alone.", "Add up all stages.", differs=True)
    expect_close(loss, 7.0, "Summed over dimensions.", "A mean over frames and dimensions.",
                 differs=True)  # fmt: skip
    expect_close(loss, 3.5, hint="(1 + 4) / 2 + (1 + 1) / 2")
    expect(loss.requires_grad, "No gradient reaches x.")
    loss.backward()
    expect(codebooks.grad is None or not codebooks.grad.any(), "The loss pulls at the codebooks.",
           "Stop the gradient of every entry.")  # fmt: skip
    expect_close(x.grad, [[1.0, 2.0]], "Only the first stage's gradient reaches x.",
                 "r_k depends on x at every stage.", differs=True)  # fmt: skip
    expect_close(x.grad, [[2.0, 3.0]])


def si_sdr(answer):
    x = torch.tensor([1.0, -1.0, 1.0, -1.0])  # [4]
    y = torch.tensor([1.0, -1.0, 1.5, -1.5])  # [4]
    got = float(answer(x, y))
    expect_close(got, 10 * torch.tensor(4 / 0.5).log10(), "You compare x and y without scaling x.",
                 "a x, with a = <y, x> / <x, x>", differs=True)  # fmt: skip
    expect_close(got, 10 * torch.tensor(6.25 / 0.25).log10(), hint="a is 1.25 here.")
    expect_close(float(answer(x, 3 * y + 7)), got, "A louder, shifted estimate is worth as much.",
                 "Take off the mean of both.")  # fmt: skip


def spectral(answer):
    x = torch.sin(torch.arange(256) * 0.7)  # [256]
    got = answer(x, x, [64, 128])
    expect(isinstance(got, tuple) and len(got) == 2, "The answer should be two numbers.")
    expect_close(torch.tensor(got), [0.0, 0.0], "A copy has no distance.")
    convergence, magnitude = answer(x, x / 2, [64, 128])
    expect_close(convergence, 1.0, "Summed, not averaged over the sizes.", differs=True)
    expect_close(convergence, 0.25, "Squared norms?", "norm() is a root already.", differs=True)
    expect_close(convergence, 0.5, hint="|S - S/2| / |S|")
    expect_close(magnitude, 0.30103, "Natural logarithms, not log10.", differs=True)
    expect(abs(magnitude - 0.6931) < 0.03, "Half the level is log 2 away.", "Mean of |log - log|.")


def matching(answer):
    real = [torch.tensor([2.0, -2.0], requires_grad=True), torch.tensor([[4.0]])]
    coded = [torch.tensor([1.0, -1.0], requires_grad=True), torch.tensor([[5.0]])]
    loss = answer(real, coded)
    expect_close(loss, 0.75, "Summed over the layers.", "Their mean.", differs=True)
    expect_close(loss, 1.0, "Not relative to the real features.", "Divide by mean |f|.",
                 differs=True)  # fmt: skip
    expect_close(loss, 0.375, hint="(1 / 2 + 1 / 4) / 2")
    expect(loss.requires_grad, "No gradient reaches the coded features.")
    loss.backward()
    expect(real[0].grad is None, "The real features get a gradient.", "detach() them, twice.")
    expect_close(coded[0].grad, [-0.125, 0.125])


def causal(answer):
    x = torch.arange(1.0, 8.0).reshape(1, 1, 7)  # [1, 1, 7]
    got = answer(x, torch.tensor([[[0.0, 0.0, 0.0, 1.0]]]), 2)  # the newest input of each frame
    expect(got.shape[-1] == 4, f"{got.shape[-1]} frames of 7 inputs with stride 2.", "ceil(7 / 2)")
    expect_close(got[0, 0], [1.0, 3.0, 5.0, 7.0], "k - 1 zeros in front are one frame's too many.",
                 "k - stride", differs=True)  # fmt: skip
    expect_close(got[0, 0], [2.0, 4.0, 6.0, 0.0], "A frame sees inputs after its own.")


def diagnosis(answer):
    got = answer()
    expect(isinstance(got, dict), "The answer should be a dict.", "fault and number")
    expect(got.get("fault") in FAULTS, f"The fault is one of {', '.join(FAULTS)}.")
    number = got.get("number")
    expect(type(number) is int and 0 <= number <= 3, "The codebook is a whole number, 0 to 3.")


def heard(answer):
    expect_record(answer)


def my_tune(answer):
    got = answer()
    expect(isinstance(got, dict), "The answer should be a dict.")
    names = ("tune", "sound", "codes", "decibels")
    expect(all(k in got for k in names), f"The answer needs {', '.join(names)}.")
    sound, codes = torch.as_tensor(got["sound"]), torch.as_tensor(got["codes"])
    expect(sound.shape == (32000,), f"The sound is {list(sound.shape)}, not [32000].")
    expect(codes.shape == (8, 100), f"The codes are {list(codes.shape)}, not [8, 100].")
    expect(codes.dtype == torch.int64, "The codes are not int64.")
    expect(len(got["decibels"]) == 4, "Four measures: 1, 2, 4 and 8 codebooks.")
