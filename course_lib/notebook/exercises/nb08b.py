"""Checks of the exercises of notebook 08b, codec files."""

import math

import torch
import torch.nn.functional as F

from course_lib.notebook.expecting import expect, expect_close


def file_bytes(answer):
    got = answer(100, 4)
    whole = 30 + 9 + 500 + 13
    expect_close(
        got, 30 + 9 + 4000 + 13, "Those are bits where bytes belong.", "A byte is 8 bits.",
        differs=True,
    )  # fmt: skip
    expect_close(got, 500, "Those are the codes alone.", "Add header, block and end.", differs=True)
    expect_close(
        got, 30 + 9 + 125 + 13, "Every frame has 4 codes.", "frames x codebooks.", differs=True
    )
    expect_close(got, whole, "100 frames of 4 codes should take 552 bytes.", "30 + 9 + 500 + 13.")
    expect_close(
        answer(500, 8), 30 + 2 * (9 + 2500) + 13, "500 frames make two blocks.",
        "Each block adds 9 bytes.",
    )  # fmt: skip
    expect_close(
        answer(251, 1), 30 + (9 + 313) + (9 + 2) + 13, "251 frames: the last block has one.",
        "Each block's codes are rounded up to bytes by themselves.",
    )  # fmt: skip
    expect_close(answer(1, 1), 54, "One code takes 2 bytes: rounded up.", "math.ceil.")


def unpack(answer):
    codes = torch.tensor([[1, 3, 700], [512, 0, 1023], [5, 6, 7]])
    text = "".join(f"{code:010b}" for code in codes.T.flatten().tolist())
    text += "0" * (-len(text) % 8)
    data = bytes(int(text[i : i + 8], 2) for i in range(0, len(text), 8))
    got = answer(data, 3)
    expect(isinstance(got, torch.Tensor), "The codes should be a tensor.", "torch.tensor(list).")
    expect(got.dtype == torch.int64, f"The codes are {got.dtype}, not int64.")
    expect_close(
        got, codes.T, "Frames and codebooks are exchanged.",
        "Frames come one after the other: make [frames, codebooks] first, then turn it.",
        differs=True,
    )  # fmt: skip
    expect_close(got, codes, hint="Print the bits of the first code: 0000000001.")
    one = answer(bytes([0b00000000, 0b01000000]), 1)
    expect_close(
        one, torch.tensor([[1]]), "The filling of the last byte became a code.",
        "16 bits hold one code of 10; the other 6 are filling.",
    )  # fmt: skip
    expect_close(
        answer(bytes([0b10010000]), 2, 3), torch.tensor([[4], [4]]), "Codes may have other bits.",
        "Use `bits`, not 10.",
    )  # fmt: skip


def ideal_bits(answer):
    generator = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(2, 5, 8, generator=generator)
    codes = torch.randint(8, (2, 5), generator=generator)
    got = float(answer(logits.clone(), codes.clone()))
    nats = F.cross_entropy(logits.flatten(0, 1), codes.flatten(), reduction="sum").item()
    total = nats / math.log(2)
    expect_close(got, nats, "Those are nats.", "Divide by ln 2.", differs=True)
    expect_close(got, total / 10, "That is the mean.", "Add up all codes.", differs=True)
    expect_close(got, -total, "Bits should be positive: -log2 p.", differs=True)
    raw = -logits.gather(-1, codes[..., None]).sum().item() / math.log(2)
    expect_close(
        got, raw, "Logits are no logarithms of probabilities yet.", "log_softmax makes them so.",
        differs=True,
    )  # fmt: skip
    expect_close(
        got, total, hint="Try one codebook, one frame, two entries with equal logits: 1 bit."
    )


def push_strided(answer):
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(4, 2, 4, generator=generator)
    x = torch.randn(1, 2, 24, generator=generator)
    want = F.conv1d(F.pad(x, (2, 0)), weight, stride=2)  # [1, 4, 12]
    y, rest = answer(x.clone(), torch.zeros(1, 2, 2), weight, 2)
    expect_close(y, want, "One chunk should give what the whole signal gives.", "conv1d(stride=…).")
    expect_close(
        rest, x[..., 22:], "The rest should begin where the next output begins.",
        "The next output begins at sample f x stride of rest and chunk together.",
    )  # fmt: skip
    for size in (4, 3, 1):
        rest, parts = torch.zeros(1, 2, 2), []
        for chunk in x.split(size, -1):
            y, rest = answer(chunk.clone(), rest, weight, 2)
            parts.append(y)
        got = torch.cat(parts, -1)
        expect(
            got.shape == want.shape,
            f"In chunks of {size} there are {got.shape[-1]} outputs, not 12.",
            "What is not enough for an output must wait in the rest.",
        )
        expect_close(got, want, f"In chunks of {size} the outputs differ from the whole's.")
