"""Tempo and key by signal processing alone: listeners without weights. Taught in notebook 15.

They err more than a trained judge, but nothing that was learnt can have learnt their errors.
"""

import numpy as np
import torch
from torch import Tensor

from course_lib.evaluation.adherence import class_marks
from course_lib.evaluation.harmony import chroma
from course_lib.songbook.draw import MODES, TEMPO_CLASSES
from course_lib.songbook.voicing import SCALES

# How much the degrees of a scale count beside its other notes: home and what makes its chord.
TONIC, THIRD, FIFTH, OTHER = 2.0, 1.25, 1.5, 1.0
SLOWEST, FASTEST = TEMPO_CLASSES["slow"][0], TEMPO_CLASSES["fast"][1]  # beats per minute


def beat_tempo(audio: Tensor, sample_rate: int = 16000) -> Tensor:
    """Beats per minute of clips [B, 1, T] by librosa's beat tracker: float32 [B], 0 for silence.

    A tracker often taps twice or half as fast; what lies outside 60 to 180 beats is brought inside
    by an octave. Source: Ellis 2007, "Beat tracking by dynamic programming".
    """
    import librosa

    tempi = []
    for clip in audio[:, 0].float().cpu().numpy():
        tempo = float(np.ravel(librosa.beat.beat_track(y=clip, sr=sample_rate)[0])[0])
        while 0 < tempo < SLOWEST:
            tempo *= 2
        while tempo > FASTEST:
            tempo /= 2
        tempi.append(tempo)
    return torch.tensor(tempi)


def chroma_keys(audio: Tensor, sample_rate: int = 16000) -> tuple[Tensor, Tensor]:
    """Modes and tonics of clips [B, 1, T]: class numbers [B] in MODES and from C [B].

    The key whose profile correlates best with the mean chroma (Krumhansl 1990, chapter 4); the
    profiles are the scale, its tonic and fifth and third counting more. Wherever the audio is, the
    numbers are on the CPU, as in an Analysis.
    """
    strengths = chroma(audio, sample_rate).mean(-1).cpu()  # [B, 12]
    strengths = strengths - strengths.mean(1, keepdim=True)
    profiles = torch.stack([_profile(mode) for mode in MODES])  # [M, 12]
    turned = torch.stack([profiles.roll(tonic, 1) for tonic in range(12)], 1)  # [M, 12, 12]
    turned = turned - turned.mean(-1, keepdim=True)
    turned = turned / turned.norm(dim=-1, keepdim=True)
    best = (turned.flatten(0, 1) @ strengths.T).argmax(0)  # [B]
    return best // 12, best % 12


def signal_marks(audio: Tensor, sample_rate: int = 16000) -> dict[str, Tensor]:
    """What both checks hear, as `adherence` takes it: "tempo_class" and "mode" alone."""
    bounds = torch.tensor([low for low, _ in TEMPO_CLASSES.values()][1:])
    speeds = torch.bucketize(beat_tempo(audio, sample_rate), bounds, right=True)
    modes, _ = chroma_keys(audio, sample_rate)
    return {
        "tempo_class": class_marks(speeds, len(TEMPO_CLASSES)),
        "mode": class_marks(modes, len(MODES)),
    }


def _profile(mode: str) -> Tensor:
    profile = torch.zeros(12)
    profile[list(SCALES[mode])] = OTHER
    third = next(step for step in SCALES[mode] if step in (3, 4))
    profile[[0, third, 7]] = torch.tensor([TONIC, THIRD, FIFTH])
    return profile
