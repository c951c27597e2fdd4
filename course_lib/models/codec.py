"""A neural codec: audio in, a few integers per frame, audio out (SoundStream, EnCodec, DAC)."""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from course_lib.models.codec_config import CodecConfig
from course_lib.models.vqvae import check_input
from course_lib.quantize import ResidualVQ


class Encoded(NamedTuple):
    """codes int64 [B, K, F]; scale [B, S] of S chunks, or None; length in samples."""

    codes: Tensor
    scale: Tensor | None
    length: int


class CodecOutput(NamedTuple):
    """audio [B, C, T]; codes int64 [B, K, F]; two losses; latents [B, D, F] before quantization."""

    audio: Tensor
    codes: Tensor
    commitment: Tensor
    codebook_loss: Tensor
    latents: Tensor


class Codec(nn.Module):
    """Audio [B, C, T] -> codes [B, K, F] -> audio [B, C, T], F = ceil(T / hop) for any T >= 1.

    `PRESETS` of `course_lib.models.codec_config` has the configurations of the lecture's codecs.
    Encoding and decoding read nothing back from the device; so NaN is not looked for.
    Sources: Zeghidour et al. 2021 (SoundStream); Défossez et al. 2022 (EnCodec). Taught in
    notebooks 07 and 08.
    """

    def __init__(self, config: CodecConfig | None = None):
        super().__init__()
        self.config = c = config or CodecConfig()
        self.encoder = c.stack.encoder(c.channels, c.dim)
        self.quantizer = ResidualVQ(
            c.dim,
            c.entries,
            c.n_codebooks,
            dropout=c.dropout,
            dropout_levels=c.levels,
            codebook=c.codebook,
            decay=c.decay,
            dead=c.dead,
        )
        self.decoder = c.stack.decoder(c.channels, c.dim)

    @property
    def hop(self) -> int:
        """Samples per frame."""
        return self.config.stack.hop

    @property
    def sample_rate(self) -> int:
        """Samples per second."""
        return self.config.sample_rate

    @property
    def frame_rate(self) -> float:
        """Frames per second."""
        return self.sample_rate / self.hop

    def bitrate(self, n_codebooks: int | None = None) -> float:
        """Bits per second with the first `n_codebooks` (default all), before entropy coding."""
        count = self.config.n_codebooks if n_codebooks is None else n_codebooks
        return self.frame_rate * count * math.log2(self.config.entries)

    def forward(
        self, audio: Tensor, n_codebooks: int | None = None, kept: Tensor | None = None
    ) -> CodecOutput:
        """Code audio [B, C, T] and rebuild it; in training mode the codebooks learn.

        n_codebooks, kept: as in ResidualVQ.forward. Raises TypeError where audio is not floating
        point, ValueError where it is not [B, C, T].
        """
        check_input(audio, self.config.channels)
        z = self.encoder(self._whole(audio))
        q = self.quantizer(z, n_codebooks, kept)
        y = self.decoder(q.values)[..., : audio.shape[-1]]
        return CodecOutput(y, q.codes, q.commitment, q.codebook_loss, z)

    @torch.no_grad()
    def encode(self, audio: Tensor, n_codebooks: int | None = None) -> Encoded:
        """Codes of audio [B, C, T] by the first `n_codebooks` (default all). Raises as forward."""
        check_input(audio, self.config.channels)
        z = self.encoder(self._whole(audio))
        return Encoded(self.quantizer.encode_unchecked(z, n_codebooks), None, audio.shape[-1])

    def decode(self, encoded: Encoded) -> Tensor:
        """Audio [B, C, length] of what `encode` returned. Raises as `decode_codes`."""
        return self.decode_codes(*encoded)

    @torch.no_grad()
    def decode_codes(
        self, codes: Tensor, scale: Tensor | None = None, length: int | None = None
    ) -> Tensor:
        """Audio [B, C, length] of codes int64 [B, K, F], K <= n_codebooks; length F * hop if None.

        Whether codes lie in [0, entries) is not looked at, since looking reads from the device.
        """
        y = self.decoder(self.quantizer.decode_unchecked(codes))
        return y[..., :length]

    def _whole(self, audio: Tensor) -> Tensor:
        if not self.config.whole_frames:
            return audio
        return nn.functional.pad(audio, (0, -audio.shape[-1] % self.hop))
