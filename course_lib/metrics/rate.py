"""How many frames, tokens and bits a second of coded sound takes. Taught in notebook 00."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Rate:
    """The rates of a codec: one frame every `hop` samples, in it one of `entries` per codebook.

    Raises ValueError where one of the four is below 1. Rates of several levels or stages add up.

    >>> Rate(sample_rate=24000, hop=320, codebooks=8, entries=1024).bits_per_second   # EnCodec
    6000.0
    """

    sample_rate: int
    hop: int
    codebooks: int
    entries: int

    def __post_init__(self):
        for name, value in vars(self).items():
            if not value >= 1:
                raise ValueError(f"{name} is {value}; expected at least 1.")

    @property
    def frames_per_second(self) -> float:
        return self.sample_rate / self.hop

    @property
    def tokens_per_second(self) -> float:
        return self.frames_per_second * self.codebooks

    @property
    def bits_per_second(self) -> float:
        return self.tokens_per_second * math.log2(self.entries)

    @property
    def compression(self) -> float:
        """How many times fewer bits than one channel of 16-bit samples at the same rate."""
        return 16 * self.sample_rate / self.bits_per_second
