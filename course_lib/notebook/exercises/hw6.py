"""Checks of homework 6, diffusion on latents. The marks come from other, hidden inputs."""

import math

import torch

from course_lib.notebook.expecting import expect, expect_close, expect_record

FAULTS = ("stopped", "misread", "unguided", "flipped", "late")


def from_log_snr(answer):
    lam = torch.tensor([0.0, math.log(3), -40.0], dtype=torch.float64)  # [3]
    got = answer(lam)
    expect(isinstance(got, tuple) and len(got) == 3, "The answer should be alpha, sigma and u.")
    alpha, sigma, u = got
    expect_close(alpha[:2], [0.5, 0.75], "Those are squares.", "alpha^2 is the sigmoid.",
                 differs=True)  # fmt: skip
    expect_close(alpha[:2], [0.5**0.5, 0.75**0.5], hint="alpha^2 / (1 - alpha^2) = e^λ")
    expect_close(sigma[:2], [0.5**0.5, 0.5])
    expect(float(alpha[2]) > 0, "At λ = -40 nothing of the signal is left.", "sigmoid(λ), exactly.")
    expect_close(u[:2], [0.5, 1 / 3], "The time is wrong.", "tan(π u / 2) = σ / α")


def weights(answer):
    snr = torch.tensor([0.5, 20.0])  # [2]
    expect_close(answer(snr, "data"), [0.5, 5.0], hint="min(SNR, γ)")
    expect_close(answer(snr, "noise"), [0.25, 100.0], "Multiplied where it is divided.",
                 "eps = (z - αx) / σ: its error is SNR times that of x.", differs=True)  # fmt: skip
    expect_close(answer(snr, "noise"), [1.0, 0.25], hint="min(SNR, γ) / SNR")
    expect_close(answer(snr, "velocity"), [1 / 3, 5 / 21], hint="min(SNR, γ) / (SNR + 1)")
    expect_close(answer(snr, "data", 2.0), [0.5, 2.0], "γ is not used.")


def even_times(answer):
    lam = torch.tensor([4.0, 3.0, 2.5, 0.0, -1.0, -4.0])  # [6]
    got = answer(lam, 3)
    expect(isinstance(got, list), "The times should be a list.", ".tolist()")
    expect(got != [0, 3, 5], "Noise comes first.", "Turn it round.")
    expect(got == [5, 3, 0], f"The times are not {got}.", "λ -4, 0 and 4; nearest, not evenly.")
    many = answer(lam, 12)
    expect(len(many) == len(set(many)), "A time comes twice.", "Keep it once.")
    expect(many == [5, 4, 3, 2, 1, 0], f"With 12 points the times are not {many}.")


def second_order(answer):
    z, x, before = (torch.full((1, 1, 2), v) for v in (1.0, 2.0, 1.0))
    alphas, sigmas = (0.5, 0.6, 0.8), (0.75**0.5, 0.8, 0.6)
    first = answer(z, x, None, alphas, sigmas)
    h = math.log(0.8 / 0.6) - math.log(0.6 / 0.8)
    ddim = 0.75 - 0.8 * math.expm1(-h) * 2.0
    expect_close(first, 0.75 + 0.8 * math.expm1(-h) * 2.0, "A sign: e^-h - 1 is negative.",
                 differs=True)  # fmt: skip
    expect_close(first, torch.full((1, 1, 2), ddim), "The first step is not DDIM's.")
    got = answer(z, x, before, alphas, sigmas)
    expect_close(got, ddim, "The step before changes nothing.", differs=True)
    past = math.log(0.6 / 0.8) - math.log(0.5 / 0.75**0.5)
    wrong = 0.75 - 0.8 * math.expm1(-h) * (2.0 + past / (2 * h))
    expect_close(got, wrong, "h over the step before, not the other way.", differs=True)
    wanted = 0.75 - 0.8 * math.expm1(-h) * (2.0 + h / (2 * past))
    expect_close(got, torch.full((1, 1, 2), wanted))


def keep_known(answer):
    z, known, noise = (torch.full((1, 2, 3), v) for v in (1.0, 2.0, 10.0))
    got = answer(z, known, torch.tensor([[True, False, True]]), noise, 0.5, 0.25)
    expect_close(got[0, :, 0], [2.0, 2.0], "Known frames came without noise.", "α known + σ noise",
                 differs=True)  # fmt: skip
    expect_close(got[0, :, 1], [3.5, 3.5], "The mask is the wrong way round.", differs=True)
    expect_close(got[0, 0], [3.5, 1.0, 3.5])


def two_wishes(answer):
    asked = []

    def network(c, m):
        asked.append((c, m))
        values = [1.0 * (a is not None) + 10.0 * (b is not None) for a, b in zip(c, m, strict=True)]
        return torch.tensor(values)[:, None, None].expand(-1, 2, 3)

    got = answer(network, "slow", [1, 2], 3.0, 2.0)
    expect(len(asked) == 1, f"You asked the network {len(asked)} times.", "One batch of three.")
    expect(len(asked[0][0]) == 3, "The batch is not of three.", "Nothing, c, and c with m.")
    expect(got.shape == (2, 3), f"The output is {list(got.shape)}, not [K, F].")
    expect_close(got, torch.full((2, 3), 25.0), "The melody is guided from nothing.",
                 "From the sentence alone.", differs=True)  # fmt: skip
    expect_close(got, torch.full((2, 3), 23.0), hint="0 + 3 * (1 - 0) + 2 * (11 - 1)")


def diagnosis(answer):
    got = answer()
    expect(isinstance(got, dict), "The answer should be a dict.", "fault and number")
    expect(got.get("fault") in FAULTS, f"The fault is one of {', '.join(FAULTS)}.")
    number = got.get("number")
    expect(type(number) is int and 2 <= number <= 9, "The step is a whole number from 2 to 9.")


def heard(answer):
    expect_record(answer)


def my_tune(answer):
    got = answer()
    expect(isinstance(got, dict), "The answer should be a dict.")
    names = ("tune", "sound", "latents", "errors")
    expect(all(k in got for k in names), f"The answer needs {', '.join(names)}.")
    sound, latents = torch.as_tensor(got["sound"]), torch.as_tensor(got["latents"])
    expect(sound.shape == (32000,), f"The sound is {list(sound.shape)}, not [32000].")
    expect(latents.shape == (32, 100), f"The latents are {list(latents.shape)}, not [32, 100].")
    errors = [float(e) for e in got["errors"]]
    expect(len(errors) == 3, "Three errors: at 200, 500 and 800.")
    expect(errors == sorted(errors), "More noise, yet a smaller error.", "In the order of times.")
