"""Our quantizers and those of vector-quantize-pytorch, side by side."""

import torch
import vector_quantize_pytorch as reference

from course_lib.quantize import VectorQuantizer

PLAIN = {"init": "random", "dead": 0, "decay": 0.9}  # every random part off
THEIRS = {"decay": 0.9, "rotation_trick": False}


def same_entries(ours: VectorQuantizer, theirs: reference.VectorQuantize) -> None:
    book = theirs._codebook
    with torch.no_grad():
        book.embed.copy_(ours.codebook[None])
        book.embed_avg.copy_(ours.codebook[None])


def check_entries(ours: VectorQuantizer, theirs: reference.VectorQuantize) -> None:
    book = theirs._codebook
    torch.testing.assert_close(ours.counts, book.cluster_size[0], rtol=0, atol=1e-6)
    torch.testing.assert_close(ours.sums, book.embed_avg[0], rtol=0, atol=1e-5)
    torch.testing.assert_close(ours.codebook, book.embed[0], rtol=0, atol=1e-5)
    assert (ours.counts > 0.1).sum() > ours.size / 4  # about more than a few entries


def batches(dim: int, steps: int = 50):
    """Latents that drift and whose numbers are correlated, so that codebooks must move."""
    generator = torch.Generator().manual_seed(7)
    mix = torch.randn(dim, dim, generator=generator)
    for step in range(steps):
        z = torch.randn(3, 30, dim, generator=generator) @ mix / dim**0.5
        yield (z + step / steps).transpose(1, 2)  # [B, D, F]


def compare(q, values, codes, loss=None, atol=1e-5):
    assert torch.equal(q.codes, codes)
    torch.testing.assert_close(q.values, values, rtol=0, atol=atol)
    if loss is not None:
        torch.testing.assert_close(q.commitment, loss, rtol=1e-5, atol=1e-6)


def learn_to_rebuild(z, *sides) -> None:
    """A step of gradient descent of each (quantizer, its values [B, D, F]) towards z."""
    for quantizer, values in sides:
        weights = list(quantizer.parameters())
        gradients = torch.autograd.grad((values - z.detach()).square().mean(), weights)
        with torch.no_grad():
            for weight, gradient in zip(weights, gradients, strict=True):
                weight.sub_(0.3 * gradient)
    for ours, theirs in zip(*(side[0].parameters() for side in sides), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)
