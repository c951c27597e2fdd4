"""The hidden side of homework 6, diffusion on latents."""

import math

import numpy as np

from course_lib.grading import pairs
from course_lib.grading.assignments import hw6_planted as planted
from course_lib.grading.judging import difference, differences, failed, mark, not_own
from course_lib.grading.task import Failed, Task

DRIVES = "course_lib.grading.drives.hw6"


def _normal(random, *shape):
    return random.standard_normal(shape).astype(np.float32)


def _from_log_snr_cases(random):
    return [{"lam": random.uniform(-8, 8, 20)}, {"lam": np.array([-38.0, -20.0, 20.0, 38.0])}]


def _judge_from_log_snr(cases, answers):
    weights, times = [], []
    for case in cases:
        lam = case["lam"]
        weights.append({"alpha": (1 + np.exp(-lam)) ** -0.5, "sigma": (1 + np.exp(lam)) ** -0.5})
        times.append({"u": 2 / math.pi * np.arctan(np.exp(-lam / 2))})
    # Relative, so that the smallest count: the logarithms are compared.
    return [
        mark("alpha and sigma", 1, differences(_logs(answers), _logs(weights), 1e-3)),
        mark("the time", 1, differences(_logs(answers), _logs(times), 1e-3)),
    ]


def _logs(found):
    """The logarithm of every array; of what is not above 0, NaN."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return [
            one
            if isinstance(one, Failed)
            else {k: np.log(np.asarray(v, np.float64)) for k, v in one.items()}
            for one in found
        ]


def _weights_cases(random):
    cases = []
    for objective in ("data", "noise", "velocity", "velocity"):
        snr = np.exp(random.uniform(-4, 5, 30)).astype(np.float32)
        cases.append({"snr": snr, "gamma": float(random.uniform(2, 8)), "objective": objective})
    return cases


def _judge_weights(cases, answers):
    wanted = []
    for case in cases:
        snr = case["snr"].astype(np.float64)
        told = {"data": 1, "noise": snr, "velocity": snr + 1}[case["objective"]]
        wanted.append({"weights": np.minimum(snr, case["gamma"]) / told})
    return [
        mark("data and noise", 1, differences(answers[:2], wanted[:2])),
        mark("velocity", 1, differences(answers[2:], wanted[2:])),
    ]


def _even_times_cases(random):
    cases = []
    for length, steps in ((40, 2), (90, 2), (200, 9), (30, 25)):
        falls = random.uniform(0.01, 1, length) ** 2
        cases.append({"lam": 8 - np.cumsum(falls), "steps": steps})
    return cases


def _judge_even_times(cases, answers):
    wanted = []
    for case in cases:
        lam = case["lam"]
        points = np.linspace(lam[-1], lam[0], case["steps"])
        nearest = np.abs(points[:, None] - lam).argmin(1).tolist()
        wanted.append({"times": np.array(list(dict.fromkeys(nearest)))})
    return [
        mark("both ends, noise first", 1, differences(answers[:2], wanted[:2])),
        mark("even in log-SNR, each once", 1, differences(answers[2:], wanted[2:])),
    ]


def _second_order_cases(random):
    cases = []
    for first in (1, 1, 0, 0, 0):
        angles = np.sort(random.uniform(0.15, 1.4, 3))[::-1]
        case = {name: _normal(random, 2, 4, 5) for name in ("z", "x", "before")}
        alphas, sigmas = np.cos(angles), np.sin(angles)
        if first:
            alphas[0] = sigmas[0] = 0.0
        cases.append(case | {"alphas": alphas, "sigmas": sigmas, "first": first})
    return cases


def _judge_second_order(cases, answers):
    wanted = []
    for case in cases:
        a, s = case["alphas"], case["sigmas"]
        ahead, h = case["x"].astype(np.float64), math.log(a[2] / s[2]) - math.log(a[1] / s[1])
        if not case["first"]:
            past = math.log(a[1] / s[1]) - math.log(a[0] / s[0])
            ahead = ahead + h / (2 * past) * (ahead - case["before"])
        wanted.append({"z": s[2] / s[1] * case["z"] - a[2] * math.expm1(-h) * ahead})
    return [
        mark("the first step", 1, differences(answers[:2], wanted[:2], 1e-3)),
        mark("those that look back", 2, differences(answers[2:], wanted[2:], 1e-3)),
    ]


def _keep_known_cases(random):
    cases = []
    for _ in range(2):
        case = {name: _normal(random, 2, 3, 9) for name in ("z", "known", "noise")}
        angle = float(random.uniform(0.3, 1.2))
        mask = random.integers(0, 2, (2, 9))
        mask[:, :2] = 0, 1
        cases.append(case | {"mask": mask, "alpha": math.cos(angle), "sigma": math.sin(angle)})
    return cases


def _judge_keep_known(cases, answers):
    known, others = [], []
    for case, answer in zip(cases, answers, strict=True):
        if isinstance(answer, Failed):
            known.append(answer.words)
            others.append(answer.words)
            continue
        there = np.broadcast_to(case["mask"][:, None] == 1, case["z"].shape)
        got = np.asarray(answer["z"], np.float64)
        if got.shape != case["z"].shape:
            known.append(difference(got, case["z"]))
            others.append(known[-1])
            continue
        noised = case["alpha"] * case["known"] + case["sigma"] * case["noise"]
        known.append(difference(got[there], noised[there]))
        others.append(difference(got[~there], case["z"][~there]))
    return [
        mark("known frames at that noise", 1, next(filter(None, known), "")),
        mark("the others as they were", 1, next(filter(None, others), "")),
    ]


def _two_wishes_cases(random):
    cases = []
    for _ in range(2):
        parts = {k: _normal(random, 4, 5) for k in ("nothing", "sentence", "melody", "both")}
        strengths = {f"strength_{k}": float(random.uniform(1.5, 6)) for k in "cm"}
        cases.append(parts | strengths)
    return cases


def _judge_two_wishes(cases, answers):
    wanted = []
    for case in cases:
        towards_c = case["strength_c"] * (case["sentence"].astype(np.float64) - case["nothing"])
        towards_m = case["strength_m"] * (case["both"].astype(np.float64) - case["sentence"])
        wanted.append({"output": case["nothing"] + towards_c + towards_m})
    return [
        mark("the output", 1, differences(answers, wanted, 1e-3)),
        mark("the network is asked once", 1, differences(answers, [{"calls": 1}] * len(cases))),
    ]


def _judge_tune(cases, answers):
    criteria = ("the tune is your own", "the latents are the shipped autoencoder's", "the errors")
    if failed(answers):
        return [mark(criterion, 1, failed(answers)) for criterion in criteria]
    (answer,) = answers
    sound, latents = (np.asarray(answer[k], np.float32) for k in ("sound", "latents"))
    if sound.shape != (32000,) or latents.shape != (32, 100):
        said = ["not a sound [32000] with latents [32, 100]"] * 2
    elif not (np.isfinite(sound).all() and np.isfinite(latents).all()):
        said = ["NaN or infinity in it"] * 2
    elif sound.std() < 1e-3:
        said = ["the sound is silence"] * 2
    else:
        right, errors = planted.errors_of(sound, latents)
        said = [difference(latents, right, 1e-2), difference(answer["errors"], errors, 2e-2)]
    found = (not_own(answer["tune"]), *said)
    return [mark(criterion, 1, words) for criterion, words in zip(criteria, found, strict=True)]


TASKS = (
    Task("from_log_snr", "build", 2, _from_log_snr_cases, f"{DRIVES}:from_log_snr",
         _judge_from_log_snr),
    Task("weights", "build", 2, _weights_cases, f"{DRIVES}:weights", _judge_weights),
    Task("even_times", "build", 2, _even_times_cases, f"{DRIVES}:even_times", _judge_even_times),
    Task("second_order", "build", 3, _second_order_cases, f"{DRIVES}:second_order",
         _judge_second_order),
    Task("keep_known", "build", 2, _keep_known_cases, f"{DRIVES}:keep_known", _judge_keep_known),
    Task("two_wishes", "build", 2, _two_wishes_cases, f"{DRIVES}:two_wishes", _judge_two_wishes),
    Task("diagnosis", "diagnose", 4, planted.diagnosis_cases, f"{DRIVES}:diagnosis",
         planted.judge_diagnosis, planted.plant_diagnosis),
    Task("heard", "listen", 5, pairs.cases, f"{DRIVES}:heard", pairs.judge, planted.plant_heard,
         by_hand=(("the argument", 3),)),
    Task("my_tune", "build", 3, lambda random: [{}], f"{DRIVES}:my_tune", _judge_tune),
)  # fmt: skip
