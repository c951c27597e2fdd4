"""What a player, a measurement and the album accept as a sound, and how it becomes a data URI."""

import base64
import io

import numpy as np
import torch

RATES = (1000, 768000)  # Hz


def mono(sound, sample_rate: int = 16000, name: str = "the sound") -> tuple[torch.Tensor, int]:
    """A sound as float32 [T] on the CPU, and its rate.

    `sound`: tensor or array [T], [C, T] or [1, C, T] in [-1, 1], or a Clip (whose own rate is
    used). Raises TypeError (whole numbers too), or ValueError where it is empty, has a wrong shape
    or an impossible rate, or holds NaN or infinity.
    """
    rate = getattr(sound, "sample_rate", sample_rate)
    samples = getattr(sound, "audio", sound)
    if isinstance(samples, np.ndarray):
        samples = torch.from_numpy(np.ascontiguousarray(samples))
    if not isinstance(samples, torch.Tensor):
        raise TypeError(
            f"Expected {name} to be a tensor, an array or a Clip, not {type(samples).__name__}."
        )
    if not samples.is_floating_point():
        raise TypeError(f"Expected {name} as float samples in [-1, 1], not {samples.dtype}.")
    shape = tuple(samples.shape)
    samples = samples.detach().to("cpu", torch.float32)
    if samples.ndim == 3 and shape[0] == 1:
        samples = samples[0]
    if samples.ndim == 2 and 1 <= shape[-2] <= 8:
        samples = samples.mean(0)
    if samples.ndim != 1:
        raise ValueError(
            f"Expected {name} as [T], [C, T] or [1, C, T], C at most 8, not {list(shape)}."
        )
    if samples.numel() == 0:
        raise ValueError(f"There are no samples in {name} (shape {list(shape)}).")
    if not torch.isfinite(samples).all():
        raise ValueError(f"There is NaN or infinity in {name}; check the model that made it.")
    if not isinstance(rate, int | np.integer) or not RATES[0] <= rate <= RATES[1]:
        raise ValueError(
            f"The sample rate of {name} is {rate!r}; expected {RATES[0]} to {RATES[1]} whole Hz."
        )
    return samples, int(rate)


def excerpt(samples: torch.Tensor, sample_rate: int, seconds: float | None) -> torch.Tensor:
    """The first `seconds` of [T], faded out over 20 ms where cut."""
    if seconds is None or samples.numel() <= round(seconds * sample_rate):
        return samples
    samples = samples[: round(seconds * sample_rate)].clone()
    fade = min(samples.numel(), round(0.02 * sample_rate))
    samples[-fade:] *= torch.linspace(1, 0, fade)
    return samples


def data_uri(samples: torch.Tensor, sample_rate: int, lossless: bool = False) -> str:
    """[T] in [-1, 1] as a data URI: MP3 of about 40 kbit/s, or 16-bit FLAC where `lossless`."""
    return f"data:{'audio/flac' if lossless else 'audio/mpeg'};base64," + base64.b64encode(
        encode(samples, sample_rate, "FLAC" if lossless else "MP3")
    ).decode("ascii")


def encode(samples: torch.Tensor, sample_rate: int, kind: str) -> bytes:
    """[T] in [-1, 1] as the bytes of a mono file; `kind` is MP3, FLAC or WAV."""
    import soundfile

    buffer = io.BytesIO()
    options = {"compression_level": 0.5, "bitrate_mode": "VARIABLE"} if kind == "MP3" else {}
    if kind == "MP3" and sample_rate not in (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100):
        from course_lib import audio

        new = 8000 if sample_rate < 8000 else 44100 if sample_rate > 32000 else 32000
        samples = audio.resample(samples[None], sample_rate, new)[0]
        sample_rate = new
    soundfile.write(
        buffer,
        samples.clamp(-1, 1).numpy(),
        sample_rate,
        format=kind,
        subtype=None if kind == "MP3" else "PCM_16",
        **options,
    )
    return buffer.getvalue()
