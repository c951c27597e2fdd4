"""How far a reconstruction is from its reference, clip by clip. Taught in notebook 00."""

import torch

from course_lib.audio.checks import check_audio, check_rate
from course_lib.audio.spectra import mel_filters

_MEL_SCALES = ((32, 5), (64, 10), (128, 20), (256, 40), (512, 80), (1024, 160), (2048, 320))
_STFT_WINDOWS = (2048, 512)
_FLOOR = 1e-5


def si_sdr(reference: torch.Tensor, estimate: torch.Tensor) -> torch.Tensor:
    """Scale-invariant signal-to-distortion ratio in dB of `[B, C, T]` (or `[C, T]`): `[B]` (or 1).

    Means are removed; 10 log10(|a x|^2 / |a x - e|^2) with a = <e, x> / |x|^2, the channels taken
    together. Infinite for an exact copy, minus infinite for one that has nothing of the reference,
    NaN for a silent reference.

    Raises TypeError or ValueError for NaN, empty audio and shapes that differ.
    Source: Le Roux et al. 2019, equation 3. Taught in notebook 00.
    """
    x, e = (_flat(audio) for audio in _pair(reference, estimate))  # [B, C T]
    x, e = x - x.mean(-1, keepdim=True), e - e.mean(-1, keepdim=True)
    target = (e * x).sum(-1, keepdim=True) / x.square().sum(-1, keepdim=True) * x
    kept, lost = target.square().sum(-1), (target - e).square().sum(-1)
    lost = torch.where((kept == 0) & (lost == 0), 1.0, lost)  # a silent estimate keeps nothing
    return 10 * (kept / lost).log10()


def snr(reference: torch.Tensor, estimate: torch.Tensor) -> torch.Tensor:
    """Signal-to-noise ratio in dB of `[B, C, T]` (or `[C, T]`): `[B]` (or one value).

    10 log10(|x|^2 / |x - e|^2): unlike `si_sdr` it counts a wrong level as noise. Infinite for an
    exact copy, NaN for a silent reference. Raises TypeError or ValueError for NaN, empty audio and
    shapes that differ. Taught in notebook 10.
    """
    x, e = (_flat(audio) for audio in _pair(reference, estimate))  # [B, C T]
    signal, noise = x.square().sum(-1), (x - e).square().sum(-1)
    return 10 * (signal / noise).log10().where(signal > 0, torch.nan)


def spectral_convergence(
    reference: torch.Tensor, estimate: torch.Tensor, window: int = 1024
) -> torch.Tensor:
    """How far the magnitudes are off, in dB of the reference's: `[B]` (or one value), lower better.

    20 log10(||X| - |X'||_F / ||X||_F) of STFTs of `window` samples, hop a quarter; 0 dB is what
    silence gets. `[B, C, T]` (or `[C, T]`), T above half of the window. NaN for a silent reference.
    Raises TypeError or ValueError for NaN, empty or short audio and shapes that differ.
    Source: Dhariwal et al. 2020 (Jukebox), section 3. Taught in notebook 10.
    """
    reference, estimate = _pair(reference, estimate, shortest=window // 2 + 1)
    x, e = (_magnitude(audio, window).flatten(-3).double() for audio in (reference, estimate))
    silent = reference.flatten(-2).abs().amax(-1) == 0
    return 20 * ((x - e).norm(dim=-1) / x.norm(dim=-1)).log10().masked_fill(silent, torch.nan)


def mel_distance(
    reference: torch.Tensor, estimate: torch.Tensor, sample_rate: int = 16000
) -> torch.Tensor:
    """Multi-scale mel distance of `[B, C, T]` (or `[C, T]`), T above 1024: `[B]` (or one value).

    The sum over 7 windows (32 to 2048 samples, hops of a quarter, 5 to 320 mel bands) of the mean
    absolute difference of log10 mel magnitudes, from 1e-5 up. Differentiable.

    Raises TypeError or ValueError for NaN, empty or short audio and shapes that differ.
    Source: Kumar et al. 2023 (DAC), section 3.4 and code. Taught in notebook 00.
    """
    check_rate(sample_rate)
    reference, estimate = _pair(reference, estimate, shortest=1025)
    distance = torch.zeros((), dtype=reference.dtype, device=reference.device)
    for window, n_mels in _MEL_SCALES:
        filters = mel_filters(sample_rate, window, n_mels).to(reference)
        x, e = (
            (filters @ _magnitude(audio, window)).clamp(min=_FLOOR).log10()
            for audio in (reference, estimate)
        )  # [..., C, n_mels, F]
        distance = distance + (x - e).abs().mean(dim=(-3, -2, -1))
    return distance


def stft_distance(reference: torch.Tensor, estimate: torch.Tensor) -> torch.Tensor:
    """Multi-scale STFT distance of `[B, C, T]` (or `[C, T]`), T above 1024: `[B]` (or one value).

    The sum over windows of 2048 and 512 samples of the mean absolute difference of log10 |X|^2 and
    of that of |X|. Differentiable.

    Raises TypeError or ValueError for NaN, empty or short audio and shapes that differ.
    Source: Kumar et al. 2023 (DAC), code. Taught in notebook 00.
    """
    reference, estimate = _pair(reference, estimate, shortest=1025)
    distance = torch.zeros((), dtype=reference.dtype, device=reference.device)
    for window in _STFT_WINDOWS:
        x, e = _magnitude(reference, window), _magnitude(estimate, window)
        log_x, log_e = (2 * m.clamp(min=_FLOOR).log10() for m in (x, e))
        distance = distance + ((log_x - log_e).abs() + (x - e).abs()).mean(dim=(-3, -2, -1))
    return distance


def _pair(reference, estimate, shortest: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    check_audio(reference, "reference")
    check_audio(estimate, "estimate")
    if reference.shape != estimate.shape or reference.ndim not in (2, 3):
        raise ValueError(
            f"reference has shape {list(reference.shape)} and estimate {list(estimate.shape)}; "
            "expected the same [B, C, T] or [C, T]."
        )
    if reference.shape[-1] < shortest:
        raise ValueError(
            f"the clips have {reference.shape[-1]} samples; expected at least {shortest}, half the "
            "longest window."
        )
    return reference, estimate


def _flat(audio: torch.Tensor) -> torch.Tensor:
    return audio.flatten(-2).double()


def _magnitude(audio: torch.Tensor, window: int) -> torch.Tensor:
    """Magnitudes `[..., C, window // 2 + 1, F]`, hop a quarter, reflected at the ends as DAC does.

    The smallest square is kept above zero, where the gradient of the root is infinite.
    """
    hann = torch.hann_window(window, dtype=audio.dtype, device=audio.device)
    spectrum = torch.stft(
        audio.flatten(0, -2),
        window,
        window // 4,
        window=hann,
        pad_mode="reflect",
        return_complex=True,
    )
    square = torch.view_as_real(spectrum).square().sum(-1)
    return square.clamp(min=1e-20).sqrt().unflatten(0, audio.shape[:-1])
