"""What homework 4 plants: codes out of order, and music beside what MusicGen made."""

import json
from functools import lru_cache

from course_lib.grading import pairs
from course_lib.grading.judging import failed, mark
from course_lib.notebook.exercises.hw4 import FAULTS

SECONDS = 2.0


def drawn(random) -> tuple[str, int, int]:
    """(fault, its codebook, which clip): the secret of the diagnosis."""
    fault = FAULTS[int(random.integers(len(FAULTS)))]
    return fault, int(random.integers(1, 4)), int(random.integers(len(pairs.clips())))


def broken(right, fault: str, number: int):
    """Codes [4, F] as they arrive with this fault."""
    import torch

    codes, row = right.clone(), right[number]
    if fault == "kept":
        codes[number] = torch.cat((row[:1].expand(number), row[:-number]))
    elif fault == "early":
        codes[number] = torch.cat((row[1:], row[-1:]))
    elif fault == "crossed":
        codes[[number - 1, number]] = right[[number, number - 1]]
    elif fault == "echoed":
        codes[number] = right[number - 1]
    elif fault == "frozen":
        codes[number] = row[0]
    return codes


def plant_diagnosis(random, folder) -> None:
    from safetensors.torch import save_file

    fault, number, place = drawn(random)
    model = _musicgen()
    # What the four codebooks keep of a clip: coded again, it has nearly the same codes, which are
    # those that arrive.
    music = model.decode(model.encode(pairs.clips()[place].audio[None])).contiguous()
    arrived = broken(model.encode(music)[0], fault, number)
    save_file({"music": music, "arrived": arrived.contiguous()}, folder / "chain.safetensors")


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
    (folder / "sentences.json").write_text(json.dumps(sentences()), encoding="utf-8")


def sentences() -> list[str]:
    """The captions of the music in the twelve pairs."""
    found = pairs.clips()
    return [found[n % len(found)].captions["sentence"] for n in range(pairs.TRIALS)]


@lru_cache(maxsize=1)
def _musicgen():
    from course_lib import checkpoints
    from course_lib.models import MusicGen

    return MusicGen(checkpoints.load("codec"), checkpoints.load("musicgen")).eval()


@lru_cache(maxsize=1)
def _pairs():
    """The music of each pair through the codec, and what MusicGen made of its caption."""
    model = _musicgen()
    made = model.generate(sentences(), SECONDS, seed=4)
    length = round(SECONDS * model.sample_rate)
    return [
        {"asked": model.decode(model.encode(part[None]))[0, :, :length], "other": one[:, :length]}
        for part, one in zip(pairs.excerpts(SECONDS), made, strict=True)
    ]
