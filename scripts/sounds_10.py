"""Make the sounds that open notebook 10: python scripts/sounds_10.py

Written are data/sounds/10_*.mp3: a held-out clip, the clip through each of Jukebox's levels, and
its first second continued by the shipped priors.
"""

import torch

from course_lib import audio, checkpoints, paths
from course_lib.models import LEVELS, Jukebox
from course_lib.notebook import ladder_clips
from course_lib.notebook.sounds import encode, excerpt

SECONDS = 3.0


def main() -> None:
    jukebox = Jukebox(
        checkpoints.load("jukebox_levels"),
        checkpoints.load("jukebox_top"),
        checkpoints.load("jukebox_upsamplers"),
    )
    clip = next(iter(ladder_clips().values()))
    x = clip.audio[None]  # [1, 1, T]
    write("original", x[0])
    for level, codes in zip(LEVELS, jukebox.encode(x), strict=True):
        write(level, jukebox.decode(codes, level)[0])
    continued = jukebox.generate(
        [clip.attributes], SECONDS, prompt=x[..., :16000], top_p=0.95,
        generator=torch.Generator().manual_seed(0),
    )  # fmt: skip
    write("continued", continued[0])


def write(name: str, sound: torch.Tensor) -> None:
    level = audio.normalise(excerpt(sound[0], 16000, SECONDS)[None], 16000)
    data = encode(level[0], 16000, "MP3")
    path = paths.data("sounds", f"10_{name}.mp3")
    paths.replace_file(path, lambda temporary: temporary.write_bytes(data))
    print(f"{path.name}: {len(data):,} bytes")


if __name__ == "__main__":
    main()
