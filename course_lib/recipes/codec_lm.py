"""The language model of codec files. Taught in notebook 08b.

Its parent is `codec_plain`, whose encoder and codebooks make the codes; those of `codec` are the
same.
"""

import math

import torch
from torch import Tensor

from course_lib.codec_file import BlockCoder, bits, header_of
from course_lib.models import Codec, CodecLM, CodecLMConfig
from course_lib.recipes import Parents, Recipe
from course_lib.songbook import load
from course_lib.training import Draws
from course_lib.training.crop import crop

CONFIG = CodecLMConfig()
LEVELS = (1, 2, 4, 8)  # codebooks of a stream; each training item is cut to one of them
CODED = 2  # clips of the test split that the range coder codes for the card
BATCH = 8


class CodedClips:
    """Codes [N, K, F] of every clip, computed once and kept: 2 bytes each. `batch` gives int64."""

    def __init__(self, codec: Codec, clips):
        parts = torch.arange(len(clips)).split(BATCH)
        codes = [codec.encode(clips.batch(part)).codes for part in parts]
        self.codec, self.codes = codec, torch.cat(codes).to(torch.int16)

    def __len__(self) -> int:
        return len(self.codes)

    def batch(self, indices: Tensor) -> Tensor:
        return self.codes[indices].long()


def data(split: str, size: str, parents: Parents) -> CodedClips:
    return CodedClips(parents["codec_plain"], load(split, size))


def training(model: CodecLM, parents: Parents) -> CodecLM:
    """Its embeddings begin as the codec's codebooks."""
    stages = parents["codec_plain"].quantizer.stages
    model.start_from(torch.stack([stage.codebook for stage in stages]))
    return model


def kept(codes: Tensor, n: Tensor | int, nothing: int) -> Tensor:
    """Codes [B, K, F] of which item b keeps the first n[b] codebooks, the rest "nothing"."""
    places = torch.arange(codes.shape[1], device=codes.device)[:, None]  # [K, 1]
    n = torch.as_tensor(n, device=codes.device).view(-1, 1, 1)
    return torch.where(places < n, codes, nothing)


def loss(model: CodecLM, codes: Tensor, draws: Draws) -> Tensor:
    """Nats per code on a random block of every clip, cut to 1, 2, 4 or 8 codebooks."""
    levels = torch.tensor(LEVELS, device=codes.device)
    n = levels[draws.integers(len(LEVELS), stream="levels")]  # [B]
    return model.loss(kept(crop(codes, draws, model.config.frames), n, model.nothing))


def test(model: CodecLM, clips: CodedClips) -> dict[str, float]:
    """Bits per code, and the share of bits saved, at 1, 2, 4 and 8 codebooks, in blocks of a file.

    "saved_N" is what the probabilities promise; "file_saved_N" what the range coder's blocks of the
    first clips took, against packed bits.
    """
    found = {}
    device = model.bias.device
    packed = bits.width(model.config.entries)
    for n in LEVELS:
        nats = codes = 0.0
        for part in clips.codes.split(BATCH):
            for block in part.split(model.config.frames, dim=2):
                block = kept(block.long().to(device), n, model.nothing)
                count = block.shape[0] * n * block.shape[2]
                nats += model.loss(block).item() * count
                codes += count
        found[f"bits_{n}"] = nats / codes / math.log(2)
        found[f"saved_{n}"] = 1 - found[f"bits_{n}"] / packed
    for n in LEVELS[::3]:
        found[f"file_saved_{n}"] = file_saved(model, clips, n)
    return {name: round(value, 4) for name, value in found.items()}


def file_saved(model: CodecLM, clips: CodedClips, n: int) -> float:
    """The share of bytes that blocks coded with the model are shorter than packed ones."""
    coder = BlockCoder(header_of(clips.codec, n, model), model)
    used = packed = 0
    for clip in clips.codes[:CODED, :n].long():
        for block in clip.split(model.config.frames, dim=1):
            used += len(coder.encode(block.numpy()).payload)
            packed += bits.size(block.numel(), model.config.entries)
    return 1 - used / packed


RECIPE = Recipe(
    model=lambda: CodecLM(CONFIG),
    data=data,
    loss=loss,
    test=test,
    training=training,
    steps=900,
    size="full",
    batch_size=8,
    lr=4e-3,
    warmup=50,
    average=0.99,
    parents=("codec_plain",),
    int8=True,
)
