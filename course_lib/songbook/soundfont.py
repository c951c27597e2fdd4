"""The same clip through sampled instruments: any SoundFont, with the same labels. Notebook 00.

An optional extra: `pip install --no-deps tinysoundfont` (its dependency pyaudio, which needs a
compiler, plays to loudspeakers and is not used here). Bring your own .sf2, and mind its licence and
tuning: pitch labels are exact with the course's band alone.
"""

from dataclasses import replace
from functools import partial
from os import PathLike
from pathlib import Path

import numpy as np

from course_lib.songbook import band
from course_lib.songbook.clip import Clip

# The programs of General MIDI, counted from 0.
PROGRAMS = {
    "piano": 0,
    "electric_piano": 4,
    "harpsichord": 6,
    "music_box": 10,
    "vibraphone": 11,
    "marimba": 12,
    "bells": 14,
    "organ": 19,
    "accordion": 21,
    "guitar": 24,
    "upright_bass": 32,
    "electric_bass": 33,
    "synth_bass": 38,
    "violin": 40,
    "cello": 42,
    "harp": 46,
    "strings": 48,
    "choir": 52,
    "trumpet": 56,
    "tuba": 58,
    "french_horn": 60,
    "clarinet": 71,
    "flute": 73,
    "square_lead": 80,
    "saw_lead": 81,
    "pad": 89,
    "banjo": 105,
}
DRUM_BANK = 128


def render(clip: Clip, soundfont: str | PathLike, sample_rate: int | None = None) -> Clip:
    """The clip's notes played by a SoundFont: a Clip with other sound and the same labels.

    Raises ModuleNotFoundError without tinysoundfont, FileNotFoundError for a missing file,
    ValueError for one that is no SoundFont and for a clip without notes or with a singer. Taught in
    notebook 00.
    """
    import torch

    if not clip.notes:
        raise ValueError(f"The clip {clip.title!r} has no notes: a recording cannot be re-played.")
    if clip.phonemes:
        raise ValueError(f"The clip {clip.title!r} is sung: load it without voice=True.")
    path = Path(soundfont)
    if not path.is_file():
        raise FileNotFoundError(f"No SoundFont at {path}: give the path of a .sf2 file.")
    rate = sample_rate or clip.sample_rate
    mix, stems = _mixed(clip, path.read_bytes(), str(path), rate)
    return replace(
        clip,
        audio=torch.from_numpy(mix),
        sample_rate=rate,
        _stems=partial(dict, stems),
    )


def _mixed(clip: Clip, font: bytes, name: str, sample_rate: int):
    dry = {
        stem: _play(clip.players[stem], events, clip.seconds, sample_rate, font, name)
        for stem, events in clip.notes.items()
    }
    return band.mix(dry, sample_rate, channels=clip.audio.shape[0], reverb=0.0)


def _play(
    instrument: str,
    events: tuple[band.Event, ...],
    seconds: float,
    sample_rate: int,
    font: bytes,
    name: str,
) -> np.ndarray:
    """One stem, mono float32 [T], generated from event to event so that times are exact."""
    length = round(seconds * sample_rate)
    if not events:
        return np.zeros(length, np.float32)
    synth = _synthesizer(instrument, sample_rate, font, name)
    moves = []  # (sample, 0 for off and 1 for on, key, velocity)
    for event in events:
        key, start = round(event.pitch), round(event.onset * sample_rate)
        end = max(start + 1, round((event.onset + event.duration) * sample_rate))
        moves += [(start, 1, key, max(1, round(127 * event.velocity))), (end, 0, key, 0)]
    parts, now, sounding = [], 0, {}
    for at, on, key, velocity in [*sorted(moves), (length, 0, 0, 0)]:
        at = min(at, length)
        if at > now:
            part = np.frombuffer(synth.generate(at - now), dtype=np.float32)
            parts.append(part.reshape(-1, 2).mean(axis=1))
            now = at
        if on:
            synth.noteon(0, key, velocity)
        elif sounding.get(key, 0) == 1:  # the last of the notes that hold this key
            synth.noteoff(0, key)
        sounding[key] = max(0, sounding.get(key, 0) + (1 if on else -1))
    return np.concatenate(parts)


def _synthesizer(instrument: str, sample_rate: int, font: bytes, name: str):
    try:
        import tinysoundfont
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "SoundFonts need tinysoundfont: run 'pip install --no-deps tinysoundfont'."
        ) from error
    synth = tinysoundfont.Synth(gain=-6, samplerate=sample_rate)
    try:
        loaded = synth.sfload(font)
        if band.INSTRUMENTS[instrument].family == "drums":
            synth.program_select(0, loaded, DRUM_BANK, 0, True)
        else:
            synth.program_select(0, loaded, 0, PROGRAMS[instrument])
    except (tinysoundfont.SoundFontException, RuntimeError) as error:
        raise ValueError(
            f"{name} cannot play the {instrument}: it is no SoundFont, or not a General MIDI one "
            f"({error})."
        ) from error
    return synth
