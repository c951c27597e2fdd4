"""What homework 5 plants: an index with a fault, and captions' music beside its nearest rival."""

import json
from functools import lru_cache

from course_lib.grading import pairs
from course_lib.grading.judging import failed, mark
from course_lib.notebook.exercises.hw5 import FAULTS

CLIPS, LENGTH = 24, 64000  # test clips of the index, samples of each
SECONDS = 3.0
ASKED = (0, 9, 20)  # captions whose finds are played


def drawn(random) -> tuple[str, int]:
    """(fault, its number): the secret of the diagnosis."""
    fault = FAULTS[int(random.integers(len(FAULTS)))]
    numbers = {
        "shifted": random.integers(1, 6),
        "loud": random.integers(CLIPS),
        "collapsed": random.integers(8, 19),
        "negated": random.integers(CLIPS),
        "cut": random.integers(8, 64),
    }
    return fault, int(numbers[fault])


def broken(fault: str, number: int):
    """(sounds, texts), each [24, D], of the index with this fault."""
    sounds, texts = (side.clone() for side in vectors())
    if fault == "shifted":
        texts = texts.roll(number, 0)
    elif fault == "loud":
        sounds[number] *= 10
    elif fault == "collapsed":
        sounds[number:] = sounds[number]
    elif fault == "negated":
        texts[number] *= -1
    elif fault == "cut":
        sounds[:, number:] = 0
    return sounds, texts


@lru_cache(maxsize=1)
def clips():
    from course_lib import songbook

    book = songbook.load("test", size="quick", progress=False)
    return [book[n] for n in range(CLIPS)]


def captions() -> list[str]:
    return [clip.captions["sentence"] for clip in clips()]


@lru_cache(maxsize=1)
def vectors():
    """The shipped CLAP's (sounds, texts) of the clips, each [24, D]."""
    import torch

    with torch.no_grad():
        sounds = [_clap().embed_audio(clip.audio[None, :, :LENGTH])[0] for clip in clips()]
        return torch.stack(sounds), _clap().embed_text(captions())


def rank_of(sound, caption: str) -> int:
    """The rank of a sound [64000] among the clips and itself, for a caption."""
    import torch

    with torch.no_grad():
        own = _clap().embed_audio(torch.from_numpy(sound)[None, None])[0]
        asked = _clap().embed_text([caption])[0]
    return 1 + int((vectors()[0] @ asked >= own @ asked).sum())


def plant_diagnosis(random, folder) -> None:
    from safetensors.torch import save_file

    from course_lib import audio

    sounds, texts = broken(*drawn(random))
    index = {"sounds": sounds.contiguous(), "texts": texts.contiguous()}
    save_file(index, folder / "index.safetensors")
    for number, asked in enumerate(ASKED, 1):
        found = clips()[int((sounds @ texts[asked]).argmax())].audio[:, : round(SECONDS * 16000)]
        audio.write(folder / f"found_{number}.flac", 0.5 * found / found.abs().max(), 16000)
    told = [captions()[asked] for asked in ASKED]
    (folder / "found.json").write_text(json.dumps(told), encoding="utf-8")


def diagnosis_cases(random):
    fault, number = drawn(random)
    return [{"_fault": fault, "_number": number}]


def judge_diagnosis(cases, answers):
    (case,), (answer,) = cases, answers
    said = failed(answers)
    named = said or ("" if answer["fault"] == case["_fault"] else "it is another")
    number = said or ("" if answer["number"] == case["_number"] else "it is another")
    return [mark("the fault", 2, named), mark("its number", 2, number)]


def plant_heard(random, folder) -> None:
    pairs.write(random, folder, _pairs())
    asked = captions()[: pairs.TRIALS]
    (folder / "asked.json").write_text(json.dumps(asked), encoding="utf-8")


@lru_cache(maxsize=1)
def _clap():
    from course_lib import checkpoints

    return checkpoints.load("clap")


@lru_cache(maxsize=1)
def _pairs():
    """The music of each of the first captions, and the wrong clip that CLAP finds nearest."""
    sounds, texts = vectors()
    near = texts @ sounds.T  # [24, 24]
    length, told = round(SECONDS * 16000), captions()
    made = []
    for row in range(pairs.TRIALS):
        wrong = [n for n in range(CLIPS) if told[n] != told[row]]
        rival = max(wrong, key=lambda n, row=row: float(near[row, n]))
        made.append({"asked": clips()[row].audio[:, :length],
                     "other": clips()[rival].audio[:, :length]})  # fmt: skip
    return made
