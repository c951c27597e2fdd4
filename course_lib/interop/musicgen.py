"""MusicGen of transformers as the course's MusicGen."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from course_lib.interop.encodec import from_encodec
from course_lib.models import MusicGen, MusicGenLM, MusicGenLMConfig
from course_lib.models.text_tower import TextStates
from course_lib.nets.interleaving import delay, stereo_delay

WINDOW = 30.0  # seconds that the published models were trained on


class TextEncoder(nn.Module):
    """A text encoder of transformers (T5, Flan-T5) in place of the course's text tower.

    tokenizer: of transformers; without one, give the ids of prompts to `forward` yourself. A prompt
    is cut after `longest` tokens.
    """

    def __init__(self, encoder: nn.Module, tokenizer=None, longest: int = 256):
        super().__init__()
        self.encoder, self.tokenizer, self.longest = encoder, tokenizer, longest

    def forward(self, ids: Tensor, valid: Tensor) -> TextStates:
        """States [B, L, M] of ids int64 [B, L]; the sentence's state [B, M] is their mean."""
        states = self.encoder(input_ids=ids, attention_mask=valid.long()).last_hidden_state
        weights = valid[..., None].to(states)
        return TextStates(states, valid, (states * weights).sum(1) / weights.sum(1).clamp(min=1))

    def read(self, texts: Sequence[str]) -> TextStates:
        """The states of texts. Raises ValueError without a tokenizer."""
        if self.tokenizer is None:
            raise ValueError(
                "This text encoder has no tokenizer: give it one, as from_transformers(model, "
                "tokenizer=AutoTokenizer.from_pretrained(...))."
            )
        found = self.tokenizer(
            list(texts), return_tensors="pt", padding=True, truncation=True, max_length=self.longest
        )
        device = next(self.encoder.parameters()).device
        return self(found["input_ids"].to(device), found["attention_mask"].bool().to(device))


def from_musicgen_decoder(model: nn.Module, text_width: int | None = None) -> MusicGenLM:
    """The language model of a transformers MusicgenForCausalLM: equal logits and greedy codes.

    text_width: of the states that it is given to read, its own width where it isn't told. Raises
    ValueError for what the course's Transformer does not have: another activation, scaled
    embeddings, a special code that isn't the one after the last. Source: transformers'
    MusicgenForCausalLM (Copet et al. 2023). Taught in notebook 15.
    """
    c = model.config
    wanted = {
        "activation_function": (c.activation_function, "gelu"),
        "scale_embedding": (c.scale_embedding, False),
        "pad_token_id": (c.pad_token_id, c.vocab_size),
        "bos_token_id": (c.bos_token_id, c.vocab_size),
        "cross_attention_hidden_size": (c.cross_attention_hidden_size, None),
    }
    for name, (found, expected) in wanted.items():
        if found != expected:
            raise ValueError(f"{name}={found}: the course's MusicGen has {expected} only.")
    pattern = stereo_delay if c.audio_channels == 2 else delay
    ours = MusicGenLM(
        MusicGenLMConfig(
            text=None,
            text_width=text_width or c.hidden_size,
            entries=c.vocab_size,
            pattern=pattern(c.num_codebooks),
            context=c.max_position_embeddings,
            width=c.hidden_size,
            layers=c.num_hidden_layers,
            heads=c.num_attention_heads,
            hidden=c.ffn_dim,
            melody=False,
            channels=c.audio_channels,
        )
    )
    _copy_decoder(ours, model)
    return ours.to(model.lm_heads[0].weight).eval()


@torch.no_grad()
def _copy_decoder(ours: MusicGenLM, model: nn.Module) -> None:
    decoder, lm = model.model.decoder, ours.lm
    lm.embedding.weight.copy_(torch.cat([table.weight for table in decoder.embed_tokens]))
    lm.head.weight.copy_(torch.cat([head.weight for head in model.lm_heads]))
    _copy(lm.transformer.norm, decoder.layer_norm)
    for block, layer in zip(lm.transformer.blocks, decoder.layers, strict=True):
        own, cross = layer.self_attn, layer.encoder_attn
        queries = (own.q_proj, own.k_proj, own.v_proj)
        block.attention.qkv.weight.copy_(torch.cat([part.weight for part in queries]))
        _copy(block.attention.out, own.out_proj)
        _copy(block.cross.q, cross.q_proj)
        block.cross.kv.weight.copy_(torch.cat([cross.k_proj.weight, cross.v_proj.weight]))
        _copy(block.cross.out, cross.out_proj)
        _copy(block.mlp[0], layer.fc1)
        _copy(block.mlp[-1], layer.fc2)
        _copy(block.attention_norm, layer.self_attn_layer_norm)
        _copy(block.cross_norm, layer.encoder_attn_layer_norm)
        _copy(block.mlp_norm, layer.final_layer_norm)


def _copy(ours: nn.Module, theirs: nn.Module) -> None:
    ours.weight.copy_(theirs.weight)
    if theirs.bias is not None:
        ours.bias.copy_(theirs.bias)


def from_musicgen(model: nn.Module, tokenizer=None) -> MusicGen:
    """The whole of a transformers MusicgenForConditionalGeneration: text encoder, codec and all.

    tokenizer: of its text encoder, without which prompts can't be read. The codec is an
    EncodecModel; the text encoder stays the one of transformers, and is shared with `model`. Raises
    ValueError for parts that the course has no layers for. Taught in notebook 15.
    """
    codec = from_encodec(model.audio_encoder)
    lm = from_musicgen_decoder(model.decoder, model.text_encoder.config.hidden_size)
    settings = {"frame_rate": codec.frame_rate, "context": round(WINDOW * codec.frame_rate)}
    lm.config = replace(lm.config, **settings)
    if hasattr(model, "enc_to_dec_proj"):
        with torch.no_grad():
            _copy(lm.project, model.enc_to_dec_proj)
    lm.text = TextEncoder(model.text_encoder, tokenizer)
    return MusicGen(codec, lm).eval()
