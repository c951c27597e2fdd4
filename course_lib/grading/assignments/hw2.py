"""The hidden side of homework 2, VQ-VAE on music."""

import math

import numpy as np

from course_lib.grading import pairs
from course_lib.grading.assignments import hw2_planted as planted
from course_lib.grading.judging import difference, differences, failed, mark, not_own
from course_lib.grading.task import Task

DRIVES = "course_lib.grading.drives.hw2"


def _normal(random, *shape):
    return random.standard_normal(shape).astype(np.float32)


def _coverage_cases(random):
    cases = []
    for layers in (3, 5, 6):
        strides = random.integers(1, 5, layers)
        strides[:2] = 2, 3
        cases.append({"kernels": random.integers(2, 9, layers), "strides": strides})
    return cases


def _judge_coverage(cases, answers):
    hops = [{"hop": int(np.prod(case["strides"]))} for case in cases]
    fields = []
    for case in cases:
        steps = np.concatenate(([1], np.cumprod(case["strides"])[:-1]))
        fields.append({"field": 1 + int(((case["kernels"] - 1) * steps).sum())})
    return [
        mark("the hop", 1, differences(answers, hops)),
        mark("the receptive field", 1, differences(answers, fields)),
    ]


def _fsq_cases(random):
    levels = ([5, 3, 7], [3, 9], [7, 5, 5, 3])
    return [
        {
            "z": _normal(random, 60, len(one)) * 1.3,
            "slope": _normal(random, 60, len(one)),
            "levels": np.array(one),
        }
        for one in levels
    ]


def _judge_fsq(cases, answers):
    values, gradients, codes = [], [], []
    for case in cases:
        half = (case["levels"] - 1) / 2
        bounded = np.tanh(case["z"].astype(np.float64))
        rounded = np.round(bounded * half)
        worth = np.concatenate(([1], np.cumprod(case["levels"])[:-1]))
        values.append({"values": rounded / half})
        gradients.append({"gradient": case["slope"] * (1 - bounded**2)})
        codes.append({"codes": ((rounded + half).astype(np.int64) * worth).sum(1)})
    return [
        mark("values", 1, differences(answers, values)),
        mark("the gradient of tanh", 1, differences(answers, gradients)),
        mark("codes", 1, differences(answers, codes)),
    ]


def _rotated_cases(random):
    return [
        {"z": _normal(random, 20, width), "e": _normal(random, 20, width) * 2}
        | {"slope": _normal(random, 20, width)}
        for width in (3, 8)
    ]


def _turned(case):
    """The gradient of z: λ R^T slope."""
    z, e, slope = (case[k].astype(np.float64) for k in ("z", "e", "slope"))
    long_z, long_e = (np.linalg.norm(v, axis=1, keepdims=True) for v in (z, e))
    a, b = z / long_z, e / long_e
    r = (a + b) / np.linalg.norm(a + b, axis=1, keepdims=True)

    def along(one):
        return (one * slope).sum(1, keepdims=True)

    return long_e / long_z * (slope - 2 * r * along(r) + 2 * a * along(b))


def _judge_rotated(cases, answers):
    values = [{"values": case["e"]} for case in cases]
    gradients = [{"gradient": _turned(case)} for case in cases]
    return [
        mark("the values of e", 1, differences(answers, values, 1e-3)),
        mark("the turned gradient", 2, differences(answers, gradients, 1e-3)),
    ]


def _gumbel_cases(random):
    cases = []
    for _ in range(2):
        cases.append(
            {
                "logits": _normal(random, 40, 6),
                "u": random.uniform(0.02, 0.98, (40, 6)).astype(np.float32),
                "slope": _normal(random, 40, 6),
                "temperature": float(random.uniform(0.4, 0.8)),
            }
        )
    return cases


def _judge_gumbel(cases, answers):
    chosen, gradients = [], []
    for case in cases:
        noisy = case["logits"].astype(np.float64) - np.log(-np.log(case["u"].astype(np.float64)))
        scaled = noisy / case["temperature"]
        soft = np.exp(scaled - scaled.max(1, keepdims=True))
        soft /= soft.sum(1, keepdims=True)
        slope = case["slope"]
        chosen.append({"values": np.eye(6)[noisy.argmax(1)]})
        mean = (soft * slope).sum(1, keepdims=True)
        gradients.append({"gradient": soft * (slope - mean) / case["temperature"]})
    return [
        mark("one-hot, by lot", 1, differences(answers, chosen, 1e-3)),
        mark("the gradient of the softmax", 1, differences(answers, gradients, 1e-3)),
    ]


def _prices_cases(random):
    cases = []
    for entries in (6, 12):
        chain = random.dirichlet(np.full(entries - 1, 0.4), entries)  # one entry is never used
        codes = np.zeros((40, 10), np.int64)
        codes[:, 0] = random.integers(0, entries - 1, 40)
        for row in codes:
            for place in range(1, len(row)):
                row[place] = random.choice(entries - 1, p=chain[row[place - 1]])
        cases.append({"codes": codes, "entries": entries, "per_second": 15.625})
    return cases


def _entropy(p):
    p = p[p > 0]
    return float(-(p * np.log2(p)).sum())


def _judge_prices(cases, answers):
    fixed, entropy, conditional = [], [], []
    for case in cases:
        codes, size, rate = case["codes"], case["entries"], case["per_second"]
        joint = np.zeros((size, size))
        np.add.at(joint, (codes[:, :-1].ravel(), codes[:, 1:].ravel()), 1)
        joint /= joint.sum()
        shares = np.bincount(codes.ravel()) / codes.size
        fixed.append({"fixed": rate * math.log2(size)})
        entropy.append({"entropy": rate * _entropy(shares)})
        conditional.append({"conditional": rate * (_entropy(joint) - _entropy(joint.sum(1)))})
    return [
        mark("fixed words", 1, differences(answers, fixed)),
        mark("entropy", 1, differences(answers, entropy)),
        mark("with the code before", 1, differences(answers, conditional)),
    ]


def _judge_tune(cases, answers):
    criteria = ("the tune is your own", "the codes are those of its log-mel", "the error is theirs")
    if failed(answers):
        return [mark(criterion, 1, failed(answers)) for criterion in criteria]
    (answer,) = answers
    log_mel, codes = np.asarray(answer["log_mel"], np.float32), np.asarray(answer["codes"])
    shaped = log_mel.ndim == 2 and len(log_mel) == 80 and 4 <= log_mel.shape[1] <= 4000
    shaped = shaped and codes.dtype.kind == "i" and codes.shape == (-(-log_mel.shape[1] // 4),)
    if not shaped or codes.min() < 0 or codes.max() > 1023 or not np.isfinite(log_mel).all():
        said = ["the log-mel is not [80, F] with a code from 0 to 1023 for 4 frames"] * 2
    elif log_mel.std() < 0.1:
        said = ["the log-mel is silence"] * 2
    else:
        said = _through(log_mel, codes, answer["error"])
    found = (not_own(answer["tune"]), *said)
    return [mark(criterion, 1, words) for criterion, words in zip(criteria, found, strict=True)]


def _through(log_mel, codes, error):
    """What is wrong with the codes, and with their error."""
    import torch

    from course_lib import checkpoints

    model = checkpoints.load("vqvae")
    x = torch.from_numpy(log_mel)[None]
    with torch.no_grad():
        right = model.encode(x)[0, 0].numpy()
        y = model.decode_codes(torch.from_numpy(codes.astype(np.int64))[None, None], x.shape[-1])
    alike = float((right == codes).mean())  # other processors round differently, now and then
    wrong = "" if alike >= 0.97 else f"{alike:.0%} of the codes are those of the shipped VQ-VAE"
    return wrong, difference(error, float((y - x).square().mean()), 1e-2)


TASKS = (
    Task("coverage", "build", 2, _coverage_cases, f"{DRIVES}:coverage", _judge_coverage),
    Task("fsq", "build", 3, _fsq_cases, f"{DRIVES}:fsq", _judge_fsq),
    Task("rotated", "build", 3, _rotated_cases, f"{DRIVES}:rotated", _judge_rotated),
    Task("gumbel", "build", 2, _gumbel_cases, f"{DRIVES}:gumbel", _judge_gumbel),
    Task("prices", "build", 3, _prices_cases, f"{DRIVES}:prices", _judge_prices),
    Task("diagnosis", "diagnose", 4, planted.diagnosis_cases, f"{DRIVES}:diagnosis",
         planted.judge_diagnosis, planted.plant_diagnosis),
    Task("heard", "listen", 5, pairs.cases, f"{DRIVES}:heard", pairs.judge, planted.plant_heard,
         by_hand=(("the argument", 3),)),
    Task("my_tune", "build", 3, lambda random: [{}], f"{DRIVES}:my_tune", _judge_tune),
)  # fmt: skip
