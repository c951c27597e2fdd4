"""The judge's recipe: real and coded clips, other tempi of them, a loss over all heads."""

import math
from types import SimpleNamespace

import pytest
import torch

from course_lib.models import Judge, JudgeConfig
from course_lib.recipes import judge as recipe
from course_lib.songbook.clip import attributes
from course_lib.songbook.draw import plan
from course_lib.training import Draws, fit

SECONDS, CLIPS = 8.0, 12


class Planned:
    """The labels of real clips under noise: rendering them takes longer than a test may."""

    def __len__(self):
        return CLIPS

    def attributes(self, index):
        return attributes(plan(0, "train", index, SECONDS))

    def batch(self, indices):
        generators = [torch.Generator().manual_seed(int(i)) for i in indices]
        samples = round(SECONDS * 16000)
        return torch.stack([0.1 * torch.randn(1, samples, generator=g) for g in generators])


class Halved:
    """A codec that halves the sound, and remembers how many codebooks it was asked for."""

    asked: list = []

    def encode(self, audio, codebooks):
        self.asked.append(codebooks)
        return SimpleNamespace(audio=audio / 2)

    def decode(self, encoded):
        return encoded.audio


SMALL = {"width": 16, "layers": 1, "heads": 2, "reader": 16, "embedding": 16, "dropout": 0.0}
CONFIG = JudgeConfig(**{**recipe.CONFIG.__dict__, **SMALL})


@pytest.fixture(scope="module")
def clips():
    return recipe.HeardClips(Planned(), Halved(), CONFIG)


def draws(step=0, items=CLIPS):
    return Draws(0, step, range(items), torch.device("cpu"))


def test_every_clip_is_there_twice_the_second_time_coded(clips):
    batch = clips.batch(torch.tensor([7, 2]))
    assert batch["log_mel"].shape == (2, 2, 80, 501) and batch["log_mel"].dtype == torch.float16
    assert batch["pitches"].shape == (2, 2, 12, 12, 63)
    assert set(Halved.asked) == {4}
    assert torch.equal(clips.coded.batch([3]), clips.clips.batch([3]) / 2)
    judge = Judge(CONFIG)
    want = judge.spectra(clips.clips.batch([7]))
    torch.testing.assert_close(batch["log_mel"][0, 0].float(), want.log_mel[0], atol=2e-3, rtol=0)
    torch.testing.assert_close(batch["pitches"][0, 0].float(), want.pitches[0], atol=2e-3, rtol=0)
    assert float(batch["tempo"][0]) == clips.clips.attributes(7).tempo


def test_parts_are_drawn_from_both_at_several_speeds(clips):
    batch = clips.batch(torch.arange(CLIPS))
    batch["log_mel"][:, 1] += 50
    spectra, tempo = recipe.part(batch, draws())
    again, _ = recipe.part(batch, draws())
    later, _ = recipe.part(batch, draws(step=1))
    assert torch.equal(spectra.log_mel, again.log_mel)
    assert not torch.equal(spectra.log_mel, later.log_mel)
    assert spectra.log_mel.shape == (CLIPS, 80, 384) and spectra.pitches.shape == (
        CLIPS,
        12,
        12,
        48,
    )
    coded = spectra.log_mel.mean((1, 2)) > 25
    assert 0 < coded.sum() < CLIPS
    factor = tempo / batch["tempo"]
    assert 0.8 <= factor.min() < 0.9 and 1.1 < factor.max() <= 1.2


def test_what_is_played_is_the_clip_at_that_speed():
    """A ramp over time shows where a part begins, how fast it runs, and that both spectra agree."""
    ramp = torch.arange(501.0)
    batch = {
        "log_mel": ramp.expand(CLIPS, 2, 80, 501).half(),
        "pitches": 8 * torch.arange(63.0).expand(CLIPS, 2, 12, 12, 63).half(),
        "tempo": torch.full((CLIPS,), 100.0),
    }
    spectra, tempo = recipe.part(batch, draws(step=3))
    row = spectra.log_mel[:, 0]  # [B, 384]
    step = (row[:, 1:] - row[:, :-1]).mean(1)
    torch.testing.assert_close(step, tempo / 100, atol=2e-3, rtol=0)
    slow = spectra.pitches[:, 0, 0]
    torch.testing.assert_close(slow[:, 0], row[:, 0], atol=0.5, rtol=0)
    assert float(row.max()) <= 500 and row[:, 0].std() > 5


def test_the_class_of_tempo_is_that_of_the_heard_speed(clips):
    batch = clips.batch(torch.arange(CLIPS))
    batch["tempo"] = torch.tensor([85.0] * 6 + [130.0] * 6)
    batch["tempo_class"] = torch.zeros(CLIPS).long()
    _, heard = recipe.part(batch, draws())
    want = [0 if t < 90 else 1 if t < 120 else 2 for t in heard.tolist()]
    assert len(set(want)) == 3

    class Sure(Judge):
        def hear(self, spectra):
            embedding, logits = super().hear(spectra)
            sure = 30.0 * torch.nn.functional.one_hot(torch.tensor(want), 3)
            return embedding, logits | {"tempo_class": sure}

    assert float(recipe.loss(Sure(CONFIG), batch, draws())["tempo_class"]) < 1e-6


def test_an_untrained_judge_has_the_loss_of_guessing(clips):
    torch.manual_seed(0)
    batch = clips.batch(torch.arange(CLIPS))
    losses = recipe.loss(Judge(recipe.CONFIG), batch, draws())
    guesses = {"style": 12, "metre": 5, "tempo_class": 3, "key": 48}
    for name, classes in guesses.items():
        assert losses[name].item() == pytest.approx(math.log(classes), abs=0.5)
    total = sum(losses[name] for name in (*guesses, "drums")) + 5 * losses["instruments"]
    torch.testing.assert_close(losses["loss"], total)


def test_the_card_tells_real_clips_from_coded_ones(clips, monkeypatch):
    """A judge that knows all of real clips and nothing of quieter ones."""

    class Knowing(Judge):
        def listen(self, audio):
            rows = [int((Planned().batch([i]) == one).all()) for one in audio for i in range(CLIPS)]
            known = torch.tensor(rows).view(len(audio), CLIPS).float()
            labels = clips.labels
            logits = {n: v.float() for n, v in super().listen(audio)[1].items()}
            for name, classes in self.config.classes.items():
                right = torch.nn.functional.one_hot(labels[name], len(classes)).float()
                logits[name] = 20 * known @ right + 0.0
            for name in ("instruments", "drums"):
                logits[name] = 20 * known @ labels[name] - 10
            return torch.zeros(len(audio), 16), logits

    found = recipe.test(Knowing(CONFIG).eval(), clips)
    real = {name: value for name, value in found.items() if not name.startswith("coded_")}
    assert set(found) == set(real) | {f"coded_{name}" for name in real} and len(real) == 7
    assert all(v == 1 for n, v in real.items() if n != "instruments_macro_f1")
    assert all(found[f"coded_{name}"] < 0.6 for name in real)


def test_the_judge_learns_a_few_clips_by_heart(clips, monkeypatch):
    torch.manual_seed(0)
    model = Judge(CONFIG)
    before = recipe.loss(model.eval(), clips.batch(torch.arange(CLIPS)), draws())["style"].item()
    fit(model, clips, recipe.loss, steps=60, batch_size=12, lr=5e-3, warmup=5, progress=False,
        device="cpu")  # fmt: skip
    after = recipe.loss(model.eval(), clips.batch(torch.arange(CLIPS)), draws())["style"].item()
    assert before > 2 and after < 1
