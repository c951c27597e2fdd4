"""Measurements of sounds that the band's tests share."""

import numpy as np

from course_lib.songbook import band

PITCHED = tuple(name for name, i in band.INSTRUMENTS.items() if i.family != "drums")


def registers(name: str) -> tuple[int, int, int]:
    """A low, a middle and a high pitch of an instrument."""
    i = band.INSTRUMENTS[name]
    return tuple(round(i.lowest + part * (i.highest - i.lowest)) for part in (0.08, 0.5, 0.92))


def hertz(pitch: float) -> float:
    return 440.0 * 2.0 ** ((pitch - 69.0) / 12.0)


def note(name, pitch, velocity=0.8, duration=1.9, seconds=2.2, rate=16000, onset=0.1, seed=0):
    return band.render(name, [band.Event(onset, duration, pitch, velocity)], seconds, rate, seed)


def cents_off(x: np.ndarray, rate: int, pitch: float) -> float:
    """How far the first partial lies from a MIDI number: the centre of its power, in cents."""
    windowed = x.astype(float) * np.hanning(len(x))
    n = 1 << 17
    power = np.abs(np.fft.rfft(windowed, n)) ** 2
    f = np.fft.rfftfreq(n, 1.0 / rate)
    near = np.abs(f - hertz(pitch)) < max(4.0, 0.035 * hertz(pitch))
    return 1200.0 * np.log2(np.average(f[near], weights=power[near]) / hertz(pitch))


def onset_time(x: np.ndarray, rate: int) -> float:
    """When the sound first comes within 30 dB of the loudest half millisecond of its attack, s."""
    n = rate // 2000
    level = np.sqrt(np.convolve(x.astype(float) ** 2, np.ones(n) / n)[: len(x)])
    first = np.argmax(x != 0.0)
    loudest = level[first : first + rate // 5].max()
    return np.argmax(level > loudest * 10.0 ** (-30.0 / 20.0)) / rate


def inharmonic(x: np.ndarray, rate: int, pitch: float) -> float:
    """The power below 7.4 kHz that lies on no harmonic, in decibels of all of it."""
    n = 1 << 17
    power = np.abs(np.fft.rfft(x * np.blackman(len(x)), n)) ** 2
    f = np.fft.rfftfreq(n, 1.0 / rate)
    f0 = hertz(pitch)
    harmonic = (np.abs(f - np.round(f / f0) * f0) < 25.0) & (f > f0 / 2.0)
    audible = f < 7400.0
    return 10.0 * np.log10(power[audible & ~harmonic].sum() / power[audible].sum() + 1e-15)


def loudness(x: np.ndarray, rate: int) -> float:
    """Ungated loudness of [T] after ITU-R BS.1770 at 48 kHz coefficients, in LUFS."""
    from scipy.signal import lfilter, resample_poly

    y = resample_poly(x.astype(float), 48000 // rate, 1)
    y = lfilter(
        [1.53512485958697, -2.69169618940638, 1.19839281085285],
        [1.0, -1.69065929318241, 0.73248077421585],
        y,
    )
    y = lfilter([1.0, -2.0, 1.0], [1.0, -1.99004745483398, 0.99007225036621], y)
    return -0.691 + 10.0 * np.log10(np.mean(y**2) + 1e-20)


def phrase(name: str, velocity: float = 0.8, rate: int = 16000) -> np.ndarray:
    """Two seconds of an instrument: five notes over its range, or a bar of drums, [T]."""
    i = band.INSTRUMENTS[name]
    if i.family == "drums":
        beats = [(0.25 * k, 42, 0.7 * velocity) for k in range(8)]
        beats += [(0.0, 36, velocity), (0.5, 38, velocity)]
        beats += [(1.0, 36, velocity), (1.5, 38, velocity)]
        events = [band.Event(t, 0.1, drum, v) for t, drum, v in beats]
    else:
        middle, half = (i.lowest + i.highest) / 2.0, (i.highest - i.lowest) / 2.0
        pitches = [round(middle + part * half) for part in (-0.6, -0.3, 0.0, 0.3, 0.6)]
        events = [band.Event(0.4 * k, 0.38, p, velocity) for k, p in enumerate(pitches)]
    return band.render(name, events, 2.0, rate, 0)
