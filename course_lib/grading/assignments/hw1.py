"""The hidden side of homework 1, vector quantization: build, and what is one's own."""

import math

import numpy as np

from course_lib.grading import pairs
from course_lib.grading.assignments import hw1_planted as planted
from course_lib.grading.judging import difference, differences, failed, mark, not_own
from course_lib.grading.task import Failed, Task

DRIVES = "course_lib.grading.drives.hw1"


def _frames(random, *shape):
    return random.standard_normal(shape).astype(np.float32)


def _nearest_cases(random):
    cases = []
    for paid in (False, False, True, True):
        count, size, width = (int(n) for n in random.integers((30, 5, 2), (60, 20, 9)))
        price = np.abs(_frames(random, size)) * (4 if paid else 0)
        x, codebook = _frames(random, count, width) * 2 + 1, _frames(random, size, width) * 2
        cases.append({"x": x, "codebook": codebook, "price": price.astype(np.float32)})
    return cases


def _codes(case):
    apart = case["x"][:, None].astype(np.float64) - case["codebook"]  # [N, V, D]
    return ((apart**2).sum(2) + case["price"]).argmin(1)  # [N]


def _judge_nearest(cases, answers):
    wanted = [{"codes": _codes(case)} for case in cases]
    return [
        mark("the nearest entry", 1, differences(answers[:2], wanted[:2])),
        mark("with a price", 1, differences(answers[2:], wanted[2:])),
    ]


def _straight_cases(random):
    names = ("z", "e", "slope")
    return [
        {name: _frames(random, 7, 4) for name in names} | {"beta": float(random.uniform(0.1, 0.9))}
        for _ in range(2)
    ]


def _judge_straight(cases, answers):
    def wanted(criterion):
        return [criterion(c["z"].astype(np.float64), c["e"], c["slope"], c["beta"]) for c in cases]

    nothing = np.zeros((7, 4))
    criteria = {
        "the value of e": lambda z, e, slope, beta: {"values": e},
        "the gradient of z, none for e": lambda z, e, slope, beta: {
            "values_to_z": slope,
            "values_to_e": nothing,
        },
        "the commitment": lambda z, e, slope, beta: {"commitment": beta * ((z - e) ** 2).mean()},
        "the commitment trains the encoder alone": lambda z, e, slope, beta: {
            "commitment_to_e": nothing,
        },
    }
    marks = [mark(name, 1, differences(answers, wanted(c))) for name, c in criteria.items()]
    if not marks[3].words and not all(_reaches(a["commitment_to_z"]) for a in answers):
        marks[3] = mark(marks[3].criterion, 1, "the commitment reaches nothing")
    return marks


def _reaches(gradient):
    return np.isfinite(gradient).all() and np.abs(gradient).max() > 0


def _ema_cases(random):
    cases = []
    for _ in range(3):
        size, count = 9, 40
        cases.append(
            {
                "sums": _frames(random, size, 5) * 3,
                "counts": random.uniform(0.5, 9, size).astype(np.float32),
                "x": _frames(random, count, 5) + 2,
                "codes": random.integers(0, size - 2, count),  # the last two get nobody
                "decay": float(random.uniform(0.8, 0.99)),
                "eps": 0.05,
            }
        )
    return cases


def _averages(case):
    arrived, counted = np.zeros_like(case["sums"], np.float64), np.zeros(len(case["sums"]))
    np.add.at(arrived, case["codes"], case["x"])
    np.add.at(counted, case["codes"], 1)
    decay, eps = case["decay"], case["eps"]
    sums = decay * case["sums"] + (1 - decay) * arrived
    counts = decay * case["counts"] + (1 - decay) * counted
    total = counts.sum()
    smoothed = (counts + eps) / (total + len(counts) * eps) * total
    return {"sums": sums, "counts": counts, "codebook": sums / smoothed[:, None]}


def _judge_ema(cases, answers):
    wanted = [_averages(case) for case in cases]
    marks = []
    for key in ("counts", "sums"):
        marks.append(mark(key, 1, differences(answers, [{key: w[key]} for w in wanted])))
    # What follows from the student's own sums and counts: an error there counts once.
    follows = [_follows(case, a) for case, a in zip(cases, answers, strict=True)]
    return [*marks, mark("the codebook follows", 1, next(filter(None, follows), ""))]


def _follows(case, answer):
    if isinstance(answer, Failed):
        return answer.words
    counts, eps = np.asarray(answer["counts"], np.float64), case["eps"]
    total = counts.sum()
    smoothed = (counts + eps) / (total + len(counts) * eps) * total
    said = difference(answer["codebook"], answer["sums"] / smoothed[:, None])
    return f"`codebook` {said}" if said else ""


def _farthest_cases(random):
    return [{"x": _frames(random, 50, 6), "size": size} for size in (2, 2, 9, 12)]


def _farthest(case):
    x = case["x"].astype(np.float64)
    chosen, apart = [0], ((x - x[0]) ** 2).sum(1)
    while len(chosen) < case["size"]:
        chosen.append(int(apart.argmax()))
        apart = np.minimum(apart, ((x - x[chosen[-1]]) ** 2).sum(1))
    return {"codebook": case["x"][chosen]}


def _judge_farthest(cases, answers):
    wanted = [_farthest(case) for case in cases]
    return [
        mark("the second is the farthest from the first", 1, differences(answers[:2], wanted[:2])),
        mark("each is the farthest from all before", 1, differences(answers[2:], wanted[2:])),
    ]


def _perplexity_cases(random):
    cases = []
    for size in (32, 50, 64):
        weights = random.dirichlet(np.full(size - 9, 0.7))
        cases.append({"codes": random.choice(size - 9, 400, p=weights), "size": size})
    return cases


def _judge_perplexity(cases, answers):
    effective, unused = [], []
    for case in cases:
        counts = np.bincount(case["codes"], minlength=case["size"])
        share = counts[counts > 0] / counts.sum()
        effective.append({"perplexity": math.exp(-(share * np.log(share)).sum())})
        unused.append({"unused": float((counts == 0).mean())})
    return [
        mark("perplexity", 1, differences(answers, effective)),
        mark("unused entries", 1, differences(answers, unused)),
    ]


def _judge_tune(cases, answers):
    own, said = "the tune is your own", "the error is that of this codebook on these frames"
    (answer,) = answers
    if failed(answers):
        return [mark(own, 1, failed(answers)), mark(said, 2, failed(answers))]
    told = not_own(answer["tune"])
    frames, codebook = (np.asarray(answer[k], np.float64) for k in ("frames", "codebook"))
    if frames.ndim != 2 or codebook.shape != (16, 80) or frames.shape[1:] != (80,):
        return [mark(own, 1, told), mark(said, 2, "the shapes are not [F, 80] and [16, 80]")]
    frames = frames[:4000]
    apart = ((frames[:, None] - codebook) ** 2).sum(2).min(1)  # [F]
    decibels = 20 / math.log(10) * math.sqrt(apart.mean() / 80)
    wrong = difference(answer["decibels"], decibels, 1e-2)
    spread = 20 / math.log(10) * math.sqrt(((frames - frames.mean(0)) ** 2).mean())
    if not wrong and decibels > 0.9 * spread:
        wrong = "the codebook says no more than one mean frame would"
    return [mark(own, 1, told), mark(said, 2, wrong)]


TASKS = (
    Task("nearest", "build", 2, _nearest_cases, f"{DRIVES}:nearest", _judge_nearest),
    Task("straight_through", "build", 4, _straight_cases, f"{DRIVES}:straight_through",
         _judge_straight),
    Task("ema_step", "build", 3, _ema_cases, f"{DRIVES}:ema_step", _judge_ema),
    Task("farthest_start", "build", 2, _farthest_cases, f"{DRIVES}:farthest_start",
         _judge_farthest),
    Task("perplexity", "build", 2, _perplexity_cases, f"{DRIVES}:perplexity", _judge_perplexity),
    Task("diagnosis", "diagnose", 4, planted.diagnosis_cases, f"{DRIVES}:diagnosis",
         planted.judge_diagnosis, planted.plant_diagnosis),
    Task("heard", "listen", 5, pairs.cases, f"{DRIVES}:heard", pairs.judge,
         planted.plant_heard, by_hand=(("the argument", 3),)),
    Task("my_tune", "build", 3, lambda random: [{}], f"{DRIVES}:my_tune", _judge_tune),
)  # fmt: skip
