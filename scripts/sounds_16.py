"""Make the sounds that open notebook 16: python scripts/sounds_16.py

Written are data/sounds/16_*.mp3: what the shipped latent diffusion makes of two prompts, a held-out
clip, and the clip with its middle written anew.
"""

from opening_sounds import write

from course_lib.notebook import ladder_clips
from course_lib.notebook.inpainting import hole
from course_lib.notebook.prompting import load_diffusion

SECONDS = 2.5
PROMPTS = {
    "waltz": "A slow, romantic waltz with an accordion in front, without drums",
    "house": "Driving, fast house music led by a piano, with drums",
}
HOLE = (0.7, 1.4)  # seconds


def main() -> None:
    diffusion = load_diffusion()
    clip = list(ladder_clips().values())[1]  # the one with drums
    x = clip.audio[None]  # [1, 1, T]
    frames = diffusion.frames(x.shape[-1] / diffusion.sample_rate)
    mask = hole(*HOLE, frames, diffusion.sample_rate / diffusion.hop)
    write("16_original", x[0], SECONDS)
    filled = diffusion.inpaint(x, mask, [clip.captions["sentence"]], seed=0)
    write("16_inpainted", filled[0].cpu(), SECONDS)
    made = diffusion.generate(list(PROMPTS.values()), 4.0, seed=0)  # the first attempt, none picked
    for name, sound in zip(PROMPTS, made.cpu(), strict=True):
        write(f"16_{name}", sound, SECONDS)


if __name__ == "__main__":
    main()
