"""Likely wrong answers to the exercises of notebook 08b."""

import math

import torch
import torch.nn.functional as F


def file_bytes__bits(frames, codebooks):
    return 30 + 9 * math.ceil(frames / 250) + frames * codebooks * 10 + 13


def file_bytes__codes_alone(frames, codebooks):
    return math.ceil(frames * codebooks * 10 / 8)


def file_bytes__one_block(frames, codebooks):
    return 30 + 9 + math.ceil(frames * codebooks * 10 / 8) + 13


def file_bytes__rounded_once(frames, codebooks):
    return 30 + 9 * math.ceil(frames / 250) + math.ceil(frames * codebooks * 10 / 8) + 13


def unpack__not_turned(data, codebooks, bits=10):
    text = "".join(f"{byte:08b}" for byte in data)
    frames = len(text) // (bits * codebooks)
    found = [int(text[i * bits : (i + 1) * bits], 2) for i in range(frames * codebooks)]
    return torch.tensor(found).view(codebooks, frames)


def unpack__with_filling(data, codebooks, bits=10):
    text = "".join(f"{byte:08b}" for byte in data)
    found = [int(text[i : i + bits], 2) for i in range(0, len(text), bits)]
    found = found[: len(found) // codebooks * codebooks]
    return torch.tensor(found).view(-1, codebooks).T


def unpack__ten_bits_always(data, codebooks, bits=10):
    text = "".join(f"{byte:08b}" for byte in data)
    frames = len(text) // (10 * codebooks)
    found = [int(text[i * 10 : (i + 1) * 10], 2) for i in range(frames * codebooks)]
    return torch.tensor(found, dtype=torch.int64).view(frames, codebooks).T


def ideal_bits__nats(logits, codes):
    return -logits.log_softmax(-1).gather(-1, codes[..., None]).sum().item()


def ideal_bits__mean(logits, codes):
    return -logits.log_softmax(-1).gather(-1, codes[..., None]).mean().item() / math.log(2)


def ideal_bits__no_softmax(logits, codes):
    return -logits.gather(-1, codes[..., None]).sum().item() / math.log(2)


def push_strided__drops_what_waits(x, rest, weight, stride):
    x = torch.cat([rest, x], -1)
    context = weight.shape[-1] - stride
    if x.shape[-1] < weight.shape[-1]:
        return x.new_zeros(len(x), len(weight), 0), x[..., x.shape[-1] - context :]
    return F.conv1d(x, weight, stride=stride), x[..., x.shape[-1] - context :]


def push_strided__forgets(x, rest, weight, stride):
    x = F.pad(x, (weight.shape[-1] - stride, 0))
    if x.shape[-1] < weight.shape[-1]:
        return x.new_zeros(len(x), len(weight), 0), rest
    return F.conv1d(x, weight, stride=stride), rest
