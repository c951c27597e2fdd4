"""The continuous autoencoder: the codec's encoder, whitened, and its decoder taught latents.

The encoder stays as it is, so that the codec's tokens and these latents come from the same frames,
and what differs between models of the two is tokens or latents alone. About 9 minutes on one CPU
core. Taught in notebook 16.
"""

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor
from torch.optim import Optimizer

from course_lib.checkpoints import load as load_artefact
from course_lib.evaluation import fidelity
from course_lib.models import ContinuousAutoencoder, ContinuousAutoencoderConfig
from course_lib.nets.discriminators import MultiScaleSTFTDiscriminator
from course_lib.recipes import Parents, codec, codec_plain
from course_lib.songbook import Songbook, load
from course_lib.training import CodecTraining, Draws, MultiScaleMelLoss

CONFIG = ContinuousAutoencoderConfig()
STEPS = 2_400
MASKED = 0.05  # of the frames of a latent sequence (JEN-1, section 3.2)


@torch.no_grad()
def frames(model: ContinuousAutoencoder, clips: Songbook) -> Tensor:
    """What the encoder writes for clips, frame by frame, [N, D]."""
    found = [model.encoder(clips.batch(part)) for part in torch.arange(len(clips)).split(8)]
    return torch.cat(found).transpose(1, 2).flatten(0, 1)


def start(model: ContinuousAutoencoder, parents: Parents) -> None:
    """The codec's weights, and the whitening of its frames: a few hundred clips say enough."""
    model.encoder.load_state_dict(parents["codec"].encoder.state_dict())
    model.decoder.load_state_dict(parents["codec"].decoder.state_dict())
    model.encoder.requires_grad_(False)
    model.whiten(frames(model, load("train", "quick")))


def training(model: ContinuousAutoencoder, parents: Parents) -> CodecTraining:
    start(model, parents)
    return CodecTraining(
        model,
        MultiScaleMelLoss.dac(model.sample_rate),
        codec.WEIGHTS,
        MultiScaleSTFTDiscriminator(**codec.JUDGE),
        balanced=True,
        relative=True,
    )


def loss(model: CodecTraining, audio: Tensor, draws: Draws) -> Iterator[tuple[str, dict]]:
    """At first the judge's loss alone, as in the recipe of the codec."""
    part = codec_plain.part(audio, draws, codec.CROP)
    kept = draws.uniform(part.shape[-1] // model.codec.hop, stream="masked") >= MASKED  # [B, F]
    losses = model.step(part, kept)
    yield next(losses)
    if draws.step >= codec.ALONE:
        yield from losses


def optimizers(model: CodecTraining) -> dict[str, Optimizer]:
    return model.optimizers(codec.LR, codec.JUDGE_LR, codec.BETAS)


@torch.no_grad()
def test(model: ContinuousAutoencoder, clips: Songbook) -> dict[str, float]:
    """How near decoded test clips are to their originals, and how white their latents are."""
    chosen = clips.batch(torch.arange(min(codec_plain.CLIPS, len(clips))))
    device = model.mean.device
    latents = torch.cat([model.encode(x.to(device)).cpu() for x in chosen.split(8)])
    parts = [model.decode(z.to(device), chosen.shape[-1]).cpu() for z in latents.split(8)]
    found = fidelity(chosen, torch.cat(parts), load_artefact("analyser"))
    rows = latents.transpose(1, 2).flatten(0, 1)
    off = torch.corrcoef(rows.T).fill_diagonal_(0).abs().mean()
    found |= {"latent_mean": rows.mean(0).abs().mean().item(), "correlation": off.item()}
    found |= {"deviation": rows.std(0).mean().item()}
    return {name: round(value, 4) for name, value in found.items()}


RECIPE = replace(
    codec.RECIPE,
    model=lambda: ContinuousAutoencoder(CONFIG),
    parents=("codec",),
    training=training,
    loss=loss,
    optimizers=optimizers,
    test=test,
    steps=STEPS,
)
