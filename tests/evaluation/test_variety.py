"""Diversity, nearest neighbours in embeddings and codes, and generating in batches."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.evaluation.generating import AT_ONCE, generated, through_codec
from course_lib.evaluation.variety import (
    beyond,
    diversity,
    nearest,
    nearest_codes,
    nearest_latents,
)


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def codes(*shape, seed=0, entries=64):
    return torch.randint(entries, shape, generator=torch.Generator().manual_seed(seed))


def test_diversity_is_the_mean_distance_of_pairs():
    x = random(3, 4, 8)
    unit = x / x.norm(dim=-1, keepdim=True)
    pairs = [(a, b) for a in range(4) for b in range(4) if a < b]
    want = torch.stack([1 - (unit[:, a] * unit[:, b]).sum(-1) for a, b in pairs]).mean(0)
    torch.testing.assert_close(diversity(x), want)
    torch.testing.assert_close(diversity(5 * x), want)
    same = x[:, :1].expand(-1, 4, -1)
    torch.testing.assert_close(diversity(same), torch.zeros(3), atol=1e-6, rtol=0)
    for wrong in (x[0], x[:, :1]):
        with pytest.raises(ValueError, match="S >= 2"):
            diversity(wrong)


def test_the_nearest_is_the_one_that_was_hidden():
    bank = random(50, 16)
    found, which = nearest(3 * bank[[7, 30]] + 0.01 * random(2, 16, seed=1), bank)
    assert which.tolist() == [7, 30] and (found > 0.99).all()
    far, _ = nearest(random(20, 16, seed=2), bank)
    assert far.max() < 0.95
    with pytest.raises(ValueError, match="one network"):
        nearest(random(2, 8), bank)


@settings(max_examples=30, deadline=None)
@given(frames=st.integers(4, 40), place=st.integers(0, 3), seed=st.integers(0, 99))
def test_a_copy_is_found_in_whatever_order(frames, place, seed):
    bank = codes(5, 2 * frames, seed=seed)
    start = place * max(1, frames // 4)
    copy = bank[3, start : start + frames]
    shuffled = copy[torch.randperm(frames, generator=torch.Generator().manual_seed(seed))]
    share, which = nearest_codes(shuffled[None], bank, 64)
    assert share.item() == 1 and (which.item() == 3 or frames < 8)


def test_the_share_of_codes_is_counted_with_repeats():
    bank = torch.tensor([[1, 1, 2, 3], [5, 5, 5, 5]])
    share, which = nearest_codes(torch.tensor([[1, 2, 2, 9], [5, 5, 1, 9], [7, 7, 7, 7]]), bank, 10)
    assert share.tolist() == [0.5, 0.5, 0] and which.tolist()[:2] == [0, 1]


def test_other_music_shares_less_than_a_disturbed_copy():
    bank = codes(30, 400, seed=1, entries=1024)
    disturbed = bank[:4, 50:250].clone()
    disturbed[:, ::4] = codes(4, 50, seed=2, entries=1024)
    copied, which = nearest_codes(disturbed, bank, 1024)
    other, _ = nearest_codes(codes(4, 200, seed=3, entries=1024), bank, 1024)
    assert (copied > 0.74).all() and which.tolist() == [0, 1, 2, 3] and (other < 0.3).all()
    with pytest.raises(ValueError, match="400 frames"):
        nearest_codes(codes(1, 500), bank % 64, 64)
    with pytest.raises(TypeError):
        nearest_codes(torch.rand(1, 4), bank, 1024)


def test_beyond_is_a_twentieth_for_the_same_and_all_for_copies():
    expected = torch.linspace(0, 1, 1001)
    assert beyond(expected, expected) == pytest.approx(0.05, abs=0.002)
    assert beyond(torch.full((9,), 2.0), expected) == 1 and beyond(expected - 1, expected) == 0
    with pytest.raises(ValueError, match="quantile=1.5"):
        beyond(expected, expected, 1.5)


def test_the_nearest_latents_are_found_at_any_shift_and_loudness():
    bank = random(3, 4, 40)
    asked = torch.stack([2 * bank[1, :, 7:27], -bank[1, :, 7:27], bank[2, :, 20:]])
    cosines, which = nearest_latents(asked, bank)
    assert which[[0, 2]].tolist() == [1, 2] and cosines[1] < 0.6
    assert cosines[[0, 2]].tolist() == pytest.approx([1, 1], abs=1e-5)
    by_hand = torch.stack([bank[0, :, i : i + 20].flatten() for i in range(21)])
    expected = torch.cosine_similarity(by_hand, asked[1].flatten()[None]).max()
    assert nearest_latents(asked[1:2], bank[:1])[0].item() == pytest.approx(expected.item())


def test_silent_latents_are_near_to_nothing():
    cosines, _ = nearest_latents(random(1, 2, 5), torch.zeros(1, 2, 8))
    assert cosines.tolist() == [0]


@pytest.mark.parametrize(
    "shape, bank", [((2, 4), (3, 4, 9)), ((2, 3, 5), (3, 4, 9)), ((2, 4, 9), (3, 4, 8))]
)
def test_latents_of_other_shapes_are_refused(shape, bank):
    with pytest.raises(ValueError, match="expected .N, K, F. and .M, K, G. with G >= F"):
        nearest_latents(random(*shape), random(*bank))


class Asked:
    """Audio full of the number that the prompt is, and a note of every call."""

    def __init__(self):
        self.calls = []

    def generate(self, prompts, seconds, seed, **sampling):
        self.calls.append((len(prompts), seconds, seed, sampling))
        return torch.tensor([float(p) for p in prompts])[:, None, None].expand(-1, 1, 10)

    def encode(self, audio):
        return (audio * 100).round().long()

    def decode(self, codes):
        return torch.nn.functional.pad(codes / 100, (0, 3))  # whole frames: longer than it was


def test_prompts_are_generated_in_order_in_batches_with_seeds_of_their_own():
    model = Asked()
    audio = generated(model, [str(i) for i in range(AT_ONCE + 3)], 4.0, seed=5, guidance=2.0)
    assert audio[:, 0, 0].tolist() == list(range(AT_ONCE + 3))
    assert [call[0] for call in model.calls] == [AT_ONCE, 3]
    assert all(call[1] == 4.0 and call[3] == {"guidance": 2.0} for call in model.calls)
    seeds = [call[2] for call in model.calls]
    generated(model, ["0"], 4.0, seed=5)
    generated(model, ["0"], 4.0, seed=6)
    assert len(set(seeds)) == 2 and model.calls[2][2] == seeds[0] != model.calls[3][2]


def test_what_went_through_the_codec_is_as_long_as_it_was():
    audio = random(11, 1, 50, seed=4).clamp(-1, 1)
    made = through_codec(Asked(), audio)
    assert made.shape == audio.shape
    torch.testing.assert_close(made, audio, atol=6e-3, rtol=0)
