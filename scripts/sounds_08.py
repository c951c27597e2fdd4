"""Make the sounds that open notebook 08: python scripts/sounds_08.py

Written are data/sounds/08_*.mp3: a held-out clip, the same through Opus, and through the shipped
codec before and after its discriminators and with one codebook.
"""

import torch

from course_lib import audio, checkpoints, paths
from course_lib.evaluation.opus import opus
from course_lib.notebook import ladder_clips
from course_lib.notebook.sounds import encode, excerpt

SECONDS = 3.0
OPUS = 10.0  # kbit/s asked of Opus; headers come on top


def main() -> None:
    sound = list(ladder_clips().values())[1].audio  # [1, T]
    plain, codec = checkpoints.load("codec_plain"), checkpoints.load("codec")
    packed, kbps = opus(sound, 16000, OPUS)
    print(f"Opus: {kbps:.1f} kbit/s")
    write("original", sound)
    write("opus", packed)
    write("plain", plain.decode(plain.encode(sound[None]))[0])
    write("codec", codec.decode(codec.encode(sound[None]))[0])
    write("coarse", codec.decode(codec.encode(sound[None], 1))[0])


def write(name: str, sound: torch.Tensor) -> None:
    level = audio.normalise(excerpt(sound[0], 16000, SECONDS)[None], 16000)
    data = encode(level[0], 16000, "MP3")
    path = paths.data("sounds", f"08_{name}.mp3")
    paths.replace_file(path, lambda temporary: temporary.write_bytes(data))
    print(f"{path.name}: {len(data):,} bytes")


if __name__ == "__main__":
    main()
