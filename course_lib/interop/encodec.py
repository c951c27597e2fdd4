"""EnCodec of transformers as the course's codec."""

import math

import torch
from torch import nn

from course_lib.models import Codec, CodecConfig
from course_lib.nets.padded_convolution import folded_state
from course_lib.nets.seanet import SEANetConfig

NORMS = {"weight_norm": None, "time_group_norm": "group"}  # weight norm is folded


def from_encodec(model: nn.Module) -> Codec:
    """The codec of a transformers EncodecModel: equal codes, waveforms equal within rounding.

    Weight norm is folded. Two things differ by design: the output is as long as the input, always,
    and lengths are right above 2^24 samples. Raises ValueError where the configuration has what the
    course has no layers for. Source: transformers' EncodecModel (Défossez et al. 2022). Taught in
    notebook 08.
    """
    c = model.config
    if c.pad_mode not in ("reflect", "constant") or c.codebook_dim != c.hidden_size:
        raise ValueError(
            f"pad_mode={c.pad_mode!r} must be 'reflect' or 'constant' and codebook_dim="
            f"{c.codebook_dim} equal to hidden_size={c.hidden_size}."
        )
    bits = math.log2(c.codebook_size) * c.frame_rate
    levels = {max(1, math.floor(1000 * kbps / bits)) for kbps in c.target_bandwidths}
    codec = Codec(
        CodecConfig(
            sample_rate=c.sampling_rate,
            channels=c.audio_channels,
            stack=SEANetConfig(
                widths=tuple(c.num_filters * 2**i for i in range(len(c.upsampling_ratios) + 1)),
                strides=tuple(reversed(c.upsampling_ratios)),
                units=c.num_residual_layers,
                growth=c.dilation_growth_rate,
                compress=c.compress,
                conv_shortcut=c.use_conv_shortcut,
                kernel=c.kernel_size,
                unit_kernel=c.residual_kernel_size,
                last_kernel=c.last_kernel_size,
                causal=c.use_causal_conv,
                padding=c.pad_mode,
                norm=NORMS[c.norm_type],
                lstm=c.num_lstm_layers,
                trim_right=c.trim_right_ratio,
            ),
            dim=c.hidden_size,
            entries=c.codebook_size,
            n_codebooks=c.num_quantizers,
            levels=tuple(sorted(levels)),
            dropout=1.0,
            whole_frames=False,
            normalise=c.normalize,
            chunk=c.chunk_length or 0,
            overlap=c.overlap or 0.0,
        )
    )
    for ours, theirs in ((codec.encoder, model.encoder), (codec.decoder, model.decoder)):
        state = folded_state(theirs)
        ours.load_state_dict({_name(name): value for name, value in state.items()})
    with torch.no_grad():
        for stage, layer in zip(codec.quantizer.stages, model.quantizer.layers, strict=True):
            stage.codebook.copy_(layer.codebook.embed)
            stage.counts.copy_(layer.codebook.cluster_size.clamp(min=1))
            stage.sums.copy_(stage.codebook * stage.counts[:, None])
            stage.initialised.fill_(True)
    return codec.to(next(model.parameters()).device).eval()


def _name(theirs: str) -> str:
    """layers.1.block.3.conv.weight -> layers.1.layers.3.weight."""
    return theirs.replace(".block.", ".layers.").replace(".conv.", ".")
