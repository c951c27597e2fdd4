"""The captioner: what it may look at, what it learns of a caption, how it writes."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.models.captioner import Captioner, CaptionerConfig, after_end, written
from course_lib.songbook.captions import MANNERS, write_captions
from course_lib.songbook.clip import attributes
from course_lib.songbook.draw import plan
from course_lib.text.tokenizer import split

WORDS = ("#", ",", ".", "0", "8", "a", "c", "in", "minor", "organ", "slow", "waltz", "with")
SMALL = CaptionerConfig(
    WORDS, longest=12, channels=(8, 8, 8), width=16, heads=2, listening_layers=1, dropout=0.0
)


def small(**options) -> Captioner:
    torch.manual_seed(0)
    return Captioner(SMALL if not options else CaptionerConfig(WORDS, **options)).eval()


def noise(*shape, seed=0):
    return 0.1 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def captions(model, *texts):
    return {"sentence": model.encode(texts)}


@torch.no_grad()
def test_a_word_is_made_of_the_clip_and_of_the_words_before_it():
    model = small()
    log_mel = model.spectrogram(noise(2, 1, 16000))
    assert log_mel.shape == (2, 64, 32) and model.listen(log_mel).shape == (2, 8, 16)
    words = model.encode(["a slow waltz with organ.", "slow"])
    logits = model(log_mel, {"tags": words})["tags"]
    assert logits.shape == (2, 12, 3 + len(WORDS))
    other = words.clone()
    other[:, 3] = 5
    changed = (model(log_mel, {"tags": other})["tags"] - logits).abs().amax((0, 2))
    assert (changed[:4] == 0).all() and (changed[4:] > 0).all()
    elsewhere = model(model.spectrogram(noise(2, 1, 16000, seed=1)), {"tags": words})["tags"]
    asked = model(log_mel, {"playlist": words})["playlist"]
    for changed in (elsewhere, asked):
        assert ((changed - logits).abs().amax(-1) > 1e-4).all()


def test_gain_changes_nothing():
    model, audio = small(), noise(1, 1, 16000)
    torch.testing.assert_close(
        model.spectrogram(audio), model.spectrogram(0.01 * audio), atol=1e-3, rtol=0
    )
    assert len(model.write(torch.zeros(2, 1, 16000))) == 2


def test_the_end_is_learnt_and_nothing_after_it():
    model = small()
    words = torch.tensor([[5, 6, 7], [5, 0, 0], [0, 0, 0]])
    assert after_end(words).int().tolist() == [[0, 0, 0], [0, 0, 1], [0, 1, 1]]
    assert after_end(torch.tensor([[5, 0, 6, 0, 7]])).int().tolist() == [[0, 0, 1, 1, 1]]
    log_mel = model.spectrogram(noise(3, 1, 16000))
    learnt = model.loss(log_mel, {"tags": words})
    smoothed = torch.nn.functional.cross_entropy(
        torch.cat(
            [model(log_mel, {"tags": words})["tags"][i, :n] for i, n in enumerate((3, 2, 1))]
        ),
        torch.tensor([5, 6, 7, 5, 0, 0]),
        label_smoothing=0.1,
    )
    torch.testing.assert_close(learnt, smoothed)
    padded = torch.nn.functional.pad(words, (0, 3))[1:]
    torch.testing.assert_close(
        model.loss(log_mel[1:], {"tags": padded}), model.loss(log_mel[1:], {"tags": words[1:]})
    )


def test_manners_are_learnt_together_each_word_counting_the_same():
    model = small()
    log_mel = model.spectrogram(noise(1, 1, 16000))
    a, b = model.encode(["slow waltz"])[:, :4], model.encode(["a"])[:, :4]  # 3 and 2 words
    apart = [model.loss(log_mel, {"tags": a}), model.loss(log_mel, {"playlist": b})]
    together = model.loss(log_mel, {"tags": a, "playlist": b})
    torch.testing.assert_close(together, (3 * apart[0] + 2 * apart[1]) / 5)


def test_a_caption_learnt_by_heart_is_written():
    model = small()
    log_mel = model.spectrogram(torch.cat([noise(1, 1, 16000), noise(1, 1, 16000).cumsum(-1)]))
    meant = {
        "sentence": ["A slow waltz with organ.", "A slow waltz in C# minor."],
        "tags": ["Organ, 80", "Waltz, 8"],
    }
    learnt = {manner: model.encode(texts) for manner, texts in meant.items()}
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(80):
        optimizer.zero_grad()
        model.loss(log_mel, learnt).backward()
        optimizer.step()
    for manner, texts in meant.items():
        assert model.describe(log_mel, manner) == texts
    draws = [
        model.describe(log_mel, "tags", 3.0, torch.Generator().manual_seed(s)) for s in (0, 0, 1)
    ]
    assert draws[0] == draws[1] != draws[2]
    model.train()
    model.describe(log_mel)
    assert model.training


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 200), st.integers(0, 99))
def test_captions_of_the_songbook_come_back_as_they_were_written(index, seed):
    texts = write_captions(attributes(plan(0, "train", index, 5.0)), np.random.default_rng(seed))
    for manner in MANNERS:
        text = texts[manner]
        if manner != "tags":  # which are not sentences
            assert written(split(text)) == text
        assert split(written(split(text))) == split(text)


def test_writing_hears_the_same_every_time_also_between_steps_of_training():
    model = small(
        longest=12, channels=(8, 8, 8), width=16, heads=2, listening_layers=1, dropout=0.9
    ).train()
    log_mel, heard = model.spectrogram(noise(1, 1, 16000)), []
    model.listener.register_forward_hook(lambda module, given, made: heard.append(made))
    for _ in range(2):
        model.describe(log_mel)
    assert torch.equal(*heard) and model.training


def test_unknown_words_and_what_is_too_long():
    model = small()
    ids = model.encode(["a tango", "a " * 40, ""])
    assert ids.shape == (3, 12) and ids[0].tolist()[:3] == [3 + WORDS.index("a"), 1, 0]
    assert (ids[1, :11] == 3 + WORDS.index("a")).all() and not ids[2].any()
    assert ids[1, 11] == 0  # its end is learnt as well
    assert model.decode(ids) == ["A ?", " ".join(["A"] + ["a"] * 10), ""]


def test_wrong_input_is_refused():
    model = small()
    with pytest.raises(ValueError, match=r"\[1, 2, 16000\].*mono"):
        model.write(noise(1, 2, 16000))
    with pytest.raises(ValueError, match="100 samples; the captioner needs at least 16000"):
        model.write(noise(1, 1, 100))
    with pytest.raises(TypeError, match="int64"):
        model.write(torch.zeros(1, 1, 16000, dtype=torch.int64))
    with pytest.raises(ValueError, match="no captions: give those of at least one manner"):
        model.loss(model.spectrogram(noise(1, 1, 16000)), {})
    with pytest.raises(ValueError, match="'poem': choose one of tags, sentence"):
        model.write(noise(1, 1, 16000), manner="poem")
    for options in (
        {"manners": ()},
        {"longest": 0},
        {"channels": (8, 8)},
        {"channels": (8, 12, 8)},
    ):
        with pytest.raises(ValueError, match="There must be manners"):
            CaptionerConfig(WORDS, **options)
