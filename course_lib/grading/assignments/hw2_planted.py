"""What homework 2 plants: a decoding chain with a fault, and pairs of sounds in a hidden order."""

from functools import lru_cache

from course_lib.grading import pairs
from course_lib.grading.judging import failed, mark
from course_lib.notebook.exercises.hw2 import FAULTS

FLOOR = -12.0  # of a log-mel
CLIPS = (128, 256, 512, 768)
FEW = 16  # entries
SECONDS = 2.0


def drawn(random) -> tuple[str, int, int]:
    """(fault, its number, which clip): the secret of the diagnosis."""
    fault = FAULTS[int(random.integers(len(FAULTS)))]
    numbers = {
        "late": random.integers(1, 5),
        "stuck": random.integers(8, 40),
        "clipped": CLIPS[int(random.integers(len(CLIPS)))],
        "deaf": random.integers(20, 71),
        "raised": random.integers(1, 4),
    }
    return fault, int(numbers[fault]), int(random.integers(len(pairs.clips())))


def broken(codes, fault: str, number: int, length: int):
    """The log-mel [1, 80, length] that a chain with this fault makes of codes [1, 1, F]."""
    import torch

    place = torch.arange(codes.shape[-1])
    if fault == "late":
        codes = codes[..., (place - number).clamp(min=0)]
    elif fault == "stuck":
        codes = codes[..., place.clamp(max=number)]
    elif fault == "clipped":
        codes = codes.clamp(max=number)
    with torch.no_grad():
        arrived = _model().decode_codes(codes, length)
    if fault == "deaf":
        arrived[:, number:] = FLOOR
    elif fault == "raised":
        arrived = arrived + number
    return arrived


def plant_diagnosis(random, folder) -> None:
    from safetensors.torch import save_file

    from course_lib import audio

    fault, number, place = drawn(random)
    mel, music = audio.LogMel(), pairs.clips()[place].audio
    log_mel = mel(music[None])  # [1, 80, F]
    codes = _model().encode(log_mel)
    healthy = broken(codes, "", 0, log_mel.shape[-1])
    arrived = broken(codes, fault, number, log_mel.shape[-1])
    save_file({"sent": codes, "arrived": arrived.contiguous()}, folder / "chain.safetensors")
    sounds = {"music": music, "healthy": audio.griffin_lim(healthy, mel)[0]}
    sounds["broken"] = audio.griffin_lim(arrived, mel)[0]
    for name, sound in sounds.items():
        audio.write(folder / f"{name}.flac", 0.5 * sound / sound.abs().max(), 16000)


def diagnosis_cases(random):
    fault, number, _ = drawn(random)
    return [{"_fault": fault, "_number": number}]


def judge_diagnosis(cases, answers):
    (case,), (answer,) = cases, answers
    said = failed(answers)
    named = said or ("" if answer["fault"] == case["_fault"] else "it is another")
    number = named or ("" if answer["number"] == case["_number"] else "it is another")
    return [mark("the fault", 2, named), mark("its number", 2, number)]


def plant_heard(random, folder) -> None:
    pairs.write(random, folder, _pairs())


@lru_cache(maxsize=1)
def _model():
    from course_lib import checkpoints

    return checkpoints.load("vqvae")


@lru_cache(maxsize=1)
def _pairs():
    """The music, through all entries, and through the FEW that are used most."""
    import torch

    from course_lib import audio
    from course_lib.quantize import nearest

    model, mel = _model(), audio.LogMel()
    used = torch.cat([model.encode(mel(clip.audio[None])).flatten() for clip in pairs.clips()])
    few = torch.bincount(used, minlength=model.config.entries).argsort(descending=True, stable=True)
    few = few[:FEW]
    made = []
    for part in pairs.excerpts(SECONDS):
        x = mel(part[None])  # [1, 80, F]
        with torch.no_grad():
            latents = model.latents(x)[0].T  # [codes, dim]
            table = model.quantizer.entries()[few]  # [FEW, dim]
            coarse = few[nearest(latents, table)][None, None]  # [1, 1, codes]
            both = [model.decode_codes(c, x.shape[-1]) for c in (model.encode(x), coarse)]
        asked, other = (audio.griffin_lim(y, mel)[0] for y in both)
        made.append({"original": part, "asked": asked, "other": other})
    return made
