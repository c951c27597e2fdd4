"""The codec: the decoder of `codec_plain` trained on against discriminators.

Encoder and codebooks stay, so that both artefacts have the same codes and differ only in how they
sound. Taught in notebooks 07 and 08.
"""

from collections.abc import Iterator
from dataclasses import replace

from torch import Tensor
from torch.optim import Optimizer

from course_lib.models import Codec
from course_lib.nets.discriminators import MultiScaleSTFTDiscriminator
from course_lib.recipes import Parents, codec_plain
from course_lib.training import CodecTraining, Draws, MultiScaleMelLoss

STEPS = 3_200
ALONE = 200  # steps in which the judge learns and the codec waits
BATCH = 4
LR, JUDGE_LR = 1e-4, 2e-3
BETAS = (0.8, 0.99)
CROP = 8000  # samples of a clip that a step hears
JUDGE = {"width": 8, "n_ffts": (1024, 256)}
# Shares of the gradient at the output, as EnCodec's balancer gives them out.
WEIGHTS = {"error": 2.0, "mel": 8.0, "adversarial": 1.0, "features": 1.0}


def training(codec: Codec, parents: Parents) -> CodecTraining:
    """Goes on from the weights of `codec_plain`."""
    codec.load_state_dict(parents["codec_plain"].state_dict())
    return CodecTraining(
        codec,
        MultiScaleMelLoss.dac(codec.sample_rate),
        WEIGHTS,
        MultiScaleSTFTDiscriminator(**JUDGE),
        balanced=True,
        relative=True,
        decoder_only=True,
    )


def loss(model: CodecTraining, audio: Tensor, draws: Draws) -> Iterator[tuple[str, dict]]:
    """At first the judge's loss alone: what it has not learned to hear, it pushes at random."""
    part, kept = codec_plain.part(audio, draws, CROP), codec_plain.kept(model.codec, draws)
    losses = model.step(part, kept)
    yield next(losses)
    if draws.step >= ALONE:
        yield from losses


def optimizers(model: CodecTraining) -> dict[str, Optimizer]:
    return model.optimizers(LR, JUDGE_LR, BETAS)


RECIPE = replace(
    codec_plain.RECIPE,
    parents=("codec_plain",),
    training=training,
    loss=loss,
    optimizers=optimizers,
    steps=STEPS,
    batch_size=BATCH,
)
