"""Calls the functions of homework 4 in the student's process."""

import torch

from course_lib.grading.drives import answer_of, heard  # noqa: F401


def laid(namespace, codes, delays, pad):
    grid, there = answer_of(namespace, "laid")(torch.from_numpy(codes), delays.tolist(), pad)
    return {"grid": grid, "there": there.to(torch.uint8)}


def known(namespace, frames, given, delays):
    cells, step = answer_of(namespace, "known")(frames, given, delays.tolist())
    return {"cells": cells.to(torch.uint8), "step": int(step)}


def loss(namespace, logits, grid, there):
    logits, grid, there = (torch.from_numpy(v) for v in (logits, grid, there))
    return {"loss": float(answer_of(namespace, "loss")(logits, grid, there.bool()))}


def nucleus(namespace, logits, p):
    found = answer_of(namespace, "nucleus")(torch.from_numpy(logits), p)
    inside = torch.isfinite(found)
    return {"inside": inside.to(torch.uint8), "values": found.where(inside, torch.tensor(0.0))}


def draw(namespace, logits, u, temperature, top_k):
    logits, u = torch.from_numpy(logits), torch.from_numpy(u)
    return {"codes": answer_of(namespace, "draw")(logits, u, temperature, top_k)}


def attend(namespace, q, k, v, split):
    q, k, v = (torch.from_numpy(x) for x in (q, k, v))
    function, memory, parts = answer_of(namespace, "attend"), None, []
    bounds = [0, split, q.shape[1]] if split else [0, q.shape[1]]
    for start, end in zip(bounds, bounds[1:], strict=False):
        new = (x[:, start:end] for x in (q, k, v))
        out, memory = function(*new) if memory is None else function(*new, memory)
        parts.append(out)
    return {"output": torch.cat(parts, 1), "keys": memory[0], "values": memory[1]}


def bits(namespace, logits, codes, frame_rate):
    logits, codes = torch.from_numpy(logits), torch.from_numpy(codes)
    each, saved = answer_of(namespace, "bits")(logits, codes, frame_rate)
    return {"each": torch.as_tensor(each), "saved": float(saved)}


def diagnosis(namespace):
    found = answer_of(namespace, "diagnosis")()
    return {"fault": str(found["fault"]), "number": int(found["number"])}
