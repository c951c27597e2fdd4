"""Networks: convolutions with exact lengths, one Transformer, one cache, one sampler; denoisers."""

from course_lib.nets.conv2d_stacks import Conv2dDecoder, Conv2dEncoder
from course_lib.nets.conv_stacks import ConvDecoder, ConvEncoder
from course_lib.nets.convolution import Conv1d, ConvTranspose1d, ResidualUnit
from course_lib.nets.dac_stack import DACDecoder, DACEncoder, DACStackConfig
from course_lib.nets.diffusion import both, diffusion_loss, guided, noised, target
from course_lib.nets.diffusion_transformer import (
    DiffusionTransformer,
    DiffusionTransformerConfig,
)
from course_lib.nets.hifigan import HiFiGANConfig, HiFiGANDecoder, HiFiGANEncoder
from course_lib.nets.interleaving import Pattern, deinterleave, interleave
from course_lib.nets.kv_cache import KVCache
from course_lib.nets.language_model import LanguageModel, LanguageModelConfig, generate
from course_lib.nets.noise_schedule import NoiseSchedule
from course_lib.nets.padded_convolution import (
    PaddedConv1d,
    PaddedConvTranspose1d,
    folded_state,
)
from course_lib.nets.positions import cosines_first, rotary, sinusoidal, turn
from course_lib.nets.sampling import keep_likely, sample
from course_lib.nets.seanet import SEANetConfig, SEANetDecoder, SEANetEncoder
from course_lib.nets.snake import Snake
from course_lib.nets.transformer import Transformer, TransformerConfig
from course_lib.nets.unet1d import UNet1d, UNet1dConfig
from course_lib.nets.wavenet import WaveNet

__all__ = [
    "Conv1d",
    "Conv2dDecoder",
    "Conv2dEncoder",
    "ConvDecoder",
    "ConvEncoder",
    "ConvTranspose1d",
    "DACDecoder",
    "DACEncoder",
    "DACStackConfig",
    "DiffusionTransformer",
    "DiffusionTransformerConfig",
    "HiFiGANConfig",
    "HiFiGANDecoder",
    "HiFiGANEncoder",
    "KVCache",
    "LanguageModel",
    "LanguageModelConfig",
    "NoiseSchedule",
    "PaddedConv1d",
    "PaddedConvTranspose1d",
    "Pattern",
    "ResidualUnit",
    "SEANetConfig",
    "SEANetDecoder",
    "SEANetEncoder",
    "Snake",
    "Transformer",
    "TransformerConfig",
    "UNet1d",
    "UNet1dConfig",
    "WaveNet",
    "both",
    "cosines_first",
    "deinterleave",
    "diffusion_loss",
    "folded_state",
    "generate",
    "guided",
    "interleave",
    "keep_likely",
    "noised",
    "rotary",
    "sample",
    "sinusoidal",
    "target",
    "turn",
]
