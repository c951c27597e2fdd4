"""Make the sounds that open notebook 13: python scripts/sounds_13.py

Written are data/sounds/13_*.mp3: for each of three sentences the held-out clip that the shipped
CLAP finds for it.
"""

import torch
from opening_sounds import write

from course_lib import checkpoints, songbook
from course_lib.recipes.clap import embed_clips

SECONDS = 3.5
SENTENCES = {
    "waltz": "a slow waltz with strings",
    "chiptune": "a fast chiptune track with drums",
    "choir": "a solemn choir without drums",
}


def main() -> None:
    clap, clips = checkpoints.load("clap"), songbook.load("test", "full")
    vectors = embed_clips(clap, clips)  # [N, E]
    with torch.no_grad():
        nearest = (clap.embed_text(list(SENTENCES.values())) @ vectors.T).argmax(1)
    for name, index in zip(SENTENCES, nearest.tolist(), strict=True):
        clip = clips[index]
        print(clip.captions["sentence"])
        write(f"13_{name}", clip.audio, SECONDS)


if __name__ == "__main__":
    main()
