"""Likely wrong answers to homework 4, and the points that their tasks still get."""

from wrong import Wrong

LAID = """
def laid(codes, delays, pad):
    frames = codes.shape[1]
    grid = torch.full((len(codes), frames + max(delays)), pad)
    for k, delay in enumerate({}):
        grid[k, delay : delay + frames] = codes[k]
    return grid, {}
"""
PLACES = (
    "torch.stack([(torch.arange(grid.shape[1]) >= d) & (torch.arange(grid.shape[1]) < d + frames)"
    " for d in delays])"
)
KNOWN = """
def known(frames, given, delays):
    place = torch.arange(frames + max(delays))
    first = torch.tensor(delays)[:, None]
    return {}, {}
"""
CELLS = "(place >= first) & (place < first + given)"
LOSS = """
def loss(logits, grid, there):
    safe = torch.where(there, grid, 0)
    nats = F.cross_entropy(logits.flatten(0, 1), safe.flatten(), reduction="none").view_as(grid)
    return {}
"""
NUCLEUS = """
def nucleus(logits, p):
    {}
    ordered, order = logits.softmax(1).sort(1, descending=True)
    outside = {}
    return {}.masked_fill(torch.zeros_like(outside).scatter(1, order, outside), -torch.inf)
"""
DRAW = """
def draw(logits, u, temperature, top_k):
    least = logits.topk(top_k, dim=1).values[:, -1:]
    kept = ({}).masked_fill({}, -torch.inf)
    reached = kept.double().softmax(1).cumsum(1)
    return {}
"""
INVERTED = "(reached <= u[:, None]).sum(1).clamp(max=logits.shape[1] - 1)"
ATTEND = """
def attend(q, k, v, memory=None):
    new = k, v
    if memory is not None:
        k, v = torch.cat((memory[0], k), 1), torch.cat((memory[1], v), 1)
    scores = q @ k.transpose(1, 2) / {}
    later = torch.ones_like(scores[0], dtype=torch.bool).triu({})
    return scores.masked_fill(later, -torch.inf).softmax(2) @ v, {}
"""
ROOT, BEFORE = "math.sqrt(q.shape[-1])", "k.shape[1] - q.shape[1] + 1"
BITS = """
solved = bits
def bits(logits, codes, frame_rate):
    each, saved = solved(logits, codes, frame_rate)
    {}
    return each, saved
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
WRONG = {
    "laid": [
        Wrong(LAID.format("range(len(codes))", PLACES), 2, "off by"),
        Wrong(LAID.format("delays", "grid != pad"), 2, "there"),
        Wrong(
            "def laid(codes, delays, pad):\n"
            "    grid = torch.stack([F.pad(c, (d, 0), value=pad)[: codes.shape[1]]\n"
            "        for c, d in zip(codes, delays)])\n"
            "    return grid, grid != pad",
            0,
            "shape",
        ),
    ],
    "known": [
        Wrong(KNOWN.format("(place < given).expand(len(delays), -1)", "given + min(delays)"), 1),
        Wrong(KNOWN.format(CELLS, "given + max(delays)"), 1),
        Wrong(KNOWN.format(CELLS, "given"), 1),
        Wrong(KNOWN.format("place < first + given", "given + min(delays)"), 1),
    ],
    "loss": [
        Wrong(LOSS.format("(nats * there).sum() / there.sum()"), 1),
        Wrong(LOSS.format("nats.mean()"), 0),
        Wrong(LOSS.format("((nats * there).sum(1) / there.sum(1)).mean()"), 1, "NaN"),
        Wrong(LOSS.format("((nats * there).sum(1) / there.sum(1).clamp(min=1)).sum()"), 0),
    ],
    "nucleus": [
        Wrong(NUCLEUS.format("", "ordered.cumsum(1) > p", "logits"), 0),
        Wrong(NUCLEUS.format("", "ordered.cumsum(1) - ordered >= p", "logits.softmax(1)"), 1),
        Wrong(NUCLEUS.format("", "ordered < 1 - p", "logits"), 0),
    ],
    "draw": [
        Wrong(DRAW.format("logits", "logits < least", INVERTED), 0),
        Wrong(DRAW.format("logits * temperature", "logits < least", INVERTED), 0),
        Wrong(DRAW.format("logits / temperature", "logits <= least", INVERTED), 0),
        Wrong(DRAW.format("logits / temperature", "logits < -1e9", INVERTED), 1),
        Wrong(DRAW.format("logits / temperature", "logits < least", "kept.argmax(1)"), 0),
    ],
    "attend": [
        Wrong(ATTEND.format(ROOT, "1", "(k, v)"), 2),
        Wrong(ATTEND.format("q.shape[-1]", BEFORE, "(k, v)"), 1),
        Wrong(ATTEND.format(ROOT, BEFORE, "new"), 2, "shape"),
        Wrong(ATTEND.format(ROOT, "k.shape[1]", "(k, v)"), 1),
    ],
    "bits": [
        Wrong(BITS.format("each = each * math.log(2)"), 1),
        Wrong(BITS.format("saved = 1 - saved"), 1),
        Wrong(BITS.format("each = each / frame_rate"), 1),
    ],
    "diagnosis": [
        Wrong(FOUND.format("found['fault'] = 'kept' if found['fault'] != 'kept' else 'early'"), 2),
        Wrong(FOUND.format("found['number'] = found['number'] % 3 + 1"), 2, "another"),
    ],
    "heard": [
        Wrong(HEARD.format("needed=9"), 1),
        Wrong(HEARD.format("answers='AB' * 5"), 1),
    ],
}
