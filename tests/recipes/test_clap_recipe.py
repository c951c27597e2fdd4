"""CLAP's recipe: what a step sees, and what is measured after the last one."""

import math
from dataclasses import replace

import pytest
import torch

from course_lib.metrics import chance_map_at_10
from course_lib.models import CLAP, TextTowerConfig
from course_lib.recipes import clap as recipe
from course_lib.songbook.captions import MANNERS, vocabulary
from course_lib.songbook.clip import attributes, captions
from course_lib.songbook.draw import plan
from course_lib.songbook.styles import DRAWN
from course_lib.training import Draws, fit


class Planned:
    """The captions of real clips under tones: rendering them takes longer than a test may."""

    def __len__(self):
        return 12

    def attributes(self, index):
        return attributes(plan(0, "train", index, 5.0))

    def captions(self, index, drafts=1):
        return tuple(captions(plan(0, "train", index, 5.0), draft) for draft in range(drafts))

    def batch(self, indices):
        phase = 2 * math.pi / 16000 * torch.arange(32000)
        tones = [torch.sin(200 * 1.3 ** int(i) * phase) for i in indices]
        return torch.stack(tones)[:, None]


def config():
    c = recipe.config()
    tower = replace(c.audio, channels=(8, 16), width=16, layers=1, heads=2, segment=1.0)
    words = TextTowerConfig(words=vocabulary(), width=16, layers=1, heads=2)
    return replace(c, audio=tower, text=words, embedding=16)


@pytest.fixture(scope="module")
def clips():
    return recipe.CaptionedClips(Planned(), config(), drafts=2)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return CLAP(config())


def draws(step=0, items=12):
    return Draws(0, step, range(items), torch.device("cpu"))


def test_a_batch_holds_what_the_tower_sees_and_all_captions(clips, model):
    batch = clips.batch(torch.tensor([7, 2]))
    seen = model.audio.spectrogram(Planned().batch([7, 2]))
    torch.testing.assert_close(batch["seen"], seen, atol=2e-3, rtol=2e-3)  # float16
    assert batch["ids"].shape[:2] == (2, 2 * len(MANNERS))
    for row, index in enumerate((7, 2)):
        drafts = Planned().captions(index, 2)
        texts = [draft[manner] for draft in drafts for manner in MANNERS]
        ids, _ = model.text.encode(texts)
        assert torch.equal(batch["ids"][row, :, : ids.shape[1]], ids)
        assert not batch["ids"][row, :, ids.shape[1] :].any()
    assert (batch["ids"] != 1).all()  # no word is unknown


def test_no_caption_of_the_songbook_is_cut():
    longest = recipe.config().text.longest
    rows = [text for texts in recipe.captions(Planned(), 30) for text in texts]
    ids, _ = recipe.config().text.tokenizer.encode(rows, 1000)
    assert 40 < ids.shape[1] < longest


def test_a_step_draws_a_part_and_a_caption_of_each_clip(clips, model, monkeypatch):
    batch, met = clips.batch(torch.arange(12)), []
    monkeypatch.setattr(
        model, "embed_ids", lambda ids, valid: met.append(ids) or CLAP.embed_ids(model, ids, valid)
    )
    first = recipe.loss(model, batch, draws(0))
    assert torch.equal(first["loss"], recipe.loss(model, batch, draws(0))["loss"])
    recipe.loss(model, batch, draws(1))
    assert torch.equal(met[0], met[1]) and not torch.equal(met[0], met[2])
    for row, known in zip(met[0], batch["ids"], strict=True):
        assert (row == known).all(1).any()


def test_an_untrained_model_is_about_as_good_as_guessing(clips, model):
    with torch.no_grad():
        model.log_scale.fill_(0.0)  # cosines as they are
    loss = recipe.loss(model, clips.batch(torch.arange(12)), draws())["loss"]
    assert loss.item() == pytest.approx(math.log(12), abs=0.3)


def test_what_is_learnt_by_heart_is_found_again(clips, model):
    fit(model, clips, recipe.loss, steps=100, batch_size=12, lr=5e-3, warmup=5, progress=False)
    found = recipe.test(model.eval(), recipe.CaptionedClips(Planned(), config()))
    assert found["chance_map10"] == round(chance_map_at_10(12), 4) < 0.3
    for way in ("audio_to_text", "text_to_audio"):
        assert found[f"description_{way}_map10"] > 0.7
    assert found["zero_shot_style"] > 2 / len(DRAWN)


def test_the_shipped_size_is_within_the_table_of_contributing():
    parameters = sum(p.numel() for p in recipe.RECIPE.model().parameters())
    assert recipe.RECIPE.int8 and parameters < 1.8e6
