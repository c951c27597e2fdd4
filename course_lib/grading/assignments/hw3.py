"""The hidden side of homework 3, a residual codec."""

import numpy as np

from course_lib.grading import pairs
from course_lib.grading.assignments import hw3_planted as planted
from course_lib.grading.judging import difference, differences, failed, mark, not_own
from course_lib.grading.task import Task

DRIVES = "course_lib.grading.drives.hw3"


def _normal(random, *shape):
    return random.standard_normal(shape).astype(np.float32)


def _residual_cases(random):
    cases = []
    for stages, size, width in ((3, 12, 4), (5, 20, 6)):
        shrinking = 0.6 ** np.arange(stages)[:, None, None]
        codebooks = (_normal(random, stages, size, width) * shrinking).astype(np.float32)
        cases.append({"x": _normal(random, 40, width), "codebooks": codebooks})
    return cases


def _stages(x, codebooks):
    """Codes [K, N] and sums [K, N, D]."""
    left, codes, sums = x.astype(np.float64), [], []
    for codebook in codebooks.astype(np.float64):
        chosen = ((left[:, None] - codebook) ** 2).sum(2).argmin(1)
        left = left - codebook[chosen]
        codes.append(chosen)
        sums.append(x - left)
    return np.stack(codes), np.stack(sums)


def _judge_residual(cases, answers):
    found = [_stages(case["x"], case["codebooks"]) for case in cases]
    first = [_part(answer, "codes", slice(0, 1)) for answer in answers]
    # What follows from the student's own codes: a wrong stage counts once.
    added = next(filter(None, (_added(c, a) for c, a in zip(cases, answers, strict=True))), "")
    return [
        mark(
            "the first stage", 1, differences(first, [{"codes": codes[:1]} for codes, _ in found])
        ),
        mark("every stage", 1, differences(answers, [{"codes": codes} for codes, _ in found])),
        mark("the sums of the entries", 1, added),
    ]


def _part(answer, key, part):
    if failed([answer]) or np.ndim(answer.get(key)) < 1:
        return answer
    return answer | {key: answer[key][part]}


def _added(case, answer):
    if failed([answer]):
        return failed([answer])
    codes, (stages, size, _) = np.asarray(answer["codes"]), case["codebooks"].shape
    if codes.shape != (stages, len(case["x"])) or codes.dtype.kind != "i":
        return f"`codes` are not whole numbers [{stages}, {len(case['x'])}]"
    if codes.min() < 0 or codes.max() >= size:
        return f"`codes` are not from 0 to {size - 1}"
    values = np.stack([table[row] for table, row in zip(case["codebooks"], codes, strict=True)])
    said = difference(answer["sums"], values.astype(np.float64).cumsum(0), 1e-3)
    return f"`sums` {said}" if said else ""


def _commitments_cases(random):
    cases = _residual_cases(random)
    return [case | {"codes": _stages(case["x"], case["codebooks"])[0]} for case in cases]


def _judge_commitments(cases, answers):
    losses, gradients = [], []
    for case in cases:
        x = case["x"].astype(np.float64)
        tables = zip(case["codebooks"], case["codes"], strict=True)
        values = np.stack([table[row] for table, row in tables])
        left = x - values.cumsum(0)  # [K, N, D]
        losses.append({"loss": float((left**2).mean((1, 2)).sum())})
        gradients.append(
            {"to_x": 2 * left.sum(0) / x.size, "to_codebooks": np.zeros_like(case["codebooks"])}
        )
    return [
        mark("the loss", 1, differences(answers, losses)),
        mark("gradients to x alone", 1, differences(answers, gradients)),
    ]


def _si_sdr_cases(random):
    cases = []
    for noise, gain, offset in ((0.3, 1.0, 0.0), (0.1, 1.0, 0.0), (0.2, 0.3, 0.7), (0.5, 2.5, -1)):
        x = _normal(random, 3000)
        x -= x.mean()
        y = gain * (x + noise * _normal(random, 3000)) + offset
        cases.append({"x": x, "y": y.astype(np.float32)})
    return cases


def _decibels(x, y):
    x, y = (v.astype(np.float64) - v.astype(np.float64).mean() for v in (x, y))
    target = (x @ y) / (x @ x) * x
    return float(10 * np.log10((target**2).sum() / ((target - y) ** 2).sum()))


def _judge_si_sdr(cases, answers):
    wanted = [{"decibels": _decibels(case["x"], case["y"])} for case in cases]
    return [
        mark("its value", 1, differences(answers[:2], wanted[:2], 1e-3)),
        mark("level and offset are forgiven", 1, differences(answers[2:], wanted[2:], 1e-3)),
    ]


def _spectral_cases(random):
    return [
        {"x": x, "y": (x + 0.4 * _normal(random, 4000)).astype(np.float32), "sizes": sizes}
        for sizes in (np.array([256, 512]), np.array([128, 512, 1024]))
        for x in (_normal(random, 4000).cumsum() * 0.1,)
    ]


def _magnitudes(x, size):
    padded = np.pad(x.astype(np.float64), size // 2, "reflect")
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    starts = range(0, len(padded) - size + 1, size // 4)
    spectra = [np.abs(np.fft.rfft(padded[at : at + size] * window)) for at in starts]
    return np.maximum(np.stack(spectra, 1), 1e-5)


def _judge_spectral(cases, answers):
    convergence, magnitude = [], []
    for case in cases:
        both = [[_magnitudes(case[k], int(n)) for k in "xy"] for n in case["sizes"]]
        norms = [np.linalg.norm(one - other) / np.linalg.norm(one) for one, other in both]
        logs = [np.abs(np.log(one) - np.log(other)).mean() for one, other in both]
        convergence.append({"convergence": float(np.mean(norms))})
        magnitude.append({"magnitude": float(np.mean(logs))})
    return [
        mark("convergence", 1, differences(answers, convergence, 2e-3)),
        mark("magnitude", 1, differences(answers, magnitude, 2e-3)),
    ]


def _matching_cases(random):
    cases = []
    for layers in (2, 3):
        case = {}
        for layer in range(layers):
            shape = (2, 3 + layer, 40 - 9 * layer)
            case[f"real_{layer}"] = _normal(random, *shape) * (layer + 1)
            case[f"coded_{layer}"] = _normal(random, *shape)
        cases.append(case)
    return cases


def _judge_matching(cases, answers):
    losses, gradients = [], []
    for case in cases:
        layers = len(case) // 2
        parts = [
            np.abs(case[f"real_{n}"].astype(np.float64) - case[f"coded_{n}"]).mean()
            / np.abs(case[f"real_{n}"]).mean()
            for n in range(layers)
        ]
        real, coded = case["real_0"].astype(np.float64), case["coded_0"]
        slope = np.sign(coded - real) / real.size / np.abs(real).mean() / layers
        losses.append({"loss": float(np.mean(parts))})
        gradients.append({"to_coded": slope, "to_real": 0.0})
    return [
        mark("the loss", 1, differences(answers, losses)),
        mark("gradients to the coded side alone", 1, differences(answers, gradients)),
    ]


def _causal_cases(random):
    shapes = ((12, 3, 1), (16, 4, 2), (17, 4, 2), (23, 8, 4))  # T, kernel, stride
    return [
        {"x": _normal(random, 2, 3, t), "weight": _normal(random, 4, 3, k), "stride": s}
        for t, k, s in shapes
    ]


def _judge_causal(cases, answers):
    wanted = []
    for case in cases:
        (_, _, kernel), stride = case["weight"].shape, case["stride"]
        x = np.pad(case["x"], ((0, 0), (0, 0), (kernel - stride, -case["x"].shape[-1] % stride)))
        starts = range(0, x.shape[-1] - kernel + 1, stride)
        frames = [
            np.einsum("bck,dck->bd", x[..., at : at + kernel], case["weight"]) for at in starts
        ]
        wanted.append({"frames": np.stack(frames, 2)})
    return [
        mark("whole frames", 1, differences(answers[:2], wanted[:2], 1e-3)),
        mark("a last frame that is not full", 1, differences(answers[2:], wanted[2:], 1e-3)),
    ]


def _judge_tune(cases, answers):
    criteria = ("the tune is your own", "the codes are the shipped codec's", "the four measures")
    if failed(answers):
        return [mark(criterion, 1, failed(answers)) for criterion in criteria]
    (answer,) = answers
    sound, codes = np.asarray(answer["sound"], np.float32), np.asarray(answer["codes"])
    shaped = sound.shape == (32000,) and codes.shape == (8, 100) and codes.dtype.kind == "i"
    if not shaped or codes.min() < 0 or codes.max() > 1023 or not np.isfinite(sound).all():
        said = ["not a sound [32000] with codes [8, 100] from 0 to 1023"] * 2
    elif sound.std() < 1e-3:
        said = ["the sound is silence"] * 2
    else:
        said = _through(sound, codes.astype(np.int64), answer["decibels"])
    found = (not_own(answer["tune"]), *said)
    return [mark(criterion, 1, words) for criterion, words in zip(criteria, found, strict=True)]


def _through(sound, codes, decibels):
    """What is wrong with the codes, and with their measures."""
    import torch

    from course_lib import checkpoints

    codec = checkpoints.load("codec")
    right = codec.encode(torch.from_numpy(sound)[None, None]).codes[0].numpy()
    # The first stages: in later ones other processors choose differently, now and then.
    alike = float((right[:3] == codes[:3]).mean())
    wrong = "" if alike >= 0.97 else f"{alike:.0%} of the first codes are those of the codec"
    decoded = [codec.decode_codes(torch.from_numpy(codes)[None, :n])[0, 0] for n in (1, 2, 4, 8)]
    measured = np.array([_decibels(sound, y.numpy()) for y in decoded])
    return wrong, difference(decibels, measured, 1e-2)


TASKS = (
    Task("residual", "build", 3, _residual_cases, f"{DRIVES}:residual", _judge_residual),
    Task("commitments", "build", 2, _commitments_cases, f"{DRIVES}:commitments",
         _judge_commitments),
    Task("si_sdr", "build", 2, _si_sdr_cases, f"{DRIVES}:si_sdr", _judge_si_sdr),
    Task("spectral", "build", 2, _spectral_cases, f"{DRIVES}:spectral", _judge_spectral),
    Task("matching", "build", 2, _matching_cases, f"{DRIVES}:matching", _judge_matching),
    Task("causal", "build", 2, _causal_cases, f"{DRIVES}:causal", _judge_causal),
    Task("diagnosis", "diagnose", 4, planted.diagnosis_cases, f"{DRIVES}:diagnosis",
         planted.judge_diagnosis, planted.plant_diagnosis),
    Task("heard", "listen", 5, pairs.cases, f"{DRIVES}:heard", pairs.judge, planted.plant_heard,
         by_hand=(("the argument", 3),)),
    Task("my_tune", "build", 3, lambda random: [{}], f"{DRIVES}:my_tune", _judge_tune),
)  # fmt: skip
