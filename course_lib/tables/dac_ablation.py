"""DAC's ablation: one change at a time to the improved RVQGAN.

The base has Snake, factorised codes of 8 numbers compared by angle, a multi-period and a multi-band
discriminator, mel losses at three scales, and quantizer dropout for every item. Its convolutions
are those of the other small codecs. Unlike the paper's, every row also has a loss of the waveform:
hundreds of steps are too few for a waveform to come out of mel spectra and discriminators alone.
The paper's numbers beside ELU are those of its ReLU. As in the paper, a single mel scale weighs as
much as all of them together. Taught in notebook 09.
"""

import torch
from torch import nn

from course_lib.nets.discriminators import (
    MultiBandDiscriminator,
    MultiPeriodDiscriminator,
    Panel,
)
from course_lib.nets.snake import Snake
from course_lib.quantize import ResidualVQ
from course_lib.tables import small_codecs
from course_lib.tables.claims import Claim
from course_lib.tables.grid import Job, Table
from course_lib.training import MultiScaleMelLoss

STEPS, START = 400, 80  # training steps in all, and before the codebooks are placed
SIZE, CODEBOOKS = 256, 4
PLAIN = {"error": 1.0, "mel": 0.5, "commitment": 0.25, "codebook": 1.0}
JUDGED = PLAIN | {"adversarial": 0.05, "features": 1.0}
ONE_SCALE = {512: 80}  # the paper's single scale, on which its 80 mel bands come from 512 samples


def cell(job: Job) -> dict[str, float]:
    """Train the codec of a row, measure it on test clips."""
    change = dict(job.settings)
    codec = small_codecs.untrained(
        job,
        SIZE,
        CODEBOOKS,
        dropout=change.get("dropout", 1.0),
        code_dim=change.get("code_dim", 8),
        cosine=True,
        codebook=change.get("codebook", "gradient"),
    )
    if change.get("activation", "snake") == "snake":
        put_snake(codec)
    align_projections(codec.quantizer)
    judged = change.get("adversary", True)
    mel, weights = None, JUDGED if judged else PLAIN
    if "mel" in change:
        mel = MultiScaleMelLoss.dac(small_codecs.RATE, ONE_SCALE)
        weights = weights | {"mel": len(small_codecs.MELS) * weights["mel"]}
    small_codecs.train(
        job,
        codec,
        STEPS,
        weights=weights,
        discriminator=_panel(change.get("periods", True)) if judged else None,
        mel=mel,
        start=START,
        least_squares=True,
    )
    found = small_codecs.report(codec, (1, CODEBOOKS))
    return {
        "mel": found[f"mel_distance_{CODEBOOKS}"],
        "stft": found[f"stft_distance_{CODEBOOKS}"],
        "si_sdr": found[f"si_sdr_{CODEBOOKS}"],
        "efficiency": found[f"efficiency_{CODEBOOKS}"],
        "coarse": found["mel_distance_1"],
    }


def put_snake(codec: nn.Module) -> None:
    """Replace every ELU of the codec, each of which stands before a convolution, by a Snake."""
    for layers in [m for m in codec.modules() if isinstance(m, nn.Sequential)]:
        for place, layer in enumerate(layers):
            if isinstance(layer, nn.ELU):
                layers[place] = Snake(layers[place + 1].in_channels)


@torch.no_grad()
def align_projections(quantizer: ResidualVQ) -> None:
    """Let every stage start as the orthogonal projection on some of the latent's directions.

    Drawn independently, the way down and the way back make noise of each other, which takes
    thousands of steps to unlearn.
    """
    for stage in quantizer.stages:
        nn.init.orthogonal_(stage.project_in.weight)
        stage.project_out.weight.copy_(stage.project_in.weight.T)


def _panel(periods: bool) -> Panel:
    members = [MultiBandDiscriminator(width=4, n_ffts=(256,), edges=(0.0, 0.25, 1.0))]
    if periods:
        members.append(MultiPeriodDiscriminator(widths=(8, 16, 32), periods=(2, 5)))
    return Panel(*members, level=True)


BASE, ELU, ALONE = "base", "ELU instead of Snake", "no discriminator"
DIM2, DIM32, EMA = "codes of 2 numbers", "codes of 32 numbers", "EMA codebooks"
NONE, HALF = "dropout 0", "dropout 0.5"
SINGLE, NO_PERIODS = "one mel scale", "no multi-period discriminator"

PAPER = ("mel", "STFT", "ViSQOL", "SI-SDR", "efficiency (%)")

TABLE = Table(
    title="Ablation of the improved RVQGAN: one change at a time",
    source="Kumar et al. 2023 (DAC), table 2; table T7 of the lecture",
    rows={
        BASE: {},
        ELU: {"activation": "elu"},
        ALONE: {"adversary": False},
        DIM2: {"code_dim": 2},
        DIM32: {"code_dim": 32},
        EMA: {"codebook": "ema"},
        NONE: {"dropout": 0.0},
        HALF: {"dropout": 0.5},
        SINGLE: {"mel": "one"},
        NO_PERIODS: {"periods": False},
    },
    columns={
        "mel": "mel distance",
        "stft": "STFT distance",
        "si_sdr": "SI-SDR (dB)",
        "efficiency": "entropy of the codes over their bits",
        "coarse": "mel distance with 1 of 4 codebooks",
    },
    cell=cell,
    claims=(
        Claim(
            "Snake keeps the waveform better than ELU (in the paper: than ReLU).",
            "si_sdr", "higher", BASE, ELU, smallest=0.5,
        ),
        Claim(
            "Discriminators make the codes carry more of their bits.",
            "efficiency", "higher", BASE, ALONE, smallest=0.02,
        ),
        Claim(
            "Codes of 2 numbers are too small: the mel distance is lower with 8.",
            "mel", "lower", BASE, DIM2, smallest=0.03, relative=True,
        ),
        Claim(
            "Codes of many numbers leave entries unused: 8 carry more of their bits than 32.",
            "efficiency", "higher", BASE, DIM32, smallest=0.02,
        ),
        Claim(
            "Codebooks learned by gradient keep the waveform better than averages.",
            "si_sdr", "higher", BASE, EMA, smallest=0.3,
        ),
        Claim(
            "Dropout for every item costs fidelity at the full rate.",
            "si_sdr", "higher", NONE, BASE, smallest=0.5,
        ),
        Claim(
            "Dropout for half of the items costs less of it.",
            "si_sdr", "higher", HALF, BASE, smallest=0.2,
        ),
        Claim(
            "Without dropout a single codebook is of little use.",
            "coarse", "lower", HALF, NONE, smallest=0.05, relative=True,
        ),
        Claim(
            "Several mel scales keep the waveform better than one.",
            "si_sdr", "higher", BASE, SINGLE, smallest=0.3,
        ),
        Claim(
            "The multi-period discriminator hardly moves the mel distance.",
            "mel", "same", NO_PERIODS, BASE, smallest=0.03, relative=True,
        ),
        Claim(
            "Listeners prefer discriminators, whatever the distances say.",
            impossible="it takes listeners; the paper's ViSQOL, which needs a binary, says the "
            "opposite",
        ),
    ),
    paper={
        BASE: dict(zip(PAPER, (1.09, 1.82, 3.96, 9.12, 99), strict=True)),
        ELU: dict(zip(PAPER, (1.17, 1.81, 3.83, 6.92, 99), strict=True)),
        ALONE: dict(zip(PAPER, (1.13, 1.92, 4.12, 1.07, 62), strict=True)),
        DIM2: dict(zip(PAPER, (1.44, 2.08, 3.65, 2.22, 84), strict=True)),
        DIM32: dict(zip(PAPER, (1.10, 1.84, 3.95, 9.05, 98), strict=True)),
        EMA: dict(zip(PAPER, (1.11, 1.84, 3.94, 8.33, 97), strict=True)),
        NONE: dict(zip(PAPER, (0.98, 1.70, 4.09, 10.14, 99), strict=True)),
        HALF: dict(zip(PAPER, (1.01, 1.75, 4.03, 9.74, 99), strict=True)),
        SINGLE: dict(zip(PAPER, (1.10, 1.87, 4.01, 7.68, 99), strict=True)),
        NO_PERIODS: dict(zip(PAPER, (1.07, 1.81, 3.97, 9.04, 99), strict=True)),
    },
)  # fmt: skip
