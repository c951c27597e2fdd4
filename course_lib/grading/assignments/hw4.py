"""The hidden side of homework 4, a language model of codec codes."""

import math

import numpy as np

from course_lib.grading import pairs
from course_lib.grading.assignments import hw4_planted as planted
from course_lib.grading.judging import differences, mark
from course_lib.grading.task import Task

DRIVES = "course_lib.grading.drives.hw4"


def _normal(random, *shape):
    return random.standard_normal(shape).astype(np.float32)


def _softmax(x):
    p = np.exp(x - x.max(-1, keepdims=True))
    return p / p.sum(-1, keepdims=True)


def _laid_cases(random):
    cases = []
    for delays in ([0, 1, 2, 3], [0, 1, 2], [0, 3, 1, 1], [2, 0, 4]):
        codes = random.integers(0, 30, (len(delays), int(random.integers(5, 12))))
        codes[0, 1] = 17  # the pad, as a code
        cases.append({"codes": codes, "delays": np.array(delays), "pad": 17})
    return cases


def _grid(case):
    codes, delays = case["codes"], case["delays"]
    grid = np.full((len(codes), codes.shape[1] + delays.max()), case["pad"])
    there = np.zeros_like(grid)
    for row, delay in enumerate(delays):
        grid[row, delay : delay + codes.shape[1]] = codes[row]
        there[row, delay : delay + codes.shape[1]] = 1
    return grid, there


def _judge_laid(cases, answers):
    grids = [{"grid": _grid(case)[0]} for case in cases]
    there = [{"there": _grid(case)[1]} for case in cases]
    return [
        mark("delays that grow by one", 1, differences(answers[:2], grids[:2])),
        mark("any delays", 1, differences(answers[2:], grids[2:])),
        mark("where codes are", 1, differences(answers, there)),
    ]


def _known_cases(random):
    cases = []
    for delays in ([0, 1, 2, 3], [0, 2, 2], [1, 3, 1]):
        frames = int(random.integers(8, 15))
        given = int(random.integers(2, frames - 2))
        cases.append({"frames": frames, "given": given, "delays": np.array(delays)})
    return cases


def _judge_known(cases, answers):
    cells, steps = [], []
    for case in cases:
        place = np.arange(case["frames"] + case["delays"].max())
        first = case["delays"][:, None]
        cells.append({"cells": ((place >= first) & (place < first + case["given"])).astype(int)})
        steps.append({"step": int(case["given"] + case["delays"].min())})
    return [
        mark("the known cells", 1, differences(answers, cells)),
        mark("the first step to be written", 1, differences(answers, steps)),
    ]


def _loss_cases(random):
    cases = []
    for even in (1, 1, 0, 0):
        there = np.zeros((3, 12), np.uint8)
        lengths = [7, 7, 7] if even else random.permutation([3, 9, 0]).tolist()
        for row, length in enumerate(lengths):
            there[row, row : row + length] = 1
        grid = np.where(there, random.integers(0, 6, there.shape), 99)
        cases.append({"logits": _normal(random, 3, 12, 6) * 2, "grid": grid, "there": there})
    return cases


def _judge_loss(cases, answers):
    wanted = []
    for case in cases:
        log = np.log(_softmax(case["logits"].astype(np.float64)))
        there = case["there"].astype(bool)
        means = [
            -log[k][np.flatnonzero(there[k]), case["grid"][k][there[k]]].mean()
            if there[k].any()
            else 0.0
            for k in range(3)
        ]
        wanted.append({"loss": float(np.mean(means))})
    return [
        mark("codes alone", 1, differences(answers[:2], wanted[:2])),
        mark("a mean of means", 1, differences(answers[2:], wanted[2:])),
    ]


def _nucleus_cases(random):
    return [
        {"logits": _normal(random, 20, 30) * scale, "p": float(random.uniform(0.3, 0.9))}
        for scale in (1.0, 3.0)
    ]


def _judge_nucleus(cases, answers):
    inside, values = [], []
    for case in cases:
        p = _softmax(case["logits"].astype(np.float64))
        order = np.argsort(-p, axis=1)
        ordered = np.take_along_axis(p, order, 1)
        kept = ordered.cumsum(1) - ordered < case["p"]
        stays = np.zeros_like(kept)
        np.put_along_axis(stays, order, kept, 1)
        inside.append({"inside": stays.astype(int)})
        values.append({"values": np.where(stays, case["logits"], 0)})
    kept = differences(answers, inside)
    return [
        mark("which stay", 1, kept),
        mark("as they are", 1, kept or differences(answers, values)),
    ]


def _draw_cases(random):
    cases = []
    for top_k in (12, 12, 4, 2):
        u = random.uniform(0, 1, 200).astype(np.float32)
        temperature = float(random.choice([0.6, 1.7]))
        cases.append({"logits": _normal(random, 200, 12) * 2, "u": u, "temperature": temperature})
        cases[-1]["top_k"] = top_k
    return cases


def _judge_draw(cases, answers):
    wanted = []
    for case in cases:
        logits = case["logits"].astype(np.float64)
        least = np.sort(logits, 1)[:, -case["top_k"], None]
        kept = np.where(logits < least, -np.inf, logits / case["temperature"])
        reached = _softmax(kept).cumsum(1)
        codes = (reached <= case["u"][:, None]).sum(1).clip(max=11)
        # Where u falls on an edge, a rounding decides: such a draw is left out on both sides.
        edge = np.abs(reached - case["u"][:, None]).min(1) < 1e-5
        wanted.append(({"codes": codes}, edge))
    found = []
    for answer, (want, edge) in zip(answers, wanted, strict=True):
        codes = answer.get("codes") if isinstance(answer, dict) else None
        if codes is not None and np.shape(codes) == edge.shape:
            answer = {"codes": np.where(edge, want["codes"], codes)}
        found.append(answer)
    wants = [want for want, _ in wanted]
    return [
        mark("with all entries", 1, differences(found[:2], wants[:2])),
        mark("with the top k", 1, differences(found[2:], wants[2:])),
    ]


def _attend_cases(random):
    return [
        {name: _normal(random, 2, 7, 6) for name in "qkv"} | {"split": split}
        for split in (0, 0, 3, 6)
    ]


def _judge_attend(cases, answers):
    outputs, memories = [], []
    for case in cases:
        q, k, v = (case[name].astype(np.float64) for name in "qkv")
        scores = q @ k.transpose(0, 2, 1) / math.sqrt(q.shape[-1])
        scores[:, np.triu(np.ones(scores.shape[1:], bool), 1)] = -np.inf
        outputs.append({"output": _softmax(scores) @ v})
        memories.append({"keys": case["k"], "values": case["v"]})
    return [
        mark("without a memory", 1, differences(answers[:2], outputs[:2])),
        mark("with one", 1, differences(answers[2:], outputs[2:])),
        mark("the memory handed on", 1, differences(answers, memories)),
    ]


def _bits_cases(random):
    return [
        {"logits": _normal(random, k, 20, 16) * 3, "codes": random.integers(0, 16, (k, 20))}
        | {"frame_rate": rate}
        for k, rate in ((2, 50.0), (4, 75.0))
    ]


def _judge_bits(cases, answers):
    each, saved = [], []
    for case in cases:
        p = _softmax(case["logits"].astype(np.float64))
        chosen = np.take_along_axis(p, case["codes"][..., None], 2)[..., 0]
        rates = -np.log2(chosen).mean(1) * case["frame_rate"]
        each.append({"each": rates})
        saved.append({"saved": float(1 - rates.sum() / (len(rates) * 4 * case["frame_rate"]))})
    return [
        mark("bits a second", 1, differences(answers, each)),
        mark("the share that is saved", 1, differences(answers, saved)),
    ]


TASKS = (
    Task("laid", "build", 3, _laid_cases, f"{DRIVES}:laid", _judge_laid),
    Task("known", "build", 2, _known_cases, f"{DRIVES}:known", _judge_known),
    Task("loss", "build", 2, _loss_cases, f"{DRIVES}:loss", _judge_loss),
    Task("nucleus", "build", 2, _nucleus_cases, f"{DRIVES}:nucleus", _judge_nucleus),
    Task("draw", "build", 2, _draw_cases, f"{DRIVES}:draw", _judge_draw),
    Task("attend", "build", 3, _attend_cases, f"{DRIVES}:attend", _judge_attend),
    Task("bits", "build", 2, _bits_cases, f"{DRIVES}:bits", _judge_bits),
    Task("diagnosis", "diagnose", 4, planted.diagnosis_cases, f"{DRIVES}:diagnosis",
         planted.judge_diagnosis, planted.plant_diagnosis),
    Task("heard", "listen", 5, pairs.cases, f"{DRIVES}:heard", pairs.judge, planted.plant_heard,
         by_hand=(("the argument", 3),)),
)  # fmt: skip
