"""Audio from a log-mel spectrogram without a trained vocoder. Taught in notebooks 00 and 03."""

import torch

from course_lib.audio.spectra import LogMel, check_length, istft, stft

_MEL_ITERATIONS = 50
_MOMENTUM = 0.99  # Perraudin et al. 2013, section 3


@torch.no_grad()
def griffin_lim(
    log_mel: torch.Tensor,
    mel: LogMel | None = None,
    iterations: int = 32,
    length: int | None = None,
    seed: int = 0,
) -> torch.Tensor:
    """Audio `[B, 1, T]` whose log-mel spectrogram is near `log_mel` `[B, n_mels, F]`.

    `mel` is the LogMel that made it (default `LogMel()`); T is `length`, which must fit F frames,
    or hop * (F - 1). Phases start at random from `seed` and are made consistent by alternating
    projections with momentum. Loudness is kept, so peaks may exceed 1: `audio.normalise` follows.

    Raises TypeError or ValueError for other shapes, NaN and lengths that do not fit.
    Source: Griffin and Lim 1984; Perraudin, Balazs and Sondergaard 2013 (momentum).
    Taught in notebooks 00 and 03.
    """
    mel = (mel or LogMel()).to(log_mel.device) if isinstance(log_mel, torch.Tensor) else mel
    magnitude = invert_mel(log_mel, mel)  # [B, n_fft // 2 + 1, F]
    length = check_length(length, mel.hop, magnitude.shape[-1])
    generator = torch.Generator().manual_seed(seed)
    angles = torch.rand(magnitude.shape, generator=generator).to(magnitude.device)
    phase = torch.polar(torch.ones_like(magnitude), 2 * torch.pi * angles)
    previous = torch.zeros_like(phase)
    for _ in range(iterations):
        consistent = stft(istft(magnitude * phase, mel.hop, length), mel.n_fft, mel.hop)
        ahead = consistent + _MOMENTUM * (consistent - previous)
        phase = ahead / ahead.abs().clamp(min=1e-16)
        previous = consistent
    return istft(magnitude * phase, mel.hop, length)[:, None]


@torch.no_grad()
def invert_mel(log_mel: torch.Tensor, mel: LogMel) -> torch.Tensor:
    """Magnitudes `[B, n_fft // 2 + 1, F]`, none negative, of a given `log_mel` `[B, n_mels, F]`.

    Several spectra have the same mel spectrogram; multiplicative updates find one by non-negative
    least squares (Lee and Seung 2001, theorem 1 with the filters held).
    """
    _check(log_mel, mel)
    target, filters = log_mel.float().exp(), mel.filters  # [B, n_mels, F], [n_mels, bins]
    reached = filters.T @ target
    gram = filters.T @ filters
    magnitude = reached.clone()
    for _ in range(_MEL_ITERATIONS):
        magnitude = magnitude * reached / (gram @ magnitude).clamp(min=1e-12)
    return magnitude


def _check(log_mel: torch.Tensor, mel: LogMel) -> None:
    if not isinstance(log_mel, torch.Tensor) or not log_mel.is_floating_point():
        raise TypeError(
            f"log_mel is {getattr(log_mel, 'dtype', type(log_mel).__name__)}; expected a float "
            "tensor [B, n_mels, F]."
        )
    if log_mel.ndim != 3 or log_mel.shape[1] != mel.n_mels or log_mel.numel() == 0:
        raise ValueError(
            f"log_mel has shape {list(log_mel.shape)}; expected [B, {mel.n_mels}, F] as the given "
            "LogMel makes it."
        )
    if not torch.isfinite(log_mel).all():
        raise ValueError("log_mel has NaN or infinite values; expected finite logarithms.")
