"""Likely wrong answers to homework 5, and the points that their tasks still get."""

from wrong import Wrong

LOSS = """
def contrastive(a, b, same, scale):
    a, b = {}
    logits = scale * a @ b.T
    target = {}
    rows = -(target * logits.log_softmax(1)).sum(1).mean()
    columns = -(target * logits.T.log_softmax(1)).sum(1).mean()
    return {}
"""
UNIT, SPREAD = "F.normalize(a, dim=1), F.normalize(b, dim=1)", "same / same.sum(1, keepdim=True)"
SEARCH = """
def search(similarity, k):
    right = similarity.diagonal()[:, None]
    ranks = {}
    return ranks, float((ranks {} k).double().mean()), {}
"""
AGAINST, MEDIAN = "(similarity >= right).sum(1)", "float(ranks.double().quantile(0.5))"
INTERVAL = """
def interval(ranks, k, draws):
    recalls = (ranks[draws] <= k).double().{}
    return float(recalls.quantile({})), float(recalls.quantile({}))
"""
GAP = """
def gap(a, b):
    apart = {}
    a, b = ({} for v in (a, b))
    return apart, a @ b.T
"""
APART, CLOSED = "float((a.mean(0) - b.mean(0)).norm())", "F.normalize(v - v.mean(0), dim=1)"
CLASSES = """
def classes(sounds, sentences):
    vectors = {}
    return vectors, (sounds @ vectors.T).{}(1)
"""
RIVALS = """
def rivals(similarity, same, n):
    wrong = {}
    values, clips = wrong.sort(1, descending={})
    return {}
"""
OUT, FILLED = (
    "similarity.masked_fill(same, -torch.inf)",
    "torch.where(values[:, :n] > -torch.inf, clips[:, :n], -1)",
)
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
    "contrastive": [
        Wrong(LOSS.format(UNIT, "torch.eye(len(a))", "(rows + columns) / 2"), 1),
        Wrong(LOSS.format("a, b", SPREAD, "(rows + columns) / 2"), 0),
        Wrong(LOSS.format(UNIT, SPREAD, "rows + columns"), 0),
        Wrong(LOSS.format(UNIT, "same.float()", "(rows + columns) / 2"), 1),
        Wrong(LOSS.format(UNIT, SPREAD, "rows"), 0),
    ],
    "search": [
        Wrong(SEARCH.format("(similarity > right).sum(1) + 1", "<=", MEDIAN), 2, "ranks"),
        Wrong(SEARCH.format(AGAINST, "<", MEDIAN), 2, "recall"),
        Wrong(SEARCH.format(AGAINST, "<=", "float(ranks.double().mean())"), 2, "median"),
        Wrong(SEARCH.format(AGAINST, "<=", "float(ranks.median())"), 2, "median"),
    ],
    "interval": [
        Wrong(INTERVAL.format("mean(1)", "0.05", "0.95"), 0),
        Wrong(INTERVAL.format("mean(0)", "0.025", "0.975"), 0),
        Wrong(INTERVAL.format("mean(1)", "0.025", "1.0"), 1),
    ],
    "gap": [
        Wrong(GAP.format("float((a[: len(b)].mean(0) - b.mean(0)).abs().sum())", CLOSED), 1),
        Wrong(GAP.format(APART, "v - v.mean(0)"), 1),
        Wrong(GAP.format(APART, "F.normalize(v, dim=1)"), 1),
        Wrong(GAP.format("float(torch.cdist(a, b).mean())", CLOSED), 1),
    ],
    "classes": [
        Wrong(CLASSES.format("F.normalize(sentences.mean(1), dim=1)", "argmax"), 1),
        Wrong(CLASSES.format("F.normalize(sentences, dim=2).mean(1)", "argmax"), 1),
        Wrong(
            CLASSES.format("F.normalize(F.normalize(sentences, dim=2).mean(1), dim=1)", "argmin"), 1
        ),
    ],
    "rivals": [
        Wrong(RIVALS.format("similarity", "True", "clips[:, :n]"), 0),
        Wrong(RIVALS.format(OUT, "True", "clips[:, :n]"), 1),
        Wrong(RIVALS.format(OUT.replace("-torch", "torch"), "False", "clips[:, :n]"), 0),
        Wrong(RIVALS.format("similarity * ~same", "True", "clips[:, :n]"), 0),
    ],
    "diagnosis": [
        Wrong(FOUND.format("found['fault'] = 'cut' if found['fault'] != 'cut' else 'loud'"), 2),
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
            1,
            "course's own",
        ),  # fmt: skip
        Wrong(TUNE.format("report['rank'] -= 1"), 1, "it is"),
        Wrong(TUNE.format("report['sound'] = report['sound'] * 0"), 1, "silence"),
    ],
}
