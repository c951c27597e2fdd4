"""Make the sounds that open notebook 13: python scripts/sounds_13.py

Written are data/sounds/13_*.mp3: for each of three sentences the held-out clip that the shipped
CLAP finds for it.
"""

import torch

from course_lib import audio, checkpoints, paths, songbook
from course_lib.notebook.sounds import encode, excerpt
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
        level = audio.normalise(excerpt(clip.audio[0], 16000, SECONDS)[None], 16000)
        data = encode(level[0], 16000, "MP3")
        path = paths.data("sounds", f"13_{name}.mp3")
        paths.replace_file(path, lambda temporary, data=data: temporary.write_bytes(data))
        print(f"{path.name}: {len(data):,} bytes, {clip.captions['sentence']}")


if __name__ == "__main__":
    main()
