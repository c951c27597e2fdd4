"""The contrastive loss: both directions, by the formula, and what duplicates do to it."""

import math

import pytest
import torch
import torch.nn.functional as F

from course_lib.training import false_negatives, symmetric_contrastive_loss


def unit(batch=6, dims=5, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(batch, dims, generator=generator, dtype=torch.float64), dim=-1)


def test_it_is_the_mean_of_two_softmaxes():
    audio, text, scale = unit(seed=1), unit(seed=2), 7.0
    alike = (scale * audio @ text.T).exp()
    right = alike.diagonal()
    captions_of_clips = -(right / alike.sum(1)).log().mean()
    clips_of_captions = -(right / alike.sum(0)).log().mean()
    assert abs(captions_of_clips - clips_of_captions) > 0.01  # they are two questions
    found = symmetric_contrastive_loss(audio, text, scale)
    torch.testing.assert_close(found, (captions_of_clips + clips_of_captions) / 2)


def test_exchanging_the_towers_changes_nothing():
    audio, text = unit(seed=1), unit(seed=2)
    found = symmetric_contrastive_loss(audio, text, 7.0)
    torch.testing.assert_close(found, symmetric_contrastive_loss(text, audio, 7.0))


def test_without_knowledge_it_is_log_of_the_batch():
    same = unit(1).expand(6, -1)
    found = symmetric_contrastive_loss(same, same, 14.0)
    assert found.item() == pytest.approx(math.log(6))


def test_perfect_pairs_cost_nothing_and_a_caption_that_comes_twice_costs_log_2():
    pairs = torch.eye(6)
    assert symmetric_contrastive_loss(pairs, pairs, 100.0) < 1e-6
    twice = pairs.clone()
    twice[1] = twice[0]  # two clips with one caption, and heard alike
    found = symmetric_contrastive_loss(twice, twice, 100.0)
    assert found.item() == pytest.approx(math.log(2) * 2 / 6, abs=1e-5)
    ids = torch.tensor([[2, 5, 0], [2, 5, 0], [2, 6, 0], [2, 5, 6], [2, 7, 0], [2, 0, 0]])
    assert false_negatives(ids).tolist() == [1, 1, 0, 0, 0, 0]


def test_both_towers_and_the_scale_learn_from_it():
    audio, text = unit(seed=1).requires_grad_(), unit(seed=2).requires_grad_()
    scale = torch.tensor(7.0, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(symmetric_contrastive_loss, (audio, text, scale))
    symmetric_contrastive_loss(audio, text, scale).backward()
    assert min(x.grad.abs().max() for x in (audio, text, scale)) > 1e-3


def test_half_precision_is_widened():
    audio, text = unit(seed=1).to(torch.bfloat16), unit(seed=2).to(torch.bfloat16)
    with torch.autocast("cpu", torch.bfloat16):
        found = symmetric_contrastive_loss(audio, text, 100.0)
    assert found.dtype == torch.float32
    torch.testing.assert_close(
        found, symmetric_contrastive_loss(audio.float(), text.float(), 100.0)
    )


@pytest.mark.parametrize(
    ("audio", "text"), [((3, 4), (3, 5)), ((3, 4), (2, 4)), ((1, 4), (1, 4)), ((4,), (4,))]
)
def test_what_are_no_pairs_is_refused(audio, text):
    with pytest.raises(ValueError, match="at least two pairs"):
        symmetric_contrastive_loss(torch.zeros(audio), torch.zeros(text), 1.0)
