"""Make the sounds that open notebook 07: python scripts/sounds_07.py

Written are data/sounds/07_*.mp3: a held-out clip, the same codes of it through the decoders of the
shipped `codec_plain` and `codec`, and one code of eight through the latter.
"""

import torch

from course_lib import audio, checkpoints, paths
from course_lib.notebook import ladder_clips
from course_lib.notebook.sounds import encode, excerpt

SECONDS = 3.0


def main() -> None:
    clip = next(iter(ladder_clips().values()))
    plain, judged = checkpoints.load("codec_plain"), checkpoints.load("codec")
    x = clip.audio[None]  # [1, 1, T]
    write("original", x[0])
    write("plain", plain.decode(plain.encode(x))[0])
    write("judged", judged.decode(judged.encode(x))[0])
    write("coarse", judged.decode(judged.encode(x, n_codebooks=1))[0])


def write(name: str, sound: torch.Tensor) -> None:
    level = audio.normalise(excerpt(sound[0], 16000, SECONDS)[None], 16000)
    data = encode(level[0], 16000, "MP3")
    path = paths.data("sounds", f"07_{name}.mp3")
    paths.replace_file(path, lambda temporary: temporary.write_bytes(data))
    print(f"{path.name}: {len(data):,} bytes")


if __name__ == "__main__":
    main()
