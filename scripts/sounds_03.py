"""Make the sounds that open notebook 03: python scripts/sounds_03.py

Written are data/sounds/03_*.mp3: a held-out clip, its log-mel spectrogram made back into sound,
and what the VQ-VAE makes of it. That is the shipped `vqvae` or, where there is none, the small
network of the notebook, trained here in half a minute.
"""

import torch
from opening_sounds import write

from course_lib import audio, checkpoints, models, songbook
from course_lib.notebook import ladder_clips
from course_lib.training import Tensors, fit
from course_lib.training.crop import crop

SECONDS = 3.0
STEPS = 300


def main() -> None:
    mel = audio.LogMel()
    clip = next(iter(ladder_clips().values()))
    known = "vqvae" in checkpoints.available()
    model = checkpoints.load("vqvae") if known else small_network(mel)
    log_mel = mel(clip.audio[None])  # [1, 80, F]
    with torch.no_grad():
        rebuilt = model(log_mel).reconstruction  # [1, 80, F]
    write("03_original", clip.audio, SECONDS)
    write("03_mel", audio.griffin_lim(log_mel, mel)[0], SECONDS)
    write("03_vqvae", audio.griffin_lim(rebuilt, mel)[0], SECONDS)


def small_network(mel: audio.LogMel) -> models.VQVAE:
    """The VQ-VAE of the notebook."""
    book = songbook.load("train")
    x = torch.cat([mel(book.batch(part)) for part in torch.arange(len(book)).split(64)])
    torch.manual_seed(0)
    model = models.VQVAE(models.VQVAEConfig(width=32, units=1, dim=16, entries=256, decay=0.9))
    fit(
        model,
        Tensors(x),
        lambda model, x, draws: models.vqvae_loss(model, crop(x, draws, 64)),
        steps=STEPS,
        batch_size=16,
        lr=5e-3,
        warmup=20,
        progress=False,
    )
    return model


if __name__ == "__main__":
    main()
