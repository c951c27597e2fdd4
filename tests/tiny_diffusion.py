"""Parts of a latent diffusion of a few weights, untrained."""

import torch

from course_lib.models import (
    CLAP,
    AudioTowerConfig,
    CLAPConfig,
    ContinuousAutoencoder,
    ContinuousAutoencoderConfig,
    LatentDenoiser,
    LatentDenoiserConfig,
    TextTowerConfig,
)
from course_lib.nets import DiffusionTransformerConfig, SEANetConfig, UNet1dConfig

HOP, WIDTH, VECTOR = 320, 8, 10  # samples a frame; numbers of a word's state and of a sentence


def tiny_autoencoder(kept: int) -> ContinuousAutoencoder:
    """16 kHz, latents of `kept` numbers."""
    torch.manual_seed(0)
    stack = SEANetConfig(widths=(4, 8, 8), strides=(16, 20), units=1, padding="constant", lstm=0)
    return ContinuousAutoencoder(ContinuousAutoencoderConfig(stack=stack, dim=8, kept=kept)).eval()


def tiny_text(words: tuple[str, ...]) -> TextTowerConfig:
    return TextTowerConfig(words=words, width=WIDTH, layers=1, heads=2, longest=6)


def tiny_clap(words: tuple[str, ...]) -> CLAP:
    """It knows these words."""
    torch.manual_seed(0)
    audio = AudioTowerConfig(channels=(8,), width=8, layers=0)
    return CLAP(CLAPConfig(audio, tiny_text(words), embedding=VECTOR)).eval()


def tiny_unet(latents: int, **options) -> UNet1dConfig:
    """Of a denoiser that reads words and a vector, where options do not say otherwise."""
    reads = {"memory_width": WIDTH, "vector_width": VECTOR} | options
    return UNet1dConfig(latents, 2 * latents + 1, 16, (1, 1), heads=2, attends=(1,), **reads)


def tiny_transformer(latents: int) -> DiffusionTransformerConfig:
    return DiffusionTransformerConfig(
        latents, 2 * latents + 1, 16, 2, heads=2, memory_width=WIDTH, vector_width=VECTOR
    )


def tiny_denoiser(net, context: int = 40, **options) -> LatentDenoiser:
    """Every weight at random: what begins at zero would hide what it is told."""
    torch.manual_seed(0)
    config = LatentDenoiserConfig(net.channels, context=context, net=net, **options)
    made = LatentDenoiser(config).eval()
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return made
