"""What every function of this room asks of its input, in one wording."""

import torch

MOST_CHANNELS = 8  # more than that is nearly always [T, C] by mistake


def check_audio(audio: torch.Tensor, name: str = "audio", finite: bool = True) -> None:
    """Raise TypeError or ValueError unless `audio` is a float tensor `[..., T]` with samples.

    `finite=False` leaves out the search for NaN and infinity, which makes a GPU wait: functions
    that run inside a training step use it, since `fit` watches the loss anyway.
    """
    if not isinstance(audio, torch.Tensor):
        raise TypeError(
            f"{name} is of type {type(audio).__name__}; expected a float tensor of samples: "
            "turn an array into one with torch.as_tensor(x, dtype=torch.float32)."
        )
    if not audio.is_floating_point():
        raise TypeError(
            f"{name} has dtype {audio.dtype}; expected floats in [-1, 1]: "
            "divide 16-bit integers by 32768."
        )
    if audio.ndim == 0 or audio.numel() == 0:
        raise ValueError(
            f"{name} has shape {list(audio.shape)} and so holds no sample; expected [..., T] "
            "with T of at least 1."
        )
    if finite and not torch.isfinite(audio).all():
        bad = int((~torch.isfinite(audio)).sum())
        raise ValueError(
            f"{name} has {bad} samples that are NaN or infinite; expected finite samples: find "
            "what made them, or replace them with torch.nan_to_num(x)."
        )


def check_channels(audio: torch.Tensor, name: str = "audio") -> None:
    """Raise ValueError unless `audio` is `[..., C, T]` with at most 8 channels."""
    if audio.ndim < 2 or audio.shape[-2] > MOST_CHANNELS:
        raise ValueError(
            f"{name} has shape {list(audio.shape)}; expected [..., C, T] with 1 to "
            f"{MOST_CHANNELS} channels C: add a dimension with x[None], or transpose [T, C]."
        )


def check_mono(audio: torch.Tensor, finite: bool = True) -> None:
    """Raise TypeError or ValueError unless `audio` is mono `[B, 1, T]` that `check_audio` takes."""
    check_audio(audio, finite=finite)
    if audio.ndim != 3 or audio.shape[1] != 1:
        raise ValueError(
            f"audio has shape {list(audio.shape)}; expected mono [B, 1, T]: mix the channels with "
            "x.mean(1, keepdim=True)."
        )


def check_second(audio: torch.Tensor, sample_rate: int, listener: str) -> None:
    """Raise TypeError or ValueError unless `audio` is mono `[B, 1, T]` of a second or more.

    `listener` is who needs it, such as "the judge". Does not look for NaN: see `check_audio`.
    """
    check_mono(audio, finite=False)
    if audio.shape[-1] < sample_rate:
        raise ValueError(
            f"audio has {audio.shape[-1]} samples; {listener} needs at least {sample_rate}, one "
            "second at its rate."
        )


def check_rate(sample_rate: int, name: str = "sample_rate") -> None:
    """Raise TypeError or ValueError unless `sample_rate` is a whole number of Hz above 0."""
    if isinstance(sample_rate, bool) or not isinstance(sample_rate, int):
        raise TypeError(f"{name} is {sample_rate!r}; expected a whole number of Hz such as 16000.")
    if not 1 <= sample_rate <= 768_000:
        raise ValueError(
            f"{name} is {sample_rate}; expected 1 to 768000 samples per second, such as 16000."
        )
