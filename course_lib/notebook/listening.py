"""The course's one player: a labelled table of small mono players at one loudness."""

from html import escape

import torch

from course_lib.notebook.description import Description, describe
from course_lib.notebook.sounds import data_uri, excerpt, mono

TARGET = -20.0  # LUFS
PEAK = 0.89  # just below -1 dBFS
BROKEN_DB = 12.0


class Players:
    """A table of players, shown as HTML; where there is none, as lines of text."""

    def __init__(self, rows: list[tuple[str, str, str]]):
        self.rows = rows  # label, data URI, words

    def __repr__(self) -> str:
        return "\n".join(f"[sound] {label}: {words}" for label, _, words in self.rows)

    def _repr_html_(self) -> str:
        cell = "style='text-align:left;padding:2px 8px'"
        lines = []
        for label, uri, words in self.rows:
            name = escape(label, quote=True)
            sound = f"<audio controls preload='none' src='{uri}' aria-label='{name}'></audio>"
            lines.append(
                f"<tr><td {cell}><b>{name}</b></td><td {cell}>{sound}</td>"
                f"<td {cell}><small>{escape(words)}</small></td></tr>"
            )
        return "<table class='course-players'>" + "".join(lines) + "</table>"


def players(
    sounds: dict,
    sample_rate: int = 16000,
    *,
    reference=None,
    quieter_db: float = 0.0,
    seconds: float | None = 4.0,
    broken: tuple[str, ...] = (),
) -> Players:
    """A table with a row for each `{label: sound}`, all at one loudness, peaks below -1 dBFS.

    The loudness is -20 LUFS, or what the row with the highest peaks can reach. Each row says in
    words what was measured, against `reference` (a label of the table, or a sound) where given.
    Rows named in `broken` play 12 dB lower; `quieter_db` lowers the whole table. Only the first
    `seconds` are kept. Raises ValueError for an empty table, an unknown label, or a sound that
    cannot be played.
    """
    if not isinstance(sounds, dict) or not sounds:
        raise ValueError("players() needs a dictionary {label: sound} with at least one row.")
    sounds = {str(label): sound for label, sound in sounds.items()}
    broken = [str(label) for label in broken]
    reference = str(reference) if isinstance(reference, int) else reference
    unknown = [label for label in broken if label not in sounds]
    if isinstance(reference, str) and reference not in sounds:
        unknown.append(reference)
    if unknown:
        raise ValueError(f"No row is labelled '{unknown[0]}'; there are {', '.join(sounds)}.")
    rows = {}
    for label, sound in sounds.items():
        samples, rate = mono(sound, sample_rate, f"'{label}'")
        rows[label] = excerpt(samples, rate, seconds), rate
    standard = None
    if reference is not None:
        standard = (
            rows[reference]
            if isinstance(reference, str)
            else mono(reference, sample_rate, "the reference")
        )
    words = {}
    for label, (samples, rate) in rows.items():
        if standard is None or label == reference:
            words[label] = describe(samples, rate)
        else:
            words[label] = describe(samples, rate, _at_rate(standard, rate))
    level = common_level([words[label] for label in rows if label not in broken])
    made = []
    for label, (samples, rate) in rows.items():
        lower = quieter_db + (BROKEN_DB if label in broken else 0.0)
        loud = at_level(samples, words[label], level - lower)
        note = f" (played {lower:.0f} dB lower)" if lower else ""
        made.append((label, data_uri(loud, rate), f"{words[label]}{note}"))
    return Players(made)


def player(sound, sample_rate: int = 16000, label: str | None = None, **options) -> Players:
    """One sound in a table of one row; the options are those of `players`."""
    title = sound.title if hasattr(sound, "audio") else ""
    return players({label or title or "sound": sound}, sample_rate, **options)


def common_level(descriptions: list[Description]) -> float:
    """The loudness, in LUFS, that all of these sounds can have with peaks below -1 dBFS."""
    reachable = [
        d.loudness + 20 * torch.log10(torch.tensor(PEAK / d.peak)).item()
        for d in descriptions
        if d.sounding
    ]
    return min([TARGET, *reachable])


def at_level(samples: torch.Tensor, measured: Description, level: float) -> torch.Tensor:
    """[T] brought from its measured loudness to `level` LUFS, as far as the peak allows."""
    if not measured.sounding:
        return samples
    gain = min(10 ** ((level - measured.loudness) / 20), PEAK / measured.peak)
    return samples * gain


def _at_rate(sound: tuple[torch.Tensor, int], rate: int) -> torch.Tensor:
    samples, own = sound
    if own == rate:
        return samples
    from course_lib import audio

    return audio.resample(samples[None], own, rate)[0]
