"""A melody as MusicGen hears it: which of the twelve pitch classes is strongest, 8 times a second.

Copet et al. 2023 (MusicGen), section 2.4. Taught in notebook 15.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from course_lib.audio import stft
from course_lib.audio.chroma import pitch_filters

WINDOW = 0.512  # s: 2 ** 14 samples at the paper's 32 kHz; a quarter of it is the hop
PITCHED = (65.0, 2093.0)  # Hz: five octaves from C to C
SILENT = 1e-3  # magnitude of the strongest class below which nothing sounds


def chromagram(audio: Tensor, sample_rate: int) -> Tensor:
    """How strong each pitch class is: audio [B, 1, T] -> [B, 12, F], the strongest 1, silence 0.

    F is 1 + T // hop frames of about 7.8 a second. Raises ValueError for other shapes and for a
    rate too low for a pitch, TypeError for audio that isn't floating point.
    """
    if audio.ndim != 3 or audio.shape[1] != 1 or not audio.shape[2]:
        raise ValueError(f"audio has shape {list(audio.shape)}; expected mono [B, 1, T].")
    if sample_rate < 2 * PITCHED[1]:
        raise ValueError(f"sample_rate={sample_rate} Hz is too low to hear a melody.")
    n_fft = 1 << round(math.log2(WINDOW * sample_rate))
    power = stft(audio[:, 0].float(), n_fft, n_fft // 4).abs().square() / n_fft
    strength = pitch_filters(sample_rate, n_fft, PITCHED).to(audio.device) @ power
    largest = strength.amax(1, keepdim=True)
    return torch.where(largest > SILENT, strength / largest.clamp(min=SILENT), 0.0)


def strongest(chroma: Tensor) -> Tensor:
    """The bottleneck: only which class is strongest, [B, 12, F] -> one-hot [B, 12, F].

    Without it a model can read the harmony and timbre of the sound it was given, and copies it.
    Silence stays silent.
    """
    one_hot = F.one_hot(chroma.argmax(1), 12).transpose(1, 2)  # [B, F, 12] -> [B, 12, F]
    return one_hot * (chroma.amax(1, keepdim=True) > 0)


def melody_of(
    audio: Tensor,
    sample_rate: int,
    frames: int,
    frame_rate: float,
    bottleneck: bool = True,
) -> Tensor:
    """The melody of audio [B, 1, T] at `frames` frames of a codec: float32 [B, 12, frames].

    Each frame has the nearest chroma; after the audio's end there is none. `bottleneck` as in
    `strongest`. Raises as `chromagram`.
    """
    chroma = chromagram(audio, sample_rate)
    chroma = strongest(chroma).float() if bottleneck else chroma
    hop = (1 << round(math.log2(WINDOW * sample_rate))) // 4
    seconds = torch.arange(frames, device=audio.device) / frame_rate
    nearest = (seconds * sample_rate / hop).round().long().clamp(max=chroma.shape[-1] - 1)
    heard = seconds < audio.shape[-1] / sample_rate
    return chroma[..., nearest] * heard
