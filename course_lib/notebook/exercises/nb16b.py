"""Checks of the exercises of notebook 16b, a transformer and three conditions."""

import math

import torch

from course_lib.notebook.expecting import NotDone, Wrong, expect, expect_close, is_blank


def adaptive(answer):
    seeded = torch.Generator().manual_seed(0)
    x = 3 * torch.randn(2, 5, 8, generator=seeded) + 1
    scale, shift, gate = 0.5 * torch.randn(3, 2, 8, generator=seeded)
    matrix = torch.randn(8, 8, generator=seeded) / 3

    def layer(y):
        if y.shape != x.shape:
            raise Wrong(
                f"The layer got {list(y.shape)} instead of [B, F, D] = {list(x.shape)}.",
                "scale[:, None] is [B, 1, D], which fits every frame.",
            )
        return torch.tanh(y @ matrix)

    try:
        got = answer(x.clone(), layer, scale.clone(), shift.clone(), gate.clone())
    except RuntimeError as error:
        if "must match" not in str(error):
            raise
        raise Wrong(
            "[B, D] does not fit [B, F, D].", "scale[:, None] is [B, 1, D], for every frame."
        ) from None
    normed = torch.nn.functional.layer_norm(x, (8,))
    scale, shift, gate = scale[:, None], shift[:, None], gate[:, None]
    seen = normed * (1 + scale) + shift
    likely = (
        (gate * layer(seen), "What went in is lost.", "x + gate * ..."),
        (x + layer(seen), "The gate is missing.", "It multiplies what the layer gives."),
        (x + layer(gate * seen), "The gate stands before the layer.", "It multiplies its result."),
        (gate * (x + layer(seen)), "The gate shuts x off, too.", "It multiplies the layer alone."),
        (x + (1 + gate) * layer(seen), "A gate of 0 should be shut.", "gate, not 1 + gate."),
        (
            x + gate * layer(normed * scale + shift),
            "A scale of 0 wipes everything out.",
            "1 + scale: 0 changes nothing.",
        ),
        (
            x + gate * layer(x * (1 + scale) + shift),
            "x is not normalised.",
            "F.layer_norm(x, x.shape[-1:]) first.",
        ),
        (
            x + gate * layer(torch.nn.functional.layer_norm(x * (1 + scale) + shift, (8,))),
            "You normalised after scaling, which undoes it.",
            "Normalise, then scale and shift.",
        ),
        (
            x + gate * layer(normed * (1 + shift) + scale),
            "scale and shift have changed places.",
            "norm * (1 + scale) + shift",
        ),
        (
            x + gate * layer((normed + shift) * (1 + scale)),
            "The shift is scaled, too.",
            "norm * (1 + scale) first, then + shift.",
        ),
        (
            x + gate * (layer(normed) * (1 + scale) + shift),
            "You scaled and shifted what comes out of the layer.",
            "They change what goes in.",
        ),
        (x + gate * seen, "The layer is missing.", "It is a function: layer(...)."),
        (
            x + gate * layer(torch.nn.functional.layer_norm(x, (5, 8)) * (1 + scale) + shift),
            "You normalised all frames of an item together.",
            "Each frame for itself: over the last axis alone.",
        ),
        (
            x + gate * layer((normed * (7 / 8) ** 0.5) * (1 + scale) + shift),
            "You divided by the spread of a sample, with D - 1.",
            "F.layer_norm(x, x.shape[-1:]), or std(-1, correction=0, keepdim=True).",
        ),
        (seen + gate * layer(seen), "The scaled x goes past the layer.", "x itself does."),
        (
            normed + gate * layer(seen),
            "The normalised x goes past the layer.",
            "x itself does.",
        ),
    )
    for value, mistake, hint in likely:
        expect_close(got, value, mistake, hint, differs=True, tolerance=1e-3)
    expect_close(got, x + gate * layer(seen), hint="x + gate * layer(norm * (1 + scale) + shift)",
                 tolerance=1e-3)  # fmt: skip


def equal_pressure(answer):
    seeded = torch.Generator().manual_seed(1)
    a, b = torch.randn(2, 400, generator=seeded) * torch.tensor([[0.4], [0.05]])

    def level(x):
        return 20 * x.square().mean().sqrt().log10()

    def mixed(p):
        return (p * a + (1 - p) * b) / (p**2 + (1 - p) ** 2) ** 0.5

    apart = level(a) - level(b)
    p = 1 / (1 + 10 ** (apart / 20))
    got = answer(a.clone(), b.clone())
    expect(not isinstance(got, tuple | list), "Those are two sounds.", "The mix is their sum.")
    if torch.is_tensor(got):
        expect(got.isfinite().all(), "There is a number that is none.", "log10 of a level above 0.")
    likely = (
        ((a + b) / 2, "Both have the same weight.", "The louder one needs less."),
        (a + b, "You added them as they are.", "The louder one needs less."),
        (mixed(torch.tensor(0.5)), "Both have the same weight.", "The louder one needs less."),
        (mixed(1 - p), "The louder one got the larger weight.", "Where a is louder p is small."),
        (
            p * a + (1 - p) * b,
            "The mix is not brought up again.",
            "Divide by the root of p² + (1 - p)².",
        ),
        (
            (p * a + (1 - p) * b) / (p**2 + (1 - p) ** 2),
            "You divided by a power.",
            "Its square root.",
        ),
        (
            mixed(1 / (1 + 10 ** (apart / 10))),
            "You divided decibels by 10, as for powers.",
            "Amplitudes: by 20.",
        ),
        (
            mixed(1 / (1 + torch.exp(apart / 20))),
            "Decibels are powers of 10.",
            "10 ** (... / 20)",
        ),
        (
            mixed(1 / (1 + 10 ** (apart / 20 * math.log(10)))),
            "You took the natural logarithm.",
            "Decibels take log10.",
        ),
        (
            mixed(1 / (1 + a.abs().mean() / b.abs().mean())),
            "You took the mean of the magnitudes.",
            "The level is that of the root of the mean square.",
        ),
        (
            a / a.square().mean().sqrt() + b / b.square().mean().sqrt(),
            "You brought each to a mean square of 1.",
            "Weights p and 1 - p, over the root of p² + (1 - p)².",
        ),
        (
            mixed(1 / (1 + 10 ** ((a.abs().max() / b.abs().max()).log10()))),
            "You compared peaks.",
            "The level is that of the root of the mean square.",
        ),
    )
    for value, mistake, hint in likely:
        expect_close(got, value, mistake, hint, differs=True, tolerance=1e-3)
    expect_close(got, mixed(p), hint="p = 1 / (1 + 10 ** ((Ga - Gb) / 20))", tolerance=1e-3)
    expect_close(
        answer(a, a), 2**0.5 * a, "A clip with itself, in step, should come out 3 dB up.",
        "p = 0.5, divided by the root of a half.", tolerance=1e-3,
    )  # fmt: skip


def wait(answer):
    # Uneven, so that neither one tempo nor another pair of beats gives the same number.
    a, b = torch.tensor([0.3, 0.8, 1.5, 2.2]), torch.tensor([0.95, 1.42, 2.05])
    try:
        got = answer(a.clone(), b.clone())
    except IndexError:
        raise Wrong(
            "You looked for a beat that isn't there.", "a[a >= b[0]] holds those that follow."
        ) from None
    if is_blank(got):
        raise NotDone
    got = torch.as_tensor(got)
    expect(
        got.numel() == 1,
        "That is more than one number.",
        "The first of those that follow is the nearest: [0], or min().",
    )
    likely = (
        (0.3 - 0.95, "You cannot begin before 0.", "Wait for the next beat of a, not the first."),
        (0.95 - 0.3, "That is from a's first beat to b's.", "b waits, from its beat to a's."),
        (1.5, "That is when the beat of a is.", "Take off where b's own first beat is: b[0]."),
        (2.2 - 0.95, "You wait for the last beat of a.", "The first that is not before b's."),
        (0.3, "You wait for a's first beat as if b began with its own.", "b[0] is not 0."),
        (0.95 - 1.5, "The sign is turned.", "The beat of a, less that of b."),
        (
            0.95 - 0.8,
            "That beat of a is past when b's first one sounds.",
            "The beats of a that are not before b[0]: a[a >= b[0]].",
        ),
        (1.5 - 1.42, "That is another beat of b.", "Its first one is to fall on one of a's."),
        ((0.3 - 0.95) % 0.5, "You count on an even tempo.", "Look through the beats of a."),
        (0.0, "At once, b's first beat meets none of a's.", "Drop the beats of a before b[0]."),
    )
    for value, mistake, hint in likely:
        expect_close(got.reshape(()), value, mistake, hint, differs=True)
    expect_close(
        got.reshape(()), 0.55, hint="Of the beats of a from b[0] on, the first; less b[0]."
    )
    same = answer(a.clone(), a.clone())
    expect_close(
        torch.as_tensor(same).reshape(()), 0.0, "Beats that coincide need no wait.", ">=, not >."
    )
