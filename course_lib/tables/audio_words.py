"""Bags of audio words (Su 2014): which weights of their counts tell styles and instruments apart.

Frames of log-mel are the *alphabets*: each is the nearest of 128 centroids. Half a second of
alphabets, counted, is a *word*: the nearest of 64 centroids of such counts. A clip is a bag of
either, its counts weighted by tf and idf, classified by logistic regression. Taught in notebook
01b.
"""

import math
from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor

from course_lib import audio, metrics, songbook
from course_lib.quantize import kmeans
from course_lib.quantize.kmeans import nearest
from course_lib.tables.claims import Claim
from course_lib.tables.grid import Job, Table

ALPHABETS, WORDS = 128, 64  # k1 and k2 of the lecture
SEGMENT = 16  # frames of a word, half a second (the lecture's 2.5 s are more than half a clip)
SIZE = songbook.Size(train=800, validation=200, test=400, seconds=4.0)
KAPPA, B = 1.2, 0.75  # of the two Okapi forms of tf, the values usual in text retrieval


def tf(name: str, counts: Tensor, kappa: float = KAPPA, b: float = B) -> Tensor:
    """Term weights [N, V] of counts f [N, V] of words in documents.

    "b": f. "l1": ln(1 + f). "l2": 1 + log2 f, 0 where f is 0. "o1": f / (f + kappa |d| / mean |d|).
    "o2": (kappa + 1) f / (f + kappa ((1 - b) + b |d| / mean |d|)). |d| is the length of the
    document. Raises ValueError for another name.
    """
    length = counts.sum(1, keepdim=True)
    ratio = length / length.mean()
    if name == "b":
        return counts
    if name == "l1":
        return counts.log1p()
    if name == "l2":
        return torch.where(counts > 0, 1 + counts.clamp(min=1).log2(), 0.0)
    if name in ("o1", "o2"):
        scale, penalty = (1, ratio) if name == "o1" else (kappa + 1, 1 - b + b * ratio)
        return torch.where(counts > 0, scale * counts / (counts + kappa * penalty), 0.0)
    raise ValueError(f"tf={name!r} is unknown: choose from {', '.join(TF)}.")


def idf(name: str, counts: Tensor) -> Tensor:
    """Word weights [V] from the counts [N, V] of training documents D.

    With F documents that hold the word: "b": ln(|D| / F). "p": ln((|D| - F) / F). "o": the same
    with 0.5 added above and below. With the entropy n of the word's counts over the documents:
    "e1": max n - n. "e2": 1 - n / ln |D|. "none": 1. A word in no document counts as in one, and
    for "p" a word in all as in all but a half. Raises ValueError for another name.
    """
    documents = len(counts)
    held = (counts > 0).sum(0).clamp(min=1).double()
    share = counts.double() / counts.sum(0).clamp(min=1)
    entropy = torch.special.entr(share).sum(0)
    weights: dict[str, Callable[[], Tensor]] = {
        "none": lambda: torch.ones_like(held),
        "b": lambda: (documents / held).log(),
        "p": lambda: ((documents - held).clamp(min=0.5) / held).log(),
        "o": lambda: ((documents - held + 0.5) / (held + 0.5)).log(),
        "e1": lambda: entropy.max() - entropy,
        "e2": lambda: 1 - entropy / math.log(documents),
    }
    if name not in weights:
        raise ValueError(f"idf={name!r} is unknown: choose from {', '.join(IDF)}.")
    return weights[name]().float()


SPLITS = ("train", "validation", "test")
TF = ("b", "l1", "l2", "o1", "o2")
IDF = ("none", "b", "p", "o", "e1", "e2")


def word_counts(codes: Tensor, words: int) -> Tensor:
    """How often each of `words` words occurs in each of N documents: codes [N, F] -> [N, V]."""
    counts = torch.zeros(len(codes), words)
    return counts.scatter_add_(1, codes, torch.ones(codes.shape))


def segments(codes: Tensor, words: int = ALPHABETS) -> Tensor:
    """Damped, normalised counts of each SEGMENT frames, half overlapping: [N, F] -> [N, S, V]."""
    parts = codes.unfold(1, SEGMENT, SEGMENT // 2)  # [N, S, SEGMENT]
    counts = word_counts(parts.flatten(0, 1), words).view(*parts.shape[:2], words)
    return torch.nn.functional.normalize(counts.log1p(), dim=-1)


@lru_cache(maxsize=3)
def bags(seed: int) -> dict[str, dict[str, Tensor]]:
    """Counts of alphabets and words, and labels, of every split of the songbook of `seed`."""
    clips = {s: songbook.load(s, SIZE, seed=seed, progress=False) for s in SPLITS}
    frames = {split: _log_mels(book) for split, book in clips.items()}  # [N, F, 80]
    generator = torch.Generator().manual_seed(seed)
    letters = _learn(frames["train"], ALPHABETS, generator)
    spelled = {split: _nearest(x, letters) for split, x in frames.items()}  # [N, F]
    pieces = {split: segments(codes) for split, codes in spelled.items()}  # [N, S, ALPHABETS]
    dictionary = _learn(pieces["train"], WORDS, generator)
    rows = {s: [book.attributes(i) for i in range(len(book))] for s, book in clips.items()}
    styles = sorted({row.style for row in rows["train"]})
    players = sorted({name for row in rows["train"] for name in row.instruments})
    return {
        split: {
            "alphabets": word_counts(spelled[split], ALPHABETS),
            "words": word_counts(_nearest(pieces[split], dictionary), WORDS),
            "style": torch.tensor([styles.index(row.style) for row in rows[split]]),
            "instruments": torch.tensor(
                [[name in row.instruments for name in players] for row in rows[split]]
            ),
        }
        for split in SPLITS
    }


def _log_mels(clips: songbook.Songbook) -> Tensor:
    log_mel = audio.LogMel(hop=512)
    parts = torch.arange(len(clips)).split(50)
    return torch.cat([log_mel(clips.batch(part)) for part in parts]).transpose(1, 2)


def _learn(x: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """Centroids [size, D] of a sample of the vectors x [N, F, D]."""
    rows = x.flatten(0, 1)
    sample = rows[torch.randperm(len(rows), generator=generator)[:20000]]
    return kmeans(sample, size, 20, generator).centroids


def _nearest(x: Tensor, centroids: Tensor) -> Tensor:
    return nearest(x.flatten(0, 1), centroids).view(x.shape[:2])


def features(job_settings: dict, seed: int) -> dict[str, Tensor]:
    """Unit vectors [N, V] of every split: the weighted bags of a row, side by side."""
    made: dict[str, list[Tensor]] = {split: [] for split in SPLITS}
    for bag in job_settings["bags"]:
        rarity = idf(job_settings["idf"], bags(seed)["train"][bag])
        for split, parts in made.items():
            weighted = tf(job_settings["tf"], bags(seed)[split][bag]) * rarity
            parts.append(torch.nn.functional.normalize(weighted, dim=1))
    return {split: torch.cat(parts, 1) for split, parts in made.items()}


def cell(job: Job) -> dict[str, float]:
    """Balanced accuracy of the style and macro-F1 of the instruments on test clips."""
    x, y = features(dict(job.settings), job.seed), bags(job.seed)
    styles = _classify(x, {split: part["style"] for split, part in y.items()}, one=True)
    players = _classify(x, {split: part["instruments"] for split, part in y.items()}, one=False)
    return {
        "style": metrics.balanced_accuracy(styles, y["test"]["style"]),
        "instruments": metrics.macro_f1(players, y["test"]["instruments"]),
    }


def _classify(x: dict[str, Tensor], y: dict[str, Tensor], one: bool) -> Tensor:
    """Predictions on the test split, with the penalty that does best on the validation split."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier

    score = metrics.balanced_accuracy if one else metrics.macro_f1
    best, chosen = -1.0, None
    for strength in (1.0, 10.0, 100.0):
        model = LogisticRegression(C=strength, max_iter=300, class_weight="balanced")
        model = model if one else OneVsRestClassifier(model)
        model.fit(x["train"].numpy(), y["train"].numpy())
        predicted = torch.from_numpy(model.predict(x["validation"].numpy()))
        reached = score(predicted, y["validation"].to(predicted.dtype))
        if reached > best:
            best, chosen = reached, model
    return torch.from_numpy(chosen.predict(x["test"].numpy())).to(y["test"].dtype)


def _rows() -> dict[str, dict]:
    grid = {
        f"tf_{t} · idf_{i}": {"bags": ["alphabets"], "tf": t, "idf": i} for t in TF for i in IDF
    }
    layers = {
        "words": {"bags": ["words"], "tf": "l1", "idf": "none"},
        "alphabets and words": {"bags": ["alphabets", "words"], "tf": "l1", "idf": "none"},
    }
    return grid | layers


RAW = "tf_b · idf_none"

TABLE = Table(
    title="Bags of audio words: weights of their counts, and two layers of words",
    source="Su 2014; tables T2 and T3 of the lecture",
    rows=_rows(),
    columns={"style": "style (balanced accuracy)", "instruments": "instruments (macro-F1)"},
    cell=cell,
    claims=(
        Claim(
            "Damped counts tell styles apart better than raw counts.",
            "style", "higher", "tf_l1 · idf_none", RAW, smallest=0.02,
        ),
        Claim(
            "Damped counts tell instruments apart better than raw counts.",
            "instruments", "higher", "tf_l1 · idf_none", RAW, smallest=0.02,
        ),
        Claim(
            "Counting a rare word for more (idf_b) helps raw counts to tell styles apart.",
            "style", "higher", "tf_b · idf_b", RAW, smallest=0.02,
        ),
        Claim(
            "Discounting long documents matters little where all clips last equally long "
            "(tf_o2 against tf_l1).",
            "style", "same", "tf_o2 · idf_none", "tf_l1 · idf_none", smallest=0.03,
        ),
        Claim(
            "Words of half a second add to alphabets of a frame for the style.",
            "style", "higher", "alphabets and words", "tf_l1 · idf_none", smallest=0.02,
        ),
        Claim(
            "Words alone lose the instruments, which alphabets keep.",
            "instruments", "lower", "words", "tf_l1 · idf_none", smallest=0.02,
        ),
    ),
)  # fmt: skip
