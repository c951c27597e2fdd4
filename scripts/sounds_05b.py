"""Make the sounds that open notebook 05b: python scripts/sounds_05b.py

Written are data/sounds/05b_*.mp3: a held-out clip; its 40 bands; what SlowAE's four channels keep
of them; and the clip continued after one second by a model of events. The models are the shipped
ones, or where there are none small ones trained here.
"""

import torch
from opening_sounds import write

from course_lib import audio, checkpoints, songbook
from course_lib.models import (
    RunLengthTransformer,
    RunLengthTransformerConfig,
    SlowAE,
    SlowAEConfig,
    write_events,
)
from course_lib.notebook import ladder_clips
from course_lib.recipes import slowae, slowae_prior
from course_lib.training import fit

SECONDS = 3.5
RATE = 125  # frames per second
STEPS = 300


def main() -> None:
    slow, prior = shipped_or_small()
    clip = list(ladder_clips().values())[1]
    with torch.no_grad():
        bands = slowae.MEL(clip.audio[None])
        codes = slow.encode(bands)
        continued = write_events(
            prior, round(SECONDS * RATE), prompt=codes[..., :RATE], temperature=0.9,
            generator=torch.Generator().manual_seed(0),
        )  # fmt: skip
        found = {"mel": bands, "slow": slow.decode_codes(codes)}
        found["continued"] = slow.decode_codes(continued)
    write("05b_original", clip.audio, SECONDS)
    for name, some in found.items():
        write(f"05b_{name}", audio.griffin_lim(some, slowae.MEL)[0], SECONDS)


def shipped_or_small() -> tuple[SlowAE, RunLengthTransformer]:
    if {"slowae", "slowae_prior"} <= set(checkpoints.available()):
        return checkpoints.load("slowae"), checkpoints.load("slowae_prior")
    book = songbook.load("train", progress=False)
    torch.manual_seed(0)
    slow = SlowAE(SlowAEConfig(width=48, units=3, steering=0.1))
    fit(slow, book, slowae.loss, steps=STEPS, batch_size=8, lr=3e-3, average=0.98)
    windows = slowae_prior.Windows(slowae_prior.windows_of(slow.cpu(), book), 128)
    prior = RunLengthTransformer(RunLengthTransformerConfig(width=64, layers=3))
    fit(prior, windows, slowae_prior.loss, steps=STEPS // 3, batch_size=8, lr=2e-3, average=0.98)
    return slow, prior.cpu()


if __name__ == "__main__":
    main()
