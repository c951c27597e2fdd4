"""JEN-1's ablation: whitening, masked latents, causal mode, inpainting, continuation.

Denoisers of 0.9 M weights, 2 s at a time; each row adds one step, as in the paper, and the last
takes the causal mode away again. Unwhitened latents are the 64 numbers that the encoder writes,
less their mean and divided by one number; to be decoded they are brought onto the axes that the
whitened ones have, so that both reach the decoder alike. "Masked latents" concern the decoder: that
of the codec learns latents for some 200 steps, with a twentieth of the frames missing or with all;
"mel_..." are its own, whatever generates. Of 2 s the middle half is filled and the second half is
continued, by a network that never learnt that from the text alone, cut into the real latents. Key
is the correlation of the mean chroma of what was made with that of what was there (inpainting) or
of the beginning (continuation). Taught in notebook 16.
"""

import math
from copy import deepcopy
from functools import lru_cache, partial

import torch
import torch.nn.functional as F
from torch import Tensor

from course_lib import checkpoints
from course_lib.evaluation.analysis import analyse
from course_lib.evaluation.harmony import chroma, chroma_correlation
from course_lib.evaluation.seams import seam_flux
from course_lib.metrics import mel_distance
from course_lib.models import ContinuousAutoencoder, Known, LatentDenoiser
from course_lib.recipes import codec_plain
from course_lib.recipes.autoencoder import MASKED
from course_lib.recipes.diffusion import WHOLE, ending, hole
from course_lib.tables import small_diffusions as small
from course_lib.tables.claims import Claim
from course_lib.tables.grid import Job, Table
from course_lib.tables.small_musicgens import SOUND, floor
from course_lib.training import CodecTraining, Draws, MultiScaleMelLoss, fit, generator

STEPS = 500
DECODER_STEPS, DECODER_BATCH, DECODER_LR = 200, 4, 3e-4
WEIGHTS = {"error": 2.0, "mel": 1.0}  # of the decoder's losses, as in the recipe of `codec_plain`
NOISES = {"mel": 0.0, "mel_noise_25": 0.25, "mel_noise_50": 0.5, "mel_noise_100": 1.0}
LOST = 0.1  # of the frames, for "mel_lost"
TRIED = 50  # test clips that are filled, continued, and decoded with noise
PLACE = 800  # samples to either side of a seam that are compared


# --- The decoder ----------------------------------------------------------------------------------


@lru_cache(maxsize=2)
def autoencoder(seed: int, masked: bool, device: str | None) -> ContinuousAutoencoder:
    """The shipped one with the codec's decoder, which learns latents with or without gaps."""
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
        steps=DECODER_STEPS,
        batch_size=DECODER_BATCH,
        warmup=20,
        optimizers=training.optimizers(DECODER_LR, betas=codec_plain.BETAS),
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


# --- The latents ----------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def spread() -> float:
    """The one number that unwhitened latents are divided by: their standard deviation."""
    return _centred("train").square().mean().sqrt().item()


@lru_cache(maxsize=2)
@torch.no_grad()
def _centred(split: str) -> Tensor:
    """What the encoder writes for the clips of a split, less its mean, [N, D, F]."""
    model, clips = small.listeners()[0], small.sounding(split)
    parts = torch.arange(len(clips)).split(small.BATCH)
    return torch.cat([model.encoder(clips.batch(some)) for some in parts]) - model.mean[:, None]


@lru_cache(maxsize=4)
def encoded(split: str, whitened: bool) -> small.Encoded:
    """The clips of a split with latents of either kind."""
    found = small.encoded(split)
    return found if whitened else found._replace(latents=_centred(split) / spread())


def as_whitened(latents: Tensor, whitened: bool) -> Tensor:
    """Latents of either kind as the decoder's whitened ones."""
    return latents if whitened else small.listeners()[0].whitening @ (spread() * latents)


# --- The denoiser ---------------------------------------------------------------------------------


def loss(
    model: LatentDenoiser,
    batch: small.Encoded,
    draws: Draws,
    causal: bool,
    inpainting: bool,
    continuation: bool,
) -> Tensor:
    """Text alone, and in half of the items of a half batch each a hole or an ending to be made.

    The second half is causal where that mode is learnt.
    """
    part = small.part(model, batch, draws)
    items, frames = len(part.latents), part.latents.shape[-1]
    half = items // 2
    made = torch.ones(items, frames, dtype=torch.bool, device=part.latents.device)
    if inpainting:
        made[:half] = hole(draws, frames)[:half]
    if continuation:
        made[half:] = ending(draws, frames)[half:]
    made = made | (draws.uniform(stream="whole") < WHOLE)[:, None]
    known = Known(part.latents, ~made)
    both_ways = part.loss(model, known, False, slice(half))
    return (both_ways + part.loss(model, known, causal, slice(half, None))) / 2


def cell(job: Job) -> dict[str, float]:
    """One row with one seed."""
    settings = dict(job.settings)
    if settings:
        found = denoiser(job, **settings)
    elif job.row == REAL:
        found = small.through_autoencoder() | real_ones()
    else:
        found = floor(job.seed) | real_ones(others=True)
    return {name: found.get(name, math.nan) for name in TABLE.columns}


def denoiser(job: Job, masked: bool, whitened: bool, causal: bool, **tasks: bool) -> dict:
    """What a denoiser of a cell makes, and what its decoder forgives."""
    data = encoded("train", whitened)
    model = small.untrained(job.seed, data.latents.shape[1])
    taught = partial(loss, causal=causal, **tasks)
    small.trained(job, model, small.Clips(data), taught, STEPS)
    decoder, test = autoencoder(job.seed, masked, job.device), encoded("test", whitened)
    few = small.Encoded(*(x[:TRIED] for x in test))

    def completed(known: Tensor, causal: bool) -> Tensor:
        """Audio of tried clips whose frames outside `known` bool [FRAMES] are made."""
        given = known if any(tasks.values()) else None
        made = small.generated(model, few, job.seed, given, causal)
        made = torch.where(known, few.latents[..., : small.FRAMES], made)
        return small.decoded(decoder, as_whitened(made, whitened))

    sounds = small.decoded(decoder, as_whitened(small.generated(model, test, job.seed), whitened))
    middle, first = parts()
    return (
        small.heard(sounds)
        | filling(completed(~middle, False))
        | continuing(completed(first, causal and tasks["continuation"]))
        | forgiveness(job.seed, masked, job.device)
    )


# --- How well parts fit together ------------------------------------------------------------------


def parts() -> tuple[Tensor, Tensor]:
    """The middle half of a clip's frames and the first, bool [FRAMES] each."""
    places, quarter = torch.arange(small.FRAMES), small.FRAMES // 4
    first = places < 2 * quarter
    return (places >= quarter) & (places < 3 * quarter), first


def real_ones(others: bool = False) -> dict[str, float]:
    """What the latents of real clips score, or the parts to be made taken from another clip."""
    latents = small.encoded("test").latents[:TRIED, :, : small.FRAMES]
    other = latents.roll(1, 0) if others else latents
    middle, first = parts()
    pasted = (torch.where(middle, other, latents), torch.where(first, latents, other))
    filled, continued = (small.decoded(small.listeners()[0], some) for some in pasted)
    return filling(filled) | continuing(continued)


def filling(audio: Tensor) -> dict[str, float]:
    """How clips [N, 1, T] whose middle half was made fit what was there."""
    start, stop = _quarters(audio)
    middle = slice(start, stop)
    return {
        "filled_key": _same_key(audio[..., middle], real_audio()[..., middle]),
        "filled_seams": seam_flux(audio, [start, stop], PLACE),
    }


def continuing(audio: Tensor) -> dict[str, float]:
    """How the second half of clips [N, 1, T], which was made, fits the first."""
    half = audio.shape[-1] // 2
    begun, made = audio[..., :half], audio[..., half:]
    a, b = (analyse(x, small.listeners()[2]).embeddings for x in (begun, made))
    return {
        "continued_key": _same_key(begun, made),
        "continued_alike": F.cosine_similarity(a, b).mean().item(),
        "continued_seam": seam_flux(audio, [half], PLACE),
    }


def _quarters(audio: Tensor) -> tuple[int, int]:
    quarter = audio.shape[-1] // 4
    return quarter, 3 * quarter


def _same_key(a: Tensor, b: Tensor) -> float:
    """Correlation of the mean chroma of two sounds [N, 1, T]."""
    a, b = (chroma(x).mean(-1, keepdim=True) for x in (a, b))
    return chroma_correlation(a, b).mean().item()


# --- The table ------------------------------------------------------------------------------------


def row(masked=False, whitened=False, causal=False, inpainting=False, continuation=False) -> dict:
    return {
        "masked": masked,
        "whitened": whitened,
        "causal": causal,
        "inpainting": inpainting,
        "continuation": continuation,
    }


REAL, FLOOR = "real clips through the autoencoder", "real clips against others"
PLAIN, MASKING, WHITENING = "text alone", "+ masked latents", "+ whitening"
CAUSAL, INPAINTING, CONTINUATION = "+ causal mode", "+ inpainting", "+ continuation"
BOTH_WAYS = "all but the causal mode"

TABLE = Table(
    title="JEN-1's steps: what each adds to text to music, inpainting and continuation of 2 s",
    source="Li et al. 2023 (JEN-1), ablation",
    rows={
        REAL: {},
        FLOOR: {},
        PLAIN: row(),
        MASKING: row(masked=True),
        WHITENING: row(masked=True, whitened=True),
        CAUSAL: row(masked=True, whitened=True, causal=True),
        INPAINTING: row(masked=True, whitened=True, causal=True, inpainting=True),
        CONTINUATION: row(True, True, True, True, True),
        BOTH_WAYS: row(True, True, False, True, True),
    },
    columns={
        **SOUND,
        "filled_key": "filled hole: key, correlation with what was there",
        "filled_seams": "filled hole: spectral flux at its seams, × elsewhere",
        "continued_key": "continuation: key, correlation with its beginning",
        "continued_alike": "continuation: cosine with its beginning (analyser)",
        "continued_seam": "continuation: spectral flux at its seam, × elsewhere",
        "mel": "mel distance of the decoder",
        "mel_noise_25": "mel distance, noise of 0.25 on latents",
        "mel_noise_50": "mel distance, noise of 0.5",
        "mel_noise_100": "mel distance, noise of 1",
        "mel_lost": "mel distance, a tenth of the frames missing",
    },
    cell=cell,
    claims=(
        Claim(
            "Whitened latents make music that sounds more like real clips.",
            "frechet", "lower", WHITENING, MASKING, smallest=0.05, relative=True,
        ),
        Claim(
            "A decoder taught with masked latents alone changes little of that, as in the paper.",
            "frechet", "same", MASKING, PLAIN, smallest=0.05, relative=True,
        ),
        Claim(
            "A causal mode beside the other makes text to music better.",
            "frechet", "lower", CAUSAL, WHITENING, smallest=0.02, relative=True,
        ),
        Claim(
            "Learning to inpaint makes text to music better.",
            "frechet", "lower", INPAINTING, CAUSAL, smallest=0.02, relative=True,
        ),
        Claim(
            "Learning to continue, too, makes text to music better.",
            "frechet", "lower", CONTINUATION, INPAINTING, smallest=0.02, relative=True,
        ),
        Claim(
            "All steps together make it better by a third, as in the paper (3.1 to 2.0).",
            "frechet", "lower", CONTINUATION, PLAIN, smallest=0.33, relative=True,
        ),
        Claim(
            "The network of all tasks fills holes in the key of what was there, beyond what the "
            "text tells.",
            "filled_key", "higher", CONTINUATION, CAUSAL, smallest=0.05,
        ),
        Claim(
            "Its fillings meet their surroundings with a smaller break than pasted ones.",
            "filled_seams", "lower", CONTINUATION, CAUSAL, smallest=0.05, relative=True,
        ),
        Claim(
            "It continues in the key of the beginning, beyond what the text tells.",
            "continued_key", "higher", CONTINUATION, CAUSAL, smallest=0.05,
        ),
        Claim(
            "Continuations by the network with a causal mode agree better with the key of their "
            "beginnings than those by one that works both ways alone.",
            "continued_key", "higher", CONTINUATION, BOTH_WAYS, smallest=0.02,
        ),
        Claim(
            "They sound more like their beginnings to the analyser.",
            "continued_alike", "higher", CONTINUATION, BOTH_WAYS, smallest=0.02,
        ),
        Claim(
            "A decoder taught with masked latents loses less where a tenth of them is missing.",
            "mel_lost", "lower", MASKING, PLAIN, smallest=0.02, relative=True,
        ),
        Claim(
            "It forgives noise of half their deviation.",
            "mel_noise_50", "lower", MASKING, PLAIN, smallest=0.02, relative=True,
        ),
        Claim(
            "That costs nothing where latents are clean.",
            "mel", "same", MASKING, PLAIN, smallest=0.02, relative=True,
        ),
        Claim(
            "Listeners hear the difference in quality and in agreement with the text.",
            impossible="it takes listeners",
        ),
    ),
    # The paper's table: MusicCaps, 726 M parameters.
    paper={
        PLAIN: {"FAD": 3.1},
        MASKING: {"FAD": 3.1},
        WHITENING: {"FAD": 2.6},
        CAUSAL: {"FAD": 2.5},
        INPAINTING: {"FAD": 2.2},
        CONTINUATION: {"FAD": 2.0},
    },
    artefacts=("autoencoder", "codec", "clap", "analyser"),
)  # fmt: skip
