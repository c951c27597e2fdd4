"""Checks of the exercises of notebook 00, the songbook."""

import math

import torch

from course_lib.notebook.expecting import expect, expect_close


def frame_count(answer):
    got = answer(16000, 256)  # 62.5 hops: frames 0 to 62
    expect(
        float(got) == int(got),
        "A number of frames is whole.",
        "// divides and drops the rest.",
    )
    expect_close(
        got,
        16000 // 256,
        "The frame centred on sample 0 is missing.",
        "Fence posts: how many multiples of the hop are there, 0 among them?",
        differs=True,
    )
    expect_close(
        got,
        1 + (16000 - 1024) // 256,
        "Those are the frames that lie wholly inside the clip; here it is padded.",
        "With padding on each side a frame is centred even on sample 0.",
        differs=True,
    )
    expect_close(got, 63, "A frame is counted beyond the end.", "The last centre is at most T.")
    expect_close(
        answer(512, 256),
        3,
        "It fails where the hop divides the length: centres 0, 256 and 512.",
        "A centre on the very end counts.",
    )


def seconds_in_context(answer):
    got = answer(3000, 32000, 640, 4)  # 50 frames a second, 200 tokens: 15 s
    expect_close(
        got,
        60,
        "You counted one token a frame; there are `codebooks` of them.",
        "How many tokens is one second?",
        differs=True,
    )
    expect_close(
        got,
        1 / 15,
        "That is upside down: how much of a context one second takes.",
        "Tokens divided by tokens a second are seconds.",
        differs=True,
    )
    expect_close(
        got,
        240,
        "More tables make the seconds fewer, not more.",
        "Divide by the tokens of a second.",
        differs=True,
    )
    expect_close(
        got,
        3000 / (32000 * 4),
        "Those would be tokens at every sample; they come once a hop.",
        "A second has sample_rate / hop frames.",
        differs=True,
    )
    expect_close(got, 15, hint="Tokens divided by tokens a second are seconds.")


def add_noise(answer):
    generator = torch.Generator().manual_seed(0)
    x = 0.2 * torch.sin(torch.arange(4000) * 0.1)  # [4000]
    noise = 3 * torch.randn(4000, generator=generator)  # [4000]
    got = answer(x.clone(), noise.clone(), 20.0)
    expect(
        isinstance(got, torch.Tensor) and got.shape == x.shape,
        "The answer should be a tensor [T].",
        "Return x plus the scaled noise.",
    )
    added = got - x
    wanted = x.square().mean() / 100
    power = added.square().mean()
    gain = float((added * noise).sum() / noise.square().sum())
    expect(
        torch.allclose(added, gain * noise, atol=1e-4),
        "The music was changed, not only the noise.",
        "x stays as it is.",
    )
    expect_close(
        power,
        x.square().mean() / 10,
        "That is the ratio for amplitudes: 20 dB are a factor of 100 in power.",
        "Decibels of power: 10 ** (snr / 10).",
        tolerance=1e-3,
        differs=True,
    )
    expect_close(
        gain,
        math.sqrt(float(wanted)),
        "The noise's own power was not divided out: it is right only for noise of power 1.",
        "First bring the noise to power 1.",
        tolerance=1e-3,
        differs=True,
    )
    expect_close(
        gain,
        float(wanted / noise.square().mean()),
        "You scaled the noise by the ratio of powers; a gain acts on the power twice.",
        "A gain g multiplies the power by its square: take the root.",
        tolerance=1e-3,
        differs=True,
    )
    expect(power <= x.square().mean(), "The noise is louder than the music.", "Which is divided?")
    expect_close(power, wanted, "The ratio is not 20 dB.", tolerance=1e-3)


def kl_divergence(answer):
    p, q = torch.tensor([0.7, 0.2, 0.1]), torch.tensor([0.3, 0.5, 0.2])  # [3]
    got = answer(p.clone(), q.clone())
    want = (p * (p / q).log()).sum()
    expect(
        not isinstance(got, torch.Tensor) or got.ndim == 0,
        "The terms are not summed: the answer is one number.",
        ".sum() over the classes.",
    )
    expect_close(
        got,
        (q * (q / p).log()).sum(),
        "p and q have changed places.",
        "The first argument, the original, weighs and stands on top.",
        differs=True,
    )
    expect_close(
        got,
        want / math.log(2),
        "That is in bits; nats were asked.",
        "torch.log, not torch.log2.",
        differs=True,
    )
    expect_close(got, -want, "The sign is turned round.", "p over q, not q over p.", differs=True)
    expect_close(
        got, want / 3, "That is the mean over classes.", "A divergence is a sum.", differs=True
    )
    expect_close(
        got, (p / q).log().sum(), "Nothing weighs the terms.", "Multiply by p.", differs=True
    )
    expect_close(got, want, hint="p times the logarithm of p over q, summed.")
