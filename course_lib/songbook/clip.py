"""A clip: music with nothing unknown, rendered on request. Taught in notebook 00."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np

from course_lib.songbook import band, draw
from course_lib.songbook.arrange import STEMS, Arrangement, arrange
from course_lib.songbook.captions import write_captions
from course_lib.songbook.draw import Plan, metre_name, tempo_class
from course_lib.songbook.voice import sing
from course_lib.songbook.voice_lyrics import VOICE, write_lyrics
from course_lib.songbook.voice_phonemes import Phoneme
from course_lib.songbook.voicing import PITCH_NAMES

if TYPE_CHECKING:
    import torch

# Purposes of a plan's random generators.
ARRANGING, CAPTIONS, RENDERING, WORDS, SINGING = 1, 2, 3, 4, 5
SUNG = 1.25  # gain of a sung lead, so that its words are understood


@dataclass(frozen=True)
class Attributes:
    """The labels of a clip: what a caption may say and a listener could check."""

    style: str
    tonic: str
    mode: str
    metre: str
    tempo: float  # felt beats per minute
    tempo_class: str
    instruments: tuple[str, ...]
    drums: bool
    mood: tuple[str, ...]


@dataclass(frozen=True)
class Clip:
    """Music and all that is known about it. Taught in notebook 00.

    `audio` is float32 [C, T]; `stems` maps "lead", "chords", "bass" and "drums" to float32 [C, T]
    that add up to it, and is rendered when first asked for (empty for a recording). `notes` maps
    the same names to events in seconds; `beats` and `downbeats` are in seconds; `chords` are
    (start, end, symbol). `captions` maps a manner to a text. A recording has no labels. Where a
    voice sings the lead, `lyrics` are its words and `phonemes` their (start, end, symbol).
    """

    audio: "torch.Tensor" = field(repr=False)
    sample_rate: int
    seconds: float
    title: str = ""
    score_id: str | None = None
    index: int | None = None
    notes: dict[str, tuple[band.Event, ...]] = field(default_factory=dict, repr=False)
    beats: tuple[float, ...] = field(default=(), repr=False)
    downbeats: tuple[float, ...] = field(default=(), repr=False)
    chords: tuple[tuple[float, float, str], ...] = field(default=(), repr=False)
    attributes: Attributes | None = None
    captions: dict[str, str] = field(default_factory=dict)
    lyrics: str | None = None
    phonemes: tuple[Phoneme, ...] = field(default=(), repr=False)
    players: dict[str, str] = field(default_factory=dict, repr=False)  # stem -> instrument
    _stems: Callable[[], dict[str, np.ndarray]] | None = field(default=None, repr=False)

    @cached_property
    def stems(self) -> dict[str, "torch.Tensor"]:
        """The four parts of the mix, float32 [C, T]; zeros where a part is silent."""
        import torch

        if self._stems is None:
            return {}
        return {name: torch.from_numpy(stem) for name, stem in self._stems().items()}


def attributes(plan: Plan) -> Attributes:
    """The labels of a planned clip."""
    lead, chords, bass, kit = players(plan).values()
    names = [lead, chords, bass, *([kit] if plan.drums else [])]
    return Attributes(
        style=plan.style.name,
        tonic=PITCH_NAMES[plan.tonic],
        mode=plan.score.mode,
        metre=metre_name(plan.score.metre),
        tempo=plan.tempo,
        tempo_class=tempo_class(plan.tempo),
        instruments=tuple(dict.fromkeys(names)),
        drums=plan.drums,
        mood=plan.style.mood,
    )


def captions(plan: Plan, draft: int = 0) -> dict[str, str]:
    """A text about a planned clip in each manner; other drafts choose other words."""
    rng = np.random.default_rng([*plan.entropy, CAPTIONS, *([draft] if draft else [])])
    return write_captions(attributes(plan), rng)


def arrangement(plan: Plan, seconds: float) -> Arrangement:
    """The parts of a planned clip; a voice has words, and the lead an octave that it can sing."""
    parts = arrange(
        plan.score,
        plan.style,
        plan.instruments,
        seconds,
        plan.tempo,
        plan.generator(ARRANGING),
        shift=(plan.tonic - plan.score.tonic) % 12,
        first_bar=plan.first_bar,
        drums=plan.drums,
    )
    if not plan.voice:
        return parts
    lyrics = write_lyrics(parts.notes["lead"], plan.generator(WORDS))
    return replace(parts, notes=parts.notes | {"lead": lyrics.notes}, lyrics=lyrics)


def render(
    plan: Plan, parts: Arrangement, seconds: float, sample_rate: int, channels: int
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The mix and its four stems, each float32 [C, T]."""
    stems = {stem: _play(plan, parts, stem, seconds, sample_rate) for stem in STEMS}
    gains = {"lead": SUNG} if plan.voice else None
    return band.mix(stems, sample_rate, channels, gains, reverb=plan.style.reverb)


def solo(plan: Plan, seconds: float, sample_rate: int, channels: int) -> np.ndarray:
    """The lead alone in its room, float32 [C, T]: the stem at the loudness of a mix."""
    parts = arrangement(plan, seconds)
    dry = {"lead": _play(plan, parts, "lead", seconds, sample_rate)}
    return band.mix(dry, sample_rate, channels, reverb=plan.style.reverb)[0]


def _play(
    plan: Plan, parts: Arrangement, stem: str, seconds: float, sample_rate: int
) -> np.ndarray:
    """One stem, dry, float32 [T]."""
    if stem == "lead" and plan.voice:
        return sing(parts.lyrics, seconds, sample_rate, plan.generator(SINGING))
    seeds = plan.generator(RENDERING).integers(2**31, size=len(STEMS) + 1)
    seed = int(seeds[STEMS.index(stem)])
    return band.render(players(plan)[stem], parts.notes[stem], seconds, sample_rate, seed)


def players(plan: Plan) -> dict[str, str]:
    """Stem -> instrument, or "voice"."""
    lead, *others = plan.instruments
    return dict(zip(STEMS, (VOICE if plan.voice else lead, *others, plan.style.kit), strict=True))


def clip(
    plan: Plan,
    seconds: float,
    sample_rate: int,
    channels: int,
    audio: "torch.Tensor | None" = None,
) -> Clip:
    """The clip of a plan, rendered unless its audio is given."""
    import torch

    parts = arrangement(plan, seconds)
    if audio is None:
        mix, _ = render(plan, parts, seconds, sample_rate, channels)
        audio = torch.from_numpy(mix)
    return Clip(
        audio=audio,
        sample_rate=sample_rate,
        seconds=seconds,
        title=plan.score.title,
        score_id=plan.score.id,
        index=plan.index,
        notes=parts.notes,
        beats=parts.beats,
        downbeats=parts.downbeats,
        chords=parts.chords,
        attributes=attributes(plan),
        captions=captions(plan),
        lyrics=parts.lyrics.text if parts.lyrics else None,
        phonemes=parts.lyrics.phonemes if parts.lyrics else (),
        players=players(plan),
        _stems=partial(_stems, plan, seconds, sample_rate, channels),
    )


def render_planned(
    seed: int,
    split: str,
    index: int,
    seconds: float,
    sample_rate: int,
    channels: int,
    voice: bool = False,
) -> np.ndarray:
    """The mix of clip `index`, float32 [C, T]."""
    drawn = draw.plan(seed, split, index, seconds, voice)
    return render(drawn, arrangement(drawn, seconds), seconds, sample_rate, channels)[0]


def _stems(plan: Plan, seconds: float, sample_rate: int, channels: int) -> dict[str, np.ndarray]:
    return render(plan, arrangement(plan, seconds), seconds, sample_rate, channels)[1]
