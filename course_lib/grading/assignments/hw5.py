"""The hidden side of homework 5, finding music by words."""

import numpy as np

from course_lib.grading import pairs
from course_lib.grading.assignments import hw5_planted as planted
from course_lib.grading.judging import differences, failed, mark, not_own
from course_lib.grading.task import Task

DRIVES = "course_lib.grading.drives.hw5"


def _normal(random, *shape):
    return random.standard_normal(shape).astype(np.float32)


def _unit(x):
    x = np.asarray(x, np.float64)
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def _contrastive_cases(random):
    cases = []
    for twins in (0, 0, 1, 1):
        kinds = random.integers(0, 4, 9) if twins else np.arange(9)
        if twins:
            kinds[:2], kinds[2] = 0, 1  # at least one pair of twins, and not all of one kind
        same = (kinds[:, None] == kinds).astype(np.uint8)
        vectors = {"a": _normal(random, 9, 5) * 2, "b": _normal(random, 9, 5)}
        cases.append(vectors | {"same": same, "scale": float(random.uniform(3, 12))})
    return cases


def _judge_contrastive(cases, answers):
    wanted = []
    for case in cases:
        logits = case["scale"] * _unit(case["a"]) @ _unit(case["b"]).T
        target = case["same"] / case["same"].sum(1, keepdims=True, dtype=np.float64)
        parts = []
        for one in (logits, logits.T):
            log = one - one.max(1, keepdims=True)
            log = log - np.log(np.exp(log).sum(1, keepdims=True))
            parts.append(-(target * log).sum(1).mean())
        wanted.append({"loss": float(np.mean(parts))})
    return [
        mark("captions that all differ", 1, differences(answers[:2], wanted[:2], 1e-3)),
        mark("twins", 2, differences(answers[2:], wanted[2:], 1e-3)),
    ]


def _search_cases(random):
    cases = []
    for size, k in ((13, 3), (20, 5), (16, 4)):
        # Few different values, so that there are ties.
        similarity = random.integers(0, 9, (size, size)).astype(np.float32) / 8
        cases.append({"similarity": similarity, "k": k})
    return cases


def _ranks(case):
    similarity = case["similarity"]
    return (similarity >= similarity.diagonal()[:, None]).sum(1)


def _judge_search(cases, answers):
    ranks = [_ranks(case) for case in cases]
    # Recall and median follow from the student's own ranks: an error there counts once.
    own = [
        r if failed([a]) or np.shape(a["ranks"]) != r.shape else np.asarray(a["ranks"])
        for r, a in zip(ranks, answers, strict=True)
    ]
    recalls = [{"recall": float((r <= c["k"]).mean())} for r, c in zip(own, cases, strict=True)]
    medians = [{"median": float(np.median(r))} for r in own]
    return [
        mark("ranks, ties against", 1, differences(answers, [{"ranks": r} for r in ranks])),
        mark("recall of these ranks", 1, differences(answers, recalls)),
        mark("median of these ranks", 1, differences(answers, medians)),
    ]


def _interval_cases(random):
    return [
        {"ranks": random.integers(1, 20, n), "k": 6, "draws": random.integers(0, n, (300, n))}
        for n in (17, 24)
    ]


def _judge_interval(cases, answers):
    recalls = [(case["ranks"][case["draws"]] <= case["k"]).mean(1) for case in cases]
    ends = [np.quantile(r, (0.025, 0.975)) for r in recalls]
    return [
        mark("the low end", 1, differences(answers, [{"low": float(low)} for low, _ in ends])),
        mark("the high end", 1, differences(answers, [{"high": float(high)} for _, high in ends])),
    ]


def _gap_cases(random):
    cases = []
    for n, m in ((8, 8), (7, 11)):
        a, b = _normal(random, n, 6) + _normal(random, 6), _normal(random, m, 6)
        b = b + 2 * _normal(random, 6)
        cases.append({"a": _unit(a).astype(np.float32), "b": _unit(b).astype(np.float32)})
    return cases


def _judge_gap(cases, answers):
    gaps, cosines = [], []
    for case in cases:
        a, b = case["a"].astype(np.float64), case["b"].astype(np.float64)
        gaps.append({"gap": float(np.linalg.norm(a.mean(0) - b.mean(0)))})
        cosines.append({"cosines": _unit(a - a.mean(0)) @ _unit(b - b.mean(0)).T})
    return [
        mark("the gap", 1, differences(answers, gaps)),
        mark("cosines, the gap closed", 1, differences(answers, cosines, 1e-3)),
    ]


def _classes_cases(random):
    cases = []
    for _ in range(2):
        lengths = np.exp(_normal(random, 4, 3, 1))
        centres = 2 * _normal(random, 4, 1, 6)
        sentences = (lengths * (centres + _normal(random, 4, 3, 6))).astype(np.float32)
        cases.append({"sounds": _normal(random, 30, 6), "sentences": sentences})
    return cases


def _judge_classes(cases, answers):
    vectors = [{"vectors": _unit(_unit(case["sentences"]).mean(1))} for case in cases]
    follows = []
    for case, answer in zip(cases, answers, strict=True):
        own = None if failed([answer]) else np.asarray(answer["vectors"], np.float64)
        if own is None or own.shape != (4, 6) or not np.isfinite(own).all():
            own = _unit(_unit(case["sentences"]).mean(1))
        follows.append({"classes": (case["sounds"] @ own.T).argmax(1)})
    return [
        mark("the vectors of the classes", 1, differences(answers, vectors)),
        mark("the nearest of these", 1, differences(answers, follows)),
    ]


def _rivals_cases(random):
    cases = []
    for n, kinds in ((3, 12), (4, 12), (5, 2)):
        queries, clips = random.integers(0, kinds, 10), random.integers(0, kinds, 8)
        if kinds == 2:
            queries[:2], clips[:6] = 0, 0  # these queries have at most two rivals
        same = (queries[:, None] == clips).astype(np.uint8)
        if kinds == 12:
            same[0, :3] = 1, 0, 0
        cases.append({"similarity": _normal(random, 10, 8), "same": same, "n": n})
    return cases


def _judge_rivals(cases, answers):
    wanted = []
    for case in cases:
        found = np.full((10, case["n"]), -1)
        for row, (similarity, same) in enumerate(
            zip(case["similarity"], case["same"], strict=True)
        ):
            order = [c for c in np.argsort(-similarity) if not same[c]][: case["n"]]
            found[row, : len(order)] = order
        wanted.append({"clips": found})
    return [
        mark("wrong ones, nearest first", 1, differences(answers[:2], wanted[:2])),
        mark("filled up", 1, differences(answers[2:], wanted[2:])),
    ]


def _judge_tune(cases, answers):
    criteria = ("the tune is your own", "its rank among the clips")
    if failed(answers):
        return [mark(criterion, 1, failed(answers)) for criterion in criteria]
    (answer,) = answers
    sound = np.asarray(answer["sound"], np.float32)
    if sound.shape != (64000,) or not np.isfinite(sound).all() or sound.std() < 1e-3:
        said = "not a sound [64000], or silence"
    elif len(answer["caption"].split()) < 3:
        said = "the caption says next to nothing"
    else:
        right = planted.rank_of(sound, answer["caption"])
        said = "" if answer["rank"] == right else f"it is {right}, not {answer['rank']}"
    found = (not_own(answer["tune"]), said)
    return [mark(criterion, 1, words) for criterion, words in zip(criteria, found, strict=True)]


TASKS = (
    Task("contrastive", "build", 3, _contrastive_cases, f"{DRIVES}:contrastive",
         _judge_contrastive),
    Task("search", "build", 3, _search_cases, f"{DRIVES}:search", _judge_search),
    Task("interval", "build", 2, _interval_cases, f"{DRIVES}:interval", _judge_interval),
    Task("gap", "build", 2, _gap_cases, f"{DRIVES}:gap", _judge_gap),
    Task("classes", "build", 2, _classes_cases, f"{DRIVES}:classes", _judge_classes),
    Task("rivals", "build", 2, _rivals_cases, f"{DRIVES}:rivals", _judge_rivals),
    Task("diagnosis", "diagnose", 4, planted.diagnosis_cases, f"{DRIVES}:diagnosis",
         planted.judge_diagnosis, planted.plant_diagnosis),
    Task("heard", "listen", 5, pairs.cases, f"{DRIVES}:heard", pairs.judge, planted.plant_heard,
         by_hand=(("the argument", 3),)),
    Task("my_tune", "build", 2, lambda random: [{}], f"{DRIVES}:my_tune", _judge_tune),
)  # fmt: skip
