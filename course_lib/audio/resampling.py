"""Another sample rate for the same sound. Taught in notebook 00."""

from collections.abc import Iterable, Iterator
from fractions import Fraction

import torch

from course_lib.audio._torchaudio import functional
from course_lib.audio.checks import check_audio, check_rate

# torchaudio's setting for librosa's "kaiser_best": 64 zero crossings, flat to 0.947 of the band.
_FILTER = {
    "lowpass_filter_width": 64,
    "rolloff": 0.9475937167399596,
    "resampling_method": "sinc_interp_kaiser",
    "beta": 14.769656459379492,
}


def resample(audio: torch.Tensor, from_rate: int, to_rate: int) -> torch.Tensor:
    """Resample `audio` `[..., T]` by a windowed sinc; T becomes ceil(T * to_rate / from_rate).

    The filter's table grows with the terms of the reduced ratio of the rates, so a ratio whose
    denominator is above 1000 (22255 Hz to 16000 Hz) is replaced by the nearest below it: the pitch
    is off by less than 0.1 cents.

    Raises TypeError or ValueError for audio without samples, NaN, and rates that are not whole.
    Source: J. O. Smith, "Digital Audio Resampling". Taught in notebook 00.
    """
    check_audio(audio)
    new, old = ratio(from_rate, to_rate)
    if new == old:
        return audio
    return functional().resample(audio, old, new, **_FILTER)


def ratio(from_rate: int, to_rate: int) -> tuple[int, int]:
    """The reduced (new, old) with new / old = to_rate / from_rate, old at most 1000."""
    check_rate(from_rate, "from_rate")
    check_rate(to_rate, "to_rate")
    reduced = Fraction(to_rate, from_rate).limit_denominator(1000)
    return (reduced.numerator, reduced.denominator) if reduced else (1, 1000)


def context(new: int, old: int) -> int:
    """Samples on either side that a resampled sample depends on, as a multiple of `old`."""
    width = _FILTER["lowpass_filter_width"] * old / (min(new, old) * _FILTER["rolloff"])
    return (int(width) // old + 2) * old


def resample_parts(parts: Iterable[torch.Tensor], new: int, old: int) -> Iterator[torch.Tensor]:
    """Resample consecutive `parts` `[C, T]` as if they were one piece.

    Every part but the last has the same length: a multiple of `old`, at least `context(new, old)`.
    """
    margin = context(new, old)
    before = here = None
    for after in parts:
        if here is not None:
            yield _middle(before, here, after[:, :margin], new, old)
            before = here[:, -margin:]
        here = after
    if here is not None:
        yield _middle(before, here, None, new, old)


def _middle(before, here, after, new: int, old: int) -> torch.Tensor:
    joined = torch.cat([part for part in (before, here, after) if part is not None], dim=-1)
    sound = functional().resample(joined, old, new, **_FILTER)
    start = 0 if before is None else before.shape[-1] // old * new
    length = -(-here.shape[-1] * new // old)
    return sound[:, start : start + length]
