"""Zero-shot classification: the nearest class by its prompts, and what counts as right."""

import pytest
import torch
import torch.nn.functional as F

from course_lib.evaluation.zero_shot import (
    PROMPTS,
    class_vectors,
    classify,
    truth,
    zero_shot_scores,
)
from course_lib.songbook.captions import vocabulary
from course_lib.songbook.clip import attributes
from course_lib.songbook.draw import plan
from course_lib.text import WordTokenizer

CLIPS = [attributes(plan(0, "test", i, 5.0)) for i in range(40)]


class Words:
    """A model whose vector of a text says which words it has: what a text tower does, at best."""

    def __init__(self):
        self.tokenizer = WordTokenizer(vocabulary())

    def embed_text(self, texts):
        ids, _ = self.tokenizer.encode(texts)
        return F.normalize(F.one_hot(ids, len(self.tokenizer))[..., 3:].sum(1).float(), dim=-1)


def test_every_prompt_is_made_of_known_words_and_every_class_has_prompts_of_its_own():
    tokenizer = WordTokenizer(vocabulary())
    for prompts in PROMPTS.values():
        texts = [text for each in prompts.values() for text in each]
        assert not [word for text in texts for word in tokenizer.unknown(text)]
        assert len(prompts) >= 2 and len(texts) == len(set(texts))


def test_clips_that_say_their_class_are_classified_by_it():
    model = Words()
    for name, prompts in PROMPTS.items():
        vectors = class_vectors(model, prompts)
        torch.testing.assert_close(vectors.norm(dim=1), torch.ones(len(prompts)))
        assert classify(model, vectors, prompts) == list(prompts), name


def test_a_class_is_the_mean_of_its_prompts():
    model, prompts = Words(), {"slow": ("slow", "a calm tune"), "fast": ("fast",)}
    slow, fast = class_vectors(model, prompts)
    both = model.embed_text(prompts["slow"])
    torch.testing.assert_close(slow, F.normalize(both[0] + both[1], dim=0))
    torch.testing.assert_close(fast, model.embed_text(["fast"])[0])


def test_scores_are_balanced_accuracies_of_the_true_classes():
    model = Words()
    for name, prompts in PROMPTS.items():
        names = list(prompts)
        own = class_vectors(model, prompts)[[names.index(truth(each, name)) for each in CLIPS]]
        assert zero_shot_scores(model, own, CLIPS)[name] == 1
        same = class_vectors(model, prompts)[:1].expand(len(CLIPS), -1)
        classes = len({truth(each, name) for each in CLIPS})
        found = zero_shot_scores(model, same, CLIPS)[name]
        assert found == pytest.approx(1 / classes) or found == 0


def test_truth_is_that_of_the_clip():
    clip = CLIPS[0]
    assert truth(clip, "lead") == clip.instruments[0]
    assert truth(clip, "drums") == ("yes" if clip.drums else "no")
    assert truth(clip, "metre") == clip.metre


def test_vectors_of_another_precision_are_classified_too():
    prompts = PROMPTS["drums"]
    vectors = class_vectors(Words(), prompts)
    assert classify(Words(), vectors.double(), prompts) == list(prompts)


def test_one_class_is_no_choice():
    with pytest.raises(ValueError, match="nothing to choose from: \\['waltz'\\]"):
        class_vectors(Words(), {"waltz": ("a waltz",)})
    with pytest.raises(ValueError, match="no texts"):
        class_vectors(Words(), {"waltz": ("a waltz",), "house": ()})
