"""Which notes and chords are in a sound: chroma, and chords by template. Taught in notebook 05."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from course_lib.audio import LogMel, stft
from course_lib.audio.checks import check_mono, check_rate
from course_lib.audio.chroma import pitch_filters

PITCHED = (65.0, 2093.0)  # Hz: five octaves from C to C
PITCHED_MEL = (180.0, 4000.0)  # Hz: below it a mel band is wider than a few semitones
TONICS = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
TRIADS = {"maj": (0, 4, 7), "min": (0, 3, 7)}
KINDS = {"maj": "maj", "7": "maj", "maj7": "maj", "min": "min", "min7": "min"}  # as triads


def chroma(audio: Tensor, sample_rate: int = 16000) -> Tensor:
    """How strong each pitch class from C to B is: audio [B, 1, T] -> [B, 12, F].

    Square roots of magnitudes from 65 to 2093 Hz, folded into one octave, each frame of norm 1 and
    silence 0. A frame spans a quarter of a second, so that semitones come apart; there are
    `chroma_rate(sample_rate)` of them in a second. Raises TypeError or ValueError for other shapes,
    dtypes, NaN, empty audio, and a rate too low for any pitch.
    Source: Fujishima 1999; Müller, "Fundamentals of Music Processing" 2015, section 3.1.
    """
    check_mono(audio)
    n_fft = _fft_size(sample_rate)
    magnitude = stft(audio[:, 0].float(), n_fft, n_fft // 4).abs()  # [B, n_fft // 2 + 1, F]
    return _unit(pitch_filters(sample_rate, n_fft, PITCHED).to(audio.device) @ magnitude.sqrt())


def chroma_rate(sample_rate: int = 16000) -> float:
    """Frames per second of `chroma`."""
    return 4 * sample_rate / _fft_size(sample_rate)


def mel_chroma(log_mel: Tensor, mel: LogMel) -> Tensor:
    """How strong each pitch class is in a spectrogram [B, n_mels, F] that `mel` made: [B, 12, F].

    A band counts for the pitch classes it spans more than for the others, so that a band as wide as
    an octave counts for none; entries may be negative. Harmonics between 180 and 4000 Hz tell the
    classes apart, which is coarser than `chroma`. Frames have norm 1. Raises ValueError for another
    number of bands.
    """
    if log_mel.ndim != 3 or log_mel.shape[1] != mel.n_mels:
        raise ValueError(
            f"log_mel has shape {list(log_mel.shape)}; expected [B, {mel.n_mels}, F] as the given "
            "LogMel makes it."
        )
    filters = mel.filters.cpu()  # [n_mels, bins]
    shares = pitch_filters(mel.sample_rate, mel.n_fft, PITCHED_MEL) @ filters.T  # [12, n_mels]
    shares = shares / filters.sum(1).clamp(min=1e-9)
    shares = (shares - shares.mean(0)).to(log_mel.device)
    return _unit(shares @ log_mel.float().exp())


def chroma_correlation(a: Tensor, b: Tensor) -> Tensor:
    """How alike two chromas [B, 12, F] are: the correlation of each frame, its mean in [B].

    Frames are freed of their means, so that noise, which is in all pitch classes, scores 0. Raises
    ValueError for other shapes.
    """
    if a.shape != b.shape or a.ndim != 3 or a.shape[1] != 12:
        raise ValueError(
            f"Chromas have shapes {list(a.shape)} and {list(b.shape)}; expected [B, 12, F] twice."
        )
    a, b = (x - x.mean(1, keepdim=True) for x in (a, b))
    return F.cosine_similarity(a, b, dim=1, eps=1e-6).mean(-1)


def chord_accuracy(
    pitch_classes: Tensor,
    chords: Sequence[Sequence[tuple[float, float, str]]],
    frames_per_second: float,
) -> float:
    """The share of the labelled time whose chord the best of 24 triad templates names right.

    pitch_classes [B, 12, F], a `chroma`; `chords` of each clip as `Clip.chords`. For each labelled
    chord the chroma is summed over its time and compared with the major and minor triad on every
    tonic. Sevenths count as their triads; other kinds, and what lies after the last frame, do not
    count. Guessing scores about 0.04. Raises ValueError for another shape or rate, where the
    numbers of clips differ or no chord is left.
    """
    if pitch_classes.ndim != 3 or pitch_classes.shape[1] != 12 or not frames_per_second > 0:
        raise ValueError(
            f"pitch_classes has shape {list(pitch_classes.shape)}, frames_per_second is "
            f"{frames_per_second}; expected [B, 12, F] and chroma_rate(sample_rate)."
        )
    if len(pitch_classes) != len(chords):
        raise ValueError(
            f"There are chromas of {len(pitch_classes)} clips and chords of {len(chords)}."
        )
    frames = pitch_classes.shape[-1]
    right = labelled = 0.0
    for clip, symbols in zip(pitch_classes, chords, strict=True):
        for start, stop, symbol in symbols:
            tonic, _, kind = symbol.partition(":")
            stop = min(stop, frames / frames_per_second)
            if kind not in KINDS or stop <= start:
                continue
            first = min(round(start * frames_per_second), frames - 1)
            last = max(first + 1, round(stop * frames_per_second))
            heard = best_triad(clip[:, first:last].sum(1))
            right += (stop - start) * (heard == f"{tonic}:{KINDS[kind]}")
            labelled += stop - start
    if not labelled:
        raise ValueError("No clip has a major or minor chord before its end.")
    return right / labelled


def best_triad(strengths: Tensor) -> str:
    """The triad, such as "F#:min", whose three pitch classes are strongest together in [12]."""
    names = [f"{tonic}:{kind}" for kind in TRIADS for tonic in TONICS]
    sums = [
        strengths[[(place + step) % 12 for step in steps]].sum()
        for steps in TRIADS.values()
        for place in range(12)
    ]
    return names[int(torch.stack(sums).argmax())]


def _fft_size(sample_rate: int) -> int:
    """The power of two nearest to a quarter of a second, in samples."""
    check_rate(sample_rate)
    if sample_rate <= 2 * PITCHED[0]:
        raise ValueError(
            f"sample_rate is {sample_rate}; expected more than {2 * PITCHED[0]:g} Hz, for chroma "
            f"hears pitches from {PITCHED[0]:g} Hz on."
        )
    return 1 << round(math.log2(sample_rate / 4))


def _unit(folded: Tensor) -> Tensor:
    norm = folded.norm(dim=1, keepdim=True)
    return folded / norm.clamp(min=1e-6)
