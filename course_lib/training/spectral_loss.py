"""Losses between spectra at several resolutions. Taught in notebook 07.

A short window sees when something happens, a long one at which pitch; no single one sees both.
"""

import math
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn

from course_lib.audio.spectra import mel_filters
from course_lib.training.precision import in_float32

FLOOR = 1e-5  # of magnitudes before a logarithm
DAC_MELS = {32: 5, 64: 10, 128: 20, 256: 40, 512: 80, 1024: 160, 2048: 320}  # window: bands


class MultiScaleMelLoss(nn.Module):
    """Distance of two sounds [B, C, T] as mel spectra at several resolutions: a scalar.

    The sum over windows of `compare(S, S', window)`, where S [N, bands, F] are the mel magnitudes
    of the reference, S' those of the estimate, in hops of a quarter of a window, reflected at the
    ends. Three papers' definitions are class methods. Differentiable in the estimate. T must be
    above half of the longest window. Taught in notebook 07.
    """

    def __init__(
        self,
        sample_rate: int,
        mels: dict[int, int],
        compare: Callable[[Tensor, Tensor, int], Tensor],
    ):
        super().__init__()
        self.windows, self.compare = tuple(mels), compare
        for window, bands in mels.items():
            filters = mel_filters(sample_rate, window, bands)
            self.register_buffer(f"filters_{window}", filters, persistent=False)
            self.register_buffer(f"hann_{window}", torch.hann_window(window), persistent=False)

    @classmethod
    def soundstream(cls, sample_rate: int) -> "MultiScaleMelLoss":
        """|S - S'|_1 + sqrt(s / 2) |log S - log S'|_2 of a frame's 64 bands, windows s = 64 … 2048.

        The mean over frames, where the paper has the sum. Source: Zeghidour et al. 2021,
        equations 4 and 5.
        """
        return cls(sample_rate, {2**i: 64 for i in range(6, 12)}, _soundstream)

    @classmethod
    def encodec(cls, sample_rate: int) -> "MultiScaleMelLoss":
        """Mean |S - S'| + mean (log10 S - log10 S')^2 of 64 bands, windows 32 … 2048, averaged.

        S are magnitudes of windows of unit energy. Source: Défossez et al. 2022 (EnCodec), equation
        1, with the logarithm of the authors' later training code, which the paper leaves open.
        """
        mels = {2**i: 64 for i in range(5, 12)}
        return cls(sample_rate, mels, lambda s, e, window: _encodec(s, e, window) / (2 * len(mels)))

    @classmethod
    def dac(cls, sample_rate: int, mels: dict[int, int] | None = None) -> "MultiScaleMelLoss":
        """Mean |log10 S - log10 S'|, 7 windows of 32 to 2048 samples with 5 to 320 bands.

        As `metrics.mel_distance`; `mels`, bands by window, are others where given.
        Source: Kumar et al. 2023 (DAC), section 3.4 and code.
        """
        return cls(sample_rate, DAC_MELS if mels is None else mels, _dac)

    @in_float32
    def forward(self, reference: Tensor, estimate: Tensor) -> Tensor:
        _check(reference, estimate, max(self.windows))
        total = estimate.new_zeros(())
        for window in self.windows:
            filters = getattr(self, f"filters_{window}").to(estimate.dtype)
            hann = getattr(self, f"hann_{window}").to(estimate.dtype)
            with torch.no_grad():
                s = filters @ _magnitude(reference, hann)  # [N, bands, F]
            e = filters @ _magnitude(estimate, hann)
            total = total + self.compare(s, e, window)
        return total


class STFTLoss(nn.Module):
    """Mean |log10 |X|^2 - log10 |X'|^2| + mean ||X| - |X'||, summed over windows: a scalar.

    For sounds [B, C, T], T above half of the longest window; as `metrics.stft_distance`.
    Source: Kumar et al. 2023 (DAC), code. Taught in notebook 09.
    """

    def __init__(self, windows: Sequence[int] = (2048, 512)):
        super().__init__()
        self.stfts = _STFTs(windows)

    @in_float32
    def forward(self, reference: Tensor, estimate: Tensor) -> Tensor:
        pairs = self.stfts(reference, estimate)
        return sum(2 * _dac(x, e, window) + (x - e).abs().mean() for window, x, e in pairs)


class SpectralConvergenceLoss(nn.Module):
    """||X| - |X'||_F / ||X||_F of each sound, mean over sounds [B, C, T] and windows: a scalar.

    Frobenius norms of STFT magnitudes, hops of a quarter of a window; T above half of the longest.
    Loud places count most, phase not at all. Sounds below about -40 dBFS count as if they were as
    loud as that. Source: Dhariwal et al. 2020 (Jukebox), section 3.3 and code, which has windows of
    1200, 600 and 240 samples at 44.1 kHz. Taught in notebook 10.
    """

    def __init__(self, windows: Sequence[int] = (1024, 512, 256)):
        super().__init__()
        self.stfts = _STFTs(windows)

    @in_float32
    def forward(self, reference: Tensor, estimate: Tensor) -> Tensor:
        total = estimate.new_zeros(())
        for window, x, e in self.stfts(reference, estimate):
            quiet = 1e-4 * 3 / 8 * window * x[0].numel()  # what noise of -40 dBFS has
            energy = x.square().sum((1, 2)).clamp(min=quiet)
            error = (x - e).square().sum((1, 2))
            total = total + (error / energy).clamp(min=1e-8).sqrt().mean()
        return total / len(self.stfts.windows)


class _STFTs(nn.Module):
    """(window, |X|, |X'|) of each window; magnitudes [B C, bins, F], of the reference constant."""

    def __init__(self, windows: Sequence[int]):
        super().__init__()
        self.windows = tuple(windows)
        for window in self.windows:
            self.register_buffer(f"hann_{window}", torch.hann_window(window), persistent=False)

    def forward(self, reference: Tensor, estimate: Tensor) -> Iterator[tuple[int, Tensor, Tensor]]:
        _check(reference, estimate, max(self.windows))
        for window in self.windows:
            hann = getattr(self, f"hann_{window}").to(estimate.dtype)
            yield window, _magnitude(reference.detach(), hann), _magnitude(estimate, hann)


def _check(reference: Tensor, estimate: Tensor, longest: int) -> None:
    if reference.shape != estimate.shape or reference.ndim != 3:
        raise ValueError(
            f"The sounds have shapes {list(reference.shape)} and {list(estimate.shape)}; expected "
            "the same [B, C, T]."
        )
    if reference.shape[-1] <= longest // 2:
        raise ValueError(
            f"The sounds have {reference.shape[-1]} samples; a window of {longest} needs more than "
            f"{longest // 2}."
        )


def _soundstream(s: Tensor, e: Tensor, window: int) -> Tensor:
    logs = s.clamp(min=FLOOR).log() - e.clamp(min=FLOOR).log()
    of_frames = (s - e).abs().sum(1) + math.sqrt(window / 2) * torch.linalg.vector_norm(logs, dim=1)
    return of_frames.mean()


def _encodec(s: Tensor, e: Tensor, window: int) -> Tensor:
    energy = math.sqrt(3 * window / 8)  # the norm of a Hann window
    s, e = s / energy, e / energy
    logs = (s + FLOOR).log10() - (e + FLOOR).log10()
    return (s - e).abs().mean() + logs.square().mean()


def _dac(s: Tensor, e: Tensor, window: int) -> Tensor:
    return (s.clamp(min=FLOOR).log10() - e.clamp(min=FLOOR).log10()).abs().mean()


def _magnitude(audio: Tensor, hann: Tensor) -> Tensor:
    """Magnitudes [B C, bins, F]; their squares kept above 0, where a root has no gradient."""
    spectrum = torch.stft(
        audio.flatten(0, -2),
        len(hann),
        len(hann) // 4,
        window=hann,
        pad_mode="reflect",
        return_complex=True,
    )
    return torch.view_as_real(spectrum).square().sum(-1).clamp(min=1e-20).sqrt()
