"""Gradients through a lookup, which has none of its own."""

import torch
from torch import Tensor


def straight_through(z: Tensor, quantized: Tensor) -> Tensor:
    """The value of `quantized`, the gradient of `z`: z + sg(quantized - z), same shapes [..., D].

    What receives the gradient of the output passes it to `z` unchanged (Bengio et al. 2013; van den
    Oord et al. 2017, section 3.2). Taught in notebook 01.
    """
    return z + (quantized - z).detach()


def rotate(z: Tensor, quantized: Tensor, eps: float = 1e-6) -> Tensor:
    """`quantized` seen as `z` rotated and rescaled, both [..., D]: the rotation trick.

    The rotation and the scale are constants of the backward pass, so the gradient that reaches `z`
    turns with the angle between `z` and its code (Fifty et al. 2024, section 4.2). Norms below
    `eps` count as `eps`. Taught in notebook 01.
    """
    length = z.norm(dim=-1, keepdim=True)
    target_length = quantized.norm(dim=-1, keepdim=True)
    with torch.no_grad():
        u = z / length.clamp(min=eps)
        q = quantized / target_length.clamp(min=eps)
        w = torch.nn.functional.normalize(u + q, dim=-1, eps=eps)  # halfway between the two
        scale = target_length / length.clamp(min=eps)
    # The product of two reflections: in w, then in q; it turns u into q and leaves the rest alone.
    along_w = (z * w).sum(-1, keepdim=True)
    along_u = (z * u).sum(-1, keepdim=True)
    return (z - 2 * along_w * w + 2 * along_u * q) * scale
