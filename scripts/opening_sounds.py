"""How the sounds that open a notebook are written: what all scripts sounds_*.py share."""

import torch

from course_lib import audio, paths
from course_lib.notebook.sounds import encode, excerpt

RATE = 16000  # Hz


def write(name: str, sound: torch.Tensor, seconds: float) -> None:
    """Write data/sounds/NAME.mp3: the first `seconds` of a sound [1, T] at 16 kHz, at -20 LUFS."""
    level = audio.normalise(excerpt(sound[0], RATE, seconds)[None], RATE)
    data = encode(level[0], RATE, "MP3")
    path = paths.data("sounds", f"{name}.mp3")
    paths.replace_file(path, lambda temporary: temporary.write_bytes(data))
    print(f"{path.name}: {len(data):,} bytes", flush=True)
