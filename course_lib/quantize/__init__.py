"""Quantizers: k-means, the vector quantizer of the VQ-VAE, and gradients through a lookup."""

from course_lib.quantize.factorised_vq import FactorisedVQ
from course_lib.quantize.kmeans import KMeans, kmeans, nearest
from course_lib.quantize.residual_vq import ResidualVQ
from course_lib.quantize.straight_through import rotate, straight_through
from course_lib.quantize.vector_quantizer import Quantized, VectorQuantizer

__all__ = [
    "FactorisedVQ",
    "KMeans",
    "Quantized",
    "ResidualVQ",
    "VectorQuantizer",
    "kmeans",
    "nearest",
    "rotate",
    "straight_through",
]
