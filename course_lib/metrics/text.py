"""How well a text says what others say: BLEU, and the share of facts it holds. Notebook 13b."""

import math
from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from course_lib.text.tokenizer import split

Fact = tuple[str, str]  # (attribute, value), such as ("style", "waltz")


def bleu(candidates: Sequence[str], references: Sequence[Sequence[str]], n: int = 4) -> float:
    """BLEU-n of candidate texts against one or several references each, from 0 to 1.

    The geometric mean of the precisions of 1-grams to n-grams, counted over all texts together and
    each clipped to its count in the reference that has most of it; times the brevity penalty, for
    which the reference nearest in length counts (the shorter of two as near). Tokens are those of
    `text.tokenizer.split`. Unsmoothed: 0 where no n-gram of some order is right. Source: Papineni
    et al. 2002, section 2. Raises ValueError for n < 1, no texts, other numbers of texts than of
    references, and a text without a reference. Taught in notebook 13b.
    """
    _check_pairs(candidates, references, "candidates", "lists of references")
    if n < 1:
        raise ValueError(f"n={n}: BLEU needs n-grams of at least one word.")
    right, total = [0] * n, [0] * n
    length = nearest = 0
    for candidate, texts in zip(candidates, references, strict=True):
        if isinstance(texts, str) or len(texts) == 0:
            raise ValueError(f"{candidate!r:.60} needs a list of at least one reference.")
        words, known = split(candidate), [split(text) for text in texts]
        length += len(words)
        nearest += min((abs(len(k) - len(words)), len(k)) for k in known)[1]
        for order in range(n):
            counts = ngrams(words, order + 1)
            most = Counter()
            for other in known:
                most |= ngrams(other, order + 1)  # the larger count of each
            right[order] += (counts & most).total()
            total[order] += counts.total()
    if min(right) == 0:
        return 0.0
    precision = math.exp(math.fsum(math.log(r / t) for r, t in zip(right, total, strict=True)) / n)
    return precision * math.exp(min(0.0, 1 - nearest / length))


def ngrams(words: Sequence[str], n: int) -> Counter:
    """How often each run of `n` words occurs."""
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def attribute_recall(
    said: Sequence[AbstractSet[Fact]], wanted: Sequence[AbstractSet[Fact]]
) -> dict[str, float]:
    """For each attribute, the share of the wanted facts that are said, over all texts.

    `said` and `wanted` hold the facts (attribute, value) of each text, as `songbook.facts` reads
    them. "mean" is the mean over the attributes, each counting the same. What is said besides does
    not matter; swapped, the arguments give the precision. Raises ValueError where nothing is wanted
    and for other numbers of texts. Taught in notebook 13b.
    """
    _check_pairs(said, wanted, "sets that are said", "that are wanted")
    asked = Counter(fact[0] for facts in wanted for fact in facts)
    if not asked:
        raise ValueError("No fact is wanted: expected (attribute, value) pairs.")
    found = Counter(fact[0] for s, w in zip(said, wanted, strict=True) for fact in s & w)
    shares = {name: found[name] / count for name, count in sorted(asked.items())}
    return shares | {"mean": math.fsum(shares.values()) / len(shares)}


def _check_pairs(a: Sequence, b: Sequence, of_a: str, of_b: str) -> None:
    if len(a) != len(b) or len(a) == 0:
        raise ValueError(
            f"There are {len(a)} {of_a} and {len(b)} {of_b}; expected pairs, not none."
        )
