"""Likely wrong answers to homework 6, and the points that their tasks still get."""

from wrong import Wrong

RATIO = """
def from_log_snr(lam):
    alpha, sigma = {}
    return alpha, sigma, {}
"""
TIME = "2 / math.pi * (-lam / 2).exp().atan()"
WEIGHTS = """
def weights(snr, objective, gamma=5.0):
    wanted = {}
    return wanted / {{"data": 1, "noise": {}, "velocity": {}}}[objective]
"""
TIMES = """
def even_times(lam, steps):
    points = {}
    nearest = (points[:, None] - lam).abs().argmin(1).tolist()
    return {}
"""
POINTS = "torch.linspace(float(lam[-1]), float(lam[0]), steps, dtype=lam.dtype)"
SECOND = """
def second_order(z, x, before, alphas, sigmas):
    logs = [math.log(a / s) if a > 0 else 0.0 for a, s in zip(alphas, sigmas)]
    h = logs[2] - logs[1]
    past = logs[1] - logs[0]
    ahead = x if before is None else {}
    return {}
"""
AHEAD, NEXT = (
    "x + h / (2 * past) * (x - before)",
    ("sigmas[2] / sigmas[1] * z - alphas[2] * math.expm1(-h) * ahead"),
)
KEEP = """
def keep_known(z, known, mask, noise, alpha, sigma):
    return torch.where({}, {}, z)
"""
WISHES = """
def two_wishes(network, c, m, strength_c, strength_m):
    {}
    return {}
"""
ONCE = "nothing, sentence, both = network([None, c, c], [None, None, m])"
SUM = "nothing + strength_c * (sentence - nothing) + strength_m * (both - sentence)"
FOUND = """
named = diagnosis
def diagnosis():
    found = named()
    {}
    return found
"""
HEARD = """
recorded = heard
def heard():
    record = recorded()
    record.update({})
    return record
"""
TUNE = """
reported = my_tune
def my_tune():
    report = reported()
    {}
    return report
"""
WRONG = {
    "from_log_snr": [
        Wrong(RATIO.format("lam.sigmoid(), (-lam).sigmoid()", TIME), 1),
        Wrong(RATIO.format("lam.sigmoid().sqrt(), (1 - lam.sigmoid()).sqrt()", TIME), 1, "NaN"),
        Wrong(RATIO.format("lam.sigmoid().sqrt(), (-lam).sigmoid().sqrt()", "(-lam).sigmoid()"), 1),
        Wrong(RATIO.format("(lam / 2).sigmoid().sqrt(), (-lam / 2).sigmoid().sqrt()", TIME), 1),
    ],
    "weights": [
        Wrong(WEIGHTS.format("snr.clamp(max=gamma)", "1 / snr", "snr + 1"), 1),
        Wrong(WEIGHTS.format("snr.clamp(max=gamma)", "snr", "snr"), 1),
        Wrong(WEIGHTS.format("snr.clamp(max=5)", "snr", "snr + 1"), 0),
        Wrong(WEIGHTS.format("snr.clamp(min=gamma)", "snr", "snr + 1"), 0),
    ],
    "even_times": [
        Wrong(TIMES.format(POINTS, "list(dict.fromkeys(nearest))[::-1]"), 0),
        Wrong(TIMES.format(POINTS, "nearest"), 1, "shape"),
        Wrong(
            "def even_times(lam, steps):\n"
            "    return torch.linspace(len(lam) - 1, 0, steps).long().tolist()",
            1,
        ),
    ],
    "second_order": [
        Wrong(SECOND.format("x", NEXT), 1),
        Wrong(SECOND.format("x + past / (2 * h) * (x - before)", NEXT), 1),
        Wrong(SECOND.format(AHEAD.replace("x - before", "before - x"), NEXT), 1),
        Wrong(SECOND.format(AHEAD, NEXT.replace("- alphas", "+ alphas")), 0),
        Wrong(SECOND.format(AHEAD, NEXT.replace("expm1(-h)", "expm1(-2 * h)")), 0),
    ],
    "keep_known": [
        Wrong(KEEP.format("mask[:, None]", "known"), 1),
        Wrong(KEEP.format("~mask[:, None]", "alpha * known + sigma * noise"), 0),
        Wrong(KEEP.format("mask[:, None]", "known + sigma * noise"), 1),
    ],
    "two_wishes": [
        Wrong(WISHES.format(ONCE, SUM.replace("both - sentence", "both - nothing")), 1),
        Wrong(
            WISHES.format(
                "nothing, sentence, melody = network([None, c, None], [None, None, m])",
                "nothing + strength_c * (sentence - nothing) + strength_m * (melody - nothing)",
            ),
            1,
        ),
        Wrong(
            WISHES.format(
                "nothing, sentence, both = (network([a], [b])[0] for a, b in "
                "((None, None), (c, None), (c, m)))",
                SUM,
            ),
            1,
            "calls",
        ),
    ],
    "diagnosis": [
        Wrong(
            FOUND.format("found['fault'] = 'late' if found['fault'] != 'late' else 'misread'"), 2
        ),
        Wrong(FOUND.format("found['number'] += 1"), 2, "another"),
    ],
    "heard": [
        Wrong(HEARD.format("needed=9"), 1),
        Wrong(HEARD.format("answers='AB' * 5"), 1),
    ],
    "my_tune": [
        Wrong(
            TUNE.format(
                "from course_lib.songbook.own_music import DEFAULT as t\n    report['tune'] = t"
            ),
            2,
            "course's own",
        ),  # fmt: skip
        Wrong(TUNE.format("report['errors'] = [e**0.5 for e in report['errors']]"), 2),
        Wrong(TUNE.format("report['latents'] = report['latents'].flip(1)"), 1),
        Wrong(TUNE.format("report['sound'] = report['sound'] * 0"), 1, "silence"),
    ],
}
