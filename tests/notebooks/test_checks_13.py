"""Right answers in other styles than the solutions' are correct for the checks of 13 and 13b."""

import pytest
import torch
import torch.nn.functional as F

from course_lib.notebook import checking


def cosines_in_place(a, b):
    a /= a.norm(dim=1, keepdim=True)
    b /= b.norm(dim=1, keepdim=True)
    return a @ b.T


def cosines_as_a_list(a, b):
    return [[float(F.cosine_similarity(x, y, dim=0)) for y in b] for x in a]


def contrastive_as_a_number(logits):
    return float(F.cross_entropy(logits, torch.eye(len(logits)))) / 2 - float(
        logits.log_softmax(0).diagonal().mean() / 2
    )


def average_precision_in_a_loop(likeness):
    ranks = [sum(x >= row[i] for x in row.tolist()) for i, row in enumerate(likeness)]
    return sum(1 / int(rank) for rank in ranks if rank <= 10) / len(ranks)


def name_it_as_a_list(sounds, prompts):
    classes = prompts.sum(1) / prompts.sum(1).norm(dim=1, keepdim=True)
    return [int((classes @ sound).argmax()) for sound in sounds]


def invented_in_place(said, true):
    count = sum(map(len, said))
    for s, t in zip(said, true, strict=True):
        s -= t
    return sum(map(len, said)) / count


def smoothed_in_place(logits, words, epsilon):
    aims = F.one_hot(words, logits.shape[1]).mul(1 - epsilon).add(epsilon / logits.shape[1])
    logits -= logits.logsumexp(1, keepdim=True)
    return -(aims * logits).sum(1).mean()


ANSWERS = {
    "13.cosines": (cosines_in_place, cosines_as_a_list),
    "13.contrastive": (contrastive_as_a_number,),
    "13.average_precision": (average_precision_in_a_loop,),
    "13.name_it": (name_it_as_a_list,),
    "13b.invented": (invented_in_place,),
    "13b.smoothed": (smoothed_in_place,),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_other_right_answers_are_correct(name):
    for answer in ANSWERS[name]:
        assert checking.grade(name, answer).state == "correct", answer.__name__
