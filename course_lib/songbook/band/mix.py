"""Stems to a mix: gain, pan, a small room, one loudness. Taught in notebook 00."""

from functools import lru_cache

import numpy as np
from scipy import fft

from .render import fade_out, samples

GAINS = {"lead": 1.0, "chords": 0.65, "bass": 0.85, "drums": 0.8}
PANS = {"lead": 0.12, "chords": -0.28, "bass": 0.0, "drums": 0.06}  # -1 left, 1 right
SENDS = {"lead": 1.0, "chords": 1.0, "bass": 0.25, "drums": 0.6}
LOUDNESS = -20.0  # LUFS, ungated
PEAK = 0.89  # -1 dBFS


@lru_cache(maxsize=8)
def room(sample_rate: int, n: int) -> np.ndarray:
    """The spectrum of the reverberation, left and right, [2, n // 2 + 1].

    Velvet noise (Karjalainen and Järveläinen 2007): sparse pulses at times fixed in seconds, so
    that the room is the same at every sample rate; dying away in 0.9 s, the treble faster.
    """
    rng = np.random.default_rng(12)
    f = fft.rfftfreq(n, 1.0 / sample_rate)
    responses = np.zeros((2, n))
    for response in responses:
        times = 0.011 + (np.arange(1700) + rng.random(1700)) / 1700.0 * 1.1
        signs = rng.choice((-1.0, 1.0), 1700) * np.exp(-6.9 * times / 0.9)
        places = np.round(times * sample_rate).astype(int)
        keep = places < n
        bright, dark = np.zeros(n), np.zeros(n)
        weight = np.exp(-times / 0.15)  # treble goes first
        np.add.at(bright, places[keep], (signs * weight)[keep])
        np.add.at(dark, places[keep], (signs * (1.0 - weight))[keep])
        for part, cutoff in ((bright, 4500.0), (dark, 1800.0)):
            a = np.exp(-2.0 * np.pi * cutoff / sample_rate)
            one_pole = (1.0 - a) / (1.0 - a * np.exp(-2j * np.pi * f / sample_rate))
            response += fft.irfft(fft.rfft(part) * one_pole, n)
    spectrum = fft.rfft(responses, axis=1)
    spectrum *= (f / 150.0) ** 2 / (1.0 + (f / 150.0) ** 2)
    return (spectrum / np.sqrt(np.mean(np.sum(responses**2, axis=1)))).astype(np.complex64)


@lru_cache(maxsize=8)
def _hearing(sample_rate: int, n: int) -> np.ndarray:
    """The power response of the K weighting (ITU-R BS.1770-5, annex 1), [n // 2 + 1]."""
    s = 2j * np.pi * fft.rfftfreq(n, 1.0 / sample_rate)
    shelf, low_cut = 2.0 * np.pi * 1681.97, 2.0 * np.pi * 38.13
    high = 10.0 ** (3.99984 / 20.0)
    shelving = (high * s * s + s * shelf * high**0.4996667741545416 / 0.7071752 + shelf**2) / (
        s * s + s * shelf / 0.7071752 + shelf**2
    )
    cut = s * s / (s * s + s * low_cut / 0.5003270 + low_cut**2)
    return (np.abs(shelving * cut) ** 2).astype(np.float32)


def _check(stems: dict, gains: dict, pans: dict, reverb: float) -> int:
    for name, stem in stems.items():
        if np.ndim(stem) != 1:
            raise ValueError(f"The stem {name!r} has shape {np.shape(stem)}: give mono, [T].")
        if not np.isfinite(stem).all():
            raise ValueError(f"The stem {name!r} holds NaN or infinity.")
    lengths = {len(stem) for stem in stems.values()}
    if len(lengths) > 1:
        raise ValueError(f"The stems have different lengths, {sorted(lengths)}: render them alike.")
    for name, gain in gains.items():
        if not 0.0 <= gain < np.inf:
            raise ValueError(f"The gain of {name!r} is {gain!r}: give a factor from 0 up.")
    for name, pan in pans.items():
        if not -1.0 <= pan <= 1.0:
            raise ValueError(f"The pan of {name!r} is {pan!r}: it lies from -1 to 1.")
    if not 0.0 <= reverb < np.inf:
        raise ValueError(f"The reverb is {reverb!r}: give a strength from 0 up.")
    return lengths.pop()


def mix(
    stems: dict[str, np.ndarray],
    sample_rate: int,
    channels: int = 1,
    gains: dict[str, float] | None = None,
    pans: dict[str, float] | None = None,
    reverb: float = 0.15,
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Dry stems, name -> [T], to (mix [C, T], wet stems name -> [C, T]), float32.

    The mix is the sum of the returned stems, sample for sample, without a constant part, at -20
    LUFS as far as a peak of 0.89 allows; silence stays silence. `gains` are factors, `pans` lie
    from -1 (left) to 1 (right) and rule stereo alone, `reverb` is the strength of the room;
    lead, chords, bass and drums have defaults. Raises ValueError for stems of different lengths,
    channels other than 1 or 2, or NaN. Taught in notebook 00.
    """
    if channels not in (1, 2):
        raise ValueError(f"A mix has 1 or 2 channels, not {channels!r}.")
    if not stems:
        raise ValueError("There is nothing to mix: give at least one stem.")
    gains, pans = GAINS | (gains or {}), PANS | (pans or {})
    length = _check(stems, gains, pans, reverb)
    samples(length / max(sample_rate, 1), sample_rate)
    n = fft.next_fast_len(length + round(1.15 * sample_rate), real=True)
    hall = room(sample_rate, n)
    hall = hall.mean(axis=0, keepdims=True) if channels == 1 else hall
    wet = {}
    for name, stem in stems.items():
        stem = np.asarray(stem, np.float32) * np.float32(gains.get(name, 1.0))
        send = reverb * SENDS.get(name, 1.0)
        if channels == 1:
            direct = stem[None]
        else:
            angle = 0.25 * np.pi * (1.0 + pans.get(name, 0.0))
            direct = np.sqrt(2.0) * np.array([[np.cos(angle)], [np.sin(angle)]]) * stem
        sound = direct + send * fft.irfft(fft.rfft(stem, n) * hall, n)[:, :length]
        sound = fade_out(sound, sample_rate)
        wet[name] = (sound - sound.mean(axis=1, keepdims=True)).astype(np.float32)
    total = sum(wet.values())
    power = np.abs(fft.rfft(total, n)) ** 2 @ _hearing(sample_rate, n)
    loudness = 10.0 * np.log10(2.0 * power.sum() / n / length + 1e-20) - 0.691
    gain = min(10.0 ** ((LOUDNESS - loudness) / 20.0), PEAK / (np.abs(total).max() + 1e-9))
    if loudness < -120.0:
        gain = 1.0
    for name in wet:
        wet[name] *= np.float32(gain)
    return sum(wet.values()), wet
