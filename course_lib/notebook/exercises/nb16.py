"""Checks of the exercises of notebook 16, latent diffusion."""

import torch

from course_lib.notebook.expecting import NotDone, expect, expect_close, is_blank


def signal_from_velocity(answer):
    seeded = torch.Generator().manual_seed(0)
    x, noise = torch.randn(2, 2, 3, 4, generator=seeded)
    alpha, sigma = 0.8, 0.6
    z, v = alpha * x + sigma * noise, alpha * noise - sigma * x
    got = answer(z.clone(), v.clone(), alpha, sigma)
    likely = (
        (noise, "That is the noise.", "The other combination gives x: alpha and sigma change."),
        (alpha * z + sigma * v, "A sign is turned round.", "v points away from x: subtract it."),
        (
            (z - sigma * v) / alpha,
            "You took v for the noise.",
            "v = alpha eps - sigma x: it has both in it.",
        ),
        (z - v, "You took z - v.", "That is right where z lies on a straight line: flow matching."),
        (v, "You took v for x.", "Two equations, two unknowns: z and v, x and eps."),
        (alpha * v - sigma * z, "You exchanged z and v.", "alpha z - sigma v"),
        (-x, "That is x upside down.", "All signs are turned round: subtract the part of v."),
    )
    for value, mistake, hint in likely:
        expect_close(got, value, mistake, hint, differs=True)
    expect_close(got, x, hint="Multiply z by alpha and v by sigma, and subtract.")
    expect_close(answer(z, v, 1.0, 0.0), z, "Without noise, z itself should come out.")


def ddim_step(answer):
    seeded = torch.Generator().manual_seed(1)
    x, noise = torch.randn(2, 2, 3, 4, generator=seeded)
    now, then = (0.6, 0.8), (12 / 13, 5 / 13)  # alpha, sigma
    z = now[0] * x + now[1] * noise
    got = answer(z.clone(), x.clone(), now, then)
    fresh = (z - now[0] * x) / now[1]
    likely = (
        (
            then[1] * x + then[0] * noise,
            "You exchanged alpha and sigma.",
            "alpha comes first and goes with the signal.",
        ),
        (x, "You went all the way.", "Put the noise back, less of it: sigma' eps."),
        (then[0] * x, "The noise is lost.", "z' has sigma' of the same noise."),
        (
            z,
            "You came out where you were.",
            "z was made with the weights of `now`: find its noise with those.",
        ),
        (
            then[0] * x + then[1] * z,
            "You put z back instead of its noise.",
            "First find the noise: (z - alpha x) / sigma.",
        ),
        (
            then[0] * x + then[1] * (z - x) / now[1],
            "In your noise, alpha is missing.",
            "(z - alpha x) / sigma",
        ),
        (
            then[0] * x + then[1] * (z - now[0] * x),
            "Your noise is not divided by sigma.",
            "(z - alpha x) / sigma",
        ),
        (
            then[0] * x + then[1] * (z - then[0] * x) / now[1],
            "You sought the noise of z with the alpha of `then`.",
            "z was made with the weights of `now`: find its noise with those.",
        ),
    )
    for value, mistake, hint in likely:
        expect_close(got, value, mistake, hint, differs=True)
    expect_close(
        got,
        answer(z.clone(), x.clone(), now, then),
        "You put in new noise: twice the same question, and two answers.",
        "DDIM draws nothing: the noise of z, (z - alpha x) / sigma, is put back.",
    )
    expect_close(got, then[0] * x + then[1] * fresh, hint="alpha' x + sigma' eps")
    expect_close(answer(z, x, now, (1.0, 0.0)), x, "The last step should end at the signal.")


def whiten(answer):
    seeded = torch.Generator().manual_seed(2)
    spread = torch.tensor([[0.5, 0.2, 0.3], [1.0, 1.0, 0.0], [3.0, 0.0, 0.0]])
    frames = torch.randn(2000, 3, generator=seeded) @ spread.T + torch.tensor([1.0, -2.0, 0.5])
    got = answer(frames.clone(), 2)
    if is_blank(got):
        raise NotDone
    got = torch.as_tensor(got).detach().float()
    expect(
        got.shape != (2, 2000),
        "Your result is [K, N].",
        "[N, K] is asked for: a row for each frame.",
    )
    expect(
        got.shape != frames.shape,
        "You kept all axes.",
        "Only the K along which frames vary most are asked for.",
    )
    expect(got.shape == (2000, 2), f"The shape is {list(got.shape)}, expected [2000, 2].")
    expect(
        got.mean(0).abs().max() < 0.01,
        "The mean is not 0.",
        "Subtract the mean of the frames first.",
    )
    covariance = torch.cov(got.T)
    off = covariance[0, 1].abs() / (covariance[0, 0] * covariance[1, 1]).sqrt()
    expect(
        off < 0.01,
        "Your numbers are still correlated.",
        "Turn the frames onto the axes of their covariance: torch.linalg.eigh has them as columns.",
    )
    variance, axes = torch.linalg.eigh(torch.cov(frames.double().T))
    centred = (frames - frames.mean(0)).double() @ axes  # least first
    like = (torch.corrcoef(torch.cat([got.double().T, centred.T]))[:2, 2:]).abs()  # [2, 3]
    expect(
        like[:, 0].max() < 0.99,
        "You kept the axes along which frames vary least.",
        "eigh gives them in growing order.",
    )
    diagonal = covariance.diagonal()
    expect(
        (diagonal.double() / variance[1:].flip(0) - 1).abs().max() > 0.01
        and (diagonal.double() / variance[1:] - 1).abs().max() > 0.01,
        "Your variances are those of the frames.",
        "Divide each axis by its standard deviation.",
    )
    squared = 1 / variance[1:]
    expect(
        (diagonal.double().sort().values / squared.sort().values - 1).abs().max() > 0.01,
        "You divided by the variance.",
        "eigh gives variances; the standard deviation is their root.",
    )
    expect_close(diagonal, torch.ones(2), "The variances are not 1.", "Divide by their roots.",
                 tolerance=0.01)  # fmt: skip
    expect(
        like[0, 1] < 0.99 or like[1, 2] < 0.99,
        "The axes stand in the wrong order.",
        "The one along which frames vary most comes first.",
    )
    expect(
        like[0, 2] > 0.99 and like[1, 1] > 0.99,
        "They are white, but along other axes than those along which frames vary most.",
        "Take the axes of the covariance of the frames as they are, and don't turn back.",
    )


def rescaled(answer):
    seeded = torch.Generator().manual_seed(3)
    c = torch.randn(2, 3, 50, generator=seeded) * torch.tensor([1.0, 0.5])[:, None, None] + 0.3
    g = c * torch.tensor([3.0, 2.0])[:, None, None] + torch.randn(2, 3, 50, generator=seeded)
    got = answer(c.clone(), g.clone(), 0.7)
    every = (1, 2)

    def scaled(factor):
        return g * (0.7 * factor + 0.3)

    factor = c.std(every, keepdim=True) / g.std(every, keepdim=True)
    likely = (
        (g * factor, "That is all of it.", "The share of 0.7 of it, and 0.3 of `guided`."),
        (
            scaled(c.std() / g.std()),
            "You took one standard deviation of the whole batch.",
            "One for each item: std over dimensions 1 and 2, keepdim=True.",
        ),
        (
            scaled(c.std(-1, keepdim=True) / g.std(-1, keepdim=True)),
            "You took a standard deviation of each channel.",
            "One for each item: std over dimensions 1 and 2.",
        ),
        (
            scaled(1 / factor),
            "You made it larger.",
            "Divide by the standard deviation of `guided`, which is too large.",
        ),
        (
            g * (0.3 * factor + 0.7),
            "You exchanged the two shares.",
            "1 stands for all of it, 0 for none.",
        ),
        (
            0.7 * c + 0.3 * g,
            "You mixed the guidance away.",
            "Only the size is that of `told`; the direction is that of `guided`.",
        ),
        (
            scaled(c.var(every, keepdim=True) / g.var(every, keepdim=True)),
            "You took variances.",
            "The standard deviation is their root.",
        ),
        (g, "Nothing happened.", "Multiply it by the quotient of the standard deviations."),
        (
            0.7 * factor * g,
            "The other share is missing.",
            "0.7 of the rescaled one, and 0.3 of `guided`, as it is.",
        ),
        (
            0.7 * factor * g + 0.3 * c,
            "Your other share is of `told`.",
            "Mix the result with `guided`: guidance is to stay.",
        ),
        (
            0.7 * c / factor + 0.3 * g,
            "You gave `told` the size of `guided`.",
            "It is `guided` that is too large: multiply that.",
        ),
        (
            scaled(c.std(1, keepdim=True) / g.std(1, keepdim=True)),
            "You took a standard deviation of each frame.",
            "One for each item: std over dimensions 1 and 2.",
        ),
    )
    for value, mistake, hint in likely:
        expect_close(got, value, mistake, hint, differs=True)
    expect_close(got, scaled(factor), hint="guided * (amount * factor + 1 - amount)",
                 tolerance=2e-3)  # fmt: skip
    expect_close(answer(c, g, 0.0), g, "With an amount of 0, nothing should change.")


def causal_convolution(answer):
    seeded = torch.Generator().manual_seed(4)
    x, weight = torch.randn(2, 3, 9, generator=seeded), torch.randn(4, 3, 3, generator=seeded)
    convolve, pad = torch.nn.functional.conv1d, torch.nn.functional.pad
    got = answer(x.clone(), weight.clone())
    expect(
        not torch.is_tensor(got) or got.shape[-1] != 7,
        "Two frames are missing.",
        "Put as many zeros in front as the kernel has places, less one.",
    )
    expect(
        not torch.is_tensor(got) or got.shape[-1] != 11,
        "There are two frames too many.",
        "conv1d's padding puts zeros on both sides: pad in front only, or cut the end off.",
    )
    likely = (
        (
            convolve(x, weight, padding=1),
            "Each frame sees the next one.",
            "All zeros belong in front.",
        ),
        (convolve(pad(x, (0, 2)), weight), "Each frame sees two later ones.", "Pad in front."),
        (
            convolve(pad(x, (3, 0)), weight)[..., :-1],
            "Each frame sees only those before it, not itself.",
            "A kernel of 3 needs 2 zeros in front.",
        ),
        (
            convolve(pad(x, (2, 0)), weight.flip(-1)),
            "The kernel is turned round.",
            "conv1d takes it as it is: its last place meets the frame itself.",
        ),
        (
            convolve(pad(x, (2, 0), mode="replicate"), weight),
            "Before the beginning you repeat the first frame.",
            "Zeros stand there.",
        ),
    )
    for value, mistake, hint in likely:
        expect_close(got, value, mistake, hint, differs=True)
    expect_close(got, convolve(pad(x, (2, 0)), weight), hint="F.pad(x, (kernel - 1, 0)), conv1d.")
    five = torch.randn(1, 3, 5, generator=seeded)
    found = answer(x.clone(), five.clone())
    want = convolve(pad(x, (4, 0)), five)
    expect(
        not torch.is_tensor(found) or found.shape == want.shape,
        "With a kernel of 5, the length changes.",
        "The zeros in front are as many as the kernel has places, less one: weight.shape[-1] - 1.",
    )
    expect_close(found, want, "It is right for a kernel of 3 only.", "weight.shape[-1] - 1 zeros.")
