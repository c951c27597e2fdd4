"""Whether one hears where windows of generated music meet. Taught in notebook 10."""

from collections.abc import Sequence

import torch
from torch import Tensor

from course_lib.audio.checks import check_audio

FRAME = 1024  # samples to either side of a place that are compared: 64 ms at 16 kHz
FLOOR = 1e-4  # of magnitudes, below which nothing is heard


def spectral_flux(audio: Tensor, frame: int = FRAME) -> Tensor:
    """How much the spectrum changes at every `frame` samples of audio [B, 1, T]: [B, N].

    N is T // frame - 1. The mean absolute difference, in dB, of the magnitudes of the frame before
    a place and the one after it; place i is sample (i + 1) * frame. Raises TypeError for what is no
    float tensor, ValueError for NaN, an impossible `frame` and fewer than two frames.
    """
    check_audio(audio)
    if frame < 2:
        raise ValueError(f"frame={frame} must be at least 2 samples, such as {FRAME}.")
    if audio.ndim != 3 or audio.shape[-1] < 2 * frame:
        raise ValueError(
            f"audio has shape {list(audio.shape)}; expected [B, 1, T] with T >= {2 * frame}."
        )
    frames = audio.mean(1).unfold(-1, frame, frame)  # [B, N, frame]
    window = torch.hann_window(frame, device=audio.device)
    spectra = torch.fft.rfft(frames.float() * window).abs() / window.sum()
    decibels = 20 * spectra.clamp(min=FLOOR).log10()
    return (decibels[:, 1:] - decibels[:, :-1]).abs().mean(-1)


def seam_flux(audio: Tensor, seams: Sequence[int], frame: int = FRAME) -> float:
    """Spectral flux at the seams of audio [B, 1, T] over that elsewhere: 1 where none is heard.

    NaN where nothing changes anywhere, as in silence. seams: samples, multiples of `frame`. Raises
    ValueError for others, and for none, otherwise as `spectral_flux`.
    """
    flux = spectral_flux(audio, frame)
    strange = [s for s in seams if s % frame or not 0 < s <= flux.shape[1] * frame]
    if strange or not seams:
        raise ValueError(
            f"seams={list(seams)} must be multiples of {frame} within the {audio.shape[-1]} "
            "samples, at least one."
        )
    at = torch.zeros(flux.shape[1], dtype=torch.bool, device=flux.device)
    at[[s // frame - 1 for s in seams]] = True
    if at.all():
        raise ValueError("Every place is a seam: there is nothing to compare with.")
    return (flux[:, at].mean() / flux[:, ~at].mean()).item()
