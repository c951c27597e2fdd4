"""MusicGens small enough to train many of them: what the tables of patterns and sizes share.

Four codebooks of the shipped codec, 2 s at a time of 400 clips of 4 s; captions are read by the
shipped CLAP's text tower, which isn't trained along. What is generated for a caption of each of 100
test clips is heard by the analyser (Fréchet distance and KL divergence of styles, against the real
clips) and by CLAP (its similarity to the caption).
"""

import math
import time
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from course_lib import checkpoints, songbook
from course_lib.evaluation.analysis import Analysis, analyse, frechet, kl
from course_lib.metrics import frechet_floor
from course_lib.models import CLAP, Analyser, Codec, MusicGenLM, MusicGenLMConfig
from course_lib.nets.interleaving import Pattern
from course_lib.recipes.clap import captions
from course_lib.tables.grid import Job
from course_lib.training import Draws, fit, generator
from course_lib.training.crop import crop
from course_lib.training.precision import native_bfloat16

SIZE = songbook.Size(train=400, validation=1, test=100, seconds=4.0)
FRAMES, CODEBOOKS = 100, 4  # of a part: 2 s
STEPS, BATCH, LR = 600, 16, 3e-3
UNREAD, GUIDANCE = 0.3, 3.0
HEARD = 50  # clips that are generated, decoded and heard at once
SOUND = {
    "frechet": "Fréchet distance",
    "kl": "KL divergence of styles (nats)",
    "clap": "CLAP score",
}


class Captioned(NamedTuple):
    """Codes int64 [N, K, F]; states [N, captions, L, M] and valid [N, captions, L] of texts."""

    codes: Tensor
    states: Tensor
    valid: Tensor

    def take(self, rows: Tensor) -> "Captioned":
        return Captioned(*(x[rows] for x in self))


class CaptionedClips:
    """Coded clips and what the text tower makes of their captions. `batch` gives Captioned."""

    def __init__(self, clips: songbook.Songbook, codec: Codec, clap: CLAP):
        parts = torch.arange(len(clips)).split(BATCH)
        codes = [codec.encode(clips.batch(part), CODEBOOKS).codes for part in parts]
        self.clips, self.texts = clips, captions(clips)
        with torch.no_grad():
            read = clap.text.read([text for texts in self.texts for text in texts])
        shape = (len(clips), -1)
        self.captioned = Captioned(
            torch.cat(codes), read.states.unflatten(0, shape), read.valid.unflatten(0, shape)
        )

    def __len__(self) -> int:
        return len(self.clips)

    def batch(self, indices: Tensor) -> Captioned:
        return self.captioned.take(indices)


def listeners() -> tuple[Codec, CLAP, Analyser]:
    """The shipped models that the tables load."""
    return tuple(checkpoints.load(name) for name in ("codec", "clap", "analyser"))


@lru_cache(maxsize=2)
def clips(split: str) -> CaptionedClips:
    """The clips of a split."""
    codec, clap, _ = listeners()
    return CaptionedClips(songbook.load(split, SIZE, progress=False), codec, clap)


class Real(NamedTuple):
    """The test clips' first 2 s: what the analyser hears, before and after the codec."""

    heard: Analysis
    coded: Analysis
    sounds: Tensor  # [N, 1, T], after the codec


@lru_cache(maxsize=1)
def real() -> Real:
    """What generated clips are compared with."""
    codec, _, analyser = listeners()
    test = clips("test")
    sounds = decoded(codec, test.captioned.codes[..., :FRAMES])
    audio = test.clips.batch(range(len(test)))[..., : sounds.shape[-1]]
    return Real(analyse(audio, analyser), analyse(sounds, analyser), sounds)


def decoded(codec: Codec, codes: Tensor) -> Tensor:
    """Audio [N, 1, T] of codes [N, K, F]."""
    return torch.cat([codec.decode_codes(part) for part in codes.split(HEARD)])


def untrained(seed: int, pattern: Pattern, width: int, layers: int) -> MusicGenLM:
    """A model drawn by its seed, whose embeddings begin as the codec's codebooks."""
    torch.manual_seed(seed)
    codec, clap, _ = listeners()
    made = MusicGenLM(
        MusicGenLMConfig(
            text=None, text_width=clap.text.config.width, entries=codec.config.entries,
            pattern=pattern, context=FRAMES, width=width, layers=layers, heads=4, melody=False,
        )
    )  # fmt: skip
    stages = codec.quantizer.stages[:CODEBOOKS]
    made.lm.start_from(torch.stack([stage.codebook for stage in stages]))
    return made


def loss(model: MusicGenLM, batch: Captioned, draws: Draws) -> Tensor:
    """Nats per code of 2 s of each clip, given one of its captions or nothing."""
    rows = torch.arange(len(batch.codes), device=batch.codes.device)
    caption = draws.integers(batch.states.shape[1], stream="caption")
    reads = draws.uniform(stream="unread") >= UNREAD
    with native_bfloat16(batch.codes.device):
        reading = model.reading(batch.states[rows, caption], batch.valid[rows, caption])
        return model.loss(crop(batch.codes, draws, FRAMES), reading.where(reads))


def trained(
    job: Job, pattern: Pattern, width: int, layers: int, steps: int | None = None
) -> MusicGenLM:
    """The model of a cell, trained in its folder, for STEPS steps where no others are given."""
    model = untrained(job.seed, pattern, width, layers)
    fit(
        model,
        clips("train"),
        loss,
        steps=steps or STEPS,
        batch_size=BATCH,
        lr=LR,
        average=0.99,
        seed=job.seed,
        folder=job.folder,
        device=job.device,
        progress=False,
    )
    return model.eval()


@torch.no_grad()
def measures(model: MusicGenLM, seed: int) -> dict[str, float]:
    """Nats per code of the test clips, given captions; what is generated for them, and how fast."""
    codec, _, analyser = listeners()
    found, codes, seconds = [], [], 0.0
    for part in torch.arange(len(clips("test"))).split(HEARD):
        batch = Captioned(*(x.to(model.device) for x in clips("test").batch(part)))
        which = 1 % batch.states.shape[1]  # the sentence, of the captions' manners
        reading = model.reading(batch.states[:, which], batch.valid[:, which])
        found.append(model.nats(batch.codes[..., :FRAMES], reading).cpu())
        random = generator(seed, int(part[0]), stream="generated", device=model.device)
        start = time.monotonic()
        codes.append(model.sample(FRAMES, reading, guidance=GUIDANCE, generator=random).cpu())
        seconds += time.monotonic() - start
    sounds = decoded(codec, torch.cat(codes))
    length = sounds.shape[-1] / codec.sample_rate * len(sounds)
    nats = torch.cat(found).mean().item()
    return {"nats": nats, "perplexity": math.exp(nats), "slowness": seconds / length} | heard(
        analyse(sounds, analyser), sounds
    )


@torch.no_grad()
def heard(analysis: Analysis, sounds: Tensor) -> dict[str, float]:
    """How near sounds for the test clips' captions are to the real clips and to the captions."""
    reference, clap = real().heard, listeners()[1]
    texts = [each[1 % len(each)] for each in clips("test").texts]
    pairs = zip(sounds.split(HEARD), _split(texts), strict=True)
    similar = [(clap.embed_audio(a) * clap.embed_text(t)).sum(1) for a, t in pairs]
    return {
        "frechet": frechet(reference, analysis),
        "kl": kl(reference, analysis).mean().item(),
        "clap": torch.cat(similar).mean().item(),
    }


def through_codec() -> dict[str, float]:
    """The same for the real clips, after the codec: the best that codes allow."""
    return heard(real().coded, real().sounds)


def floor(seed: int) -> dict[str, float]:
    """The Fréchet distance of real clips to other real clips, as many on either side."""
    return {"frechet": frechet_floor(real().heard.embeddings, seed=seed)}


def _split(texts: list[str]) -> list[list[str]]:
    return [texts[i : i + HEARD] for i in range(0, len(texts), HEARD)]
