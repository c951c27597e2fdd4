"""Make the sounds that open notebook 15: python scripts/sounds_15.py

Written are data/sounds/15_*.mp3: what the shipped MusicGen makes of three prompts, a held-out clip,
and the clip through the four codebooks that MusicGen writes.
"""

import torch

from course_lib import audio, checkpoints, paths
from course_lib.models import MusicGen
from course_lib.notebook import ladder_clips
from course_lib.notebook.sounds import encode, excerpt

SECONDS = 3.0
PROMPTS = {
    "waltz": "A slow, romantic waltz with an accordion in front, without drums",
    "house": "Driving, fast house music led by a piano, with drums",
    "ambient": "A calm ambient piece with bells in front",
}


def main() -> None:
    musicgen = MusicGen(checkpoints.load("codec"), checkpoints.load("musicgen"))
    clip = next(iter(ladder_clips().values()))
    x = clip.audio[None]  # [1, 1, T]
    write("original", x[0])
    write("coded", musicgen.decode(musicgen.encode(x))[0])
    made = musicgen.generate(list(PROMPTS.values()), 4.0, seed=0)  # the first attempt, none picked
    for name, sound in zip(PROMPTS, made, strict=True):
        write(name, sound)


def write(name: str, sound: torch.Tensor) -> None:
    level = audio.normalise(excerpt(sound[0], 16000, SECONDS)[None], 16000)
    data = encode(level[0], 16000, "MP3")
    path = paths.data("sounds", f"15_{name}.mp3")
    paths.replace_file(path, lambda temporary: temporary.write_bytes(data))
    print(f"{path.name}: {len(data):,} bytes")


if __name__ == "__main__":
    main()
