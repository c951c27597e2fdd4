"""MusicGen: the first four codebooks of clips, given captions and melodies. Taught in notebook 15.

Four of eight codebooks: they are 2 of the codec's 4 kbps and hold what a listener names (style,
instruments, drums, tune), while those behind them are nearly noise, which costs a language model
more bits than all others together and teaches it nothing about the prompt (`codec_lm` saves 24 % of
the bits of four codebooks, 15 % of those of eight).

Each clip is coded twice, the second time begun half a frame later: other codes for the same sound,
so that a thousand clips last longer. About 84 minutes on one CPU core, once the songbook is
rendered and, in 7 more, its clips are coded.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.optim import AdamW

from course_lib.models import Codec, MusicGenLM, MusicGenLMConfig, TextTowerConfig, melody_of
from course_lib.models.musicgen_lm import Reading
from course_lib.recipes import Parents, Recipe
from course_lib.recipes.clap import captions
from course_lib.songbook import Songbook, load
from course_lib.songbook.captions import vocabulary
from course_lib.text import PADDING
from course_lib.training import Draws
from course_lib.training.precision import native_bfloat16

CONFIG = MusicGenLMConfig(text=TextTowerConfig(words=vocabulary()))
SHIFTS, DRAFTS = 2, 4  # times that a training clip is coded; drafts of its captions
UNREAD, UNHEARD = 0.3, 0.5  # shares of training items without a text; of the others, without melody
BATCH, LR = 8, 2e-3


class Pieces(NamedTuple):
    """Clips: codes int16 [B, S, K, F] of S shifts, melodies int8 [B, 2, F] of lead and mix.

    A melody's pitch class is from 0 to 11, 12 for silence. ids int16 [B, captions, L], 0 for
    padding.
    """

    codes: Tensor
    melodies: Tensor
    ids: Tensor


class CodedClips:
    """Codes, melodies and captions of clips, computed once and kept. `batch` gives Pieces."""

    def __init__(
        self, clips: Songbook, codec: Codec, config: MusicGenLMConfig, shifts: int, drafts: int
    ):
        step = codec.hop // shifts
        codes, melodies = [], []
        for part in torch.arange(len(clips)).split(BATCH):
            audio = clips.batch(part)  # [B, 1, T]
            shifted = [F.pad(audio[..., i * step :], (0, i * step)) for i in range(shifts)]
            found = [codec.encode(x, config.codebooks).codes for x in shifted]
            codes.append(torch.stack(found, 1).to(torch.int16))
            leads = torch.stack([clips.solo(int(i)) for i in part])
            rates = (codec.sample_rate, found[0].shape[-1], codec.frame_rate)
            heard = torch.stack([melody_of(x, *rates) for x in (leads, audio)], 1)  # [B, 2, 12, F]
            silent = heard.sum(2, keepdim=True) == 0
            melodies.append(torch.cat([heard, silent], 2).argmax(2).to(torch.int8))
        texts = captions(clips, drafts)
        flat = [text for each in texts for text in each]
        ids, _ = config.text.tokenizer.encode(flat, config.text.longest)
        ids = ids.to(torch.int16).unflatten(0, (len(clips), -1))
        self.pieces = Pieces(torch.cat(codes), torch.cat(melodies), ids)

    def __len__(self) -> int:
        return len(self.pieces.codes)

    def batch(self, indices: Tensor) -> Pieces:
        return Pieces(*(x[indices] for x in self.pieces))


def data(split: str, size: str, parents: Parents) -> CodedClips:
    shifts, drafts = (SHIFTS, DRAFTS) if split == "train" else (1, 1)
    return CodedClips(load(split, size), parents["codec"], CONFIG, shifts, drafts)


def training(model: MusicGenLM, parents: Parents) -> MusicGenLM:
    """Embeddings and head begin as the codec's codebooks, the text tower as CLAP's."""
    if parents["clap"].config.text != model.config.text:
        raise ValueError("CLAP's text tower is another than MusicGen's: train both again, in turn.")
    stages = parents["codec"].quantizer.stages[: model.config.codebooks]
    model.lm.start_from(torch.stack([stage.codebook for stage in stages]))
    model.text.load_state_dict(parents["clap"].text.state_dict())
    return model


def optimizers(model: MusicGenLM) -> dict[str, AdamW]:
    """AdamW as in the paper, section 3.1."""
    settings = {"lr": LR, "betas": (0.9, 0.95), "weight_decay": 0.1, "fused": True}
    return {"model": AdamW(model.parameters(), **settings)}


def one_hot(melodies: Tensor) -> Tensor:
    """Pitch classes int8 [B, F], 12 for silence -> melodies float32 [B, 12, F]."""
    return F.one_hot(melodies.long(), 13)[..., :12].transpose(1, 2).float()


def read(model: MusicGenLM, ids: Tensor) -> Reading:
    """What captions of ids int64 [B, L] ask for."""
    states, valid, _ = model.text(ids, ids != PADDING)
    return model.reading(states, valid)


def loss(model: MusicGenLM, pieces: Pieces, draws: Draws) -> Tensor:
    """Nats per code of a part of each clip, given a caption and a melody, or one, or neither."""
    c, rows = model.config, torch.arange(len(pieces.codes), device=pieces.codes.device)
    shift = draws.integers(pieces.codes.shape[1], stream="shift")
    which = draws.integers(pieces.melodies.shape[1], stream="melody")
    caption = draws.integers(pieces.ids.shape[1], stream="caption")
    frames = min(c.context, pieces.codes.shape[-1])
    start = draws.integers(pieces.codes.shape[-1] - frames + 1, 1, stream="start")
    places = start + torch.arange(frames, device=start.device)  # [B, F]
    codes = pieces.codes[rows, shift].long()
    codes = codes.gather(2, places[:, None].expand(-1, c.codebooks, -1))
    melody = one_hot(pieces.melodies[rows, which].gather(1, places))
    reads = draws.uniform(stream="unread") >= UNREAD
    hears = reads & (draws.uniform(stream="unheard") >= UNHEARD)
    with native_bfloat16(codes.device):
        reading = read(model, pieces.ids[rows, caption].long()).where(reads)
        return model.loss(codes, reading, melody * hears[:, None, None])


@torch.no_grad()
def test(model: MusicGenLM, clips: CodedClips) -> dict[str, float]:
    """Nats per code of the first part of each test clip, by what the model is told.

    Its own caption in each manner in turn, none, that of the clip before; the melody of its lead
    with the caption. "nats_1" to "nats_4" are of each codebook, with the caption.
    """
    found: dict[str, list[Tensor]] = {}
    for rows in torch.arange(len(clips)).split(BATCH):
        for name, nats in report(model, clips.batch(rows), rows).items():
            found.setdefault(name, []).append(nats)
    means = {name: torch.cat(nats).mean(0) for name, nats in found.items()}
    by_codebook = {f"nats_{k}": x for k, x in enumerate(means["nats"].tolist(), 1)}
    means = {name: x.mean().item() for name, x in means.items()} | by_codebook
    return {name: round(value, 4) for name, value in means.items()}


def report(model: MusicGenLM, pieces: Pieces, numbers: Tensor) -> dict[str, Tensor]:
    """Nats of each codebook [B, K] of clips with these numbers; see `test`."""
    c, device = model.config, model.device
    codes = pieces.codes[:, 0, :, : c.context].long().to(device)
    melody = one_hot(pieces.melodies[:, 0, : c.context].to(device))
    rows = torch.arange(len(codes))
    ids = pieces.ids[rows, numbers % pieces.ids.shape[1]].long().to(device)
    own, nothing = read(model, ids), model.nothing(len(codes))
    return {
        "nats": model.nats(codes, own),
        "nats_unread": model.nats(codes, nothing),
        "nats_other_caption": model.nats(codes, read(model, ids.roll(1, 0))),
        "nats_melody": model.nats(codes, own, melody),
    }


RECIPE = Recipe(
    model=lambda: MusicGenLM(CONFIG),
    data=data,
    loss=loss,
    test=test,
    training=training,
    optimizers=optimizers,
    steps=6500,
    size="full",
    batch_size=BATCH,
    lr=LR,
    warmup=100,
    average=0.995,
    parents=("codec", "clap"),
    int8=True,
)
