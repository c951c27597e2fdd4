"""Checks of homework 5, finding music by words. The marks come from other, hidden inputs."""

import math

import torch

from course_lib.notebook.expecting import expect, expect_close, expect_record

FAULTS = ("shifted", "loud", "collapsed", "negated", "cut")


def contrastive(answer):
    a, b = torch.eye(2) * 3, torch.eye(2)  # [2, 2]
    differ = torch.eye(2, dtype=torch.bool)
    got = answer(a, b, differ, 2.0)
    wanted = math.log(1 + math.exp(-2.0))
    expect_close(got, math.log(1 + math.exp(-6.0)), "Cosines, not products.", "Normalise first.",
                 differs=True)  # fmt: skip
    expect_close(got, 2 * wanted, "Rows and columns added.", "Their mean.", differs=True)
    expect_close(got, wanted, hint="Cross entropy with a target of 1 on the diagonal.")
    twins = answer(a, b, torch.ones(2, 2, dtype=torch.bool), 2.0)
    expect_close(twins, wanted, "Twins change nothing.", "Spread the target over them.",
                 differs=True)  # fmt: skip
    expect_close(twins, wanted + 1.0, hint="Half of the target on each of the two.")


def search(answer):
    similarity = torch.tensor([[0.9, 0.1, 0.2], [0.5, 0.5, 0.1], [0.8, 0.7, 0.6]])  # [3, 3]
    got = answer(similarity, 2)
    expect(isinstance(got, tuple) and len(got) == 3, "The answer should be three.")
    ranks, recall, median = got
    expect_close(ranks, [0, 0, 2], "The best rank is 1.", differs=True)
    expect_close(ranks, [1, 1, 3], "Ties count for you.", "Count all that are at least as near.",
                 differs=True)  # fmt: skip
    expect_close(ranks, [1, 2, 3], hint="How many are at least as near as the right one?")
    expect_close(recall, 2 / 3, hint="The share of ranks up to k.")
    expect_close(median, 2.0, "The median rank is wrong.")
    even = answer(torch.tensor([[1.0, 0.0], [1.0, 0.5]]), 1)[2]
    expect_close(even, 1.5, "Of an even number, the mean of the two in the middle.")


def interval(answer):
    ranks = torch.tensor([1, 9])  # [2]
    draws = torch.tensor([[0, 0]] * 39 + [[1, 1]])  # [40, 2]
    got = answer(ranks, 5, draws)
    expect(isinstance(got, tuple) and len(got) == 2, "The answer should be two numbers.")
    expect_close(got[1], 1.0, "The high end is wrong.", "The 97.5 % quantile of recalls.")
    expect_close(got[0], 0.975, hint="The 2.5 % quantile, as torch.quantile has it.")


def gap(answer):
    a = torch.tensor([[1.0, 0.0], [0.6, 0.8]])  # [2, 2]
    b = torch.tensor([[-1.0, 0.0], [-0.6, 0.8]])  # [2, 2]
    got = answer(a, b)
    expect(isinstance(got, tuple) and len(got) == 2, "The answer should be two: gap and cosines.")
    apart, cosines = got
    expect_close(apart, 2.56, "That is its square.", "norm()", differs=True)
    expect_close(apart, 1.6, hint="The distance between the two means.")
    expect(cosines.shape == (2, 2), "The cosines are not [N, M].")
    expect(float(cosines.abs().max()) < 1.001, "Those are no cosines.", "Of length 1 again.")
    expect_close(cosines, [[0.6, -0.6], [-0.6, 0.6]], "Was each side's own mean taken off?")


def classes(answer):
    sentences = torch.tensor([[[4.0, 0.0], [0.0, 1.0]], [[-1.0, 0.0], [-1.0, 0.0]]])  # [2, 2, 2]
    sounds = torch.tensor([[0.0, 1.0], [-1.0, 0.2]])  # [2, 2]
    got = answer(sounds, sentences)
    expect(isinstance(got, tuple) and len(got) == 2, "The answer should be two.")
    vectors, chosen = got
    expect_close(vectors[0], [0.9701, 0.2425], "A long sentence vector counts more.",
                 "Of length 1 before the mean.", differs=True)  # fmt: skip
    expect_close(vectors[0], [0.5, 0.5], "The mean is not of length 1.", differs=True)
    expect_close(vectors, [[0.5**0.5, 0.5**0.5], [-1.0, 0.0]])
    expect_close(chosen, [0, 1], "The classes are not the nearest.")


def rivals(answer):
    similarity = torch.tensor([[0.9, 0.8, 0.1], [0.3, 0.2, 0.7]])  # [2, 3]
    same = torch.tensor([[True, False, False], [False, True, True]])  # [2, 3]
    got = answer(similarity, same, 2)
    expect(got.dtype == torch.int64, "The clips are not int64.")
    expect_close(got[0], [0, 1], "A right clip is no rival.", "Take `same` out.", differs=True)
    expect_close(got[0], [1, 2], hint="Sort downwards.")
    expect_close(got[1], [0, -1], "Query 1 has one rival only.", "Fill up with -1.")


def diagnosis(answer):
    got = answer()
    expect(isinstance(got, dict), "The answer should be a dict.", "fault and number")
    expect(got.get("fault") in FAULTS, f"The fault is one of {', '.join(FAULTS)}.")
    number = got.get("number")
    expect(type(number) is int and 0 <= number < 128, "The number is a whole number, 0 to 127.")


def heard(answer):
    expect_record(answer)


def my_tune(answer):
    got = answer()
    expect(isinstance(got, dict), "The answer should be a dict.")
    names = ("tune", "caption", "sound", "rank")
    expect(all(k in got for k in names), f"The answer needs {', '.join(names)}.")
    expect(len(str(got["caption"]).split()) >= 3, "That caption says next to nothing.")
    sound = torch.as_tensor(got["sound"])
    expect(sound.shape == (64000,), f"The sound is {list(sound.shape)}, not [64000].")
    expect(type(got["rank"]) is int and 1 <= got["rank"] <= 25, "The rank is from 1 to 25.")
