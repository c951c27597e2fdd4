"""Audio in and out of files, spectra and back, loudness. Taught in notebook 00.

Audio is float32 `[..., C, T]` in [-1, 1], C channels and T samples at a rate in Hz. Importing this
room imports torch alone: torchaudio and soundfile come in when a function first needs them.
"""

from course_lib.audio.files import Info, info, read, read_blocks, write, write_blocks
from course_lib.audio.griffin_lim import griffin_lim, invert_mel
from course_lib.audio.levels import loudness, normalise
from course_lib.audio.resampling import resample
from course_lib.audio.spectra import LogMel, istft, mel_filters, stft

__all__ = [
    "Info",
    "LogMel",
    "griffin_lim",
    "info",
    "invert_mel",
    "istft",
    "loudness",
    "mel_filters",
    "normalise",
    "read",
    "read_blocks",
    "resample",
    "stft",
    "write",
    "write_blocks",
]
