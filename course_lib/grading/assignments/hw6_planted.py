"""What homework 6 plants: a walk with a wrong step, and pairs made with and without a sentence."""

import json
from functools import lru_cache

from course_lib.grading import pairs
from course_lib.grading.judging import failed, mark
from course_lib.notebook.exercises.hw6 import FAULTS

STEPS, FRAMES, GUIDANCE = 12, 100, 3.0
PROMPTS = (
    "A slow, romantic waltz with an accordion in front, without drums",
    "Driving, fast house music led by a piano, with drums",
    "A calm ambient piece with bells in front",
    "A lively chiptune tune at a fast tempo, with drums",
    "A slow chorale played by a choir, without drums",
    "A fast fiddle session led by a fiddle, without drums",
    "Cheerful ragtime for piano, without drums",
    "A medium bossa nova with a nylon guitar, with drums",
    "A brass band march led by a trumpet, with drums",
    "A slow music box melody, without drums",
    "Soul music with an organ in front, with drums",
    "Lo-fi music at a slow tempo with an electric piano, with drums",
)


def drawn(random) -> tuple[str, int, int, int]:
    """(fault, its step, which prompt, seed of the noise): the secret of the diagnosis."""
    fault = FAULTS[int(random.integers(len(FAULTS)))]
    step, prompt, seed = (int(random.integers(*span)) for span in ((2, 10), (0, 12), (0, 10**6)))
    return fault, step, prompt, seed


def walk(prompt: str, seed: int, fault: str = "", wrong: int = -1):
    """z [13, 32, FRAMES] of 12 steps of DDIM, of which step `wrong` has the fault."""
    import torch

    from course_lib.nets.diffusion_solvers import trailing

    schedule = _diffusion().denoiser.schedule
    alpha, sigma = schedule.alpha.float(), schedule.sigma.float()
    times = trailing(len(schedule), STEPS)
    z = torch.randn(1, 32, FRAMES, generator=torch.Generator().manual_seed(seed))
    walked = [z]
    for n, t in enumerate(times):
        found = fault if n == wrong else ""
        guidance = {"unguided": 1.0, "flipped": -GUIDANCE}.get(found, GUIDANCE)
        v = velocity(z, times[n - 1] if found == "late" else t, prompt, guidance)
        x, noise = alpha[t] * z - sigma[t] * v, sigma[t] * z + alpha[t] * v
        if found == "misread":
            x, noise = (z - sigma[t] * v) / alpha[t], v
        after = (1.0, 0.0) if n + 1 == STEPS else (alpha[times[n + 1]], sigma[times[n + 1]])
        z = z if found == "stopped" else after[0] * x + after[1] * noise
        walked.append(z)
    return torch.cat(walked)


def velocity(z, t: int, prompt: str | None, guidance: float):
    """What the shipped network tells of z [1, 32, F] at time t."""
    import torch

    from course_lib.models import Known

    model, at = _diffusion(), torch.tensor([t])
    with torch.no_grad():
        asked, nothing = (
            model.denoiser(z, at, model.read([p]), Known.nothing(z)) for p in (prompt, None)
        )
    return nothing + guidance * (asked - nothing)


def errors_of(sound, latents):
    """Latents [32, 100] of a sound [32000], and the errors at three times from given latents."""
    import numpy as np
    import torch

    model = _diffusion()
    right = model.autoencoder.encode(torch.from_numpy(sound)[None, None])[0].detach().numpy()
    x = torch.from_numpy(latents)[None]
    noise = torch.randn(1, 32, FRAMES, generator=torch.Generator().manual_seed(7))
    errors = []
    for t in (200, 500, 800):
        alpha, sigma = (float(w[t]) for w in (model.denoiser.schedule.alpha,
                                              model.denoiser.schedule.sigma))  # fmt: skip
        z = alpha * x + sigma * noise
        told = alpha * z - sigma * velocity(z, t, None, 1.0)
        errors.append(float((told - x).square().mean()))
    return right, np.array(errors)


def plant_diagnosis(random, folder) -> None:
    import torch
    from safetensors.torch import save_file

    from course_lib import audio

    fault, number, place, seed = drawn(random)
    wrong, right = walk(PROMPTS[place], seed, fault, number), walk(PROMPTS[place], seed)
    save_file({"z": wrong.contiguous()}, folder / "walk.safetensors")
    with torch.no_grad():
        sounds = _diffusion().autoencoder.decode(torch.stack((right[-1], wrong[-1])))
    for name, sound in zip(("healthy", "broken"), sounds, strict=True):
        audio.write(folder / f"{name}.flac", 0.5 * sound / sound.abs().max(), 16000)
    about = {"walk": PROMPTS[place], "pairs": PROMPTS}
    (folder / "prompts.json").write_text(json.dumps(about), encoding="utf-8")


def diagnosis_cases(random):
    fault, number, *_ = drawn(random)
    return [{"_fault": fault, "_number": number}]


def judge_diagnosis(cases, answers):
    (case,), (answer,) = cases, answers
    said = failed(answers)
    named = said or ("" if answer["fault"] == case["_fault"] else "it is another")
    number = said or ("" if answer["number"] == case["_number"] else "it is another")
    return [mark("the fault", 2, named), mark("its step", 2, number)]


def plant_heard(random, folder) -> None:
    pairs.write(random, folder, _pairs())


@lru_cache(maxsize=1)
def _diffusion():
    from course_lib import checkpoints
    from course_lib.models import LatentDiffusion

    parts = (checkpoints.load(name) for name in ("autoencoder", "clap", "diffusion"))
    return LatentDiffusion(*parts).eval()


@lru_cache(maxsize=1)
def _pairs():
    """Of each sentence, what is made from it and, from the same noise, from nothing."""
    told, untold = (
        _diffusion().generate(asked, FRAMES / 50, guidance=GUIDANCE, seed=3)
        for asked in (list(PROMPTS), [None] * len(PROMPTS))
    )
    return [{"asked": a, "other": b} for a, b in zip(told, untold, strict=True)]
