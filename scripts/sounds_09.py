"""Make the sounds that open notebook 09: python scripts/sounds_09.py

Written are data/sounds/09_*.mp3: a held-out clip at 8 kHz, and what the small DAC of the notebook
makes of it after a longer training, before its discriminators and after. It takes one core about
three minutes.
"""

import torch
from opening_sounds import write

from course_lib import audio, models, songbook
from course_lib.nets.dac_stack import DACStackConfig
from course_lib.nets.discriminators import MultiBandDiscriminator, MultiPeriodDiscriminator, Panel
from course_lib.notebook import ladder_clips
from course_lib.training import CodecTraining, MultiScaleMelLoss, Tensors, draw_kept, fit
from course_lib.training.crop import crop

SECONDS = 3.0
RATE = 8000
STEPS, JUDGED = 1000, 400
WEIGHTS = {"error": 1.0, "mel": 0.1, "commitment": 0.25, "codebook": 1.0}
AGAINST = WEIGHTS | {"adversarial": 0.3, "features": 1.0}


def main() -> None:
    book = songbook.load("train", progress=False)
    music = audio.resample(book.batch(torch.arange(len(book))), book.sample_rate, RATE)
    clip = next(iter(ladder_clips().values()))
    sound = audio.resample(clip.audio, clip.sample_rate, RATE)  # [1, T]
    codec = small_dac()
    train(codec, music, 100, 5e-3, quantize=False)
    train(codec, music, STEPS, 5e-3)
    write("09_original", audio.resample(sound, RATE, 16000), SECONDS)
    write("09_before", audio.resample(through(codec, sound), RATE, 16000), SECONDS)
    judges = Panel(
        MultiBandDiscriminator(width=4, n_ffts=(256,), edges=(0.0, 0.25, 1.0)),
        MultiPeriodDiscriminator(widths=(8, 16, 32), periods=(2, 5)),
        level=True,
    )
    train(codec, music, JUDGED, 3e-3, judges)
    write("09_after", audio.resample(through(codec, sound), RATE, 16000), SECONDS)


def small_dac() -> models.Codec:
    """The codec of the notebook, untrained."""
    torch.manual_seed(0)
    stack = DACStackConfig(width=16, decoder_width=96, strides=(4, 8), dilations=(1,), norm=None)
    config = models.CodecConfig(
        sample_rate=RATE,
        stack=stack,
        dim=32,
        entries=256,
        n_codebooks=4,
        levels=(1, 2, 4),
        dropout=0.5,
        codebook="gradient",
        code_dim=8,
        cosine=True,
    )
    return models.Codec(config)


def train(codec, music, steps, lr, judge=None, quantize=True) -> None:
    mel = MultiScaleMelLoss.dac(RATE, {64: 10, 256: 40, 1024: 160})
    model = CodecTraining(
        codec, mel, AGAINST if judge else WEIGHTS, judge, least_squares=judge is not None
    )

    def loss(model, x, draws):
        return model.step(crop(x, draws, 2400), draw_kept(draws, 4, (1, 2, 4), 0.5), quantize)

    optimizers = model.optimizers(lr, lr, (0.8, 0.99))
    fit(
        model,
        Tensors(music),
        loss,
        steps=steps,
        batch_size=4,
        warmup=10,
        optimizers=optimizers,
        progress=False,
    )
    codec.eval()


@torch.no_grad()
def through(codec: models.Codec, sound: torch.Tensor) -> torch.Tensor:
    return codec.decode(codec.encode(sound[None]))[0]


if __name__ == "__main__":
    main()
