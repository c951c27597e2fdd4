"""Make the sounds that open notebook 15: python scripts/sounds_15.py

Written are data/sounds/15_*.mp3: what the shipped MusicGen makes of three prompts, a held-out clip,
and the clip through the four codebooks that MusicGen writes.
"""

from opening_sounds import write

from course_lib import checkpoints
from course_lib.models import MusicGen
from course_lib.notebook import ladder_clips

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
    write("15_original", x[0], SECONDS)
    write("15_coded", musicgen.decode(musicgen.encode(x))[0], SECONDS)
    made = musicgen.generate(list(PROMPTS.values()), 4.0, seed=0)  # the first attempt, none picked
    for name, sound in zip(PROMPTS, made, strict=True):
        write(f"15_{name}", sound, SECONDS)


if __name__ == "__main__":
    main()
