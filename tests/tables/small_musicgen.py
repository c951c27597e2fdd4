"""Tiny untrained models in the places of the artefacts, and labelled clips of noise."""

from types import SimpleNamespace

import pytest
import torch

from course_lib import checkpoints, songbook
from course_lib.evaluation.adherence import class_marks
from course_lib.models import (
    CLAP,
    Analyser,
    AnalyserConfig,
    AudioTowerConfig,
    CLAPConfig,
    Codec,
    CodecConfig,
    Judge,
    JudgeConfig,
    MusicGenLM,
    MusicGenLMConfig,
    TextTowerConfig,
)
from course_lib.nets import SEANetConfig
from course_lib.nets.interleaving import delay
from course_lib.recipes.judge import CONFIG
from course_lib.songbook.captions import vocabulary
from course_lib.songbook.clip import attributes, captions
from course_lib.songbook.draw import plan
from course_lib.tables import prompted

SECONDS, CLIPS = 2.0, 6
TEXT = TextTowerConfig(words=vocabulary(), width=16, layers=1, heads=2)
STACK = SEANetConfig(widths=(4, 8, 8), strides=(16, 20), units=1)


class Planned:
    """The labels and captions of real clips, under 3 s of a buzz.

    Every 20 ms it has another loudness of 64, the code that `Levels` gives it.
    """

    def __init__(self, split: str, clips: int = 12):
        self.split, self.clips = split, clips

    def __len__(self):
        return self.clips

    def _plan(self, index):
        return plan(0, self.split, index, 10.0)

    def attributes(self, index):
        return attributes(self._plan(index))

    def captions(self, index, drafts=1):
        return tuple(captions(self._plan(index), draft) for draft in range(drafts))

    def levels(self, index):
        first = {"train": 0, "test": 1000}[self.split]
        return torch.randint(64, (150,), generator=torch.Generator().manual_seed(first + index))

    def batch(self, indices):
        levels = torch.stack([self.levels(int(i)) for i in indices])
        buzz = torch.tensor([1.0, 1.0, -1.0, -1.0]).repeat(80)
        return ((levels + 1) / 64)[:, None].repeat_interleave(320, -1) * buzz.repeat(150)

    def solo(self, index):
        return self.batch([index])[0]


class Levels:
    """A codec whose only codebook is how loud each 20 ms are; nothing is lost."""

    sample_rate, hop = 16000, 320
    config = SimpleNamespace(entries=64)

    def encode(self, audio, codebooks):
        assert codebooks == 1
        loud = audio.unflatten(-1, (-1, 320)).abs().mean(-1)  # [B, 1, F]
        return SimpleNamespace(codes=(loud * 64).round().long().clamp(1, 64) - 1)


def no_signal_marks(audio, sample_rate):
    """In the place of the beat tracker, which takes seconds: slow and major, whatever sounds."""
    zero = torch.zeros(len(audio), dtype=torch.int64)
    return {"tempo_class": class_marks(zero, 3), "mode": class_marks(zero, 4)}


def models() -> dict[str, torch.nn.Module]:
    torch.manual_seed(0)
    codec = Codec(CodecConfig(stack=STACK, dim=8, entries=16, n_codebooks=4, levels=(1, 2, 4)))
    codec(0.1 * torch.randn(4, 1, 16000))  # places the codebooks
    classes = {k: v for k, v in CONFIG.__dict__.items() if isinstance(v, tuple)}
    judge = JudgeConfig(**classes, width=16, layers=1, heads=2, reader=16, embedding=8)
    audio = AudioTowerConfig(channels=(8, 8), width=16, layers=1, heads=2)
    lm = {"entries": 16, "pattern": delay(4), "context": 50, "width": 16, "layers": 1, "heads": 2}
    return {
        "codec": codec.eval(),
        "musicgen": MusicGenLM(MusicGenLMConfig(text=TEXT, **lm)).eval(),
        "clap": CLAP(CLAPConfig(audio=audio, text=TEXT, embedding=16)).eval(),
        "judge": Judge(judge).eval(),
        "analyser": Analyser(AnalyserConfig(**classes)).eval(),
    }


@pytest.fixture
def small(monkeypatch):
    """Everything small; gives the models by name."""
    made = models()
    monkeypatch.setattr(checkpoints, "load", lambda name: made[name])
    monkeypatch.setattr(songbook, "load", lambda split, *a, **k: Planned(split))
    monkeypatch.setattr(prompted, "CLIPS", CLIPS)
    monkeypatch.setattr(prompted, "SECONDS", SECONDS)
    monkeypatch.setattr(prompted, "signal_marks", no_signal_marks)
    forget()
    yield made
    forget()


def forget():
    for function in (prompted.wanted, prompted.written):
        function.cache_clear()
