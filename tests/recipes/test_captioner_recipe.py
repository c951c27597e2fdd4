"""The captioner's recipe: its vocabulary, its pseudo captions, and that it learns."""

import pytest
import torch

from course_lib.models.captioner import Captioner, CaptionerConfig
from course_lib.recipes import captioner as recipe
from course_lib.songbook import Size, load
from course_lib.songbook.captions import MANNERS
from course_lib.songbook.facts import true_facts
from course_lib.training import Draws, fit


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield load("train", Size(4, 4, 4, 2.0), progress=False)


def small() -> Captioner:
    torch.manual_seed(0)
    sizes = {"channels": (8, 16, 16), "width": 32, "heads": 2, "listening_layers": 1}
    return Captioner(CaptionerConfig(recipe.vocabulary(), dropout=0.0, **sizes))


@pytest.fixture(scope="module")
def clips(songs):
    return recipe.captioned(songs, small(), drafts=2)


def draws(step=0, items=4):
    return Draws(0, step, range(items), torch.device("cpu"))


def test_clips_come_with_drafts_in_every_manner(songs, clips):
    assert len(clips) == 4 and set(clips.words) == set(MANNERS)
    log_mel, words = clips.batch(torch.tensor([3, 1]))
    assert log_mel.shape == (2, 64, 63) and log_mel.dtype == torch.float16
    model = small()
    expected = model.spectrogram(songs.batch([3]))[0]
    torch.testing.assert_close(log_mel[0].float(), expected, atol=6e-3, rtol=0)
    for manner in MANNERS:
        assert words[manner].shape[:2] == (2, 2)
        rows = clips.words[manner].flatten(0, 1)
        assert (rows[:, -1] == 0).all() and rows[:, -2].any()  # as long as needed
        texts = [draft[manner] for draft in songs.captions(3, 2)]
        said = model.decode(words[manner][0].long())
        assert [t.lower() for t in said] == [t.lower() for t in texts]


def test_drafts_parts_and_silences_belong_to_the_step(clips):
    batch, model = clips.batch(torch.arange(4)), small()
    losses = [recipe.loss(model, batch, draws(step)).item() for step in (0, 0, 1)]
    assert losses[0] == losses[1] != losses[2]
    log_mel = torch.randn(4, 64, 50)
    out = recipe.silenced(log_mel, draws(3))
    gone = (out != log_mel).any(-1)  # [4, 64]
    assert gone.sum(1).max() <= recipe.WIDEST and gone.any()
    for row in gone:
        places = row.nonzero()[:, 0]
        assert len(places) == 0 or places[-1] - places[0] + 1 == len(places)


def test_a_step_hears_a_part_and_learns_one_draft_of_each_manner(clips, monkeypatch):
    monkeypatch.setattr(recipe, "HEARD", 20)
    model, met = small(), []
    monkeypatch.setattr(model, "loss", lambda log_mel, words: met.append((log_mel, words)))
    for step in range(4):
        recipe.loss(model, clips.batch(torch.arange(4)), draws(step))
    drawn = set()
    for log_mel, words in met:
        assert log_mel.shape == (4, 64, 20) and set(words) == set(MANNERS)
        for item in range(4):  # a clip has the same draft in all manners, another in other steps
            rows = [clips.words[manner][item] == words[manner][item] for manner in MANNERS]
            same = torch.stack([row.all(1) for row in rows]).all(0)  # [drafts]
            assert same.any()
            drawn.add(int(same.int().argmax()))
    assert drawn == {0, 1}


def test_the_card_tells_clips_apart(clips):
    """A model that says the truth about every clip, and one that speaks of another clip."""

    class Knowing(Captioner):
        turn = 0

        def describe(self, log_mel, manner):
            order = [(i + self.turn) % 4 for i in range(4)]
            return [clips.texts[manner][i][0] for i in order]

    model = Knowing(CaptionerConfig(recipe.vocabulary()))
    found = recipe.test(model, clips)
    assert found["recall_mean"] == found["precision_mean"] == found["tags_bleu4"] == 1
    assert found["recall_another"] < 0.8 and found["recall_style"] == 1
    model.turn = 1
    other = recipe.test(model, clips)
    assert other["recall_mean"] == found["recall_another"] and other["description_bleu4"] < 1
    assert len({true_facts(row) for row in clips.attributes}) == 4


def test_the_captioner_learns_a_few_clips_by_heart(songs, monkeypatch):
    monkeypatch.setattr(recipe, "silenced", lambda x, draws: x)
    clips, model = recipe.captioned(songs, small(), drafts=1), small()
    before = recipe.test(model.eval(), clips)
    options = {"batch_size": 4, "lr": 1e-2, "warmup": 20, "progress": False, "device": "cpu"}
    fit(model, clips, recipe.loss, steps=120, **options)
    after = recipe.test(model.eval(), clips)
    assert before["recall_mean"] < 0.1 < 0.6 < after["recall_mean"]
    assert after["tags_bleu1"] > 0.5


def test_the_default_fits_its_budget():
    parameters = sum(p.numel() for p in recipe.untrained().parameters())
    assert 500_000 < parameters < 760_000  # a byte each: 0.8 MB
