"""Jukebox's three levels: a VQ-VAE for every 8, 32 and 128 samples, each trained by itself."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.models.vqvae import check_input
from course_lib.nets.dilated_stack import DilatedDecoder, DilatedEncoder
from course_lib.quantize import VectorQuantizer

LEVELS = ("bottom", "middle", "top")  # from the most codes a second to the fewest


@dataclass(frozen=True)
class JukeboxLevelConfig:
    """One level; the default is the bottom one, a code of 9 bits for every 8 samples.

    strides: of the encoder, in order, all even; their product is the hop.
    width, depth, growth: channels, residual units after each stride, growth of their dilations.
    dim, entries, decay: of the codebook; dead: an entry used less than this fraction of the mean is
        restarted (Jukebox restarts at an average below one code a batch).
    scale: of the samples, which the networks see divided by it.
    """

    strides: tuple[int, ...] = (8,)
    width: int = 96
    depth: int = 4
    growth: int = 3
    dim: int = 64
    entries: int = 512
    decay: float = 0.99
    dead: float = 0.1
    scale: float = 0.1

    def __post_init__(self):
        if not self.strides or any(s < 2 or s % 2 for s in self.strides):
            raise ValueError(f"strides={self.strides} must be even numbers, at least one of them.")
        if min(self.width, self.growth) < 1 or self.depth < 0 or not self.scale > 0:
            raise ValueError(
                f"width={self.width} and growth={self.growth} must be at least 1, "
                f"depth={self.depth} at least 0, scale={self.scale} positive."
            )

    @property
    def hop(self) -> int:
        """Samples per code."""
        return math.prod(self.strides)


class JukeboxLevelOutput(NamedTuple):
    """audio [B, 1, T]; codes int64 [B, 1, F], None where nothing was quantized; a loss."""

    audio: Tensor
    codes: Tensor | None
    commitment: Tensor


class JukeboxLevel(nn.Module):
    """Audio [B, 1, T] -> codes [B, 1, F] -> audio again, F = ceil(T / hop).

    Neither side is causal. State saved of a level fits no level of another hop, which loading says
    in words. Source: Dhariwal et al. 2020 (Jukebox), section 3. Taught in notebook 10.
    """

    def __init__(self, config: JukeboxLevelConfig | None = None):
        super().__init__()
        self.config = c = config or JukeboxLevelConfig()
        stack = (1, c.dim, c.width, c.strides, c.depth, c.growth)
        self.encoder = DilatedEncoder(*stack)
        self.quantizer = VectorQuantizer(c.dim, c.entries, decay=c.decay, dead=c.dead)
        self.decoder = DilatedDecoder(*stack)
        self.register_buffer("samples_per_code", torch.tensor(c.hop))
        self.register_load_state_dict_pre_hook(_check_hop)

    @property
    def hop(self) -> int:
        """Samples per code."""
        return self.config.hop

    def forward(self, audio: Tensor, quantize: bool = True) -> JukeboxLevelOutput:
        """Code audio [B, 1, T] and rebuild it; in training mode the codebook learns.

        Without `quantize` the latents reach the decoder as they are: a start in which encoder and
        decoder find each other before k-means places the codebook. Raises as `encode`.
        """
        z = self.latents(audio)
        if not quantize:
            return JukeboxLevelOutput(self._audio(z, audio.shape[-1]), None, z.new_zeros(()))
        q = self.quantizer(z)
        y = self._audio(q.values, audio.shape[-1])
        return JukeboxLevelOutput(y, q.codes, q.commitment)

    def latents(self, audio: Tensor) -> Tensor:
        """Latents [B, dim, F] of audio [B, 1, T], before quantization. Raises as `encode`."""
        check_input(audio, 1)
        if audio.shape[-1] < self.hop:
            raise ValueError(
                f"The audio has {audio.shape[-1]} samples; this level needs at least one hop of "
                f"{self.hop}."
            )
        whole = F.pad(audio, (0, -audio.shape[-1] % self.hop))
        return self.encoder(whole / self.config.scale)

    @torch.no_grad()
    def encode(self, audio: Tensor) -> Tensor:
        """Codes int64 [B, 1, F] of audio [B, 1, T].

        Raises TypeError where it is not floating point, ValueError for other shapes, for audio
        shorter than a hop and for NaN.
        """
        return self.quantizer.encode(self.latents(audio))

    @torch.no_grad()
    def decode_codes(self, codes: Tensor, length: int | None = None) -> Tensor:
        """Audio [B, 1, length] of codes int64 [B, 1, F]; length is F * hop where it isn't given.

        Raises ValueError where the codes are not [B, 1, F], are out of range, or do not reach
        `length`, and TypeError where they are not int64.
        """
        values = self.quantizer.decode(codes)
        full = codes.shape[-1] * self.hop
        length = full if length is None else length
        if not 1 <= length <= full:
            raise ValueError(
                f"{codes.shape[-1]} codes of {self.hop} samples make up to {full}, not "
                f"length={length}."
            )
        return self._audio(values, length)

    def _audio(self, values: Tensor, length: int) -> Tensor:
        return self.decoder(values)[..., :length] * self.config.scale


@dataclass(frozen=True)
class JukeboxLevelsConfig:
    """The course's levels: 2000, 500 and 125 codes a second of 9 bits at 16 kHz."""

    bottom: JukeboxLevelConfig = JukeboxLevelConfig()
    middle: JukeboxLevelConfig = JukeboxLevelConfig(strides=(8, 4), width=64)
    top: JukeboxLevelConfig = JukeboxLevelConfig(strides=(16, 8), depth=3)
    sample_rate: int = 16000

    def __post_init__(self):
        if self.middle.hop % self.bottom.hop or self.top.hop % self.middle.hop:
            raise ValueError(
                f"The hops {self.bottom.hop}, {self.middle.hop} and {self.top.hop} must each be a "
                "whole multiple of the one before: codes of the levels would not line up."
            )


class JukeboxLevels(nn.Module):
    """The three levels side by side: nothing of one reaches another. Taught in notebook 10."""

    def __init__(self, config: JukeboxLevelsConfig | None = None):
        super().__init__()
        self.config = c = config or JukeboxLevelsConfig()
        self.bottom = JukeboxLevel(c.bottom)
        self.middle = JukeboxLevel(c.middle)
        self.top = JukeboxLevel(c.top)

    @property
    def sample_rate(self) -> int:
        """Samples per second."""
        return self.config.sample_rate

    @property
    def hops(self) -> tuple[int, int, int]:
        """Samples per code of the bottom, middle and top level."""
        return tuple(self.level(name).hop for name in LEVELS)

    def level(self, name: str) -> JukeboxLevel:
        """The level "bottom", "middle" or "top". Raises ValueError for another name."""
        if name not in LEVELS:
            raise ValueError(f"There is no level {name!r}: choose from {', '.join(LEVELS)}.")
        return getattr(self, name)

    def encode(self, audio: Tensor) -> list[Tensor]:
        """Codes [bottom, middle, top] of audio [B, 1, T], int64 [B, 1, F_level].

        The audio is filled up with zeros to whole codes of the top level, so that each code of a
        level has its own 4 below it. Raises as `JukeboxLevel.encode`; a prompt must have at least
        one hop of the top level.
        """
        check_input(audio, 1)
        if audio.shape[-1] < self.top.hop:
            raise ValueError(
                f"The audio has {audio.shape[-1]} samples; the top level needs at least one hop of "
                f"{self.top.hop}."
            )
        whole = F.pad(audio, (0, -audio.shape[-1] % self.top.hop))
        return [self.level(name).encode(whole) for name in LEVELS]

    def decode(self, codes: Tensor, level: str = "bottom", length: int | None = None) -> Tensor:
        """Audio [B, 1, length] of one level's codes int64 [B, 1, F]. Raises as `decode_codes`."""
        return self.level(level).decode_codes(codes, length)


def _check_hop(module: JukeboxLevel, state: dict, prefix: str, *_) -> None:
    found = state.get(f"{prefix}samples_per_code")
    if found is not None and int(found) != module.hop:
        raise ValueError(
            f"This is the state of a level of {int(found)} samples a code, given to the level of "
            f"{module.hop}: load each level's own."
        )
