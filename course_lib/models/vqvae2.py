"""VQ-VAE-2 (Razavi, van den Oord & Vinyals 2019): a coarse map of codes and a fine one beneath.

Log-mel spectrograms are the images. The top map says what the whole is like, the bottom map, coded
in the knowledge of the top, adds what it left out, and one decoder sees both.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.nets.conv2d_stacks import Conv2dDecoder, Conv2dEncoder
from course_lib.quantize import Quantized, VectorQuantizer
from course_lib.quantize.checks import check_codes

BOTTOM = 4  # bands, and frames, of a bottom code


@dataclass(frozen=True)
class VQVAE2Config:
    """The default makes of 64 bands x 64 frames a bottom map of 16 x 16 and a top map of 16 x 4.

    bands: of the spectrogram, a multiple of those of a top code.
    coarser: by how much a top code is larger than a bottom one, in bands and in frames. The paper
        has (2, 2): photographs are alike in both directions. In music harmony is what changes
        slowly, and it takes fine bands to tell, so that (1, 4) keeps more of it in as many codes.
    mean, scale: of the input's numbers, which the networks see as (x - mean) / scale.
    width: channels of the networks; units: residual units of each.
    top_entries, bottom_entries: of the codebooks. Where the bottom map has bits for everything, the
        top map is left with nothing to say.
    dim, decay, dead: of both codebooks, as in VectorQuantizer.
    dropout: the share of training items whose bottom map the decoder doesn't get to see, so that
        the top map learns to stand alone. The paper has none (0).
    """

    bands: int = 64
    coarser: tuple[int, int] = (1, 4)
    mean: float = -4.0
    scale: float = 2.0
    width: int = 64
    units: int = 2
    dim: int = 32
    top_entries: int = 256
    bottom_entries: int = 64
    decay: float = 0.99
    dead: float = 0.1
    dropout: float = 0.5

    def __post_init__(self):
        if len(self.coarser) != 2 or not set(self.coarser) <= {1, 2, 4}:
            raise ValueError(f"coarser={self.coarser} must be two numbers out of 1, 2 and 4.")
        if self.bands < 1 or self.bands % self.top_code[0]:
            raise ValueError(f"bands={self.bands} must be a multiple of {self.top_code[0]}.")
        if self.width < 2 or self.units < 0 or not self.scale > 0 or not 0 <= self.dropout < 1:
            raise ValueError(
                f"width={self.width} must be at least 2, units={self.units} at least 0, "
                f"scale={self.scale} positive and dropout={self.dropout} in [0, 1)."
            )

    @property
    def top_code(self) -> tuple[int, int]:
        """Bands and frames of a top code."""
        return BOTTOM * self.coarser[0], BOTTOM * self.coarser[1]


class Maps(NamedTuple):
    """Codes of a spectrogram: top int64 [B, H, W], bottom int64 [B, a H, b W], low bands first.

    (a, b) is how much `coarser` the top map is.
    """

    top: Tensor
    bottom: Tensor


class VQVAE2Output(NamedTuple):
    """reconstruction [B, bands, F] in the input's units; maps of codes; commitment, of both."""

    reconstruction: Tensor
    maps: Maps
    commitment: Tensor


class VQVAE2(nn.Module):
    """x [B, bands, F] -> two maps of codes -> x again, for any F >= 1.

    Frames that fill up the last top code repeat the last one. Taught in notebook 05.
    """

    def __init__(self, config: VQVAE2Config | None = None):
        super().__init__()
        self.config = c = config or VQVAE2Config()
        fine, coarse = ((2, 2), (2, 2)), (c.coarser,)
        self.bottom_encoder = Conv2dEncoder(1, c.width, fine, c.units)
        self.top_encoder = Conv2dEncoder(c.width, c.width, coarse, c.units)
        self.to_top = nn.Conv2d(c.width, c.dim, 1)
        self.top_decoder = Conv2dDecoder(c.dim, c.width, c.width, coarse, c.units)
        self.to_bottom = nn.Conv2d(2 * c.width, c.dim, 1)
        self.decoder = Conv2dDecoder(c.width + c.dim, 1, c.width, fine, c.units)
        self.top_quantizer, self.bottom_quantizer = (
            VectorQuantizer(c.dim, entries, decay=c.decay, dead=c.dead, seed=seed)
            for seed, entries in enumerate((c.top_entries, c.bottom_entries))
        )

    def forward(self, x: Tensor, kept: Tensor | None = None) -> VQVAE2Output:
        """Code x [B, bands, F] and rebuild it; in training mode the codebooks learn.

        kept, bool [B]: the items whose bottom map reaches the decoder, by default all. Raises
        TypeError where x is not floating point, ValueError where it is not [B, bands, F] and where
        kept does not fit.
        """
        if kept is not None and (kept.dtype != torch.bool or kept.shape != x.shape[:1]):
            raise ValueError(
                f"kept must be bool {list(x.shape[:1])}, not {kept.dtype} {list(kept.shape)}."
            )
        features, top = self._top(x)
        seen, bottom = self._bottom(features, top)
        values = bottom.values
        if kept is not None:
            values = values * kept[:, None, None, None]
        y = self._decode(seen, values, x.shape[-1])
        maps = Maps(top.codes, bottom.codes)
        return VQVAE2Output(y, maps, top.commitment + bottom.commitment)

    @torch.no_grad()
    def encode(self, x: Tensor) -> Maps:
        """Both maps of x [B, bands, F]. Raises as `forward`; ValueError for NaN or infinity."""
        if x.is_floating_point() and not x.isfinite().all():
            raise ValueError("The spectrogram contains NaN or infinity: remove those first.")
        training = self.training
        self.eval()
        try:
            features, top = self._top(x)
            return Maps(top.codes, self._bottom(features, top)[1].codes)
        finally:
            self.train(training)

    def decode_codes(
        self, top: Tensor | None, bottom: Tensor | None, length: int | None = None
    ) -> Tensor:
        """x [B, bands, length] of maps int64 [B, H, W] and [B, a H, b W]; all of it by default.

        A map that is None is zeroed: the decoder gets zeros for it. Raises TypeError where codes
        are not int64 and ValueError where both are None, they do not fit the bands or each other,
        are out of range, or do not reach `length`.
        """
        c = self.config
        (high, wide), (bands, frames) = c.coarser, c.top_code
        if top is None and bottom is None:
            raise ValueError("Both maps are None: give the top map, the bottom map, or both.")
        rows = c.bands // bands
        columns = top.shape[-1] if top is not None else bottom.shape[-1] // wide
        fine = (high * rows, wide * columns)
        for name, codes, shape in (("top", top, (rows, columns)), ("bottom", bottom, fine)):
            if codes is not None and codes.shape[1:] != shape:
                raise ValueError(
                    f"The {name} map has shape {list(codes.shape)}; expected "
                    f"[B, {shape[0]}, {shape[1]}]."
                )
        if top is not None and bottom is not None and len(top) != len(bottom):
            raise ValueError(
                f"There are {len(top)} top maps and {len(bottom)} bottom maps; expected as many."
            )
        full = frames * columns
        length = full if length is None else length
        if not full - frames < length <= full:
            raise ValueError(
                f"{columns} columns of the top map make between {full - frames + 1} and {full} "
                f"frames, not length={length}."
            )
        if top is None:
            values = _look_up(self.bottom_quantizer, bottom)
            seen = values.new_zeros(len(bottom), c.width, *fine)
        else:
            seen = self.top_decoder(_look_up(self.top_quantizer, top))  # [B, width, a H, b W]
            values = seen.new_zeros(len(top), c.dim, *fine)
            if bottom is not None:
                values = _look_up(self.bottom_quantizer, bottom)
        return self._decode(seen, values, length)

    def _top(self, x: Tensor) -> tuple[Tensor, Quantized]:
        """Features [B, width, H / 4, W / 4], and the top map that they give."""
        _check(x, self.config.bands)
        image = (x[:, None] - self.config.mean) / self.config.scale  # [B, 1, bands, F]
        image = F.pad(image, (0, -x.shape[-1] % self.config.top_code[1], 0, 0), mode="replicate")
        features = self.bottom_encoder(image)
        return features, _quantize(self.top_quantizer, self.to_top(self.top_encoder(features)))

    def _bottom(self, features: Tensor, top: Quantized) -> tuple[Tensor, Quantized]:
        """The decoded top map [B, width, H / 4, W / 4], and the bottom map coded beside it."""
        seen = self.top_decoder(top.values)
        both = self.to_bottom(torch.cat([seen, features], dim=1))  # [B, dim, H / 4, W / 4]
        return seen, _quantize(self.bottom_quantizer, both)

    def _decode(self, seen: Tensor, bottom: Tensor, length: int) -> Tensor:
        y = self.decoder(torch.cat([seen, bottom], dim=1))[:, 0, :, :length]
        return y * self.config.scale + self.config.mean


def vqvae2_loss(
    model: VQVAE2, x: Tensor, commitment: float = 0.25, kept: Tensor | None = None
) -> dict[str, Tensor]:
    """Squared error in units of the input's scale, commitment of both maps, their sum as "loss".

    The codebooks are learned by running averages. kept: as in `VQVAE2.forward`. Source: Razavi et
    al. 2019, equations 2 and 3.
    """
    out = model(x, kept)
    reconstruction = F.mse_loss(out.reconstruction.float(), x) / model.config.scale**2
    return {
        "loss": reconstruction + commitment * out.commitment,
        "reconstruction": reconstruction,
        "commitment": out.commitment,
    }


def _quantize(quantizer: VectorQuantizer, z: Tensor) -> Quantized:
    """A quantizer of frames on a map [B, D, H, W]: values like z, codes int64 [B, H, W]."""
    q = quantizer(z.flatten(2))
    codes = q.codes.view(len(z), *z.shape[2:])
    return q._replace(values=q.values.view_as(z), codes=codes)


def _look_up(quantizer: VectorQuantizer, codes: Tensor) -> Tensor:
    """Entries [B, D, H, W] of a map of codes [B, H, W]; TypeError or ValueError for bad codes."""
    flat = codes.flatten(1)[:, None]  # [B, 1, H W]
    check_codes(flat, quantizer.size)
    return quantizer.decode(flat).unflatten(2, codes.shape[1:])


def _check(x: Tensor, bands: int) -> None:
    if not x.is_floating_point():
        raise TypeError(f"The spectrogram must be floating point, not {x.dtype}.")
    if x.ndim != 3 or x.shape[1] != bands or x.numel() == 0:
        raise ValueError(
            f"The spectrogram has shape {list(x.shape)}; expected [B, {bands}, F] with B, F >= 1."
        )
