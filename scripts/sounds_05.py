"""Make the sounds that open notebook 05: python scripts/sounds_05.py

Written are data/sounds/05_*.mp3: a held-out clip; its log-mel and back; from both maps of VQ-VAE-2;
from the top map alone; and music that the priors invented. The models are your own where you have
trained them (course train vqvae2 --mine, then vqvae2_priors), else the shipped ones.
"""

import torch

from course_lib import audio, checkpoints, paths
from course_lib.notebook import ladder_clips
from course_lib.notebook.sounds import encode, excerpt
from course_lib.recipes.vqvae2 import MEL

SECONDS = 3.0
PLACE = 1  # of the ladder: a clip with drums


@torch.no_grad()
def main() -> None:
    model = checkpoints.load("vqvae2", mine=True)
    priors = checkpoints.load("vqvae2_priors", mine=True)
    clip = list(ladder_clips().values())[PLACE]
    write("original", clip.audio)
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
        write(name, audio.griffin_lim(image, MEL)[0])


def write(name: str, sound: torch.Tensor) -> None:
    level = audio.normalise(excerpt(sound[0], 16000, SECONDS)[None], 16000)
    data = encode(level[0], 16000, "MP3")
    path = paths.data("sounds", f"05_{name}.mp3")
    paths.replace_file(path, lambda temporary: temporary.write_bytes(data))
    print(f"{path.name}: {len(data):,} bytes")


if __name__ == "__main__":
    main()
