"""Jukebox's priors: what overlap does to seams, and what lyrics do to what is sung.

The shipped models, without further training; a seed is 32 other test clips and other draws. Seams:
each level is sampled for twice its window and more, given the true codes above, and decoded by
itself. Lyrics: the first 4.1 s of sung clips, in one window of the top prior; "nats" and
"alignment" are of the real codes, "phoneme_error" is of what was sampled, heard by the recogniser
on the top level. What it mishears in real clips through each level is the floor. Taught in
notebook 10.
"""

import math
from functools import lru_cache

import torch
from torch import Tensor

from course_lib import checkpoints, songbook
from course_lib.evaluation.alignment import alignment_error, linear_attention
from course_lib.evaluation.phonemes import phoneme_error
from course_lib.evaluation.seams import seam_flux
from course_lib.models import JukeboxTiming
from course_lib.models.jukebox_sampling import windows
from course_lib.recipes.jukebox_top import CodedPieces, Pieces, sung_within
from course_lib.songbook import phoneme_symbols
from course_lib.tables.claims import Claim
from course_lib.tables.grid import Job, Table
from course_lib.training import generator

CLIPS, HALF = 32, 16  # clips of a seed whose lyrics are sung, and whose seams are made
FRAMES = {"top": 1024, "middle": 2048, "bottom": 4096}  # codes: 8.2, 4.1 and 2.0 s
ABOVE = {"middle": "top", "bottom": "middle"}
OVERLAP = {"top": 0.125, "middle": 0.5, "bottom": 0.5}  # hop fractions of the paper's code


class Some:
    """Clips first, first + 1, ... of a songbook."""

    def __init__(self, clips: songbook.Songbook, first: int, count: int):
        self.clips, self.job, self.first, self.count = clips, clips.job, first, count

    def __len__(self) -> int:
        return self.count

    def batch(self, indices) -> Tensor:
        return self.clips.batch([self.first + int(i) for i in indices])

    def attributes(self, index: int):
        return self.clips.attributes(self.first + index)

    def lyrics(self, index: int):
        return self.clips.lyrics(self.first + index)


@lru_cache(maxsize=1)
def sung(seed: int) -> tuple[Tensor, Pieces]:
    """Audio [N, 1, T] of the first window of a seed's clips, and its codes, labels and lyrics."""
    clips = Some(songbook.load("test", "full", voice=True, progress=False), seed * CLIPS, CLIPS)
    levels, top = checkpoints.load("jukebox_levels"), checkpoints.load("jukebox_top")
    pieces = CodedPieces(levels.top, clips).batch(torch.arange(CLIPS))
    frames = top.config.context
    begin = torch.zeros(CLIPS)
    phonemes, times = sung_within(pieces, begin, begin + frames / top.config.rate)
    audio = clips.batch(range(CLIPS))[..., : frames * levels.top.hop]
    return audio, Pieces(pieces.codes[..., :frames], pieces.labels, phonemes, times)


@torch.no_grad()
def cell(job: Job) -> dict[str, float]:
    """One row with one seed."""
    what = job.settings["what"]
    if what == "seams":
        found = {"seams": seams(job)}
    elif what == "real":
        found = {"phoneme_error": _mishears(job.seed, _through(job))}
    elif what == "linear":
        found = {"alignment": linear(job)}
    else:
        found = lyrics(job)
    return {name: found.get(name, math.nan) for name in TABLE.columns}


def seams(job: Job) -> float:
    """Spectral flux at the seams of one level, over that elsewhere."""
    level, overlap = job.settings["level"], job.settings["overlap"]
    levels = checkpoints.load("jukebox_levels")
    clips = Some(songbook.load("test", "full", progress=False), job.seed * HALF, HALF)
    pieces = [clips.attributes(i) for i in range(HALF)]
    frames, hop = FRAMES[level], OVERLAP[level] if overlap else 1.0
    draw = {"hop_fraction": hop, "generator": generator(job.seed, 0, stream=level)}
    if level == "top":
        model = checkpoints.load("jukebox_top")
        codes = model.sample(frames, model.labels(pieces), **draw)
        context = model.config.context
    else:
        model = checkpoints.load("jukebox_upsamplers")
        upsampler = getattr(model, level)
        over = levels.level(ABOVE[level]).encode(clips.batch(range(HALF)))
        codes = upsampler.sample(
            over[..., : frames // upsampler.ratio], model.labels(pieces), **draw
        )
        context = upsampler.context
    places = [known for _, known, _ in windows(frames, context, int(hop * context))[1:]]
    of_level = levels.level(level)
    return seam_flux(of_level.decode_codes(codes), [place * of_level.hop for place in places])


def lyrics(job: Job) -> dict[str, float]:
    """What the top prior makes of lyrics that are given, missing or another clip's."""
    top, levels = checkpoints.load("jukebox_top"), checkpoints.load("jukebox_levels")
    _, pieces = sung(job.seed)
    frames, rate = pieces.codes.shape[-1], top.config.rate
    timing = JukeboxTiming(torch.zeros(CLIPS), torch.full((CLIPS,), frames / rate))
    read = {"given": pieces.phonemes, "none": None, "another": pieces.phonemes.roll(1, 0)}
    phonemes = read[job.settings["what"]]
    found = {"nats": top.loss(pieces.codes, pieces.labels, timing, phonemes).item()}
    draws = generator(job.seed, 0, stream="lyrics")
    codes = top.sample(frames, pieces.labels, phonemes, generator=draws)
    found["phoneme_error"] = _mishears(job.seed, levels.top.decode_codes(codes))
    if job.settings["what"] == "given":
        attention = top.attending(pieces.codes, pieces.labels, timing, phonemes)[1][-1, :, 0]
        found["alignment"] = alignment_error(attention, phonemes, pieces.times, rate)
    return found


def linear(job: Job) -> float:
    """How far the linear alignment is from what is sung, in s."""
    rate = checkpoints.load("jukebox_top").config.rate
    _, pieces = sung(job.seed)
    frames = pieces.codes.shape[-1]
    total = torch.full((CLIPS,), frames / rate)
    attention = linear_attention(pieces.phonemes, total, frames, rate)
    return alignment_error(attention, pieces.phonemes, pieces.times, rate)


def _through(job: Job) -> Tensor:
    """The real clips of a seed, through a level where the row names one."""
    audio, _ = sung(job.seed)
    name = job.settings["level"]
    if name is None:
        return audio
    level = checkpoints.load("jukebox_levels").level(name)
    return torch.cat([level.decode_codes(level.encode(part)) for part in audio.split(8)])


def _mishears(seed: int, audio: Tensor) -> float:
    """The recogniser's error on audio that should sing the lyrics of a seed's clips."""
    wanted = [phoneme_symbols(row) for row in sung(seed)[1].phonemes]
    return phoneme_error(checkpoints.load("phonemes"), audio, wanted)


def _seamed(level: str, overlap: bool) -> str:
    return f"{level}, {'windows that overlap' if overlap else 'windows side by side'}"


REAL = "real clips"
GIVEN, NONE, ANOTHER = "lyrics given", "no lyrics", "another clip's lyrics"
LINEAR = "linear alignment"

TABLE = Table(
    title="Jukebox's priors: seams of windows, and lyrics",
    source="Dhariwal et al. 2020 (Jukebox), sections 4.4 and 5",
    rows={
        **{
            _seamed(level, overlap): {"what": "seams", "level": level, "overlap": overlap}
            for level in FRAMES
            for overlap in (True, False)
        },
        REAL: {"what": "real", "level": None},
        **{
            f"{REAL} through the {level} level": {"what": "real", "level": level}
            for level in ("bottom", "middle", "top")
        },
        GIVEN: {"what": "given"},
        NONE: {"what": "none"},
        ANOTHER: {"what": "another"},
        LINEAR: {"what": "linear"},
    },
    columns={
        "seams": "spectral flux at seams, over elsewhere",
        "nats": "nats per code",
        "phoneme_error": "phoneme error",
        "alignment": "from the true alignment (s)",
    },
    cell=cell,
    claims=(
        *(
            Claim(
                f"Windows of the {level} level that overlap meet more smoothly than windows side "
                "by side.",
                "seams", "lower", _seamed(level, True), _seamed(level, False), smallest=0.05,
            )
            for level in FRAMES
        ),
        Claim(
            "Lyrics make the codes that sing them easier to predict.",
            "nats", "lower", GIVEN, NONE, smallest=0.01,
        ),
        Claim(
            "It is these lyrics that do it: another clip's do not.",
            "nats", "lower", GIVEN, ANOTHER, smallest=0.01,
        ),
        Claim(
            "With lyrics what is sampled sings them: fewer phonemes are misheard than without.",
            "phoneme_error", "lower", GIVEN, NONE, smallest=0.05,
        ),
        Claim(
            "Attention finds what is sung better than the linear alignment it was drawn to.",
            "alignment", "lower", GIVEN, LINEAR, smallest=0.01,
        ),
        Claim(
            "Words come through the bottom level.",
            "phoneme_error", "same", f"{REAL} through the bottom level", REAL, smallest=0.05,
        ),
        Claim(
            "Words suffer in the top level.",
            "phoneme_error", "higher", f"{REAL} through the top level", REAL, smallest=0.05,
        ),
        Claim(
            "Listeners take the songs for real ones.",
            impossible="it takes listeners",
        ),
    ),
    artefacts=("jukebox_levels", "jukebox_top", "jukebox_upsamplers", "phonemes"),
)  # fmt: skip
