"""The priors of VQ-VAE-2: a language model of top maps, and one of bottom maps given the top.

Razavi et al. 2019, section 3.2, with the course's Transformer in the place of PixelSNAIL. Codes are
written column by column, low bands first, so that what is written is a spectrogram in time.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from course_lib.models.vqvae2 import VQVAE2, Maps
from course_lib.nets import LanguageModel, LanguageModelConfig, generate
from course_lib.quantize.checks import check_codes


@dataclass(frozen=True)
class VQVAE2PriorsConfig:
    """rows, columns: of the largest top map, 12 columns are 3.1 s.

    top_entries, bottom_entries, coarser: as in VQVAE2Config. width, heads: of both Transformers;
    top_layers, bottom_layers: theirs.
    """

    top_entries: int = 256
    bottom_entries: int = 64
    rows: int = 16
    columns: int = 12
    coarser: tuple[int, int] = (1, 4)
    width: int = 80
    heads: int = 4
    top_layers: int = 4
    bottom_layers: int = 3

    def __post_init__(self):
        if min(self.rows, self.columns, *self.coarser) < 1:
            raise ValueError(
                f"rows={self.rows}, columns={self.columns} and coarser={self.coarser} must be at "
                "least 1."
            )


class VQVAE2Priors(nn.Module):
    """p(top) and p(bottom | top) of maps int64 [B, H, W] and [B, a H, b W].

    Each code is predicted from those written before it, from its band, and in the bottom map from
    the top codes around it, which a small convolution brings to its resolution. Taught in notebook
    05.
    """

    def __init__(self, config: VQVAE2PriorsConfig | None = None):
        super().__init__()
        self.config = c = config or VQVAE2PriorsConfig()
        self.top, self.bottom = (
            LanguageModel(LanguageModelConfig(entries, 1, c.width, layers, c.heads))
            for entries, layers in (
                (c.top_entries, c.top_layers),
                (c.bottom_entries, c.bottom_layers),
            )
        )
        self.top_bands = nn.Parameter(0.02 * torch.randn(c.rows, c.width))
        self.bottom_bands = nn.Parameter(0.02 * torch.randn(c.coarser[0] * c.rows, c.width))
        self.above = nn.Sequential(
            nn.Conv2d(c.width, c.width, 3, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(c.width, c.width, c.coarser, c.coarser),
        )

    def start_from(self, autoencoder: VQVAE2) -> None:
        """Begin with the autoencoder's codebooks, as `LanguageModel.start_from`."""
        self.top.start_from(autoencoder.top_quantizer.codebook[None])
        self.bottom.start_from(autoencoder.bottom_quantizer.codebook[None])

    def loss(self, top: Tensor, bottom: Tensor) -> dict[str, Tensor]:
        """Cross-entropies in nats per code of "top" and "bottom", and their sum as "loss".

        top int64 [B, H, W] and bottom [B, a H, b W] as `VQVAE2.encode` gives them, W up to the
        columns configured. Raises TypeError and ValueError for what does not fit.
        """
        self._check(top, bottom)
        of_top = self.top.loss(_written(top), condition=self._top_condition(top.shape))
        of_bottom = self.bottom.loss(_written(bottom), condition=self._bottom_condition(top))
        return {"loss": of_top + of_bottom, "top": of_top, "bottom": of_bottom}

    @torch.no_grad()
    def sample(
        self,
        columns: int | None = None,
        batch: int = 1,
        prompt: Maps | None = None,
        top: Tensor | None = None,
        temperature: float = 1.0,
        top_p: float | None = None,
        generator: torch.Generator | None = None,
    ) -> Maps:
        """Maps of `columns` columns of the top map, by default as many as configured.

        prompt: maps [B, H, W] to go on from, W < columns. top [B, H, columns]: a whole top map, for
        which only the bottom is drawn. Sampling as in `generate`. Raises TypeError and ValueError
        for maps that do not fit, a top map that goes on from another than the prompt's, and for
        more columns than the priors were trained on.
        """
        c = self.config
        columns = c.columns if columns is None else columns
        if not 1 <= columns <= c.columns:
            raise ValueError(
                f"columns={columns}; these priors were trained on maps of 1 to {c.columns} columns."
            )
        if prompt is not None:
            self._check(*prompt)
            check_codes(_written(prompt.top), c.top_entries)
            check_codes(_written(prompt.bottom), c.bottom_entries)
            batch = len(prompt.top)
        drawing = {"temperature": temperature, "top_p": top_p, "generator": generator}
        if top is None:
            known = None if prompt is None else _written(prompt.top)
            condition = self._top_condition((batch, c.rows, columns))
            codes = generate(
                self.top, c.rows * columns, prompt=known, condition=condition, **drawing
            )
            top = _map(codes, c.rows)
        elif top.shape[1:] != (c.rows, columns):
            raise ValueError(
                f"The top map has shape {list(top.shape)}; expected [B, {c.rows}, {columns}]."
            )
        else:
            check_codes(_written(top), c.top_entries)
            if prompt is not None and not torch.equal(top[..., : prompt.top.shape[2]], prompt.top):
                raise ValueError(
                    "The top map does not begin with the prompt's: give one of the two, or a "
                    "prompt whose top map is its beginning."
                )
        known = None if prompt is None else _written(prompt.bottom)
        condition = self._bottom_condition(top)
        codes = generate(
            self.bottom, condition.shape[1], prompt=known, condition=condition, **drawing
        )
        return Maps(top, _map(codes, c.coarser[0] * c.rows))

    def _top_condition(self, shape) -> Tensor:
        """What is known of each top code beforehand, its band: [B, W H, width]."""
        batch, _, columns = shape
        return self.top_bands.repeat(columns, 1).expand(batch, -1, -1)

    def _bottom_condition(self, top: Tensor) -> Tensor:
        """The top map around each bottom code, and its band: [B, b W a H, width]."""
        around = self.above(self.top.embedding(top).permute(0, 3, 1, 2))  # [B, width, a H, b W]
        along = around.permute(0, 3, 2, 1) + self.bottom_bands  # [B, b W, a H, width]
        return along.flatten(1, 2)

    def _check(self, top: Tensor, bottom: Tensor) -> None:
        rows, columns = self.config.rows, self.config.columns
        if top.ndim != 3 or top.shape[1] != rows or not 1 <= top.shape[2] <= columns:
            raise ValueError(
                f"The top map has shape {list(top.shape)}; expected [B, {rows}, W] with W from 1 "
                f"to the {columns} columns that the priors were made for."
            )
        high, wide = self.config.coarser
        expected = [len(top), high * rows, wide * top.shape[2]]
        if list(bottom.shape) != expected:
            raise ValueError(f"The bottom map has shape {list(bottom.shape)}; expected {expected}.")


def _written(codes: Tensor) -> Tensor:
    """A map [B, H, W] column by column, low bands first: [B, 1, W H]."""
    return codes.transpose(1, 2).flatten(1)[:, None]


def _map(written: Tensor, rows: int) -> Tensor:
    """Codes [B, 1, W H] as the map [B, H, W] that they write."""
    return written[:, 0].unflatten(1, (-1, rows)).transpose(1, 2)
