"""Codecs small enough to train many of them: what the codec tables share.

8 kHz, 250 frames/s, 0.2 M parameters: with a frame for every 32 samples a few hundred steps are
enough for a waveform to come through. A step hears 4 parts of 0.3 s; tests are clips of 4 s.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache

import torch
from torch import Tensor, nn

from course_lib import songbook
from course_lib.audio import resample
from course_lib.evaluation import codec_report
from course_lib.models import Codec, CodecConfig
from course_lib.nets.seanet import SEANetConfig
from course_lib.quantize import ResidualVQ
from course_lib.tables.grid import Job
from course_lib.training import CodecTraining, MultiScaleMelLoss, Tensors, draw_kept, fit
from course_lib.training.crop import crop

RATE = 8000
SIZE = songbook.Size(train=400, validation=1, test=100, seconds=4.0)
TESTED = 24  # clips of the test split
PART = 2400  # samples of a clip that a step hears
BATCH = 4
DIM = 32
DECAY = 0.95  # of the codebooks: hundreds of steps, not thousands
STACK = SEANetConfig(
    widths=(16, 48, 96), strides=(4, 8), causal=False, padding="constant", norm=None,
    conv_shortcut=False, lstm=0,
)  # fmt: skip
MELS = {64: 10, 256: 40, 1024: 160}  # three of DAC's seven scales, which cost less
WEIGHTS = {"wave": 10.0, "mel": 0.5, "commitment": 0.25}


@lru_cache(maxsize=2)
def sounds(split: str) -> Tensor:
    """Clips [N, 1, T] of a split."""
    clips = songbook.load(split, SIZE, progress=False)
    chosen = clips.batch(range(len(clips) if split == "train" else TESTED))
    return resample(chosen, clips.sample_rate, RATE)


def untrained(
    job: Job,
    size: int,
    codebooks: int,
    quantizer: Callable[..., nn.Module] = ResidualVQ,
    dropout: float = 0.0,
    levels: Sequence[int] = (),
    **settings,
) -> Codec:
    """The codec of a cell with `quantizer(dim, size, codebooks, **settings)`, drawn by its seed."""
    torch.manual_seed(job.seed)
    levels = tuple(levels) or tuple(range(1, codebooks + 1))
    config = CodecConfig(
        sample_rate=RATE, stack=STACK, dim=DIM, entries=size, n_codebooks=codebooks,
        levels=levels, dropout=dropout,
    )  # fmt: skip
    codec = Codec(config)
    codec.quantizer = quantizer(DIM, size, codebooks, **{"decay": DECAY, **settings})
    return codec


def train(
    job: Job,
    codec: Codec,
    steps: int,
    weights: dict[str, float] = WEIGHTS,
    discriminator: nn.Module | None = None,
    mel: nn.Module | None = None,
    start: int = 0,
    lr: float = 5e-3,
    **settings,
) -> Codec:
    """Train the codec of a cell on the train clips; `settings` are those of CodecTraining.

    For the first `start` steps the latents are not quantized.
    """
    mel = mel or MultiScaleMelLoss.dac(RATE, MELS)
    model = CodecTraining(codec, mel, weights, discriminator, **settings)
    c = codec.config

    def loss(model, audio, draws):
        kept = draw_kept(draws, c.n_codebooks, c.levels, c.dropout)
        return model.step(crop(audio, draws, PART), kept, quantize=draws.step >= start)

    fit(
        model,
        Tensors(sounds("train")),
        loss,
        steps=steps,
        batch_size=BATCH,
        warmup=20,
        optimizers=model.optimizers(lr, lr / 2, (0.8, 0.99)),
        seed=job.seed,
        folder=job.folder,
        device=job.device,
        progress=False,
    )
    return codec


def report(codec: Codec, levels: Sequence[int]) -> dict[str, float]:
    """`evaluation.codec_report` on the test clips."""
    return codec_report(codec.eval(), sounds("test"), levels=levels)
