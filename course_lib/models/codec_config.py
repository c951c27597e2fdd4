"""Configurations of the neural codecs of the lecture."""

from dataclasses import dataclass, field
from typing import Literal

from course_lib.nets.dac_stack import DACStackConfig
from course_lib.nets.hifigan import HiFiGANConfig
from course_lib.nets.seanet import SEANetConfig

# Few layers at high rates, where they cost most: this one learns on two CPU cores too.
COURSE_STACK = SEANetConfig(
    widths=(8, 64, 128, 256, 256),
    strides=(8, 8, 5, 1),
    units=2,
    growth=3,
    padding="constant",
    norm=None,
    conv_shortcut=False,
    lstm=0,
)


@dataclass(frozen=True)
class CodecConfig:
    """A neural codec; the default is the course's own (16 kHz, 50 frames/s, 8 codebooks).

    sample_rate, channels: of the audio.
    stack: of the encoder and the decoder.
    dim: numbers of a latent frame; entries, n_codebooks: of the quantizer.
    levels: how many codebooks the codec is made to be used with; quantizer dropout draws from them.
    dropout: the share of training items that get fewer codebooks than all, as `levels` says.
    codebook, decay, dead: as in VectorQuantizer.
    groups: parts of a latent frame with a residual stack each (HiFi-Codec); n_codebooks counts all.
    code_dim, cosine: in how many numbers codes are looked up (None for all), and whether by angle.
    whole_frames: zeros lengthen the audio to a multiple of the hop before it is encoded, so that
        each layer has whole frames; otherwise each layer pads its last frame itself (EnCodec).
    normalise: audio is divided by its loudness (RMS), which is sent along as the scale.
    chunk: samples of the chunks into which audio is cut, 0 for none; overlap: the share of a chunk
        that the next one repeats.

    Raises ValueError for numbers out of place. Taught in notebooks 07, 08 and 09.
    """

    sample_rate: int = 16000
    channels: int = 1
    stack: SEANetConfig | DACStackConfig | HiFiGANConfig = field(default=COURSE_STACK)
    dim: int = 64
    entries: int = 1024
    n_codebooks: int = 8
    levels: tuple[int, ...] = (1, 2, 4, 8)
    dropout: float = 0.5
    codebook: Literal["ema", "gradient"] = "ema"
    decay: float = 0.99
    dead: float = 0.1
    groups: int = 1
    code_dim: int | None = None
    cosine: bool = False
    whole_frames: bool = True
    normalise: bool = False
    chunk: int = 0
    overlap: float = 0.0

    def __post_init__(self):
        for name in ("sample_rate", "channels", "dim", "entries", "n_codebooks"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1.")
        if not all(1 <= level <= self.n_codebooks for level in self.levels):
            raise ValueError(f"levels={self.levels} must lie in 1 to {self.n_codebooks}.")
        if self.chunk < 0 or not 0 <= self.overlap < 1:
            raise ValueError(
                f"chunk={self.chunk} must be at least 0 and overlap={self.overlap} in [0, 1)."
            )

    @property
    def chunk_stride(self) -> int:
        """Samples from the start of one chunk to that of the next."""
        return max(1, int((1 - self.overlap) * self.chunk))


def _dac(sample_rate: int, strides: tuple[int, ...], n_codebooks: int) -> CodecConfig:
    return CodecConfig(
        sample_rate=sample_rate,
        stack=DACStackConfig(strides=strides),
        dim=1024,
        n_codebooks=n_codebooks,
        levels=tuple(range(1, n_codebooks + 1)),
        dropout=0.5,
        codebook="gradient",
        dead=0.0,
        code_dim=8,
        cosine=True,
    )


PRESETS: dict[str, CodecConfig] = {
    "course_16khz": CodecConfig(),
    # Zeghidour et al. 2021: causal, dilations 1, 3, 9; 8 codebooks of 75 frames/s are 6 kbps.
    "soundstream": CodecConfig(
        sample_rate=24000,
        stack=SEANetConfig(
            units=3,
            growth=3,
            compress=1,
            conv_shortcut=False,
            unit_kernel=7,
            padding="constant",
            lstm=0,
        ),
        dim=128,
        levels=tuple(range(1, 9)),
        dropout=1.0,
    ),
    # Défossez et al. 2022: 1.5, 3, 6, 12 and 24 kbps.
    "encodec_24khz": CodecConfig(
        sample_rate=24000,
        stack=SEANetConfig(),
        dim=128,
        n_codebooks=32,
        levels=(2, 4, 8, 16, 32),
        dropout=1.0,
        whole_frames=False,
    ),
    # The same, stereo and not causal: 3, 6, 12 and 24 kbps, in chunks of 1 s.
    "encodec_48khz": CodecConfig(
        sample_rate=48000,
        channels=2,
        stack=SEANetConfig(causal=False, norm="group"),
        dim=128,
        n_codebooks=16,
        levels=(2, 4, 8, 16),
        dropout=1.0,
        whole_frames=False,
        normalise=True,
        chunk=48000,
        overlap=0.01,
    ),
    # Yang et al. 2023: two groups of two stages, 3 kbps.
    "hificodec": CodecConfig(
        sample_rate=24000,
        stack=HiFiGANConfig(),
        dim=512,
        n_codebooks=4,
        levels=(4,),
        dropout=0.0,
        codebook="gradient",
        groups=2,
    ),
    # Kumar et al. 2023: 0.5 kbps a codebook at 16 kHz, 0.75 at 24 kHz, 0.86 at 44.1 kHz.
    "dac_16khz": _dac(16000, (2, 4, 5, 8), 12),
    "dac_24khz": _dac(24000, (2, 4, 5, 8), 32),
    "dac_44khz": _dac(44100, (2, 4, 8, 8), 9),
}
