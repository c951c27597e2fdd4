"""A sound in words, each computed from a measurement: for those who cannot listen, and tests."""

from dataclasses import dataclass

import torch

from course_lib.notebook.sounds import mono

SILENCE = -70.0  # LUFS, the absolute gate of ITU-R BS.1770


@dataclass(frozen=True)
class Description:
    """What `describe` measured; printing it gives the words."""

    seconds: float
    peak: float  # largest absolute sample
    loudness: float  # LUFS
    brightness: float  # Hz, the centroid of the magnitude spectrum
    above_4khz: float  # dB, energy above 4 kHz relative to the whole
    attack: float | None  # ms, median time from 10 to 90 % of a rise; None where nothing rises
    pitch_error: float | None = None  # cents against the reference; None without one
    reference: "Description | None" = None

    @property
    def sounding(self) -> bool:
        """Whether there is anything to hear."""
        return self.peak > 0 and self.loudness > SILENCE

    def __str__(self) -> str:
        if not self.sounding:
            return f"silence, {self.seconds:.1f} s"
        parts = [f"{round(self.loudness)} LUFS", _brightness(self), _hiss(self), _attack(self)]
        if self.pitch_error is not None:
            side = "sharp" if self.pitch_error > 0 else "flat"
            cents = abs(self.pitch_error)
            parts.append("in tune" if cents < 5 else f"{cents:.0f} cents {side}")
        if self.peak > 1:
            parts.append(f"clips (peak {self.peak:.2f})")
        return ", ".join(parts)


def describe(sound, sample_rate: int = 16000, reference=None) -> Description:
    """Measure a sound [T], [C, T] or a Clip, against a reference of the same rate if given.

    Loudness after ITU-R BS.1770; brightness is the spectral centroid; attack is the median time
    from 10 to 90 % of the strongest rises of the envelope; the pitch error is the shift, in cents,
    at which the constant-Q spectra of the two agree best. Raises as `sounds.mono` does. Taught in
    notebook 00.
    """
    samples, rate = mono(sound, sample_rate)
    other = None if reference is None else mono(reference, rate, "the reference")[0]
    standard = None if other is None else _measure(other, rate, None, None)
    shift = None if other is None else pitch_shift(samples, other, rate)
    return _measure(samples, rate, shift, standard)


def _measure(samples, rate, pitch_error, reference) -> Description:
    from course_lib import audio

    magnitude = _magnitude(samples, rate)  # [bins, F]
    hertz = torch.linspace(0, rate / 2, magnitude.shape[0])
    total = magnitude.sum().clamp_min(1e-12)
    energy = magnitude.square().sum(1)  # [bins]
    high = energy[hertz > 4000].sum() / energy.sum().clamp_min(1e-20)
    peak = samples.abs().max().item()
    return Description(
        seconds=samples.numel() / rate,
        peak=peak,
        loudness=float(audio.loudness(samples[None], rate)) if peak > 0 else float("-inf"),
        brightness=((magnitude.sum(1) * hertz).sum() / total).item(),
        above_4khz=10 * torch.log10(high.clamp_min(1e-9)).item(),
        attack=attack_time(samples, rate),
        pitch_error=pitch_error,
        reference=reference,
    )


def _magnitude(samples: torch.Tensor, rate: int, seconds: float = 0.064) -> torch.Tensor:
    size = 2 ** round(torch.log2(torch.tensor(seconds * rate)).item())
    size = max(64, size)
    samples = torch.nn.functional.pad(samples, (0, max(0, size - samples.numel())))
    window = torch.hann_window(size)
    return torch.stft(
        samples, size, size // 4, window=window, center=False, return_complex=True
    ).abs()


def attack_time(samples: torch.Tensor, rate: int, strongest: int = 8) -> float | None:
    """Median milliseconds from 10 to 90 % of the strongest rises of the envelope, or None."""
    hop = max(1, round(0.002 * rate))
    envelope = (
        samples.square().unfold(0, 2 * hop, hop).mean(-1).sqrt()
        if samples.numel() > 2 * hop
        else None
    )
    span = 40  # 80 ms: longer rises are swells, not attacks
    if envelope is None or envelope.numel() < 2 * span:
        return None
    loudest = envelope.max()
    windows = envelope.unfold(0, span, 1)  # [n, span]
    rises = windows[:, span // 2 :].amax(1) - windows[:, : span // 2].amin(1)
    times = []
    for _ in range(strongest):
        at = int(rises.argmax())
        if rises[at] < 0.25 * loudest or rises[at] <= 0:
            break
        piece = windows[at]
        top = span // 2 + int(piece[span // 2 :].argmax())
        foot = int(piece[: span // 2].argmin())
        low, high = piece[foot], piece[top]
        rising = piece[foot : top + 1]
        first = int((rising > low + 0.1 * (high - low)).nonzero()[0])
        last = int((rising >= low + 0.9 * (high - low)).nonzero()[0])
        times.append(max(1, last - first) * hop / rate * 1000)
        rises[max(0, at - span) : at + span] = 0
    return torch.tensor(times).median().item() if times else None


def pitch_shift(samples: torch.Tensor, reference: torch.Tensor, rate: int) -> float | None:
    """By how many cents `samples` lies above `reference` (within 150 cents), or None in silence.

    The spectra of 0.25 s frames are read at steps of 5 cents and compared at every shift; frames
    count by their energy. Polyphonic music is compared as it is, no voice is picked out.
    """
    length = min(samples.numel(), reference.numel())
    both = [_cents_spectrum(x[:length], rate) for x in (samples, reference)]  # [F, cents]
    if min(x.sum() for x in both) <= 0:
        return None
    shifts = range(-30, 31)
    score = torch.stack([(both[0].roll(-s, 1) * both[1]).sum() for s in shifts])
    best = int(score.argmax())
    if 0 < best < len(score) - 1:  # a parabola through the three best finds the peak between steps
        left, centre, right = score[best - 1 : best + 2].tolist()
        best += 0.5 * (left - right) / (left - 2 * centre + right - 1e-12)
    return 5.0 * (best + shifts[0])


def _cents_spectrum(samples: torch.Tensor, rate: int) -> torch.Tensor:
    magnitude = _magnitude(samples, rate, 0.256)
    spacing = rate / 2 / (magnitude.shape[0] - 1)
    top = min(2000.0, rate / 2 * 0.9)
    steps = int(1200 * torch.log2(torch.tensor(top / 200.0)).item() / 5)
    hertz = 200.0 * 2 ** (torch.arange(steps) * 5 / 1200)
    place = hertz / spacing
    left = place.floor().long()
    part = (place - left)[:, None]
    spectrum = magnitude[left] * (1 - part) + magnitude[left + 1] * part  # [cents, F]
    return spectrum.square().T


def _brightness(d: Description) -> str:
    here = round(d.brightness, -1)
    if d.reference is None:
        word = next(
            w
            for limit, w in ((600, "dark"), (1200, "warm"), (2200, "bright"), (1e9, "very bright"))
            if d.brightness < limit
        )
        return f"{word} (centroid {here:.0f} Hz)"
    ratio = d.brightness / max(d.reference.brightness, 1.0)
    word = "brighter" if ratio > 1.1 else "darker" if ratio < 0.9 else "as bright"
    return f"{word} ({here:.0f} against {d.reference.brightness:.0f} Hz)"


def _hiss(d: Description) -> str:
    if d.reference is None:
        return f"{d.above_4khz:.0f} dB above 4 kHz".replace("-", "−")
    change = d.above_4khz - d.reference.above_4khz
    if abs(change) < 2:
        return "the same above 4 kHz"
    return f"{abs(change):.0f} dB {'more' if change > 0 else 'less'} above 4 kHz"


def _attack(d: Description) -> str:
    if d.attack is None:
        return "no attacks"
    if d.reference is None or d.reference.attack is None:
        return f"attacks in {d.attack:.0f} ms"
    ratio = d.attack / d.reference.attack
    word = (
        "attacks blurred"
        if ratio > 1.3
        else "attacks sharper"
        if ratio < 0.77
        else "attacks as sharp"
    )
    return f"{word} ({d.attack:.0f} against {d.reference.attack:.0f} ms)"
