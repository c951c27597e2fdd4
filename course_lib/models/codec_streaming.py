"""A causal codec chunk by chunk: codes as soon as they are decided, audio as soon as codes are."""

import torch
from torch import Tensor, nn

from course_lib.models.codec import Codec
from course_lib.nets.streaming import stream


class StreamingEncoder:
    """Audio in chunks of any length -> codes, equal to those of the whole signal.

    A code comes out as soon as its hop is complete: the delay is one hop. Where edges are reflected
    (encodec_24khz) the first codes wait for what the first layers reflect, and `flush` gives the
    last. Raises ValueError for a codec that is not causal or that works in chunks of its own.
    Taught in notebook 08b.
    """

    def __init__(self, codec: Codec, n_codebooks: int | None = None):
        self.codec, self.n_codebooks = codec, n_codebooks
        self.network = causal_stream(codec, codec.encoder)
        self.length = 0  # samples so far
        weight = next(codec.encoder.parameters())
        self.nothing = weight.new_zeros(1, codec.config.channels, 0)  # audio that flush pushes

    @torch.no_grad()
    def latents(self, audio: Tensor, last: bool = False) -> Tensor:
        """Latents [B, D, f] that audio [B, C, T], T >= 0, decides; f is 0 where it decides none."""
        self.length += audio.shape[-1]
        self.nothing = audio[..., :0]
        if last and self.codec.config.whole_frames:
            audio = torch.nn.functional.pad(audio, (0, -self.length % self.codec.hop))
        return self.network.push(audio, last)

    def push(self, audio: Tensor, last: bool = False) -> Tensor:
        """Codes int64 [B, K, f] that audio [B, C, T], T >= 0, decides."""
        return self._codes(self.latents(audio, last))

    def flush(self) -> Tensor:
        """The codes int64 [B, K, f] that are left, once no audio follows."""
        return self.push(self.nothing, last=True)

    def _codes(self, z: Tensor) -> Tensor:
        if z.shape[-1]:
            return self.codec.quantizer.encode_unchecked(z, self.n_codebooks)
        count = self.n_codebooks or self.codec.config.n_codebooks
        return torch.zeros(len(z), count, 0, dtype=torch.int64, device=z.device)


class StreamingDecoder:
    """Codes in chunks of any number of frames -> audio, equal to that of all codes at once.

    A frame's hop of audio comes out with the frame; where edges are reflected, as for the encoder,
    the first frames wait for some more. Raises as StreamingEncoder. Taught in notebook 08b.
    """

    def __init__(self, codec: Codec):
        self.codec = codec
        self.network = causal_stream(codec, codec.decoder)
        device = next(codec.decoder.parameters()).device
        self.nothing = torch.zeros(1, 1, 0, dtype=torch.int64, device=device)

    @torch.no_grad()
    def push(self, codes: Tensor, last: bool = False) -> Tensor:
        """Audio [B, C, t] that codes int64 [B, K, f], f >= 0, decide."""
        self.nothing = codes[..., :0]
        return self.network.push(self.codec.quantizer.decode_unchecked(codes), last)

    def flush(self) -> Tensor:
        """The audio [B, C, t] that is left, once no codes follow."""
        return self.push(self.nothing, last=True)


def causal_stream(codec: Codec, module: nn.Module):
    """A stream of the codec's encoder or decoder; ValueError, in words, where there is none."""
    c = codec.config
    if c.chunk or c.normalise:
        raise ValueError(
            "This codec can't be streamed: it works in chunks of its own or needs the loudness of "
            "the whole signal before its first frame."
        )
    if not c.stack.streams:
        raise ValueError(
            f"This codec can't be streamed: its {type(module).__name__} sees the future. Encode "
            "the whole signal, or take a causal preset such as course_16khz."
        )
    return stream(module)
