"""What homework 1 plants: a codebook with a fault, and pairs of sounds in a hidden order."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from course_lib.grading.judging import failed, mark
from course_lib.grading.task import Mark
from course_lib.notebook.exercises.hw1 import FAULTS, TRIALS

SIZE, WIDTH, FRAMES, NOISE = 64, 40, 3000, 0.3
FEW, MANY = 4, 64  # entries of the two codebooks to be told apart
SECONDS = 1.5


@dataclass(frozen=True)
class Broken:
    """A codebook with a fault in some of its entries; tables are [64, 40], frames [3000, 40]."""

    fault: str
    entries: list[int]
    encoder: np.ndarray
    decoder: np.ndarray
    frames: np.ndarray


def broken_codebook(random) -> Broken:
    """Well-parted groups of frames with an entry on each, of which some are then spoilt."""
    fault = FAULTS[int(random.integers(len(FAULTS)))]
    spoilt = random.permutation(SIZE)[: int(random.integers(8, 21))]
    table = random.standard_normal((SIZE, WIDTH))
    frames = table[random.integers(0, SIZE, FRAMES)] + NOISE * random.standard_normal(
        (FRAMES, WIDTH)
    )
    encoder = table.copy()
    touched = spoilt
    if fault == "dead":
        encoder[spoilt] *= 8
    elif fault == "doubled":
        others = np.setdiff1d(np.arange(SIZE), spoilt)[: len(spoilt)]
        encoder[spoilt] = table[others] + 0.02 * random.standard_normal((len(spoilt), WIDTH))
        touched = np.concatenate((spoilt, others))
    elif fault == "shrunk":
        encoder[spoilt] *= 0.7
    elif fault == "shifted":
        encoder[spoilt] += 0.3
    decoder = encoder.copy()
    if fault == "swapped":
        decoder[spoilt] = encoder[np.roll(spoilt, 1)]
    arrays = (encoder, decoder, frames)
    return Broken(fault, sorted(touched.tolist()), *(a.astype(np.float32) for a in arrays))


def plant_diagnosis(random, folder) -> None:
    from safetensors.numpy import save_file

    found = broken_codebook(random)
    tensors = {k: getattr(found, k) for k in ("encoder", "decoder", "frames")}
    save_file(tensors, folder / "broken.safetensors")


def diagnosis_cases(random):
    found = broken_codebook(random)
    return [{"_fault": found.fault, "_entries": np.array(found.entries)}]


def judge_diagnosis(cases, answers):
    (case,), (answer,) = cases, answers
    if failed(answers):
        return [mark("the fault", 2, failed(answers)), mark("its entries", 2, failed(answers))]
    right = answer["fault"] == case["_fault"]
    named, truth = set(np.asarray(answer["entries"]).ravel().tolist()), set(case["_entries"])
    missed, wrong = len(truth - named), len(named - truth)
    said = f"{missed} of its entries are missing, {wrong} are sound" if missed + wrong else ""
    return [mark("the fault", 2, "" if right else "it is another"), mark("its entries", 2, said)]


def order(random) -> list[bool]:
    """For each pair, whether A is the one of many entries: half of them, shuffled."""
    return (random.permutation(TRIALS) < TRIALS // 2).tolist()


def plant_heard(random, folder) -> None:
    from course_lib import audio

    for number, (finer, pair) in enumerate(zip(order(random), _pairs(), strict=True), 1):
        original, coarse, fine = pair
        sounds = {"original": original, "A": coarse, "B": fine}
        if finer:
            sounds = {"original": original, "A": fine, "B": coarse}
        for label, sound in sounds.items():
            audio.write(folder / f"pair_{number:02d}_{label}.flac", sound, 16000)


@lru_cache(maxsize=1)
def _pairs():
    """(original, through few entries, through many), each [1, T], of held-out music."""
    import torch

    from course_lib import audio, quantize, songbook
    from course_lib.notebook.ladder import PLACES
    from course_lib.notebook.ladder import SECONDS as HELD

    size = songbook.Size(train=1, validation=1, test=max(PLACES) + 1, seconds=HELD)  # the ladder's
    book = songbook.load("test", size=size, progress=False)
    mel = audio.LogMel()
    length = round(SECONDS * 16000)
    parts = [
        book[n % len(book)].audio[:, 16000 * (n // len(book)) :][:, :length] for n in range(TRIALS)
    ]
    frames = torch.cat([mel(book[n].audio[None])[0].T for n in range(len(book))])  # [N, 80]
    tables = {
        count: quantize.kmeans(frames, count, 10, torch.Generator().manual_seed(0)).centroids
        for count in (FEW, MANY)
    }
    pairs = []
    for part in parts:
        log_mel = mel(part[None])[0].T  # [F, 80]
        coded = [tables[n][quantize.nearest(log_mel, tables[n])].T[None] for n in (FEW, MANY)]
        pairs.append((part, *(audio.griffin_lim(c, mel)[0] for c in coded)))
    return [tuple(0.5 * s / s.abs().max().clamp(min=1e-6) for s in pair) for pair in pairs]


def heard_cases(random):
    return [{"_finer": "".join("A" if a else "B" for a in order(random))}]


def judge_heard(cases, answers):
    record, statistic = "a complete record", "how many right answers prove something"
    if failed(answers):
        return [mark(record, 1, failed(answers)), mark(statistic, 1, failed(answers))]
    (case,), (answer,) = cases, answers
    letters = answer["answers"]
    well = isinstance(letters, str) and len(letters) == TRIALS and set(letters) <= set("AB")
    well = well and answer["how"] in ("ear", "picture")
    first = mark(record, 1, f"expected {TRIALS} letters A or B, by 'ear' or 'picture'")
    if well:
        hits = sum(a == b for a, b in zip(letters, case["_finer"], strict=True))
        chance = _chance(hits)
        first = Mark(record, 1, 1, f"{hits} of {TRIALS} right, p = {chance:.3f} by guessing")
    least = next(n for n in range(TRIALS + 1) if _chance(n) <= 0.05)
    said = "" if answer["needed"] == least else "not the least number with p of at most 0.05"
    return [first, mark(statistic, 1, said)]


def _chance(hits: int) -> float:
    """The probability of at least so many right answers by guessing."""
    return sum(math.comb(TRIALS, k) for k in range(hits, TRIALS + 1)) / 2**TRIALS
