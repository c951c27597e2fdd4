"""Checks of the exercises of notebook 15b, melody, continuation and long pieces."""

import torch

from course_lib.notebook.expecting import Wrong, expect, expect_close


def classes_of(answer):
    seeded = torch.Generator().manual_seed(0)
    chroma = torch.rand(2, 12, 5, generator=seeded)
    chroma[0, :, 1] = chroma[1, :, 4] = 0.0
    weakest = chroma.argmin(1, keepdim=True)
    chroma.scatter_(1, weakest, 0.0)  # a frame may sound in which one class is silent
    got = answer(chroma)
    silent = chroma.amax(1) == 0
    likely = (
        (chroma.argmax(1), "Silence became C.", "Where all twelve are 0, the answer is 12."),
        (chroma.argmin(1), "Those are the weakest classes.", "argmax."),
        (
            torch.where(silent, 12, chroma.argmin(1)),
            "Those are the weakest classes.",
            "argmax.",
        ),
        (
            torch.where(silent, 0, chroma.argmax(1) + 1),
            "You count classes from 1 and silence as 0.",
            "Classes are 0 to 11, silence is 12.",
        ),
        (
            torch.where(silent, -1, chroma.argmax(1)),
            "Silence is -1 in your answer.",
            "12 is asked for.",
        ),
        (
            torch.full((2, 5), 12),
            "A frame is silent in your answer where any class is.",
            "Where all twelve are 0: amax rather than amin.",
        ),
    )
    for value, mistake, hint in likely:
        expect_close(got, value, mistake, hint, differs=True)
    if torch.is_tensor(got):
        expect(
            got.shape != (2, 12),
            "You looked for the strongest frame of each class.",
            "The strongest class of each frame: dimension 1.",
        )
        expect(
            got.shape != chroma.shape,
            "That is one-hot.",
            "The number of the class is asked for: argmax alone.",
        )
    expect_close(got, torch.where(silent, 12, chroma.argmax(1)), hint="argmax(1), then silence.")
    expect(
        torch.as_tensor(got).dtype == torch.int64,
        "The classes are not int64.",
        "argmax gives int64.",
    )
    quiet = answer(1e-6 * chroma)
    expect_close(
        quiet, torch.where(silent, 12, chroma.argmax(1)), "Quiet frames became silence.", "> 0"
    )


def stretch(answer):
    slow = torch.arange(12.0)[:, None] * 100 + torch.arange(4.0)  # [12, 4]
    try:
        got = answer(slow, 8.0, 30, 50.0)
    except IndexError as error:
        if "out of" not in str(error):  # of bounds, or of range
            raise
        raise Wrong(
            "You look for frames after the last.", "The last one stays: clamp(max=...)."
        ) from None
    seconds = torch.arange(30) / 50.0

    def at(places):
        return slow[:, places.long().clamp(0, 3)]

    expect(
        not torch.is_tensor(got) or got.shape[-1] == 30,
        f"You gave {got.shape[-1] if torch.is_tensor(got) else got} frames, not 30.",
        "One for each frame of the codec.",
    )
    likely = (
        (at((seconds * 8).floor()), "You rounded down.", "The nearest: round()."),
        (at((seconds * 8).ceil()), "You rounded up.", "The nearest: round()."),
        (
            slow[:, (seconds * 8).round().long() % 4],
            "After the last frame it begins anew.",
            "The last one stays: clamp(max=...).",
        ),
        (
            slow[:, torch.arange(30).clamp(max=3)],
            "Both have the same rate in your answer.",
            "Frame i is at i / fast_rate seconds.",
        ),
        (
            at((torch.arange(30) * 50.0 / 8).round()),
            "You turned the two rates round.",
            "Seconds are i / fast_rate; their frame of `slow` is seconds * rate.",
        ),
        (
            at((torch.arange(30) * 4 / 30).floor()),
            "You spread `slow` over all frames, whatever the rates.",
            "The rates say where a frame is.",
        ),
        (
            at((seconds * 8).round()) * ((seconds * 8).round() < 4),
            "After the last frame it is silent in your answer.",
            "In this exercise the last one stays: clamp(max=...).",
        ),
        (
            slow[:, :1] + (seconds * 8).clamp(max=3),
            "You mixed two neighbours.",
            "The nearest, alone: round().",
        ),
    )
    for value, mistake, hint in likely:
        expect_close(got, value, mistake, hint, differs=True)
    expect_close(got, at((seconds * 8).round()), hint="(i / fast_rate * rate).round()")
    expect_close(answer(slow, 50.0, 4, 50.0), slow, "At the same rate nothing should change.")


def melody_accuracy(answer):
    given = torch.tensor([0, 4, 7, 12, 12, 2, 9, 12])
    heard = torch.tensor([0, 4, 5, 12, 3, 12, 9, 12])
    got = answer(given, heard)  # both sound in frames 0, 1, 2, 6; three agree
    likely = (
        (5 / 8, "Silence that agrees counts in your answer.", "Leave out what is silent in one."),
        (3 / 8, "You divided by all frames.", "By those that sound in both."),
        (3 / 5, "You divided by the frames in which the melody sounds.", "In both, says the task."),
        (5 / 6, "You divided by the frames in which either sounds.", "Both must sound."),
        (3 / 6, "You left out only what is silent in both.", "What is silent in one, too."),
        (75.0, "That is in percent.", "A share is from 0 to 1."),
        (1 / 4, "That is the share that disagrees.", "== rather than !=."),
        (3.0, "That is how many agree.", "Divide by how many sound in both."),
    )
    for value, mistake, hint in likely:
        expect_close(got, value, mistake, hint, differs=True)
    expect_close(got, 3 / 4, hint="both = (given < 12) & (heard < 12)")


def steps_written(answer):
    got = answer([200, 120, 80], 4)
    likely = (
        (400, "The delay is missing.", "The last codebook of a window comes K - 1 steps later."),
        (403, "The delay is waited for only once.", "Each window waits anew."),
        (1600, "That is flattening: a step for each code.", "Codebooks share steps."),
        (412, "A delay of K steps is one too many.", "Codebook 0 has none: K - 1."),
        (1209, "You counted all windows as long as the first.", "Each writes its own frames."),
        (406, "The first window waits too.", "Each window, also the first: K - 1 more."),
    )
    for value, mistake, hint in likely:
        expect_close(got, value, mistake, hint, differs=True)
    expect_close(got, 409, hint="Sum frames + codebooks - 1 over the windows.")
    expect_close(answer([10], 1), 10, "A single codebook has no delay.")
