"""VQ-VAE-2 at the course's scale: two maps against one at the same bits, and what each map carries.

Log-mel of 4 s clips, 64 bands; a step sees 64 x 64 patches of 16 clips; the same steps, clips and
order in every row. The top map is 16 x 4 where nothing else is said. Rows that differ in the maps
that are decoded share one trained network. Taught in notebook 05.
"""

import math
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib import audio, songbook
from course_lib.evaluation import chord_accuracy, chroma_correlation, mel_chroma
from course_lib.models import VQVAE2, VQVAE2Config, VQVAE2Output, vqvae2_loss
from course_lib.nets import Conv2dDecoder, Conv2dEncoder
from course_lib.quantize import VectorQuantizer
from course_lib.tables.claims import Claim
from course_lib.tables.grid import Job, Table
from course_lib.training import Tensors, fit
from course_lib.training.crop import crop

SIZE = songbook.Size(train=400, validation=1, test=100, seconds=4.0)
MEL = audio.LogMel(n_mels=64)
RATE = 16000 / 256  # log-mel frames per second
PATCH = 64  # frames
STEPS = 3000
BATCH = 16
SMALL = {"width": 32, "units": 1, "dim": 16, "decay": 0.95}
FINE = ((2, 2), (2, 2))  # a code is 4 bands x 4 frames
BITS = {"top": 64 * 8, "bottom": 256 * 6}  # of each map in a patch


class OneLevel(nn.Module):
    """A single map of 16 x 16 codes with as many bits as the two of VQ-VAE-2.

    64 of 8 bits and 256 of 6 are as many as 256 of 8. Wider, so that it has about as many
    parameters.
    """

    ENTRIES = 256

    def __init__(self, width: int = 48, units: int = 1, dim: int = 16, decay: float = 0.95):
        super().__init__()
        self.config = VQVAE2Config()
        self.encoder = Conv2dEncoder(1, width, FINE, units)
        self.to_codes = nn.Conv2d(width, dim, 1)
        self.quantizer = VectorQuantizer(dim, self.ENTRIES, decay=decay)
        self.decoder = Conv2dDecoder(dim, 1, width, FINE, units)

    def forward(self, x: Tensor, kept: None = None) -> VQVAE2Output:
        """Log-mel [B, 64, F] through the codes; F is filled up to a multiple of 4."""
        c = self.config
        image = F.pad((x[:, None] - c.mean) / c.scale, (0, -x.shape[-1] % 4, 0, 0), "replicate")
        z = self.to_codes(self.encoder(image))  # [B, dim, 16, F / 4]
        q = self.quantizer(z.flatten(2))
        y = self.decoder(q.values.view_as(z))[:, 0, :, : x.shape[-1]]
        return VQVAE2Output(y * c.scale + c.mean, q.codes, q.commitment)


@lru_cache(maxsize=2)
def log_mels(split: str) -> Tensor:
    """Log-mel [N, 64, F] of the clips of a split."""
    clips = songbook.load(split, SIZE, progress=False)
    return torch.cat([MEL(clips.batch(p)) for p in torch.arange(len(clips)).split(50)])


@lru_cache(maxsize=1)
def known_chords() -> tuple:
    """The chords of the test clips, as in `Clip.chords`."""
    return tuple(clip.chords for clip in songbook.load("test", SIZE, progress=False))


def cell(job: Job) -> dict[str, float]:
    """Train the network of a row, or take it from the row before; measure its maps."""
    settings = dict(job.settings)
    given = settings.pop("given")
    x = log_mels("test")
    if given == "original":
        return measures(x, x) | {"bits": math.nan}
    model = trained(tuple(settings.items()), job.seed, job.device)
    with torch.no_grad():
        y = decoded(model, x, given)
    known = BITS if given in ("both", "one") else {given.split()[0]}
    return measures(x, y) | {"bits": sum(BITS[name] for name in known) * RATE / PATCH}


@lru_cache(maxsize=1)
def trained(settings: tuple, seed: int, device: str | None) -> nn.Module:
    """The network of several rows: no folder to resume in, since a row's is removed with it."""
    torch.manual_seed(seed)
    options = dict(settings)
    if options.pop("levels") == 1:
        model = OneLevel()
    else:
        model = VQVAE2(VQVAE2Config(**SMALL, **options))

    def loss(model, x, draws):
        kept = draws.uniform(stream="bottom") >= options.get("dropout", 0.0)  # [B]
        return vqvae2_loss(model, crop(x, draws, PATCH), kept=kept)

    fit(
        model,
        Tensors(log_mels("train")),
        loss,
        steps=STEPS,
        batch_size=BATCH,
        lr=3e-3,
        warmup=50,
        average=0.98,
        seed=seed,
        device=device,
        progress=False,
    )
    return model.cpu().eval()


def decoded(model: nn.Module, x: Tensor, given: str) -> Tensor:
    """x [N, 64, F] rebuilt from the maps `given`, the others zeroed or those of another clip."""
    if given == "one":
        return model(x).reconstruction
    top, bottom = model.encode(x)
    choice = {
        "both": (top, bottom),
        "top": (top, None),
        "bottom": (None, bottom),
        "top of this": (top, bottom.roll(1, 0)),
        "bottom of this": (top.roll(1, 0), bottom),
    }
    return model.decode_codes(*choice[given], x.shape[-1])


def measures(x: Tensor, y: Tensor) -> dict[str, float]:
    """How log-mel y [N, 64, F] differs from x: error, harmony, energies of the bands."""
    pitches = mel_chroma(y, MEL)
    return {
        "mse": F.mse_loss(y, x).item(),
        "chroma": chroma_correlation(mel_chroma(x, MEL), pitches).mean().item(),
        "chords": chord_accuracy(pitches, known_chords(), RATE),
        "bands": (band_energies(y) - band_energies(x)).abs().mean().item(),
    }


def band_energies(log_mel: Tensor) -> Tensor:
    """Energy of each band of a clip in dB: [N, 64] of log-mel [N, 64, F]."""
    return 10 * (2 * log_mel).exp().mean(-1).log10()


ORIGINAL = "log-mel, not coded"
ONE = "one map of 256 entries"
BOTH, TOP_ALONE, BOTTOM_ALONE = "two maps", "two maps, top alone", "two maps, bottom alone"
TOP_OF, BOTTOM_OF = "top of this clip, bottom of another", "bottom of this clip, top of another"
NEVER = "two maps, bottom never hidden"
NEVER_TOP, NEVER_BOTTOM = f"{NEVER}: top alone", f"{NEVER}: bottom alone"
SQUARE, SQUARE_TOP = "two maps, top 8 x 8", "two maps, top 8 x 8 alone"
HIDING, NEVER_HIDING = {"levels": 2, "dropout": 0.5}, {"levels": 2, "dropout": 0.0}
PAPER = {"levels": 2, "dropout": 0.5, "coarser": (2, 2)}

TABLE = Table(
    title="VQ-VAE-2 on log-mel: two maps against one at equal bits, and what each map carries",
    source="Razavi, van den Oord and Vinyals 2019 (VQ-VAE-2), section 3.1 and figure 3",
    rows={
        ORIGINAL: {"given": "original"},
        ONE: {"given": "one", "levels": 1},
        NEVER: {"given": "both", **NEVER_HIDING},
        NEVER_TOP: {"given": "top", **NEVER_HIDING},
        NEVER_BOTTOM: {"given": "bottom", **NEVER_HIDING},
        BOTH: {"given": "both", **HIDING},
        TOP_ALONE: {"given": "top", **HIDING},
        BOTTOM_ALONE: {"given": "bottom", **HIDING},
        TOP_OF: {"given": "top of this", **HIDING},
        BOTTOM_OF: {"given": "bottom of this", **HIDING},
        SQUARE: {"given": "both", **PAPER},
        SQUARE_TOP: {"given": "top", **PAPER},
    },
    columns={
        "bits": "rate of what is this clip's (bit/s)",
        "mse": "error (MSE of log-mel)",
        "chroma": "chroma correlation",
        "chords": "share of chords named right",
        "bands": "error of band energies (dB)",
    },
    cell=cell,
    claims=(
        Claim(
            "At equal bits two maps err less than one.",
            "mse", "lower", NEVER, ONE, smallest=0.05, relative=True,
        ),
        Claim(
            "Hiding the bottom map now and then makes the top map useful on its own.",
            "mse", "lower", TOP_ALONE, NEVER_TOP, smallest=0.2, relative=True,
        ),
        Claim(
            "It costs under 10 % of error where both maps are there.",
            "mse", "same", BOTH, NEVER, smallest=0.1, relative=True,
        ),
        Claim(
            "A top map that is coarse in time alone keeps more of the chroma than a square one.",
            "chroma", "higher", TOP_ALONE, SQUARE_TOP, smallest=0.05,
        ),
        Claim(
            "Harmony lives in the top map: alone it keeps more of the chroma than the bottom map.",
            "chroma", "higher", TOP_ALONE, BOTTOM_ALONE, smallest=0.1,
        ),
        Claim(
            "So do chords.",
            "chords", "higher", TOP_ALONE, BOTTOM_ALONE, smallest=0.05,
        ),
        Claim(
            "A clip with the top map of one and the bottom map of another sounds in the top's key.",
            "chroma", "higher", TOP_OF, BOTTOM_OF, smallest=0.1,
        ),
        Claim(
            "Band energies need the bottom map: without it their error grows by 0.5 dB or more.",
            "bands", "higher", TOP_ALONE, BOTH, smallest=0.5,
        ),
        Claim(
            "Samples of the priors are as diverse and as sharp as photographs.",
            impossible="the paper measures FID and classification accuracy on ImageNet",
        ),
    ),
)  # fmt: skip
