"""Checks of homework 4, a language model of codec codes. The marks come from other inputs."""

import math

import torch

from course_lib.notebook.expecting import expect, expect_close, expect_record

FAULTS = ("kept", "early", "crossed", "echoed", "frozen")


def laid(answer):
    codes = torch.tensor([[1, 2, 3], [4, 5, 6]])  # [2, 3]
    got = answer(codes.clone(), [0, 2], 9)
    expect(isinstance(got, tuple) and len(got) == 2, "The answer should be two: grid and where.")
    grid, there = got
    expect(grid.shape == (2, 5), f"The grid is {list(grid.shape)}, not [K, F + the longest delay].")
    expect(grid[1, 1] != 4, "Codebook 1 is delayed by 1, not by its delay of 2.", "delays[k]")
    expect_close(grid, [[1, 2, 3, 9, 9], [9, 9, 4, 5, 6]], hint="Row k begins at step delays[k].")
    expect(there.dtype == torch.bool, "Where codes are is not bool.")
    expect_close(there, [[1, 1, 1, 0, 0], [0, 0, 1, 1, 1]])
    where = answer(torch.tensor([[9, 1]]), [1], 9)[1]
    expect_close(where, [[0, 1, 1]], "A code that equals the pad is still a code.",
                 "Say where by place, not by value.")  # fmt: skip


def known(answer):
    got = answer(4, 2, [0, 1, 3])
    expect(isinstance(got, tuple) and len(got) == 2, "The answer should be two: cells and step.")
    cells, step = got
    wanted = [[1, 1, 0, 0, 0, 0, 0], [0, 1, 1, 0, 0, 0, 0], [0, 0, 0, 1, 1, 0, 0]]
    expect_close(cells, [[1, 1] + 5 * [0]] * 3, "Those are steps, not frames.",
                 "Frame f of codebook k is at f + d_k.", differs=True)  # fmt: skip
    expect_close(cells, wanted)
    expect(step != 5, "That is where the last codebook begins to write.", "The first does earlier.")
    expect(step == 2, f"The first step to be written is not {step}.", "Frame P of codebook 0.")


def loss(answer):
    logits = torch.zeros(2, 3, 4)  # [2, 3, 4]
    logits[1, 0, 2] = 50.0
    grid = torch.tensor([[0, 1, 7], [1, 7, 7]])  # [2, 3]
    there = torch.tensor([[True, True, False], [True, False, False]])  # [2, 3]
    got = answer(logits, grid, there)
    low = math.log(4)
    expect_close(got, (2 * low + 50) / 3, "A mean over all cells: the longer codebook counts more.",
                 "First each codebook, then their mean.", differs=True)  # fmt: skip
    expect_close(
        got, (low + 50) / 2, hint="Cross entropy of (K S, V), times where, over its count."
    )
    nothing = answer(logits, grid, torch.tensor([[True, True, False], [False, False, False]]))
    expect_close(nothing, low / 2, "A codebook without codes should count as 0.")


def nucleus(answer):
    logits = torch.tensor([[0.1, 0.5, 0.15, 0.25]]).log()  # [1, 4]
    got = answer(logits, 0.7)
    expect(torch.isfinite(got[0, 1]), "The most probable entry is out.", "Sort downwards.")
    expect(
        torch.isfinite(got[0, 3]), "0.5 alone is less than 0.7.", "The one that crosses p stays."
    )
    expect(not torch.isfinite(got[0, [0, 2]]).any(), "0.5 and 0.25 are enough.")
    expect_close(got[0, [1, 3]], logits[0, [1, 3]], "Those that stay have changed.")
    expect(torch.isfinite(answer(logits, 0.01)).sum() == 1, "With a small p, one entry stays.")


def draw(answer):
    logits = torch.tensor([[0.2, 0.5, 0.3]]).log().expand(4, 3)  # [4, 3]
    u = torch.tensor([0.0, 0.25, 0.69, 0.71])  # [4]
    got = answer(logits, u, 1.0, 3)
    expect(got.dtype == torch.int64, "The codes are not int64.")
    expect_close(got, [0, 1, 1, 2], hint="The first entry whose cumulative probability exceeds u.")
    expect_close(answer(logits, u, 1.0, 2), [1, 1, 2, 2], "The top 2 are entries 1 and 2.",
                 "Their probabilities are made to sum to one again.")  # fmt: skip
    cold = answer(logits, torch.tensor([0.1, 0.1, 0.1, 0.9]), 0.2, 3)
    expect_close(cold, [1, 1, 1, 1], "A low temperature should sharpen.", "Divide by it.")


def attend(answer):
    torch.manual_seed(1)
    q, k, v = torch.randn(3, 2, 5, 4).unbind(0)  # each [2, 5, 4]
    whole, _ = answer(q, k, v)
    wanted = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    free = torch.nn.functional.scaled_dot_product_attention(q, k, v)
    expect_close(whole, free, "It looks ahead.", "Mask what comes later.", differs=True)
    expect_close(whole, wanted, hint="Scale by the root of D, softmax over keys.")
    _, memory = answer(q[:, :3], k[:, :3], v[:, :3])
    expect(len(memory) == 2 and memory[0].shape == (2, 3, 4), "The memory is (keys, values).")
    last, memory = answer(q[:, 3:], k[:, 3:], v[:, 3:], memory)
    expect_close(last, wanted[:, 3:], "With a memory the result differs from all at once.",
                 "New position i sees memory and new ones up to i: triu(M + 1).")  # fmt: skip
    expect_close(memory[0], k, "The memory has not grown by the new keys.")


def bits(answer):
    logits = torch.zeros(2, 3, 4)  # [2, 3, 4]
    logits[1, :, 1] = 40.0
    got = answer(logits, torch.tensor([[0, 1, 2], [1, 1, 1]]), 50.0)
    expect(isinstance(got, tuple) and len(got) == 2, "The answer should be two: bits and share.")
    each, saved = got
    expect_close(each[0], 100 * math.log(2), "Nats, not bits.", "Divide by log 2.", differs=True)
    expect_close(each, [100.0, 0.0], hint="-mean(log2 p) * frames a second")
    expect_close(saved, 0.5, hint="1 - bits / (K log2 V frames a second)")


def diagnosis(answer):
    got = answer()
    expect(isinstance(got, dict), "The answer should be a dict.", "fault and number")
    expect(got.get("fault") in FAULTS, f"The fault is one of {', '.join(FAULTS)}.")
    number = got.get("number")
    expect(type(number) is int and 1 <= number <= 3, "The codebook is a whole number, 1 to 3.")


def heard(answer):
    expect_record(answer)
