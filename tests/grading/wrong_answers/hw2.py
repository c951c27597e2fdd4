"""Likely wrong answers to homework 2, and the points that their tasks still get."""

from wrong import Wrong

COVERAGE = """
def coverage(kernels, strides):
    hop, field = 1, 1
    for kernel, stride in zip(kernels, strides):
        {}
    return hop, field
"""
FSQ = """
def fsq(z, levels):
    sizes = torch.tensor(levels)
    half = (sizes - 1) / 2
    bounded = torch.tanh(z)
    rounded = (bounded * half).round()
    worth = torch.cat((torch.ones(1, dtype=torch.int64), sizes[:-1].cumprod(0)))
    {}
    return values, codes
"""
PASSED = "values = bounded + (rounded / half - bounded).detach()"
CODES = "codes = ((rounded + half).long() * worth).sum(1)"
TURNED = """
def rotated(z, e):
    a, b = F.normalize(z, dim=1), F.normalize(e, dim=1)
    r = F.normalize(a + b, dim=1)
    scale = e.norm(dim=1, keepdim=True) / z.norm(dim=1, keepdim=True)
    {}
    along = lambda one: (one * z).sum(1, keepdim=True)
    return {}
"""
STOP = "a, b, r, scale = (v.detach() for v in (a, b, r, scale))"
GUMBEL = """
def gumbel(logits, u, temperature):
    noisy = {}
    soft = (noisy / temperature).softmax(1)
    hard = F.one_hot(noisy.argmax(1), logits.shape[1]).float()
    return {}
"""
PRICES = """
solved = prices
def prices(codes, entries, per_second):
    fixed, entropy, conditional = solved(codes, entries, per_second)
    {}
    return fixed, entropy, conditional
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
    "coverage": [
        Wrong(COVERAGE.format("field += kernel - 1; hop *= stride"), 1),
        Wrong(COVERAGE.format("hop *= stride; field += (kernel - 1) * hop"), 1),
        Wrong(COVERAGE.format("field += (kernel - 1) * hop; hop += stride - 1"), 0),
    ],
    "fsq": [
        Wrong(FSQ.format(f"values = rounded / half; {CODES}"), 2, "gradient"),
        Wrong(FSQ.format(f"values = z + (rounded / half - z).detach(); {CODES}"), 2, "gradient"),
        Wrong(FSQ.format(f"values = rounded + (bounded - bounded.detach()); {CODES}"), 2),
        Wrong(FSQ.format(f"{PASSED}; codes = ((rounded + half).long() * worth.flip(0)).sum(1)"), 2),
        Wrong(FSQ.format(f"{PASSED}; codes = ((rounded + half) * worth).sum(1)"), 2, "whole"),
    ],
    "rotated": [
        Wrong("def rotated(z, e):\n    return z + (e - z).detach()", 1, "gradient"),
        Wrong(TURNED.format(STOP, "z - 2 * r * along(r) + 2 * b * along(a)"), 0),
        Wrong(TURNED.format("", "scale * (z - 2 * r * along(r) + 2 * b * along(a))"), 1),
        Wrong("def rotated(z, e):\n    return e", 1),
    ],
    "gumbel": [
        Wrong(GUMBEL.format("logits - (-u.log()).log()", "soft"), 1),
        Wrong(GUMBEL.format("logits - (-u.log()).log()", "hard"), 1),
        Wrong(GUMBEL.format("logits + u", "soft + (hard - soft).detach()"), 0),
        Wrong(
            GUMBEL.format("logits - (-u.log()).log()", "soft + (hard - soft).detach()").replace(
                "noisy / temperature", "noisy"
            ),
            1,
        ),
    ],
    "prices": [
        Wrong(
            PRICES.format(
                "pairs = torch.stack((codes[:, :-1], codes[:, 1:])).reshape(2, -1)\n"
                "    n = pairs.unique(dim=1, return_counts=True)[1].double()\n"
                "    p = n / n.sum()\n"
                "    conditional = per_second * float(-(p * p.log2()).sum())"
            ),
            2,
        ),
        Wrong(
            PRICES.format("conditional = solved(codes.reshape(1, -1), entries, per_second)[2]"),
            2,
        ),  # fmt: skip
        Wrong(PRICES.format("entropy *= math.log(2)"), 2),
        Wrong(PRICES.format("fixed = per_second * math.log2(len(codes.unique()))"), 2),
    ],
    "diagnosis": [
        Wrong(FOUND.format("found['fault'] = 'late' if found['fault'] != 'late' else 'stuck'"), 0),
        Wrong(FOUND.format("found['number'] += 1"), 2, "another"),
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
        Wrong(TUNE.format("report['error'] **= 0.5"), 2),
        Wrong(TUNE.format("report['codes'] = report['codes'].roll(1)"), 1, "of the codes"),
        Wrong(TUNE.format("report['log_mel'] = report['log_mel'].T"), 1, "not [80, F]"),
        Wrong(TUNE.format("report['log_mel'] = report['log_mel'] * 0"), 1, "silence"),
    ],
}
