"""DAC of transformers as the course's codec."""

import torch
from torch import nn

from course_lib.models import Codec, CodecConfig
from course_lib.nets.dac_stack import DACStackConfig
from course_lib.nets.snake import Snake


def from_dac(model: nn.Module, whole_strides: bool = True) -> Codec:
    """The codec of a transformers DacModel: equal codes, waveforms equal within rounding.

    Weight norm is folded. Two things differ by design: lengths that are no multiple of the hop are
    filled up with zeros, and the output is as long as the input. Where strides are odd, DacModel
    makes one sample less at each of them; `whole_strides=False` does as it does, sample for sample,
    and is then too short. Raises ValueError where the configuration is not a codec of the course.
    Source: transformers' DacModel (Kumar et al. 2023). Taught in notebook 09.
    """
    c = model.config
    codec = Codec(
        CodecConfig(
            sample_rate=c.sampling_rate,
            stack=DACStackConfig(
                width=c.encoder_hidden_size,
                decoder_width=c.decoder_hidden_size,
                strides=tuple(c.downsampling_ratios),
                norm=None,
                whole_strides=whole_strides,
            ),
            dim=c.hidden_size,
            entries=c.codebook_size,
            n_codebooks=c.n_codebooks,
            levels=tuple(range(1, c.n_codebooks + 1)),
            dropout=float(c.quantizer_dropout),
            codebook="gradient",
            dead=0.0,
            code_dim=c.codebook_dim,
            cosine=True,
        )
    )
    with torch.no_grad():
        for ours, theirs in ((codec.encoder, model.encoder), (codec.decoder, model.decoder)):
            for layer, source in zip(_layers(ours), _layers(theirs), strict=True):
                _copy(layer, source)
        for stage, source in zip(codec.quantizer.stages, model.quantizer.quantizers, strict=True):
            for linear, conv in (
                (stage.project_in, source.in_proj),
                (stage.project_out, source.out_proj),
            ):
                linear.weight.copy_(conv.weight[..., 0])
                linear.bias.copy_(conv.bias)
            stage.lookup.codebook.copy_(source.codebook.weight)
            stage.lookup.initialised.fill_(True)
    return codec.to(next(model.parameters()).device).eval()


def _layers(network: nn.Module) -> list[nn.Module]:
    """What has weights, in order of use, which is the order in which both libraries list it."""
    kinds = (nn.Conv1d, nn.ConvTranspose1d)
    return [m for m in network.modules() if isinstance(m, kinds) or hasattr(m, "alpha")]


def _copy(layer: nn.Module, source: nn.Module) -> None:
    if isinstance(layer, Snake):
        layer.alpha.copy_(source.alpha[0])
    else:
        layer.weight.copy_(source.weight)
        layer.bias.copy_(source.bias)
