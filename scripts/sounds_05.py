"""Make the sounds that open notebook 05: python scripts/sounds_05.py

Written are data/sounds/05_*.mp3: a held-out clip; its log-mel and back; from both maps of VQ-VAE-2;
from the top map alone; and music that the priors invented. The models are your own where you have
trained them (course train vqvae2 --mine, then vqvae2_priors), else the shipped ones.
"""

import torch
from opening_sounds import write

from course_lib import audio, checkpoints
from course_lib.notebook import ladder_clips
from course_lib.recipes.vqvae2 import MEL

SECONDS = 3.0
PLACE = 1  # of the ladder: a clip with drums


@torch.no_grad()
def main() -> None:
    model = checkpoints.load("vqvae2", mine=True)
    priors = checkpoints.load("vqvae2_priors", mine=True)
    clip = list(ladder_clips().values())[PLACE]
    write("05_original", clip.audio, SECONDS)
    log_mel = MEL(clip.audio[None])  # [1, 64, F]
    top, bottom = model.encode(log_mel)
    generator = torch.Generator().manual_seed(5)
    invented = priors.sample(temperature=0.95, top_p=0.95, generator=generator)
    images = {
        "mel": log_mel,
        "both": model.decode_codes(top, bottom),
        "top": model.decode_codes(top, None),
        "invented": model.decode_codes(*invented),
    }
    for name, image in images.items():
        write(f"05_{name}", audio.griffin_lim(image, MEL)[0], SECONDS)


if __name__ == "__main__":
    main()
