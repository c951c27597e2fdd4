import pytest
import torch

from course_lib.models.phonemes import PhonemeRecogniser, PhonemeRecogniserConfig
from course_lib.recipes import phonemes as recipe
from course_lib.songbook import PHONEMES, Size, load, phoneme_ids
from course_lib.training import Draws, fit

SMALL = PhonemeRecogniserConfig(width=32, layers=3, dropout=0.0)


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield load("train", Size(4, 4, 4, 2.0), progress=False, voice=True)


@pytest.fixture(scope="module")
def clips(songs):
    return recipe.SungClips(songs, PhonemeRecogniser(SMALL))


def draws(step=0, items=4):
    return Draws(0, step, range(items), torch.device("cpu"))


def test_clips_are_solos_and_mixes_with_their_phonemes(songs, clips):
    assert len(clips) == 4
    pairs, ids = clips.batch(torch.tensor([3, 1]))
    assert pairs.shape == (2, 2, 80, 126) and pairs.dtype == torch.float16
    meant = phoneme_ids(songs.lyrics(3).phonemes)
    assert torch.equal(ids[0, : len(meant)], meant) and not ids[0, len(meant) :].any()
    model = PhonemeRecogniser(SMALL)
    for place, audio in ((0, songs.solo(3)[None]), (1, songs.batch([3]))):
        expected = model.spectrogram(audio)[0]
        torch.testing.assert_close(pairs[0, place].float(), expected, atol=6e-3, rtol=0)


def test_disturbing_adds_to_a_spectrogram_and_belongs_to_the_step(clips):
    pairs, _ = clips.batch(torch.arange(4))
    log_mel = pairs[:, 1].float()
    once, again, later = (recipe.disturbed(log_mel, draws(s)) for s in (0, 0, 1))
    assert torch.equal(once, again) and not torch.equal(once, later)
    assert torch.isfinite(once).all() and once.shape == log_mel.shape
    # Loud places of most bands stay as they are.
    loud = log_mel > log_mel.amax((1, 2), keepdim=True) - 2
    same = ((once - log_mel).abs() < 0.5)[loud]
    assert same.float().mean() > 0.5


def test_solos_and_mixes_are_both_learnt_from(clips):
    model, seen = PhonemeRecogniser(SMALL), []
    batch = clips.batch(torch.arange(4))
    marked = torch.stack([torch.zeros(4, 80, 126), torch.full((4, 80, 126), 9.0)], dim=1)
    model.listen = lambda x: seen.append(x.amax((1, 2)) > 4) or PhonemeRecogniser.listen(model, x)
    for step in range(6):
        recipe.loss(model, (marked, batch[1]), draws(step))
    assert 4 <= torch.cat(seen).sum() <= 20  # of 24


def test_the_card_tells_solos_from_mixes(clips):
    """A model that hears all of every solo and nothing in a mix."""
    symbols = len(PHONEMES) + 1
    heard = torch.nn.functional.one_hot(clips.ids.repeat_interleave(2, 1), symbols).float()
    heard[:, 1::2] = torch.tensor([1.0] + [0.0] * (symbols - 1))  # a blank after each phoneme
    pairs = clips.spectrograms

    class Listener(PhonemeRecogniser):
        def listen(self, log_mel):
            return heard if torch.equal(log_mel, pairs[:, 0].float()) else 0 * heard

    found = recipe.test(Listener(SMALL), clips)
    assert found == {"phoneme_error_solo": 0, "phoneme_error_mix": 1}


def test_the_recogniser_learns_a_few_clips_by_heart(clips, monkeypatch):
    monkeypatch.setattr(recipe, "disturbed", lambda x, draws: x)
    torch.manual_seed(0)
    model = PhonemeRecogniser(SMALL)
    with torch.no_grad():
        before = recipe.test(model.eval(), clips)
    fit(model, clips, recipe.loss, steps=150, batch_size=4, lr=1e-2, progress=False, device="cpu")
    with torch.no_grad():
        after = recipe.test(model.eval(), clips)
    assert set(after) == {"phoneme_error_solo", "phoneme_error_mix"}
    assert min(before.values()) > 0.8 and max(after.values()) < 0.3
