"""Autoencoders whose decoder learns for a short while: with latents masked or not.

The encoder and the whitening are those of the shipped autoencoder; the decoder begins as the
codec's, which has seen codes alone, and learns latents for some 200 steps.
"""

from copy import deepcopy
from functools import lru_cache

import torch
from torch import Tensor

from course_lib import checkpoints
from course_lib.metrics import mel_distance
from course_lib.models import ContinuousAutoencoder
from course_lib.recipes import codec_plain
from course_lib.recipes.autoencoder import MASKED
from course_lib.tables import small_diffusions as small
from course_lib.training import CodecTraining, Draws, MultiScaleMelLoss, fit, generator

STEPS, BATCH, LR = 200, 4, 3e-4
WEIGHTS = {"error": 2.0, "mel": 1.0}  # of the losses, as in the recipe of `codec_plain`
NOISES = {"mel": 0.0, "mel_noise_25": 0.25, "mel_noise_50": 0.5, "mel_noise_100": 1.0}
LOST = 0.1  # of the frames, for "mel_lost"
TRIED = 50  # test clips that are decoded


@lru_cache(maxsize=2)
def autoencoder(seed: int, masked: bool, device: str | None) -> ContinuousAutoencoder:
    """The shipped one, whose decoder is the codec's and learns latents with gaps or without."""
    model = deepcopy(small.listeners()[0])
    model.decoder.load_state_dict(checkpoints.load("codec").decoder.state_dict())
    model.encoder.requires_grad_(False)
    training = CodecTraining(model, MultiScaleMelLoss.dac(model.sample_rate), WEIGHTS)

    def loss(training: CodecTraining, audio: Tensor, draws: Draws):
        some = codec_plain.part(audio, draws)
        drawn = draws.uniform(-(-some.shape[-1] // model.hop), stream="masked")  # [B, F]
        return training.step(some, drawn >= MASKED if masked else None)

    fit(
        training,
        small.sounding("train"),
        loss,
        steps=STEPS,
        batch_size=BATCH,
        warmup=20,
        optimizers=training.optimizers(LR, betas=codec_plain.BETAS),
        seed=seed,
        device=device,
        progress=False,
    )
    return model.eval().cpu()


@lru_cache(maxsize=2)
@torch.no_grad()
def forgiveness(seed: int, masked: bool, device: str | None) -> dict[str, float]:
    """Mel distance of test clips after the decoder, their latents noisy or some missing."""
    model = autoencoder(seed, masked, device)
    latents = small.encoded("test").latents[:TRIED, :, : small.FRAMES]
    audio = real_audio()
    noise = torch.randn(latents.shape, generator=generator(seed, 0, stream="noise"))
    uniform = torch.rand(latents[:, :1].shape, generator=generator(seed, 0, stream="lost"))
    asked = {name: latents + level * noise for name, level in NOISES.items()}
    asked["mel_lost"] = latents * (uniform >= LOST)
    return {
        name: mel_distance(audio, small.decoded(model, some)).mean().item()
        for name, some in asked.items()
    }


def real_audio() -> Tensor:
    """The first 2 s of the tried test clips, [N, 1, T]."""
    clips = small.sounding("test")
    audio = clips.batch(range(min(TRIED, len(clips))))
    return audio[..., : small.FRAMES * small.listeners()[0].hop]
