"""Short-time Fourier transform and log-mel spectrogram. Taught in notebook 00."""

import math

import torch
from torch import nn

from course_lib.audio.checks import check_audio, check_rate


def stft(audio: torch.Tensor, n_fft: int = 1024, hop: int = 256) -> torch.Tensor:
    """Short-time Fourier transform of `audio` `[..., T]`: complex `[..., n_fft // 2 + 1, F]`.

    Frame f is centred on sample f * hop of the audio, which is padded with zeros on either side, so
    any length gives F = 1 + T // hop frames; the window is a periodic Hann. Equal to
    `librosa.stft`. Does not look for NaN, since it runs inside training steps.

    Raises TypeError or ValueError for empty audio, other dtypes, and a hop above n_fft / 2, from
    which the sound could not come back. Taught in notebook 00.
    """
    check_audio(audio, finite=False)
    _check_frames(n_fft, hop)
    window = torch.hann_window(n_fft, device=audio.device, dtype=audio.dtype)
    return _stft(audio, window, hop)


def istft(spectrum: torch.Tensor, hop: int = 256, length: int | None = None) -> torch.Tensor:
    """The audio `[..., T]` of a `stft` `[..., n_fft // 2 + 1, F]`, T = length or hop * (F - 1).

    Overlap-add with the window again, divided by the sum of squared windows: for a spectrum that
    no `stft` gives, the audio whose `stft` is nearest to it (Griffin and Lim 1984, equation 6).
    Raises TypeError or ValueError for a spectrum that is not complex or too short for `length`.
    """
    if not isinstance(spectrum, torch.Tensor) or not spectrum.is_complex():
        raise TypeError(
            f"spectrum is {getattr(spectrum, 'dtype', type(spectrum).__name__)}; expected a "
            "complex tensor from stft: magnitudes alone need griffin_lim."
        )
    if spectrum.ndim < 2 or spectrum.numel() == 0:
        raise ValueError(
            f"spectrum has shape {list(spectrum.shape)}; expected [..., n_fft // 2 + 1, F]."
        )
    n_fft, frames = 2 * (spectrum.shape[-2] - 1), spectrum.shape[-1]
    _check_frames(n_fft, hop)
    length = check_length(length, hop, frames)
    window = torch.hann_window(n_fft, device=spectrum.device, dtype=spectrum.real.dtype)
    flat = spectrum.reshape(-1, *spectrum.shape[-2:])
    audio = torch.istft(flat, n_fft, hop, window=window, length=length)
    return audio.reshape(*spectrum.shape[:-2], length)


class LogMel(nn.Module):
    """Log-mel spectrogram: audio `[B, 1, T]` or `[B, T]` to `[B, n_mels, F]`, F = 1 + T // hop.

    Natural logarithm of the magnitudes under Slaney's mel filters, from 1e-5 up: equal to librosa
    and torchaudio (power 1, norm and scale "slaney", zero padding). Always computed in float32,
    under autocast too. Differentiable; holds no weights. Does not look for NaN, since it runs
    inside training steps. Raises TypeError or ValueError for other shapes and dtypes.

    Source: Davis and Mermelstein 1980; Slaney, "Auditory Toolbox" 1998. Taught in notebook 00.
    """

    FLOOR = 1e-5

    def __init__(
        self, sample_rate: int = 16000, n_fft: int = 1024, hop: int = 256, n_mels: int = 80
    ):
        super().__init__()
        _check_frames(n_fft, hop)
        self.sample_rate, self.n_fft, self.hop, self.n_mels = sample_rate, n_fft, hop, n_mels
        self.register_buffer("filters", mel_filters(sample_rate, n_fft, n_mels), persistent=False)
        self.register_buffer("window", torch.hann_window(n_fft), persistent=False)

    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        check_audio(audio, finite=False)
        if audio.ndim == 3 and audio.shape[1] == 1:
            audio = audio[:, 0]  # [B, T]
        if audio.ndim != 2:
            raise ValueError(
                f"audio has shape {list(audio.shape)}; expected mono [B, 1, T] or [B, T]: mix the "
                "channels of [B, C, T] with x.mean(1, keepdim=True)."
            )
        with torch.autocast(audio.device.type, enabled=False):
            magnitude = _stft(audio.to(self.window.dtype), self.window, self.hop).abs()
            mel = self.filters @ magnitude  # [B, n_mels, F]
            return mel.clamp(min=self.FLOOR).log()


def mel_filters(sample_rate: int, n_fft: int, n_mels: int) -> torch.Tensor:
    """Triangular filters `[n_mels, n_fft // 2 + 1]` from 0 Hz to half the rate, of equal area.

    Slaney's mel scale (linear to 1 kHz, 27 steps to 6.4 times as much above) and norm. Equal to
    `librosa.filters.mel`; computed in float64, since the float32 of torchaudio's
    `melscale_fbanks` is 4e-5 off in narrow filters. Filters narrower than a bin may be empty.
    """
    check_rate(sample_rate)
    if n_mels < 1 or n_fft < 2:
        raise ValueError(f"n_mels is {n_mels}, n_fft {n_fft}; expected at least 1 and 2.")
    top = sample_rate / 2
    bins = torch.linspace(0, top, n_fft // 2 + 1, dtype=torch.float64)
    highest = 3 * top / 200 if top < 1000 else 15 + 27 * math.log(top / 1000) / math.log(6.4)
    mels = torch.linspace(0, highest, n_mels + 2, dtype=torch.float64)
    corners = torch.where(mels < 15, 200 / 3 * mels, 1000 * 6.4 ** ((mels - 15) / 27))  # Hz
    low, centre, high = (corners[i : i + n_mels, None] for i in range(3))
    rising, falling = (bins - low) / (centre - low), (high - bins) / (high - centre)
    triangles = torch.minimum(rising, falling).clamp(min=0)  # [n_mels, bins]
    return (triangles * 2 / (high - low)).float()


def check_length(length: int | None, hop: int, frames: int) -> int:
    """The length of the audio of `frames` frames: hop * (frames - 1) unless given and possible."""
    longest = hop * frames - 1
    length = hop * (frames - 1) if length is None else length
    if not 1 <= length <= longest:
        raise ValueError(
            f"length is {length}; {frames} frame(s) {hop} samples apart can give 1 to {longest}."
        )
    return length


def _check_frames(n_fft: int, hop: int) -> None:
    if n_fft < 4 or n_fft % 2 or not 1 <= hop <= n_fft // 2:
        raise ValueError(
            f"n_fft is {n_fft} and hop {hop}; expected an even n_fft of at least 4 and a hop of 1 "
            "to n_fft / 2, such as 1024 and 256."
        )


def _stft(audio: torch.Tensor, window: torch.Tensor, hop: int) -> torch.Tensor:
    flat = audio.reshape(-1, audio.shape[-1])
    n_fft = len(window)
    spectrum = torch.stft(
        flat, n_fft, hop, window=window, center=True, pad_mode="constant", return_complex=True
    )
    return spectrum.reshape(*audio.shape[:-1], *spectrum.shape[-2:])  # [..., n_fft // 2 + 1, F]
