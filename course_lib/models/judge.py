"""The judge: a second listener, whom no model has learnt to please. Taught in notebook 15.

The analyser's embedding is in the Fréchet distance and CLAP's in what generates, so that neither
can say whether music does what it was asked to: a model may have learnt their weaknesses. The judge
names the same attributes and shares no layer with the analyser. Where the analyser convolves a
spectrogram, the judge attends to its patches; where the analyser forgets when a pitch class
sounded, the judge reads their sequence, as if each of the twelve were the tonic; where the analyser
asks after which time the rhythm repeats, the judge asks how often in a second.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.audio import LogMel, stft
from course_lib.audio.checks import check_second
from course_lib.audio.levels import to_one_level
from course_lib.models.analyser import AnalyserConfig, Heads
from course_lib.nets.transformer import Transformer, TransformerConfig

HOP = 256  # samples from one log-mel frame to the next
SLOW = 8  # log-mel frames from one frame of pitches to the next


@dataclass(frozen=True)
class JudgeConfig(AnalyserConfig):
    """The classes a judge tells apart, in the order of its logits, and its size.

    width, layers, heads: of the Transformer over patches; reader: width of the two layers that read
    the sequence of pitch classes. Raises ValueError for sizes that a Transformer cannot have.
    """

    width: int = 96
    layers: int = 3
    heads: int = 3
    reader: int = 64
    embedding: int = 96
    dropout: float = 0.1

    @property
    def patches(self) -> TransformerConfig:
        """Of the Transformer over patches of the spectrogram."""
        return TransformerConfig(self.width, self.layers, self.heads, causal=False)

    @property
    def chords(self) -> TransformerConfig:
        """Of the Transformer over the sequence of pitch classes."""
        return TransformerConfig(self.reader, 2, 2, causal=False)

    def __post_init__(self):
        if self.embedding < 1 or self.reader < 1 or self.reader % 4:
            raise ValueError(
                f"embedding={self.embedding} must be at least 1 and reader={self.reader} a "
                "multiple of 4."
            )
        _ = self.patches  # which looks at its own sizes


@dataclass(frozen=True)
class Spectra:
    """What the judge hears of audio `[B, 1, T]`.

    log_mel `[B, 80, F]`, F = 1 + T // 256, about -2 to 2; pitches `[B, 12, 12, G]`, loudness by
    octave and half of a semitone, and by pitch class from C, G = 1 + T // 2048.
    """

    log_mel: Tensor
    pitches: Tensor


class Judge(nn.Module):
    """Audio `[B, 1, T]`, T of at least a second, to logits of each attribute.

    "style", "mode", "tonic", "metre" and "tempo_class" are `[B, classes]` for a softmax,
    "instruments" `[B, I]` and "drums" `[B, 1]` for a sigmoid, and "key" `[B, M * 12]` is mode and
    tonic as one choice: the logits of an `Analyser`, so that `evaluation.analyse` takes either.
    Gain changes nothing, except for clips below -80 dBFS, which count as silent.

    Raises TypeError or ValueError for other shapes and dtypes. Taught in notebook 15.
    """

    def __init__(self, config: JudgeConfig):
        super().__init__()
        self.config = config
        self.mel = LogMel(config.sample_rate, n_fft=1024, hop=HOP, n_mels=80)
        self.pitch = PitchBands(config.sample_rate)
        self.patches = Patches(config.patches)
        self.harmony = HarmonyReader(config.chords, len(config.modes))
        self.pulse = Pulse(config.sample_rate / HOP, out=96)
        self.dropout = nn.Dropout(config.dropout)
        self.embedding = nn.Linear(2 * config.width + config.reader + 96, config.embedding)
        self.heads = Heads(config)

    def forward(self, audio: Tensor) -> dict[str, Tensor]:
        return self.listen(audio)[1]

    def listen(self, audio: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """The embedding `[B, embedding]` and the logits of audio `[B, 1, T]`."""
        return self.hear(self.spectra(audio))

    def spectra(self, audio: Tensor) -> Spectra:
        """What `hear` takes, of audio `[B, 1, T]`."""
        check_second(audio, self.config.sample_rate, "the judge")
        audio = to_one_level(audio)
        return Spectra((self.mel(audio) + 5) / 3, self.pitch(audio))

    def hear(self, spectra: Spectra) -> tuple[Tensor, dict[str, Tensor]]:
        """The embedding `[B, embedding]` and the logits of spectra."""
        harmony, key = self.harmony(spectra.pitches)
        heard = [self.patches(spectra.log_mel), harmony, self.pulse(spectra.log_mel)]
        embedding = self.embedding(self.dropout(torch.cat(heard, dim=-1)))  # [B, E]
        return embedding, self.heads(embedding, key)


class Patches(nn.Module):
    """Log-mel `[B, 80, F]` to `[B, 2 * width]`: attention among patches of 20 bands by 16 frames.

    An Audio Spectrogram Transformer with a small convolution before its patches. Sources: Gong et
    al. 2021 (AST), section 2; Xiao et al. 2021, "Early convolutions help transformers see better".
    """

    BANDS = 4  # patches above each other

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.stem = nn.Conv2d(1, 24, (8, 6), stride=4, padding=(2, 1))
        self.cut = nn.Conv2d(24, config.width, (5, 4), stride=(5, 4), padding=(0, 2))
        self.band = nn.Parameter(torch.randn(config.width, self.BANDS, 1) * 0.02)
        self.transformer = Transformer(config)

    def forward(self, log_mel: Tensor) -> Tensor:
        maps = self.cut(F.gelu(self.stem(log_mel[:, None]))) + self.band  # [B, W, 4, F / 16]
        tokens = self.transformer(maps.transpose(2, 3).flatten(2).transpose(1, 2))
        spread = tokens.var(1, correction=0).clamp(min=1e-6).sqrt()
        return torch.cat([tokens.mean(1), spread], dim=-1)


class PitchBands(nn.Module):
    """Audio `[B, 1, T]` to the loudness of pitches half a semitone apart: `[B, 12, 12, G]`.

    Six octaves from C2 (65 Hz), each of twelve pitch classes with two bands; octaves and halves are
    the first twelve. A frame spans half a second.
    """

    LOWEST, OCTAVES, BANDS = 36, 6, 2  # MIDI number; up to 4186 Hz; bands a semitone
    N_FFT = 8192

    def __init__(self, sample_rate: int):
        super().__init__()
        hertz = torch.arange(self.N_FFT // 2 + 1) * sample_rate / self.N_FFT
        places = torch.arange(self.OCTAVES * 12 * self.BANDS) - 0.5  # two bands around each pitch
        centre = 440 * 2 ** ((self.LOWEST - 69 + places / self.BANDS) / 12)
        width = (centre * (2 ** (1 / (24 * self.BANDS)) - 1)).clamp(min=sample_rate / self.N_FFT)
        bells = torch.exp(-0.5 * ((hertz - centre[:, None]) / width[:, None]).square())
        self.register_buffer("filters", bells, persistent=False)  # [144, bins]

    def forward(self, audio: Tensor) -> Tensor:
        with torch.autocast(audio.device.type, enabled=False):
            magnitude = stft(audio[:, 0].float(), self.N_FFT, SLOW * HOP).abs()
            loudness = ((self.filters @ magnitude).clamp(min=1e-3).log() + 2) / 2  # [B, 144, G]
        folded = loudness.unflatten(1, (self.OCTAVES, 12, self.BANDS))
        return folded.transpose(2, 3).flatten(1, 2)


class HarmonyReader(nn.Module):
    """Pitches `[B, 12, 12, G]` to `[B, width]`, the same in every key, and to keys `[B, M, 12]`.

    The sequence is read twelve times by the same Transformer, each time with another pitch class
    in the first place; each reading says how well that one would do as the tonic of each mode.
    """

    def __init__(self, config: TransformerConfig, modes: int):
        super().__init__()
        place = torch.arange(12)
        self.register_buffer("turned", (place + place[:, None]) % 12, persistent=False)
        self.frame = nn.Linear(12 * 12, config.width)
        self.transformer = Transformer(config)
        self.key = nn.Linear(config.width, modes)

    def forward(self, pitches: Tensor) -> tuple[Tensor, Tensor]:
        slow = F.avg_pool1d(pitches.flatten(1, 2), 4, ceil_mode=True)  # half a second each
        slow = slow - slow.mean(1, keepdim=True)
        slow = slow.unflatten(1, (12, 12)).permute(0, 3, 1, 2)  # [B, G / 4, 12 bands, 12 classes]
        readings = slow[..., self.turned].permute(0, 3, 1, 2, 4).flatten(3)  # [B, 12, G / 4, 144]
        tokens = self.transformer(F.gelu(self.frame(readings)).flatten(0, 1))
        read = tokens.mean(1).unflatten(0, (len(pitches), 12))  # [B, 12, width]
        return read.amax(1), self.key(read).transpose(1, 2)


class Pulse(nn.Module):
    """Log-mel `[B, 80, F]` to `[B, out]` by how strong onsets return at each rate.

    The magnitude of the Fourier transform of onsets at rates from 0.25 to 8 in a second, on a
    logarithmic axis: beats and what divides them show as multiples, where the autocorrelation of
    the analyser shows fractions. Source: Grosche and Müller 2011 (Fourier tempogram).
    """

    SLOWEST, FASTEST, STEPS = 0.25, 8.0, 120  # rates in Hz

    def __init__(self, frame_rate: float, out: int, bands: int = 12):
        super().__init__()
        rates = torch.logspace(math.log2(self.SLOWEST), math.log2(self.FASTEST), self.STEPS, base=2)
        self.register_buffer("turns", rates / frame_rate, persistent=False)  # a frame, [STEPS]
        self.bands = nn.Conv1d(80, bands, 1)
        self.near = nn.Sequential(
            nn.Conv1d(bands, 32, 7, padding=3), nn.GroupNorm(4, 32), nn.GELU(), nn.AvgPool1d(2),
            nn.Conv1d(32, 40, 7, padding=3), nn.GroupNorm(4, 40), nn.GELU(), nn.AvgPool1d(2),
        )  # fmt: skip
        self.where = nn.Linear(40 * self.STEPS // 4, out // 2)
        self.pattern = nn.Conv1d(40, out // 2, 11, padding=5)

    def forward(self, log_mel: Tensor) -> Tensor:
        rises = (log_mel[..., 1:] - log_mel[..., :-1]).clamp(min=0)
        near = self.near(self.spectrum(self.bands(rises)))  # [B, 40, STEPS / 4]
        # The place on the axis says the tempo; what stands beside it, wherever, says the metre.
        heard = [self.where(near.flatten(1)), self.pattern(near).amax(-1)]
        return F.gelu(torch.cat(heard, dim=-1))

    def spectrum(self, onsets: Tensor) -> Tensor:
        """How strong onsets `[B, bands, F]` return at each of the rates: `[B, bands, STEPS]`."""
        with torch.autocast(onsets.device.type, enabled=False):
            onsets = onsets.float() - onsets.float().mean(-1, keepdim=True)
            frames = onsets.shape[-1]
            window = torch.hann_window(frames, device=onsets.device, dtype=onsets.dtype)
            phase = torch.arange(frames, device=onsets.device)[:, None] * self.turns * 2 * math.pi
            faded = onsets * window / frames**0.5
            power = (faded @ phase.cos()).square() + (faded @ phase.sin()).square()
            # Weighed against what a rhythmless sound of this strength would have.
            power = power / (faded.square().sum(-1, keepdim=True) + 1e-6)
            return (power + 1e-3).log() / 2
