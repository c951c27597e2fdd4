"""Make the sounds that open notebook 16b: python scripts/sounds_16b.py

Written are data/sounds/16b_*.mp3: two training clips of nearly one tempo, from a beat on, both of
them at once, and what the shipped diffusion model plays, told where the first lies for CLAP.
"""

import torch
from opening_sounds import write

from course_lib import checkpoints, songbook
from course_lib.models import Condition
from course_lib.training.mixup import Beats, mixup

RATE, SECONDS = 16000, 4.0


def main() -> None:
    clips = [c for c in songbook.load("train", progress=False) if c.attributes.drums]
    tempi = [clip.attributes.tempo for clip in clips]
    styles = [clip.attributes.style for clip in clips]
    apart = torch.tensor(tempi)[:, None] / torch.tensor(tempi)
    unlike = torch.tensor([[a != b for b in styles] for a in styles])
    ratio = torch.maximum(apart, 1 / apart).masked_fill(~unlike, torch.inf)
    one, another = divmod(int(ratio.argmin()), len(clips))
    beats = Beats.of([c.beats for c in clips], tempi, RATE, RATE)
    pair = [clips[i].audio[:, int(beats.starts[i, 0]) :][:, : 4 * RATE] for i in (one, another)]
    write("16b_one", pair[0], SECONDS)
    write("16b_another", pair[1], SECONDS)
    write("16b_both", mixup(*(x[None] for x in pair), torch.tensor([0.5]))[0], SECONDS)
    autoencoder, clap, denoiser = map(checkpoints.load, ("autoencoder", "clap", "diffusion"))
    with torch.no_grad():
        place = clap.embed_audio(clips[one].audio[None])
    noise = torch.randn(1, 32, 200, generator=torch.Generator().manual_seed(0))
    made = denoiser.sample(noise, Condition(vector=place), steps=50, guidance=5.0)
    write("16b_asked", autoencoder.decode(made)[0], SECONDS)


if __name__ == "__main__":
    main()
