"""A codec and a language model so small that a second of sound takes milliseconds."""

import torch

from course_lib.models import Codec, CodecConfig, CodecLM, CodecLMConfig
from course_lib.nets.seanet import SEANetConfig

HOP = 320


def small_codec(channels: int = 1, seed: int = 0) -> Codec:
    """16 kHz, 50 frames/s, 4 codebooks of 30 (not a power of two), at 1, 2 and 4 of them."""
    torch.manual_seed(seed)
    stack = SEANetConfig((4, 4, 8, 8, 8), (2, 4, 5, 8), padding="constant", norm=None, lstm=0)
    config = CodecConfig(
        channels=channels, stack=stack, dim=8, entries=30, n_codebooks=4, levels=(1, 2, 4)
    )
    codec = Codec(config)
    noise = 0.3 * torch.randn(4, channels, 16000).cumsum(-1).sin()
    with torch.no_grad():
        # Latents of mean 0 and deviation 1, and codebooks among them, so that no code is a near tie
        # which the order of additions decides.
        z = codec.encoder(noise)
        mean, deviation = z.mean((0, 2)), z.std((0, 2))
        weight, bias = list(codec.encoder.parameters())[-2:]
        weight /= deviation[:, None, None]
        bias.sub_(mean).div_(deviation)
        codec.quantizer.train()((z - mean[:, None]) / deviation[:, None])
    return codec.eval()


def small_lm(entries: int = 30, codebooks: int = 4, frames: int = 250, seed: int = 0) -> CodecLM:
    """A language model that finds some codes ten times as likely as others."""
    torch.manual_seed(seed)
    lm = CodecLM(CodecLMConfig(entries, codebooks, frames, width=16, layers=1, heads=2)).eval()
    torch.nn.init.normal_(lm.embedding, std=0.2)
    torch.nn.init.normal_(lm.bias)
    return lm
