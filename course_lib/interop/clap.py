"""CLAP of transformers as the course's LAION-CLAP."""

import torch
from torch import nn

from course_lib.models import LAIONCLAP, HTSATConfig, LAIONCLAPConfig, RoBERTaConfig


def from_clap(model: nn.Module) -> LAIONCLAP:
    """LAION-CLAP with the weights of a transformers ClapModel.

    Vectors and scales are equal within rounding; only the loss is not theirs, which trains one
    direction (see training.symmetric_contrastive_loss). Raises ValueError for what this one does
    not have: feature fusion, other activations. Source: transformers' ClapModel (Wu et al. 2023).
    Taught in notebook 13.
    """
    audio, text = model.config.audio_config, model.config.text_config
    wanted = {
        "audio_config.enable_fusion": (audio.enable_fusion, False),
        "audio_config.patch_embed_input_channels": (audio.patch_embed_input_channels, 1),
        "audio_config.hidden_act": (audio.hidden_act, "gelu"),
        "audio_config.projection_hidden_act": (audio.projection_hidden_act, "relu"),
        "audio_config.layer_norm_eps": (audio.layer_norm_eps, 1e-5),
        "text_config.hidden_act": (text.hidden_act, "gelu"),
        "text_config.projection_hidden_act": (text.projection_hidden_act, "relu"),
    }
    for name, (found, expected) in wanted.items():
        if found != expected:
            raise ValueError(f"{name}={found}: the course's LAIONCLAP has {expected} only.")
    ours = LAIONCLAP(
        LAIONCLAPConfig(
            audio=HTSATConfig(
                mels=audio.num_mel_bins,
                side=_side(audio.spec_size, "spec_size"),
                patch=_side(audio.patch_stride, "patch_stride"),
                kernel=_side(audio.patch_size, "patch_size"),
                width=audio.patch_embeds_hidden_size,
                depths=tuple(audio.depths),
                heads=tuple(audio.num_attention_heads),
                window=audio.window_size,
                mlp=audio.mlp_ratio,
                patch_norm=audio.enable_patch_layer_norm,
                qkv_bias=audio.qkv_bias,
            ),
            text=RoBERTaConfig(
                entries=text.vocab_size,
                width=text.hidden_size,
                layers=text.num_hidden_layers,
                heads=text.num_attention_heads,
                hidden=text.intermediate_size,
                longest=text.max_position_embeddings,
                padding=text.pad_token_id,
                epsilon=text.layer_norm_eps,
            ),
            embedding=model.config.projection_dim,
        )
    )
    with torch.no_grad():
        _copy_audio(ours.audio, model.audio_model.audio_encoder)
        _copy_text(ours.text, model.text_model)
        for name in ("audio_projection", "text_projection"):
            ours_, theirs = getattr(ours, name), getattr(model, name)
            _copy(ours_[0], theirs.linear1)
            _copy(ours_[2], theirs.linear2)
        ours.log_scales[0], ours.log_scales[1] = model.logit_scale_a, model.logit_scale_t
    return ours.to(model.logit_scale_a.device).eval()


def _copy_audio(ours: nn.Module, theirs: nn.Module) -> None:
    _copy(ours.patches, theirs.patch_embed.proj)
    _copy(ours.norm, theirs.norm)
    ours.band_norm.load_state_dict(theirs.batch_norm.state_dict())
    if ours.config.patch_norm:
        _copy(ours.patch_norm, theirs.patch_embed.norm)
    for i, (stage, layer) in enumerate(zip(ours.stages, theirs.layers, strict=True)):
        if layer.downsample is not None:
            _copy(ours.merges[i].norm, layer.downsample.norm)
            _copy(ours.merges[i].linear, layer.downsample.reduction)
        for block, other in zip(stage, layer.blocks, strict=True):
            attention = other.attention.self
            _copy(block.attention_norm, other.layernorm_before)
            _copy(block.mlp_norm, other.layernorm_after)
            _copy_joined(block.attention.qkv, attention.query, attention.key, attention.value)
            block.attention.bias.copy_(attention.relative_position_bias_table)
            _copy(block.attention.out, other.attention.output.dense)
            _copy(block.mlp[0], other.intermediate.dense)
            _copy(block.mlp[2], other.output.dense)


def _copy_text(ours: nn.Module, theirs: nn.Module) -> None:
    embeddings = theirs.embeddings
    # Every token is of the first type: its vector is added once and for all.
    kind = embeddings.token_type_embeddings.weight[0]
    ours.embedding.weight.copy_(embeddings.word_embeddings.weight + kind)
    ours.positions.weight.copy_(embeddings.position_embeddings.weight)
    _copy(ours.norm, embeddings.LayerNorm)
    for layer, other in zip(ours.layers, theirs.encoder.layer, strict=True):
        attention, heads = other.attention.self, layer.self_attn
        parts = (attention.query, attention.key, attention.value)
        heads.in_proj_weight.copy_(torch.cat([part.weight for part in parts]))
        heads.in_proj_bias.copy_(torch.cat([part.bias for part in parts]))
        _copy(heads.out_proj, other.attention.output.dense)
        _copy(layer.norm1, other.attention.output.LayerNorm)
        _copy(layer.linear1, other.intermediate.dense)
        _copy(layer.linear2, other.output.dense)
        _copy(layer.norm2, other.output.LayerNorm)
    _copy(ours.pool, theirs.pooler.dense)


def _copy(ours: nn.Module, theirs: nn.Module) -> None:
    ours.load_state_dict(theirs.state_dict())


def _copy_joined(ours: nn.Linear, *theirs: nn.Linear) -> None:
    ours.weight.copy_(torch.cat([part.weight for part in theirs]))
    if ours.bias is not None:
        ours.bias.copy_(torch.cat([part.bias for part in theirs]))


def _side(size: int | list | tuple, name: str) -> int:
    """The side of a square that may be given as one number or two equal ones."""
    sides = {size} if isinstance(size, int) else set(size)
    if len(sides) != 1:
        raise ValueError(f"audio_config.{name}={size}: the course's HTSAT has squares only.")
    return sides.pop()
