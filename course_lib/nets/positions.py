"""Where a token is: sinusoidal tables and rotary angles, in float32 or better.

For a model in float64 that is float64. Computed in half precision, the sine of position 1,500 is
off by up to 1 (float16) or 2 (bfloat16); computed in float32 and then cast, by no more than
rounding.
"""

import math

import torch
from torch import Tensor

BASE = 10_000.0


def sinusoidal(positions: Tensor, dim: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Sines and cosines [..., dim] of positions [...], computed in `dtype`; dim even (ValueError).

    Wavelengths from 2 pi to 10,000 * 2 pi (Vaswani et al. 2017, section 3.5), the sines in the
    first half. Taught in notebook 03b.
    """
    angles = _angles(positions, dim, dtype)
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


def cosines_first(positions: Tensor, dim: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Cosines, then sines [..., dim] of positions [...], as tensor2tensor and MusicGen have them.

    Wavelengths from 2 pi to 10,000 * 2 pi inclusive, which `sinusoidal` does not quite reach; dim
    even and at least 4 (ValueError). Taught in notebook 15.
    """
    if dim < 4 or dim % 2:
        raise ValueError(f"These positions need an even number of dimensions from 4, not {dim}.")
    steps = torch.arange(dim // 2, device=positions.device, dtype=dtype)
    angles = positions.to(dtype)[..., None] * torch.exp(-steps * (math.log(BASE) / (dim // 2 - 1)))
    return torch.cat([angles.cos(), angles.sin()], dim=-1)


def rotary(
    positions: Tensor, dim: int, dtype: torch.dtype = torch.float32
) -> tuple[Tensor, Tensor]:
    """Cosines and sines [..., dim / 2] in `dtype` by which `turn` rotates a head of `dim` numbers.

    Su et al. 2021 (RoFormer), section 3.2. Taught in notebook 03b.
    """
    angles = _angles(positions, dim, dtype)
    return angles.cos(), angles.sin()


def turn(x: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
    """Rotate the pairs (i, i + d/2) of x [..., F, d] by the angles of each frame [F, d/2].

    The product of a query and a key so turned depends on their distance alone. Computed in the
    angles' dtype, returned in x's.
    """
    first, second = x.to(cosines.dtype).chunk(2, dim=-1)
    turned = torch.cat([first * cosines - second * sines, second * cosines + first * sines], dim=-1)
    return turned.to(x.dtype)


def _angles(positions: Tensor, dim: int, dtype: torch.dtype) -> Tensor:
    if dim < 2 or dim % 2:
        raise ValueError(f"Positions need an even number of dimensions, not {dim}.")
    steps = torch.arange(dim // 2, device=positions.device, dtype=dtype)
    return positions.to(dtype)[..., None] * BASE ** (-steps * 2 / dim)
