"""Likely wrong answers to homework 3, and the points that their tasks still get."""

from wrong import Wrong

RESIDUAL = """
def residual(x, codebooks):
    left, total, codes, sums = x, torch.zeros_like(x), [], []
    for codebook in codebooks:
        chosen = torch.cdist({}, codebook).argmin(1)
        left, total = left - codebook[chosen], total + codebook[chosen]
        codes.append(chosen)
        sums.append({})
    return torch.stack(codes), torch.stack(sums)
"""
COMMIT = """
def commitments(x, codes, codebooks):
    left, loss = x, 0.0
    for chosen, codebook in zip(codes, codebooks):
        entry = codebook[chosen]{}
        {}
        loss = {}
    return loss
"""
SDR = """
def si_sdr(x, y):
    {}
    target = {}
    return float(10 * (target.square().sum() / (target - y).square().sum()).log10())
"""
CENTRE = "x, y = x - x.mean(), y - y.mean()"
SPECTRAL = """
solved = spectral
def spectral(x, y, sizes):
    convergence, magnitude = solved(x, y, sizes)
    {}
    return convergence, magnitude
"""
MATCHING = """
def matching(real, coded):
    parts = [{} for f, g in zip(real, coded)]
    return torch.stack(parts).{}()
"""
CAUSAL = """
def causal(x, weight, stride):
    kernel = weight.shape[-1]
    return F.conv1d(F.pad(x, ({})), weight, stride=stride)
"""
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
    "residual": [
        Wrong(RESIDUAL.format("x", "total"), 2, "off by"),
        Wrong(RESIDUAL.format("left", "codebook[chosen]"), 2, "sums"),
        Wrong(RESIDUAL.format("left", "left"), 2, "sums"),
        Wrong(RESIDUAL.format("-left", "total"), 1),
    ],
    "commitments": [
        Wrong(COMMIT.format("", "left = left - entry", "loss + left.square().mean()"), 1),
        Wrong(COMMIT.format(".detach()", "left = left - entry", "left.square().mean()"), 0),
        Wrong(COMMIT.format(".detach()", "left = left - entry", "loss + left.square().sum()"), 0),
        Wrong(
            COMMIT.format(
                ".detach()",
                "left = (left - entry)",
                "loss + left.square().mean(); left = left.detach()",
            ),
            1,
            "to_x",
        ),
    ],
    "si_sdr": [
        Wrong(SDR.format(CENTRE, "x"), 1),
        Wrong(SDR.format("", "(x @ y) / (x @ x) * x"), 1),
        Wrong(SDR.format(CENTRE, "(x @ y) / (x @ x) * x").replace("10 *", "20 *"), 0),
    ],
    "spectral": [
        Wrong(SPECTRAL.format("convergence *= len(sizes)"), 1),
        Wrong(SPECTRAL.format("convergence **= 2"), 1),
        Wrong(SPECTRAL.format("magnitude /= math.log(10)"), 1),
    ],
    "matching": [
        Wrong(MATCHING.format("(f - g).abs().mean() / f.abs().mean()", "mean"), 1, "to_real"),
        Wrong(MATCHING.format("(f.detach() - g).abs().mean()", "mean"), 0),
        Wrong(MATCHING.format("(f.detach() - g).abs().mean() / f.detach().abs().mean()", "sum"), 0),
        Wrong(
            MATCHING.format(
                "((f - g).abs().mean() / f.abs().mean()).detach() + 0 * g.sum()", "mean"
            ),
            1,
            "to_coded",
        ),
    ],
    "causal": [
        Wrong(CAUSAL.format("kernel - stride, 0"), 1, "shape"),
        Wrong(CAUSAL.format("(kernel - stride) // 2, (kernel - stride + 1) // 2"), 0),
        Wrong(CAUSAL.format("kernel - 1, 0"), 0),
    ],
    "diagnosis": [
        Wrong(FOUND.format("found['fault'] = 'late' if found['fault'] != 'late' else 'frozen'"), 2),
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
        Wrong(TUNE.format("report['codes'] = report['codes'].roll(1, 1)"), 1, "first codes"),
        Wrong(TUNE.format("report['decibels'] = report['decibels'][::-1]"), 2),
        Wrong(TUNE.format("report['sound'] = report['sound'] * 0"), 1, "silence"),
    ],
}
