"""What homework 1 plants: a codebook with a fault, and pairs of sounds in a hidden order."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from course_lib.grading import pairs
from course_lib.grading.judging import failed, mark
from course_lib.notebook.exercises.hw1 import FAULTS

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


def plant_heard(random, folder) -> None:
    pairs.write(random, folder, _pairs())


@lru_cache(maxsize=1)
def _pairs():
    """(original, through few entries, through many), each [1, T], of held-out music."""
    import torch

    from course_lib import audio, quantize

    mel = audio.LogMel()
    parts = pairs.excerpts(SECONDS)
    frames = torch.cat([mel(clip.audio[None])[0].T for clip in pairs.clips()])  # [N, 80]
    tables = {
        count: quantize.kmeans(frames, count, 10, torch.Generator().manual_seed(0)).centroids
        for count in (FEW, MANY)
    }
    made = []
    for part in parts:
        log_mel = mel(part[None])[0].T  # [F, 80]
        coded = [tables[n][quantize.nearest(log_mel, tables[n])].T[None] for n in (FEW, MANY)]
        few, many = (audio.griffin_lim(c, mel)[0] for c in coded)
        made.append({"original": part, "asked": many, "other": few})
    return made
