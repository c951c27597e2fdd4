"""A neural codec: audio in, a few integers per frame, audio out (SoundStream, EnCodec, DAC)."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.models import codec_chunks as chunks
from course_lib.models.codec_config import CodecConfig
from course_lib.models.vqvae import check_input, check_length
from course_lib.nets.padded_convolution import folded_state
from course_lib.nets.streaming import in_pieces
from course_lib.quantize import GroupedResidualVQ, ResidualVQ

PIECE = 500  # frames that a causal codec codes at once; longer signals go through piece by piece


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
        self.quantizer = _quantizer(c)
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

        n_codebooks, kept: as in ResidualVQ.forward. A preset with chunks takes the audio as one of
        them. Raises TypeError where audio is not floating point, ValueError where it is not
        [B, C, T].
        """
        check_input(audio, self.config.channels)
        scale = chunks.loudness(audio) if self.config.normalise else None  # [B, 1, 1]
        z = self.encoder(self._whole(audio if scale is None else audio / scale))
        q = self.quantizer(z, n_codebooks, kept)
        y = self.decoder(q.values)[..., : audio.shape[-1]]
        y = y if scale is None else y * scale
        return CodecOutput(y, q.codes, q.commitment, q.codebook_loss, z)

    @torch.no_grad()
    def encode(self, audio: Tensor, n_codebooks: int | None = None) -> Encoded:
        """Codes of audio [B, C, T] by the first `n_codebooks` (default all). Raises as forward.

        A preset with chunks codes each of them by itself and puts their codes, of equal numbers of
        frames (the last filled up with 0), one after the other. Items of a batch that is padded
        with zeros get, where the codec is causal and pads with zeros, the codes that each would
        get alone; see `encode_each` for the others. All of it passes through the network at once: a
        long file needs memory in proportion, unless a codec that streams takes it in parts
        (`StreamingEncoder`).
        """
        c, length = self.config, audio.shape[-1]
        check_input(audio, c.channels)
        places = chunks.bounds(length, c.chunk, c.chunk_stride) if c.chunk else [(0, length)]
        pieces = [audio[..., start:end] for start, end in places]
        scale = None
        if c.normalise:
            scales = [chunks.loudness(piece) for piece in pieces]  # [B, 1, 1] each
            pieces = [piece / scale for piece, scale in zip(pieces, scales, strict=True)]
            scale = torch.cat(scales, 1)[..., 0]  # [B, S]
        codes = chunks.in_groups(pieces, lambda x: self._codes(x, n_codebooks))
        if len(codes) > 1:
            frames = codes[0].shape[-1]
            codes = [F.pad(x, (0, frames - x.shape[-1])) for x in codes]
        return Encoded(codes[0] if len(codes) == 1 else torch.cat(codes, -1), scale, length)

    def encode_each(self, clips: Sequence[Tensor], n_codebooks: int | None = None) -> list[Encoded]:
        """Codes of clips [C, T] of any lengths, the same as each alone gets, B = 1.

        A causal codec that pads with zeros takes them all in one batch; others, one by one. Raises
        as `forward`.
        """
        c = self.config
        for clip in clips:
            check_input(clip[None], c.channels)
        ends_in_zeros = c.whole_frames and c.stack.streams and c.stack.padding == "constant"
        if not ends_in_zeros or c.chunk or c.normalise or not clips:
            return [self.encode(clip[None], n_codebooks) for clip in clips]
        longest = max(clip.shape[-1] for clip in clips)
        batch = torch.stack([F.pad(clip, (0, longest - clip.shape[-1])) for clip in clips])
        codes = self.encode(batch, n_codebooks).codes
        lengths = [clip.shape[-1] for clip in clips]
        return [
            Encoded(codes[i : i + 1, :, : -(-n // self.hop)], None, n)
            for i, n in enumerate(lengths)
        ]

    def decode(self, encoded: Encoded) -> Tensor:
        """Audio [B, C, length] of what `encode` returned. Raises as `decode_codes`."""
        return self.decode_codes(*encoded)

    @torch.no_grad()
    def decode_codes(
        self, codes: Tensor, scale: Tensor | None = None, length: int | None = None
    ) -> Tensor:
        """Audio [B, C, length] of codes int64 [B, K, F], K <= n_codebooks.

        The length is F * hop where it isn't given; with chunks, that of S whole ones. Raises
        TypeError and ValueError where codes, scale and length do not fit each other or the codec.
        Whether codes lie in [0, entries) is not looked at, since looking reads from the device:
        `codec.quantizer.decode` does.
        """
        c = self.config
        places = self._places(codes, scale, length)
        frames = self._chunk_frames(codes)
        pieces = [
            codes[..., i * frames :][..., : chunks.frames_of(start, end, self.hop)]
            for i, (start, end) in enumerate(places)
        ]
        pieces = chunks.in_groups(pieces, self._audio)
        if scale is not None:
            pieces = [x * scale[:, i, None, None] for i, x in enumerate(pieces)]
        audio = chunks.overlap_add(pieces, c.chunk_stride) if c.chunk else pieces[0]
        return audio[..., : places[-1][1]]

    def folded(self) -> "Codec":
        """The same codec with weight norm computed once and for all, in evaluation mode."""
        plain = replace(self.config, stack=replace(self.config.stack, norm=None))
        if self.config.stack.norm != "weight":
            plain = self.config
        codec = Codec(plain).to(next(self.decoder.parameters()))
        codec.load_state_dict(folded_state(self))
        return codec.eval()

    def _whole(self, audio: Tensor) -> Tensor:
        if not self.config.whole_frames:
            return audio
        return F.pad(audio, (0, -audio.shape[-1] % self.hop))

    def _codes(self, audio: Tensor, n_codebooks: int | None) -> Tensor:
        return self.quantizer.encode_unchecked(self._latents(audio), n_codebooks)

    def _latents(self, audio: Tensor) -> Tensor:
        return in_pieces(self.encoder, self._whole(audio), PIECE * self.hop)

    def _audio(self, codes: Tensor) -> Tensor:
        return in_pieces(self.decoder, self.quantizer.decode_unchecked(codes), PIECE)

    def _chunk_frames(self, codes: Tensor) -> int:
        """Frames of a chunk: all of them where there are no chunks, or a single short one."""
        whole = chunks.frames_of(0, self.config.chunk, self.hop)
        return min(whole, codes.shape[-1]) if whole else codes.shape[-1]

    def _places(
        self, codes: Tensor, scale: Tensor | None, length: int | None
    ) -> list[tuple[int, int]]:
        """Start and end of each chunk that `codes` stand for; TypeError or ValueError, in words."""
        c = self.config
        if codes.dtype != torch.int64:
            raise TypeError(f"Codes must be int64, not {codes.dtype}.")
        if codes.ndim != 3 or not 1 <= codes.shape[1] <= c.n_codebooks or codes.numel() == 0:
            raise ValueError(
                f"Codes have shape {list(codes.shape)}; expected [B, K, F] with K from 1 to "
                f"{c.n_codebooks} and B, F >= 1."
            )
        frames = self._chunk_frames(codes)
        count, over = divmod(codes.shape[-1], frames)
        if over:
            raise ValueError(f"{codes.shape[-1]} frames are no whole number of chunks of {frames}.")
        if c.chunk:
            full = (count - 1) * c.chunk_stride + min(c.chunk, frames * self.hop)
            length = full if length is None else length
            places = chunks.bounds(length, c.chunk, c.chunk_stride) if length > 0 else []
            # Signals that end inside the overlap have one chunk more than their samples need.
            places = places[:count] if length == full else places
        else:
            length = check_length(codes.shape[-1], self.hop, length)
            places = [(0, length)]
        if len(places) != count:
            raise ValueError(f"{count} chunks are not those of {length} samples.")
        if c.normalise != (scale is not None):
            raise ValueError(f"A scale is {'needed' if c.normalise else 'not used'} by this codec.")
        if scale is not None and scale.shape != (len(codes), count):
            raise ValueError(f"The scale has shape {list(scale.shape)}; expected [B, {count}].")
        return places


def _quantizer(c: CodecConfig) -> ResidualVQ | GroupedResidualVQ:
    settings = dict(
        dropout=c.dropout,
        dropout_levels=c.levels,
        codebook=c.codebook,
        decay=c.decay,
        dead=c.dead,
        code_dim=c.code_dim,
        cosine=c.cosine,
    )
    if c.groups == 1:
        return ResidualVQ(c.dim, c.entries, c.n_codebooks, **settings)
    return GroupedResidualVQ(c.dim, c.entries, c.n_codebooks, c.groups, **settings)
