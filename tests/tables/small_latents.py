"""A tiny untrained latent diffusion beside the tiny models of `small_musicgen`."""

import pytest
import torch
from small_musicgen import STACK, TEXT, small  # noqa: F401

from course_lib.models import (
    ContinuousAutoencoder,
    ContinuousAutoencoderConfig,
    LatentDenoiser,
    LatentDenoiserConfig,
)
from course_lib.nets import UNet1dConfig
from course_lib.tables import diffused

K, PIECE = 4, 1.5


def latent_models() -> dict[str, torch.nn.Module]:
    torch.manual_seed(1)
    net = UNet1dConfig(
        K, 2 * K + 1, 8, (1, 1), heads=2, attends=(1,), memory_width=TEXT.width, vector_width=16
    )
    denoiser = LatentDenoiser(LatentDenoiserConfig(K, context=80, net=net))
    for parameter in denoiser.parameters():  # what begins at zero hides what it is told
        torch.nn.init.normal_(parameter, std=0.2)
    autoencoder = ContinuousAutoencoder(ContinuousAutoencoderConfig(stack=STACK, dim=8, kept=K))
    return {"autoencoder": autoencoder.eval(), "diffusion": denoiser.eval()}


@pytest.fixture
def both(small, monkeypatch):  # noqa: F811
    """Small tokens and small latents; gives the models by name."""
    small |= latent_models()
    monkeypatch.setattr(diffused, "SECONDS", PIECE)
    forget()
    yield small
    forget()


def forget():
    for function in (diffused.wanted, diffused.written, diffused.compared):
        function.cache_clear()
