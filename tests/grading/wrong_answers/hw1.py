"""Likely wrong answers to homework 1, and the points that their tasks still get."""

from wrong import Wrong

NEAREST = """
def nearest(x, codebook, price):
    squared = torch.cdist(x, codebook).square()
    return {}
"""
STRAIGHT = """
def straight_through(z, e, beta):
    values = {}
    return values, {}
"""
VALUES, COMMITMENT = "z + (e - z).detach()", "beta * (z - e.detach()).square().mean()"
EMA = """
def ema_step(sums, counts, x, codes, decay, eps):
    arrived = torch.zeros_like(sums).index_add_(0, codes, x)
    counted = torch.bincount(codes, minlength=len(counts)).float()
    past, new = {}
    sums, counts = past * sums + new * arrived, past * counts + new * counted
    smoothed = {}
    return sums / smoothed[:, None], sums, counts
"""
PAST = "decay, 1 - decay"
SMOOTH = "counts.sum() * (counts + eps) / (counts.sum() + len(counts) * eps)"
FARTHEST = """
def farthest_start(x, size):
    chosen = [0]
    while len(chosen) < size:
        apart = torch.cdist(x, x[chosen])
        chosen.append(int({}))
    return x[chosen]
"""
PERPLEXITY = """
def perplexity(codes, size):
    counts = torch.bincount(codes, minlength=size).double()
    share = counts[counts > 0] / counts.sum()
    bits = -(share * share.log2()).sum()
    return {}
"""
RENAMED = """
solved = diagnosis
def diagnosis():
    found = solved()
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
    "nearest": [
        Wrong(NEAREST.format("squared.argmin(1)"), 1, "off by"),
        Wrong(NEAREST.format("(squared / 2 + price).argmin(1)"), 1),
        Wrong(NEAREST.format("(squared + price).argmax(1)"), 0),
        Wrong(NEAREST.format("(squared.sqrt() + price).argmin(1)"), 1),
        Wrong(NEAREST.format("(squared + price).argmin(1).float()"), 0, "whole numbers"),
        Wrong(NEAREST.format("(squared + price).argmin(1)[:, None]"), 0, "shape"),
    ],
    "straight_through": [
        Wrong(STRAIGHT.format("e", COMMITMENT), 3, "values_to_z"),
        Wrong(STRAIGHT.format(VALUES, COMMITMENT.replace(".detach()", "")), 3, "commitment_to_e"),
        Wrong(STRAIGHT.format(VALUES, COMMITMENT.replace("mean", "sum")), 3),
        Wrong(STRAIGHT.format("e + (z - e).detach()", COMMITMENT), 2),
        Wrong(STRAIGHT.format(VALUES, COMMITMENT.replace("beta * ", "")), 3),
        Wrong(STRAIGHT.format(VALUES, f"({COMMITMENT}).detach()"), 3, "reaches nothing"),
    ],
    "ema_step": [
        Wrong(EMA.format("1 - decay, decay", SMOOTH), 1),
        Wrong(EMA.format(PAST, "counts"), 2),
        Wrong(EMA.format("decay, 1", SMOOTH), 1),
        Wrong(EMA.format(PAST, "counts + eps"), 2),
    ],
    "farthest_start": [
        Wrong(FARTHEST.format("apart[:, -1].argmax()"), 1),
        Wrong(FARTHEST.format("apart.sum(1).argmax()"), 1),
        Wrong("def farthest_start(x, size):\n    return x[:size]", 0),
    ],
    "perplexity": [
        Wrong(PERPLEXITY.format("bits.exp(), (counts == 0).double().mean()"), 1),
        Wrong(PERPLEXITY.format("bits, (counts == 0).double().mean()"), 1),
        Wrong(PERPLEXITY.format("2 ** bits, (counts == 0).sum()"), 1),
        Wrong(PERPLEXITY.format("2 ** bits, 1 - (counts == 0).double().mean()"), 1),
        Wrong(
            PERPLEXITY.format("2 ** -(c * c.log2()).sum(), (c == 0).double().mean()").replace(
                "return", "c = counts / counts.sum()\n    return"
            ),
            1,
            "NaN",
        ),
    ],
    "diagnosis": [
        Wrong(
            RENAMED.format("found['fault'] = 'dead' if found['fault'] != 'dead' else 'shrunk'"), 2
        ),
        Wrong(RENAMED.format("found['entries'] = found['entries'][:-1]"), 2, "missing"),
        Wrong(RENAMED.format("found['entries'] = list(range(64))"), 2, "sound"),
    ],
    "heard": [
        Wrong(HEARD.format("needed=9"), 1),
        Wrong(HEARD.format("answers='AB' * 5"), 1),
        Wrong(HEARD.format("how='guess'"), 1),
    ],
    "my_tune": [
        Wrong(
            TUNE.format(
                "from course_lib.songbook.own_music import DEFAULT as t\n    report['tune'] = t"
            ),
            2,
            "course's own",
        ),  # fmt: skip
        Wrong(TUNE.format("report['decibels'] *= math.log(10) / 20"), 1),
        Wrong(TUNE.format("report['codebook'] = report['frames'].mean(0).expand(16, 80)"), 1),
        Wrong(TUNE.format("report['frames'] = report['frames'].T"), 1, "shapes"),
    ],
}
