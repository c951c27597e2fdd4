"""What homework 3 plants: a codec with a broken codebook, and pairs of sounds of two bitrates."""

from functools import lru_cache

from course_lib.grading import pairs
from course_lib.grading.judging import failed, mark
from course_lib.notebook.exercises.hw3 import FAULTS

CODEBOOKS = 4  # of which one may be broken: those after it are hardly heard
MANY, FEW = 8, 2  # codebooks of a pair
SECONDS = 2.0


def drawn(random) -> tuple[str, int, int]:
    """(fault, its codebook, which clip): the secret of the diagnosis."""
    fault = FAULTS[int(random.integers(len(FAULTS)))]
    return fault, int(random.integers(CODEBOOKS)), int(random.integers(len(pairs.clips())))


def broken(sent, fault: str, number: int):
    """The latents [F, D] that reach the decoder of codes [8, F] with this fault; "" for none."""
    import torch

    tables = torch.stack([stage.entries() for stage in _codec().quantizer.stages])  # [8, V, D]
    codes = sent.clone()
    weights = torch.ones(len(codes))
    if fault in ("skipped", "doubled"):
        weights[number] = 0 if fault == "skipped" else 2
    elif fault == "swapped":
        codes[[number, number + 1]] = sent[[number + 1, number]]
    elif fault == "late":
        codes[number, 1:] = sent[number, :-1]
    elif fault == "frozen":
        codes[number] = sent[number, 0]
    values = torch.stack([table[row] for table, row in zip(tables, codes, strict=True)])
    return (weights[:, None, None] * values).sum(0)


def plant_diagnosis(random, folder) -> None:
    import torch
    from safetensors.torch import save_file

    from course_lib import audio

    fault, number, place = drawn(random)
    codec, music = _codec(), pairs.clips()[place].audio
    sent = codec.encode(music[None]).codes[0]  # [8, F]
    arrived = broken(sent, fault, number).detach()  # [F, D]
    save_file({"sent": sent.contiguous(), "arrived": arrived}, folder / "chain.safetensors")
    with torch.no_grad():
        both = [codec.decoder(one.T[None])[0] for one in (broken(sent, "", 0), arrived)]
    for name, sound in zip(("music", "healthy", "broken"), (music, *both), strict=True):
        audio.write(folder / f"{name}.flac", 0.5 * sound / sound.abs().max(), 16000)


def diagnosis_cases(random):
    fault, number, _ = drawn(random)
    return [{"_fault": fault, "_number": number}]


def judge_diagnosis(cases, answers):
    (case,), (answer,) = cases, answers
    said = failed(answers)
    named = said or ("" if answer["fault"] == case["_fault"] else "it is another")
    number = said or ("" if answer["number"] == case["_number"] else "it is another")
    return [mark("the fault", 2, named), mark("its codebook", 2, number)]


def plant_heard(random, folder) -> None:
    pairs.write(random, folder, _pairs())


@lru_cache(maxsize=1)
def _codec():
    from course_lib import checkpoints

    return checkpoints.load("codec")


@lru_cache(maxsize=1)
def _pairs():
    """The music, with all codebooks, and with the first two."""
    made = []
    for part in pairs.excerpts(SECONDS):
        many, few = (_codec().decode(_codec().encode(part[None], n))[0] for n in (MANY, FEW))
        made.append({"original": part, "asked": many, "other": few})
    return made
