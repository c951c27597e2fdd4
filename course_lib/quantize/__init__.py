"""Quantizers: k-means, the vector quantizer of the VQ-VAE, and what descends from it.

Each takes latents [B, D, F] and gives a `Quantized`: values [B, D, F], codes int64 [B, K, F] and
two losses. `encode` and `decode` go from latents to codes and from codes to values; `dim`, `size`
(entries of a codebook) and `n_codebooks` (K) say what it is. RandomProjectionQuantizer has codes
alone. SlowAE rounds with `hysteresis_round` and writes its channels as `Events`, run by run.
"""

from course_lib.quantize.cosine_vq import CosineVQ
from course_lib.quantize.dropout import QuantizerDropout
from course_lib.quantize.factorised_vq import FactorisedVQ
from course_lib.quantize.fsq import FSQ
from course_lib.quantize.grouped_residual_vq import GroupedResidualVQ
from course_lib.quantize.hysteresis import hysteresis_round
from course_lib.quantize.kmeans import KMeans, kmeans, nearest
from course_lib.quantize.lfq import LFQ
from course_lib.quantize.multi_head_vq import MultiHeadVQ
from course_lib.quantize.orthogonal import orthogonal_loss
from course_lib.quantize.product_vq import ProductVQ
from course_lib.quantize.random_projection import RandomProjectionQuantizer
from course_lib.quantize.residual_vq import ResidualVQ
from course_lib.quantize.run_length import (
    Events,
    count_changes,
    run_length_decode,
    run_length_encode,
    stack_events,
)
from course_lib.quantize.straight_through import rotate, straight_through
from course_lib.quantize.vector_quantizer import Quantized, VectorQuantizer

__all__ = [
    "FSQ",
    "LFQ",
    "CosineVQ",
    "Events",
    "FactorisedVQ",
    "GroupedResidualVQ",
    "KMeans",
    "MultiHeadVQ",
    "ProductVQ",
    "Quantized",
    "QuantizerDropout",
    "RandomProjectionQuantizer",
    "ResidualVQ",
    "VectorQuantizer",
    "count_changes",
    "hysteresis_round",
    "kmeans",
    "nearest",
    "orthogonal_loss",
    "rotate",
    "run_length_decode",
    "run_length_encode",
    "stack_events",
    "straight_through",
]
