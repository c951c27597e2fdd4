"""Product quantization: the latent is cut into parts, each quantized on its own."""

from course_lib.quantize.grouped_residual_vq import GroupedResidualVQ


class ProductVQ(GroupedResidualVQ):
    """Cuts `dim` numbers into `n_codebooks` equal parts, each with a codebook of `size` entries.

    With K codebooks of V entries it stores K V short vectors and tells V^K latents apart. No part
    is coarser than another: the first n codebooks leave the other parts 0. `settings` are those of
    GroupedResidualVQ, of which this is the case of one stage a group.

    Source: Jégou et al. 2011, section II; Kaiser et al. 2018 (the "decomposed" vector quantization
    of VQ-VAEs), section 3. Taught in notebook 04.
    """

    def __init__(self, dim: int, size: int, n_codebooks: int, **settings):
        super().__init__(dim, size, n_codebooks, groups=n_codebooks, **settings)
