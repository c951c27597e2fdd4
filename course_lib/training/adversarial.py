"""Losses of a generator and its discriminators. Taught in notebook 07.

A discriminator gives `logits`, one tensor of any shape for each of its parts, and `features`, for
each part the outputs of its layers. High logits mean "real".
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from course_lib.training.precision import in_float32

Logits = Sequence[Tensor]
Features = Sequence[Sequence[Tensor]]


@in_float32
def hinge_discriminator_loss(real: Logits, fake: Logits) -> Tensor:
    """mean_k mean(max(0, 1 - D_k(x))) + mean(max(0, 1 + D_k(x'))), a scalar.

    Logits beyond the margin, above 1 for real and below -1 for fake, cost nothing more.
    Source: Zeghidour et al. 2021 (SoundStream), equation 1. Taught in notebook 07.
    Raises ValueError where the two have other numbers of parts, or none.
    """
    pairs = _pairs(real, fake)
    return _mean([(1 - r).relu().mean() + (1 + f).relu().mean() for r, f in pairs])


@in_float32
def hinge_generator_loss(fake: Logits) -> Tensor:
    """mean_k mean(max(0, 1 - D_k(x'))), a scalar.

    Source: Zeghidour et al. 2021 (SoundStream), equation 2; EnCodec's is the same. Notebook 07.
    """
    return _mean([(1 - f).relu().mean() for f in fake])


@in_float32
def least_squares_discriminator_loss(real: Logits, fake: Logits) -> Tensor:
    """sum_k mean((1 - D_k(x))^2) + mean(D_k(x')^2), a scalar.

    Source: Mao et al. 2017; as in HiFi-Codec and DAC. Taught in notebook 09. Raises as
    `hinge_discriminator_loss`.
    """
    pairs = _pairs(real, fake)
    return torch.stack([(1 - r).square().mean() + f.square().mean() for r, f in pairs]).sum()


@in_float32
def least_squares_generator_loss(fake: Logits) -> Tensor:
    """sum_k mean((1 - D_k(x'))^2), a scalar. Source: Mao et al. 2017. Taught in notebook 09."""
    return torch.stack([(1 - f).square().mean() for f in fake]).sum()


@in_float32
def feature_matching(real: Features, fake: Features, relative: bool = False) -> Tensor:
    """How far the discriminators' layers are from what they are for the real sound, a scalar.

    The mean over all layers of mean |D_k^l(x) - D_k^l(x')|; with `relative` each is divided by mean
    |D_k^l(x)|, so that no layer counts for more because its numbers are large. No gradient goes
    to the real side. DAC takes the sum over layers, which is this times their number.
    Source: Zeghidour et al. 2021, equation 3; Défossez et al. 2022 (EnCodec), equation 2.
    Taught in notebook 07. Raises ValueError where the layers of the two differ in number.
    """
    distances = []
    for real_layers, fake_layers in _pairs(real, fake):
        for r, f in _pairs(real_layers, fake_layers):
            r = r.detach()
            distance = (r - f).abs().mean()
            distances.append(distance / r.abs().mean().clamp(min=1e-6) if relative else distance)
    return _mean(distances)


@contextmanager
def frozen(module: nn.Module) -> Iterator[None]:
    """Let gradients pass through `module` without any being computed for its parameters."""
    trained = [p for p in module.parameters() if p.requires_grad]
    for parameter in trained:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in trained:
            parameter.requires_grad_(True)


def _mean(values: list[Tensor]) -> Tensor:
    return torch.stack(values).mean()


def _pairs(real: Sequence, fake: Sequence) -> zip:
    if len(real) != len(fake) or not len(real):
        raise ValueError(
            f"The discriminators gave {len(real)} outputs for real sound and {len(fake)} for fake; "
            "expected the same number, at least one."
        )
    return zip(real, fake, strict=True)
