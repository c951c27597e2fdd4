"""Opus beside a neural codec: the same clips through libopus, aligned, at a measured bitrate."""

import io

import torch
from torch import Tensor

PIECE = 1 << 16  # samples a call: libsndfile's encoders overflow their stack on long writes
LOWEST, SPAN = 6000, 250_000  # bit/s: libsndfile's compression levels 1 and 0 lie that far apart
SEARCHED = 800  # samples either way in which the delay is looked for


def opus(audio: Tensor, sample_rate: int, kbps: float) -> tuple[Tensor, float]:
    """Mono audio [1, T] through Opus at about `kbps`: what comes back [1, T], and measured kbit/s.

    The bitrate is that of the whole file, its pages and headers included. What the codec's delay
    left is taken back, to the sample, by the highest correlation with the original. Raises
    ValueError for other shapes, for rates that Opus has not (8, 12, 16, 24, 48 kHz) and for a
    bitrate outside 6 to 256. Taught in notebook 08.
    """
    import soundfile

    if audio.ndim != 2 or len(audio) != 1:
        raise ValueError(f"audio has shape {list(audio.shape)}; expected mono [1, T].")
    if not 6 <= kbps <= 256:
        raise ValueError(f"kbps={kbps}; Opus takes 6 to 256 for one channel.")
    if sample_rate not in (8000, 12000, 16000, 24000, 48000):
        raise ValueError(
            f"Opus has no sample rate of {sample_rate} Hz: resample to 16000 or 48000."
        )
    level = 1 - (1000 * kbps - LOWEST) / SPAN
    samples = audio[0].numpy()
    file = io.BytesIO()
    settings = {"format": "OGG", "subtype": "OPUS", "compression_level": level}
    with soundfile.SoundFile(file, "w", sample_rate, 1, **settings) as writer:
        for start in range(0, len(samples), PIECE):
            writer.write(samples[start : start + PIECE])
    measured = 8 * len(file.getvalue()) * sample_rate / len(samples) / 1000
    file.seek(0)
    back, _ = soundfile.read(file, dtype="float32", always_2d=True)
    return aligned(audio, torch.from_numpy(back.T.copy())), measured


def aligned(reference: Tensor, delayed: Tensor) -> Tensor:
    """`delayed` [1, T'] moved by up to 50 ms at 16 kHz to where it fits `reference` [1, T] best.

    Ends that are not there are 0.
    """
    length = reference.shape[-1]
    n = 1 << (length + delayed.shape[-1] - 1).bit_length()
    spectra = (
        torch.fft.rfft(delayed[0].double(), n) * torch.fft.rfft(reference[0].double(), n).conj()
    )
    fits = torch.fft.irfft(spectra, n).roll(SEARCHED)[: 2 * SEARCHED + 1]  # lag -SEARCHED ...
    lag = int(fits.argmax()) - SEARCHED  # how much later `delayed` comes
    moved = delayed[..., lag:] if lag >= 0 else torch.nn.functional.pad(delayed, (-lag, 0))
    return torch.nn.functional.pad(moved, (0, max(0, length - moved.shape[-1])))[..., :length]
