"""How loud a sound is heard, and bringing sounds to one loudness. Taught in notebook 00."""

import math

import torch

from course_lib.audio.checks import check_audio, check_channels, check_rate

QUIETEST = -70.0  # LUFS: the standard's absolute gate
HEARD = 0.1  # root mean square at which networks hear
SILENT = 1e-4  # below it, -80 dBFS, sound is not brought up any further
_BLOCK = 0.4  # seconds


def loudness(audio: torch.Tensor, sample_rate: int) -> torch.Tensor:
    """Integrated loudness of `audio` `[..., C, T]` (up to 5 channels) in LUFS: `[...]`.

    Mean power after two filters that imitate the ear, over blocks of 0.4 s, the quiet ones left
    out. A shorter clip is repeated up to one block; silence, and whatever is quieter than the
    standard's absolute gate, gives -70. Equal to `torchaudio.functional.loudness`, which filters
    sample by sample in Python where its extension is missing (5 s for a clip of 10 s).

    Raises TypeError or ValueError for NaN, empty audio and other shapes.
    Source: ITU-R BS.1770-4. Taught in notebook 00.
    """
    check_audio(audio)
    check_channels(audio)
    check_rate(sample_rate)
    if audio.shape[-2] > 5:
        raise ValueError(f"audio has {audio.shape[-2]} channels; loudness is defined for up to 5.")
    block = max(1, round(_BLOCK * sample_rate))
    if audio.shape[-1] < block:
        audio = audio.tile(-(-block // audio.shape[-1]))[..., :block]
    weighted = _k_weighting(audio.float(), sample_rate)
    power = weighted.square().unfold(-1, block, max(1, round(block / 4))).mean(-1)  # [..., C, N]
    channel_weights = torch.tensor([1.0, 1.0, 1.0, 1.41, 1.41], device=audio.device)
    power = torch.einsum("...cn,c->...n", power, channel_weights[: audio.shape[-2]])  # [..., N]
    level = _lufs(power)
    loud = level > QUIETEST
    relative_gate = _lufs(_mean_where(power, loud)) - 10
    gated = _lufs(_mean_where(power, loud & (level > relative_gate[..., None])))
    return gated.clamp(min=QUIETEST)


def normalise(
    audio: torch.Tensor, sample_rate: int, lufs: float = -20.0, peak: float = 0.89
) -> torch.Tensor:
    """Scale each clip of `audio` `[..., C, T]` to `lufs`, or less where it would exceed `peak`.

    One gain for all channels of a clip, so that panning stays; silence stays silence. The default
    peak is -1 dBFS. Raises as `loudness` does. Taught in notebook 00.
    """
    if not 0 < peak <= 1:
        raise ValueError(f"peak is {peak}; expected a level above 0 and up to 1.")
    measured = loudness(audio, sample_rate)
    highest = audio.abs().amax(dim=(-2, -1))
    gain = torch.minimum(10 ** ((lufs - measured) / 20), peak / highest.clamp(min=1e-12))
    gain = torch.where(measured > QUIETEST, gain, torch.ones_like(gain))
    return audio * gain[..., None, None].to(audio.dtype)


def to_one_level(audio: torch.Tensor) -> torch.Tensor:
    """Scale each row of `audio` `[..., T]` to a root mean square of 0.1, for networks that listen.

    Gain then changes nothing, except for sound below -80 dBFS, which comes up by 60 dB at most:
    silence stays silence. Half precision comes out as float32. Looks for nothing, since it runs
    inside training steps; `normalise` is for ears.
    """
    audio = audio.to(torch.promote_types(audio.dtype, torch.float32))  # squares fade in float16
    level = audio.square().mean(-1, keepdim=True).sqrt()
    return audio * (HEARD / level.clamp(min=SILENT))


def _lufs(power: torch.Tensor) -> torch.Tensor:
    return -0.691 + 10 * power.clamp(min=1e-12).log10()


def _mean_where(values: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
    return (values * chosen).sum(-1) / chosen.sum(-1).clamp(min=1)


def _k_weighting(audio: torch.Tensor, sample_rate: int) -> torch.Tensor:
    """A treble shelf of 4 dB at 1.5 kHz, then a high-pass at 38 Hz, by their frequency response.

    The slower filter falls by 100 dB within 50 ms, so an eighth of a second of zeros keeps the end
    of the clip from wrapping around to its start.
    """
    length = audio.shape[-1]
    size = 1 << (length + sample_rate // 8).bit_length()
    response = _shelf(sample_rate, size) * _high_pass(sample_rate, size)
    spectrum = torch.fft.rfft(audio, n=size) * response.to(audio.device, torch.complex64)
    return torch.fft.irfft(spectrum, n=size)[..., :length]


def _shelf(sample_rate: int, size: int) -> torch.Tensor:
    w, a = 2 * math.pi * 1500 / sample_rate, 10 ** (4 / 40)
    cos, slope = math.cos(w), math.sqrt(2 * a) * math.sin(w)
    b = [
        a * ((a + 1) + (a - 1) * cos + slope),
        -2 * a * ((a - 1) + (a + 1) * cos),
        a * ((a + 1) + (a - 1) * cos - slope),
    ]
    c = [
        (a + 1) - (a - 1) * cos + slope,
        2 * ((a - 1) - (a + 1) * cos),
        (a + 1) - (a - 1) * cos - slope,
    ]
    return _response(b, c, size)


def _high_pass(sample_rate: int, size: int) -> torch.Tensor:
    w = 2 * math.pi * 38 / sample_rate
    cos, alpha = math.cos(w), math.sin(w)
    b = [(1 + cos) / 2, -(1 + cos), (1 + cos) / 2]
    return _response(b, [1 + alpha, -2 * cos, 1 - alpha], size)


def _response(b: list[float], a: list[float], size: int) -> torch.Tensor:
    """b(z) / a(z) on the unit circle, at the frequencies of an rfft of `size`."""
    coefficients = torch.tensor([b, a], dtype=torch.float64)
    numerator, denominator = torch.fft.rfft(coefficients, n=size)
    return numerator / denominator
