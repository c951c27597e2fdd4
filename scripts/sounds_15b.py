"""Make the sounds that open notebook 15b: python scripts/sounds_15b.py

Written are data/sounds/15b_*.mp3: the tune of whoever runs it (the Ode to Joy), its strongest
pitch classes as plain tones, and what the shipped MusicGen makes of those and three prompts.
"""

import torch
from opening_sounds import write

from course_lib import checkpoints
from course_lib.models import MusicGen, melody_of
from course_lib.songbook import mine

RATE, SECONDS = 16000, 3.0
PROMPTS = {
    "brass": "A proud brass band piece with drums",
    "organ": "A solemn chorale played on an organ",
    "chiptune": "Fast chiptune with drums",
}


def main() -> None:
    musicgen = MusicGen(checkpoints.load("codec"), checkpoints.load("musicgen"))
    tune = mine().audio[None]  # [1, 1, T]
    write("15b_tune", tune[0], SECONDS)
    write("15b_gate", as_tones(melody_of(tune, RATE, tune.shape[-1], RATE)[0]), SECONDS)
    made = musicgen.generate(list(PROMPTS.values()), 4.0, melody=tune, seed=0)
    for name, sound in zip(PROMPTS, made, strict=True):
        write(f"15b_{name}", sound, SECONDS)


def as_tones(melody: torch.Tensor) -> torch.Tensor:
    """One-hot pitch classes [12, T], one column a sample, as tones from C4 to B4: [1, T]."""
    hertz = 261.63 * 2 ** (melody.argmax(0) / 12)
    phase = (2 * torch.pi * hertz.double() / RATE).cumsum(0)
    return (0.2 * phase.sin() * melody.amax(0))[None].float()


if __name__ == "__main__":
    main()
