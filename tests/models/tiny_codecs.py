"""Codecs of a few weights for tests."""

from dataclasses import replace

import torch

from course_lib.models import Codec, CodecConfig
from course_lib.nets import SEANetConfig

TINY = CodecConfig(
    stack=SEANetConfig(
        widths=(4, 6, 8), strides=(2, 5), padding="constant", lstm=0, conv_shortcut=False
    ),
    dim=6,
    entries=16,
    n_codebooks=4,
    levels=(1, 2, 4),
)
REFLECT = replace(
    TINY, stack=replace(TINY.stack, padding="reflect", lstm=2), whole_frames=False, channels=2
)
CHUNKS = replace(
    REFLECT,
    stack=replace(REFLECT.stack, causal=False, norm="group"),
    normalise=True,
    chunk=100,
    overlap=0.1,
)


def make(config=TINY, **options) -> Codec:
    torch.manual_seed(0)
    codec = Codec(replace(config, **options)).eval()
    for stage in codec.quantizer.stages:
        torch.nn.init.normal_(stage.codebook, std=0.2)
    for name, parameter in codec.named_parameters():
        if name.endswith("bias"):  # a fresh stack has none
            torch.nn.init.normal_(parameter, std=0.1)
    return codec


def noise(codec, length, batch=2, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return 0.3 * torch.randn(batch, codec.config.channels, length, generator=generator)
