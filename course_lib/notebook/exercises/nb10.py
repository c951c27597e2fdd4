"""Checks of the exercises of notebook 10, Jukebox."""

import torch

from course_lib.notebook.expecting import expect, expect_close


def tokens_per_second(answer):
    got = answer(44100, (8, 32, 128))
    expect_close(
        got, 7234.0, "You rounded each level: that is the lecture's figure.",
        "44,100 is no multiple of 8; keep the fractions.", differs=True,
    )  # fmt: skip
    expect_close(
        got, 44100 / 168, "You divided by the sum of the hops.",
        "Each level writes its own codes: add rates, not hops.", differs=True,
    )  # fmt: skip
    expect_close(
        got, 44100 / 128, "Those are the codes of the top level alone.", "All levels write.",
        differs=True,
    )  # fmt: skip
    expect_close(got, 44100 * 21 / 128, hint="A level writes sample_rate / hop codes a second.")
    expect_close(answer(16000, (8, 32, 128)), 2625.0)
    expect_close(answer(16000, (100,)), 160.0, "With one level of hop 100 it should be 160.")


def convergence(answer):
    seeded = torch.Generator().manual_seed(0)
    x, y = torch.complex(*torch.randn(2, 2, 5, 7, generator=seeded))  # [5, 7] each
    got = answer(x, y)
    size = (x.abs() - y.abs()).norm()
    likely = (
        (
            (x - y).abs().norm() / x.abs().norm(),
            "Phases count in your difference.",
            "Take magnitudes first, then the difference.",
        ),
        (size / y.abs().norm(), "You divided by the estimate.", "Divide by the reference X."),
        (
            (x.abs() - y.abs()).abs().mean() / x.abs().mean(),
            "Those are mean absolute values.",
            "The Frobenius norm: the root of the sum of squares.",
        ),
        ((size / x.abs().norm()) ** 2, "The root is missing.", "A norm is a root."),
        (size, "It is not relative yet.", "Divide by the norm of |X|."),
        (
            20 * (size / x.abs().norm()).log10(),
            "That is in decibels.",
            "The plain ratio is asked for.",
        ),
    )
    for value, mistake, hint in likely:
        expect_close(got, value, mistake, hint, differs=True)
    expect_close(got, size / x.abs().norm(), hint="norm() of a matrix is the Frobenius norm.")
    expect_close(answer(x, -x), 0.0, "Turning all phases round should change nothing.")


def restart(answer):
    codebook = torch.arange(10.0).view(5, 2)
    counts = torch.tensor([3.0, 0.2, 1.0, 0.0, 7.0])
    rows = torch.tensor([[50.0, 51.0], [60.0, 61.0], [70.0, 71.0], [80.0, 81.0]])
    before = codebook.clone()
    got = answer(codebook, counts, rows)
    want = before.clone()
    want[[1, 3]] = rows[:2]
    used = before.clone()
    used[[0, 2, 4]] = rows[:3]
    edge = before.clone()
    edge[[1, 2, 3]] = rows[:3]
    mean = before.clone()
    mean[[1, 3]] = rows.mean(0)
    same = before.clone()
    same[[1, 3]] = rows[0]
    places = before.clone()
    places[[1, 3]] = rows[[1, 3]]
    zero = before.clone()
    zero[3] = rows[0]
    likely = (
        (used, "You replaced the entries in use.", "Unused are those with counts below 1."),
        (edge, "An entry used exactly once went too.", "Below 1, not up to 1."),
        (mean, "All got the mean of the rows.", "A latent each: means lie where nothing is."),
        (same, "All unused entries got the same row.", "The k-th unused entry gets row k."),
        (places, "You took the rows at the entries' places.", "The k-th unused entry: row k."),
        (
            zero,
            "Only the entry with a count of 0 was restarted.",
            "A running count is no whole number: below 1 is unused too.",
        ),
        (before, "No entry moved.", "codebook[unused] = rows[...]"),
    )
    for value, mistake, hint in likely:
        expect_close(got, value, mistake, hint, differs=True)
    expect_close(got, want, hint="How many are unused? As many rows, from the first on.")
    expect(
        torch.equal(codebook, before), "The codebook that came in was changed.", "clone() it first."
    )
    expect_close(answer(before, counts + 5, rows), before, "With none unused nothing should move.")


def plan_windows(answer):
    got = [tuple(int(n) for n in window) for window in answer(10, 4, 2)]
    expect(
        got != [(0, 0, 4), (4, 4, 8), (8, 8, 10)], "Your windows do not overlap.",
        "Each begins `hop` after the one before, not `context`.",
    )  # fmt: skip
    expect(
        got != [(0, 0, 4), (2, 2, 6), (4, 4, 8), (6, 6, 10)],
        "Every window is sampled anew: nothing of it is known.",
        "`known` is where the window before ended.",
    )
    expect(
        got != [(0, 2, 4), (2, 4, 6), (4, 6, 8), (6, 8, 10)],
        "In the first window nothing is known yet.", "It begins with known = 0.",
    )  # fmt: skip
    expect(
        len({start for start, _, _ in got}) == len(got), "Two windows begin at the same place.",
        "range(0, last, hop) leaves the last start out.",
    )  # fmt: skip
    expect(
        got != [(0, 0, 4), (2, 2, 6), (4, 2, 8), (6, 2, 10)],
        "You count `known` from the beginning of the window.", "It counts from the piece's.",
    )  # fmt: skip
    expect(
        got == [(0, 0, 4), (2, 4, 6), (4, 6, 8), (6, 8, 10)],
        f"For 10 codes, context 4 and hop 2 you gave {got}.",
        "Starts 0, 2, 4 and 6; each window ends 4 later; known is where the one before ended.",
    )  # fmt: skip
    got = [tuple(int(n) for n in window) for window in answer(9, 4, 2)]
    expect(
        all(end <= 9 for _, _, end in got), "A window runs beyond the piece.",
        "The last one is moved back to end with it.",
    )  # fmt: skip
    expect(got[-1][2] == 9, "The last codes are never sampled.", "Do not stop one window early.")
    expect(
        got[-1][0] != 6, "The last window is shorter than the others.",
        "Move its start back: it then sees more that is known.",
    )  # fmt: skip
    expect(
        got == [(0, 0, 4), (2, 4, 6), (4, 6, 8), (5, 8, 9)], f"For 9 codes you gave {got}.",
        "known is where the window before *ended*, wherever this one begins.",
    )  # fmt: skip
    expect([tuple(w) for w in answer(3, 4, 2)] == [(0, 0, 3)], "A short piece takes one window.")
