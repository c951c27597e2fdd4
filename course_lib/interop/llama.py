"""Llama of transformers as the course's language model."""

import torch
from torch import nn

from course_lib.nets import LanguageModel, LanguageModelConfig
from course_lib.nets.positions import BASE


def from_llama(model: nn.Module) -> LanguageModel:
    """The language model of a transformers LlamaForCausalLM, whose logits `step` gives.

    One codebook, whose entries are the vocabulary. `forward` and `generate` put "nothing here"
    first, which Llama does not have: it is embedded as zeros, and later tokens see it. Raises
    ValueError for what the course's Transformer does not have: fewer keys than heads, heads that
    do not fill the width, biases, scaled rotary positions, another epsilon. Source: transformers'
    LlamaForCausalLM (Touvron et al. 2023). Taught in notebook 10.
    """
    c = model.config
    # Before version 5 of transformers, a scaling alone stood in the configuration.
    rope = getattr(c, "rope_parameters", None) or getattr(c, "rope_scaling", None) or {}
    head_dim = getattr(c, "head_dim", None) or c.hidden_size // c.num_attention_heads
    base = rope.get("rope_theta", getattr(c, "rope_theta", BASE))
    wanted = {
        "num_key_value_heads": (c.num_key_value_heads, c.num_attention_heads),
        "head_dim": (head_dim, c.hidden_size // c.num_attention_heads),
        "attention_bias": (c.attention_bias, False),
        "mlp_bias": (c.mlp_bias, False),
        "hidden_act": (c.hidden_act, "silu"),
        "rms_norm_eps": (c.rms_norm_eps, 1e-5),
        "rope_theta": (base, BASE),
        "rope_type": (rope.get("rope_type", rope.get("type", "default")), "default"),
    }
    for name, (found, expected) in wanted.items():
        if found != expected:
            raise ValueError(f"{name}={found}: the course's Transformer has {expected} only.")
    ours = LanguageModel(
        LanguageModelConfig(
            entries=c.vocab_size,
            width=c.hidden_size,
            layers=c.num_hidden_layers,
            heads=c.num_attention_heads,
            block="llama",
            hidden=c.intermediate_size,
        )
    )
    with torch.no_grad():
        ours.embedding.weight[:-1] = model.model.embed_tokens.weight
        ours.embedding.weight[-1] = 0
        ours.head.weight.copy_(model.lm_head.weight)
        ours.transformer.norm.weight.copy_(model.model.norm.weight)
        for block, layer in zip(ours.transformer.blocks, model.model.layers, strict=True):
            attention, mlp = layer.self_attn, layer.mlp
            parts = (attention.q_proj, attention.k_proj, attention.v_proj)
            block.attention.qkv.weight.copy_(torch.cat([part.weight for part in parts]))
            block.attention.out.weight.copy_(attention.o_proj.weight)
            gates = (mlp.gate_proj.weight, mlp.up_proj.weight)
            block.mlp[0].weight.copy_(torch.cat(gates))
            block.mlp[-1].weight.copy_(mlp.down_proj.weight)
            block.attention_norm.weight.copy_(layer.input_layernorm.weight)
            block.mlp_norm.weight.copy_(layer.post_attention_layernorm.weight)
    return ours.to(model.lm_head.weight.device).eval()
