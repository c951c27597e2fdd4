"""The analyser: a small network that hears what is being played. Taught in notebook 00.

Three short branches listen for what a clip's labels hang on: colours in the log-mel spectrogram
(instruments, drums, style), pitch classes on their circle (mode), and the times after which the
rhythm repeats (tempo, metre). Its embedding and its posteriors stand in for VGGish and PaSST when
generated music is measured: the figures compare the course's models with each other, not with
published ones.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.audio import LogMel, stft
from course_lib.audio.checks import check_second
from course_lib.audio.levels import to_one_level


@dataclass(frozen=True)
class AnalyserConfig:
    """The classes an analyser tells apart, in the order of its logits, and its size."""

    instruments: tuple[str, ...]
    styles: tuple[str, ...]
    modes: tuple[str, ...]
    metres: tuple[str, ...]
    tempo_classes: tuple[str, ...]
    tonics: tuple[str, ...] = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
    sample_rate: int = 16000
    width: int = 24
    embedding: int = 128
    dropout: float = 0.2

    @property
    def classes(self) -> dict[str, tuple[str, ...]]:
        """The classes of each attribute that has exactly one of several."""
        return {
            "style": self.styles,
            "mode": self.modes,
            "tonic": self.tonics,
            "metre": self.metres,
            "tempo_class": self.tempo_classes,
        }


class Analyser(nn.Module):
    """Audio `[B, 1, T]`, T of at least a second, to logits of each attribute.

    "style", "mode", "tonic", "metre" and "tempo_class" are `[B, classes]` for a softmax,
    "instruments" `[B, I]` and "drums" `[B, 1]` for a sigmoid, and "key" `[B, M * 12]` is mode and
    tonic as one choice, from which both of them follow. `embed` gives `[B, 128]`. Gain changes
    nothing, except for clips below -80 dBFS, which count as silent.

    Raises TypeError or ValueError for other shapes and dtypes. Taught in notebook 00.
    """

    def __init__(self, config: AnalyserConfig):
        super().__init__()
        self.config = config
        self.mel = LogMel(config.sample_rate, n_fft=1024, hop=256, n_mels=80)
        self.colour = Colour(config.width, out=256)
        self.harmony = Harmony(config.sample_rate, out=128, modes=len(config.modes))
        self.rhythm = Rhythm(config.sample_rate / 256, out=128)
        self.dropout = nn.Dropout(config.dropout)
        self.embedding = nn.Linear(256 + 128 + 128, config.embedding)
        self.heads = Heads(config)

    def forward(self, audio: Tensor) -> dict[str, Tensor]:
        return self.listen(audio)[1]

    def embed(self, audio: Tensor) -> Tensor:
        """The embedding `[B, 128]` of audio `[B, 1, T]`, for distances between sets of clips."""
        return self.listen(audio)[0]

    def listen(self, audio: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """The embedding `[B, 128]` and the logits of audio `[B, 1, T]`."""
        check_second(audio, self.config.sample_rate, "the analyser")
        audio = to_one_level(audio)
        log_mel = (self.mel(audio) + 5) / 3  # [B, 80, F], roughly -2 to 2
        harmony, key = self.harmony(audio)
        heard = torch.cat([self.colour(log_mel), harmony, self.rhythm(log_mel)], dim=-1)
        embedding = self.embedding(self.dropout(heard))  # [B, 128]
        return embedding, self.heads(embedding, key)


class Heads(nn.ModuleDict):
    """The logits of an `Analyser`, of its embedding `[B, E]` and logits of keys `[B, M, 12]`."""

    def __init__(self, config: AnalyserConfig):
        sizes = {"style": len(config.styles), "metre": len(config.metres), "drums": 1}
        sizes |= {"tempo_class": len(config.tempo_classes), "instruments": len(config.instruments)}
        super().__init__({name: nn.Linear(config.embedding, size) for name, size in sizes.items()})

    def forward(self, embedding: Tensor, key: Tensor) -> dict[str, Tensor]:
        logits = {name: head(F.gelu(embedding)) for name, head in self.items()}
        logits |= {"key": key.flatten(1), "mode": key.logsumexp(2), "tonic": key.logsumexp(1)}
        return logits


class Colour(nn.Module):
    """Log-mel `[B, 80, F]` to `[B, out]`: a convolutional network, then statistics over time."""

    def __init__(self, width: int, out: int):
        super().__init__()
        channels = (1, width, 2 * width, 4 * width, 5 * width)
        self.convolutions = nn.Sequential(
            *[
                nn.Sequential(
                    nn.Conv2d(a, b, 3, stride=2, padding=1), nn.GroupNorm(6, b), nn.GELU()
                )
                for a, b in zip(channels, channels[1:], strict=False)
            ]
        )
        self.mix = nn.Conv1d(5 * channels[-1], out // 2, 1)  # 80 bands, halved four times, are 5

    def forward(self, log_mel: Tensor) -> Tensor:
        maps = self.convolutions(log_mel[:, None])  # [B, C, 5, F / 16]
        frames = F.gelu(self.mix(maps.flatten(1, 2)))  # [B, out / 2, F / 16]
        spread = frames.var(-1, correction=0).clamp(min=1e-6).sqrt()
        return torch.cat([frames.mean(-1), spread], dim=-1)


class Harmony(nn.Module):
    """Audio `[B, 1, T]` to `[B, out]`, the same in every key, and to logits of keys `[B, M, 12]`.

    A spectrum with three bins a semitone is folded into twelve pitch classes, octaves and thirds of
    a semitone becoming channels. Convolutions that go round the circle of pitch classes see every
    key alike: what is learnt of G dorian is known of all dorian keys. The maximum over the circle
    forgets which key it was; before that, every pitch class is rated as the tonic of each mode.
    """

    LOWEST, OCTAVES, BINS = 36, 5, 3  # MIDI number; 65 to 2093 Hz; bins a semitone
    N_FFT, HOP = 8192, 2048  # at 16 kHz 2 Hz a bin, 8 frames a second

    def __init__(self, sample_rate: int, out: int, modes: int):
        super().__init__()
        self.register_buffer("filters", self._filters(sample_rate), persistent=False)
        self.early = nn.ModuleList(
            [CircularConv(self.OCTAVES * self.BINS, 32, frames=3), CircularConv(32, 48, frames=3)]
        )
        self.late = CircularConv(48, out // 2, frames=1)
        self.key = nn.Conv1d(out // 2, modes, 1)

    def forward(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        return self.listen(self.circle(audio))

    def circle(self, audio: Tensor) -> Tensor:
        """Log magnitudes `[B, 15, 12, F]` by octave and third of a semitone, pitch class, time."""
        loudness = (self.spectrum(audio).clamp(min=1e-3).log() + 2) / 2  # [B, 180, F]
        folded = loudness.unflatten(1, (self.OCTAVES, 12, self.BINS))
        return folded.permute(0, 1, 3, 2, 4).flatten(1, 2)

    def listen(self, circle: Tensor) -> tuple[Tensor, Tensor]:
        """Turning the circle `[B, 15, 12, F]` leaves `[B, out]` and turns the key likewise."""
        for convolution in self.early:
            circle = F.gelu(convolution(circle))
        circle = F.gelu(self.late(circle.mean(-1, keepdim=True))).squeeze(-1)  # [B, out / 2, 12]
        return torch.cat([circle.amax(-1), circle.mean(-1)], dim=-1), self.key(circle)

    def spectrum(self, audio: Tensor) -> Tensor:
        """Magnitudes `[B, 180, F]` of audio `[B, 1, T]`, a third of a semitone apart."""
        with torch.autocast(audio.device.type, enabled=False):
            magnitude = stft(audio[:, 0].float(), self.N_FFT, self.HOP).abs()
            return self.filters @ magnitude

    def _filters(self, sample_rate: int) -> Tensor:
        """Triangles `[180, bins]` a third of a semitone apart, at least one bin of the FFT wide."""
        bins = torch.linspace(0, sample_rate / 2, self.N_FFT // 2 + 1)
        steps = torch.arange(self.OCTAVES * 12 * self.BINS) - self.BINS // 2
        centre = 440 * 2 ** ((self.LOWEST - 69 + steps / self.BINS) / 12)  # Hz
        width = (centre * (2 ** (1 / (12 * self.BINS)) - 1)).clamp(min=sample_rate / self.N_FFT)
        return (1 - (bins - centre[:, None]).abs() / width[:, None]).clamp(min=0)


class CircularConv(nn.Module):
    """Convolution of `[B, C, 12, F]` once round the twelve pitch classes, and over `frames`."""

    def __init__(self, channels: int, out: int, frames: int):
        super().__init__()
        self.convolution = nn.Conv2d(channels, out, (12, frames), padding=(0, frames // 2))
        self.norm = nn.GroupNorm(8, out)

    def forward(self, circle: Tensor) -> Tensor:
        return self.norm(self.convolution(F.pad(circle, (0, 0, 0, 11), mode="circular")))


class Rhythm(nn.Module):
    """Log-mel `[B, 80, F]` to `[B, out]` by the autocorrelation of its onsets (a tempogram).

    Lags from 0.1 to 4 s lie on a logarithmic axis, where another tempo is a shift and a metre is a
    pattern of distances: beats, their halves, and the bar. Source: Grosche and Müller 2011.
    """

    SHORTEST, LONGEST, STEPS = 0.1, 4.0, 128  # lags in seconds

    def __init__(self, frame_rate: float, out: int, bands: int = 16):
        super().__init__()
        self.register_buffer("lags", self._lags(frame_rate), persistent=False)  # [STEPS, lags]
        self.bands = nn.Conv1d(80, bands, 1)
        self.near = nn.Sequential(
            nn.Conv1d(bands, 32, 9, padding=4),
            nn.GroupNorm(8, 32),
            nn.GELU(),
            nn.MaxPool1d(2),
            nn.Conv1d(32, 48, 9, padding=4),
            nn.GroupNorm(8, 48),
            nn.GELU(),
            nn.MaxPool1d(2),
        )
        self.where = nn.Linear(48 * self.STEPS // 4, out // 2)
        self.pattern = nn.Conv1d(48, out // 2, 9, padding=4)  # with those before it, 2.4 octaves

    def forward(self, log_mel: Tensor) -> Tensor:
        rises = (log_mel[..., 1:] - log_mel[..., :-1]).clamp(min=0)
        near = self.near(self.tempogram(self.bands(rises)))  # [B, 48, STEPS / 4]
        # At which lags things repeat says the tempo; in which pattern, whatever the lag, the metre.
        heard = [self.where(near.flatten(1)), self.pattern(near).amax(-1)]
        return F.gelu(torch.cat(heard, dim=-1))

    def tempogram(self, onsets: Tensor) -> Tensor:
        """How regular onsets `[B, bands, F]` are at each of the lags: `[B, bands, STEPS]`."""
        return self._autocorrelation(onsets) @ self.lags.T

    def _autocorrelation(self, onsets: Tensor) -> Tensor:
        """How alike `[B, bands, F]` is to itself some frames later, 1 at lag 0: `[..., lags]`.

        Each lag is a mean over the frames it leaves; lags beyond half the clip, seen once at most,
        count 0, as unrelated ones do.
        """
        with torch.autocast(onsets.device.type, enabled=False):
            onsets = onsets.float() - onsets.float().mean(-1, keepdim=True)
            frames, lags = onsets.shape[-1], self.lags.shape[1]
            size = 1 << (frames + lags).bit_length()
            power = torch.fft.rfft(onsets, n=size).abs().square()
            sums = torch.fft.irfft(power, n=size)[..., :lags]
            left = frames - torch.arange(lags, device=onsets.device)
            means = sums / left.clamp(min=1) * (left >= frames / 2)
            return means / (means[..., :1] + 1e-4)

    def _lags(self, frame_rate: float) -> Tensor:
        """Means over neighbouring lags, triangles as wide as the steps of the logarithmic axis."""
        octaves = torch.linspace(0, math.log2(self.LONGEST / self.SHORTEST), self.STEPS)
        places = frame_rate * self.SHORTEST * 2**octaves  # [STEPS], in frames
        width = (places * (2 ** float(octaves[1]) - 1)).clamp(min=1)
        frames = torch.arange(math.ceil(self.LONGEST * frame_rate) + 1)
        triangles = (1 - (frames - places[:, None]).abs() / width[:, None]).clamp(min=0)
        return triangles / triangles.sum(-1, keepdim=True)
