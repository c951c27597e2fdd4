"""Make the sounds that open notebook 10: python scripts/sounds_10.py

Written are data/sounds/10_*.mp3: a held-out clip, the clip through each of Jukebox's levels, and
its first second continued by the shipped priors.
"""

import torch
from opening_sounds import write

from course_lib import checkpoints
from course_lib.models import LEVELS, Jukebox
from course_lib.notebook import ladder_clips

SECONDS = 3.0


def main() -> None:
    jukebox = Jukebox(
        checkpoints.load("jukebox_levels"),
        checkpoints.load("jukebox_top"),
        checkpoints.load("jukebox_upsamplers"),
    )
    clip = next(iter(ladder_clips().values()))
    x = clip.audio[None]  # [1, 1, T]
    write("10_original", x[0], SECONDS)
    for level, codes in zip(LEVELS, jukebox.encode(x), strict=True):
        write(f"10_{level}", jukebox.decode(codes, level)[0], SECONDS)
    continued = jukebox.generate(
        [clip.attributes], SECONDS, prompt=x[..., :16000], top_p=0.95,
        generator=torch.Generator().manual_seed(0),
    )  # fmt: skip
    write("10_continued", continued[0], SECONDS)


if __name__ == "__main__":
    main()
