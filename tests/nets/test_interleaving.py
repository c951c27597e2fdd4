"""The six interleaving patterns: where each code stands, and that it comes back."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.nets import interleaving
from course_lib.nets.interleaving import Pattern, deinterleave, interleave

NOTHING = 9
# Frames 1, 2, 3 of four codebooks, one row a codebook, 9 for nothing: figure 1 of the paper.
FIGURE = {
    "parallel": ["123"] * 4,
    "delay": ["123999", "912399", "991239", "999123"],
    "partial_delay": ["1239", "9123", "9123", "9123"],
    "coarse_first": ["123999", "999123", "999123", "999123"],
    "partial_flattening": ["192939", "919293", "919293", "919293"],
    "flattening": ["199929993999", "919992999399", "991999299939", "999199929993"],
    "stereo_delay": ["1239", "1239", "9123", "9123"],
}
STEPS_OF_30_S = {  # table 1 of the paper, 1,500 frames
    "parallel": 1500,
    "delay": 1503,
    "partial_delay": 1501,
    "coarse_first": 3000,
    "partial_flattening": 3000,
    "flattening": 6000,
}
names = st.sampled_from(sorted(FIGURE))


@pytest.mark.parametrize("name", FIGURE)
def test_patterns_are_those_of_the_figure(name):
    codes = torch.tensor([1, 2, 3]).expand(2, 4, 3)
    pattern = getattr(interleaving, name)(4)
    want = torch.tensor([[int(digit) for digit in row] for row in FIGURE[name]])
    assert torch.equal(interleave(codes, pattern, NOTHING), want.expand(2, -1, -1))
    assert torch.equal(pattern.filled(3), want != NOTHING)


@pytest.mark.parametrize(("name", "steps"), STEPS_OF_30_S.items())
def test_steps_are_those_of_the_table(name, steps):
    assert getattr(interleaving, name)(4).count(1500) == steps


@settings(max_examples=60, deadline=None)
@given(names, st.integers(1, 4), st.integers(1, 12), st.integers(1, 3))
def test_codes_come_back(name, half, frames, batch):
    codebooks = 2 * half
    pattern = getattr(interleaving, name)(codebooks)
    codes = torch.arange(batch * codebooks * frames).view(batch, codebooks, frames)
    sequence = interleave(codes, pattern, -1)
    assert sequence.shape == (batch, codebooks, pattern.count(frames))
    assert torch.equal(deinterleave(sequence, pattern, frames), codes)
    # Each code stands once, everything else is nothing; no step is empty.
    assert (sequence >= 0).sum() == codes.numel()
    assert (sequence >= 0).any(1).all()


@settings(max_examples=40, deadline=None)
@given(names, st.integers(1, 4), st.integers(2, 12))
def test_time_goes_forward_and_the_first_codebook_comes_first(name, half, frames):
    """A code may be made of earlier frames, and of the frame's codes before it, never of later."""
    steps = getattr(interleaving, name)(2 * half).steps(frames)
    assert (steps.diff(dim=1) > 0).all() and (steps.diff(dim=0) >= 0).all()


def test_the_delay_is_that_of_transformers():
    """Their columns begin with one of the special code, which is not a step of ours."""
    transformers = pytest.importorskip("transformers")
    sizes = {"vocab_size": 8, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
    for channels, name in ((1, "delay"), (2, "stereo_delay")):
        config = transformers.MusicgenDecoderConfig(
            num_codebooks=4, ffn_dim=8, audio_channels=channels, **sizes
        )
        theirs = transformers.MusicgenForCausalLM(config)
        codes = torch.randint(8, (2, 4, 11))
        pattern = getattr(interleaving, name)(4)
        ours = interleave(codes, pattern, 8)
        given = torch.cat([codes.new_full((2, 4, 1), 8), codes], 2).flatten(0, 1)
        _, mask = theirs.build_delay_pattern_mask(given, 8, pattern.count(11) + 1)
        assert torch.equal(mask.view(2, 4, -1)[..., 1:], ours)
        _, mask = theirs.build_delay_pattern_mask(given[:, :1], 8, pattern.count(11) + 1)
        assert torch.equal(mask.view(2, 4, -1)[..., 1:] == -1, pattern.filled(11).expand(2, -1, -1))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Pattern(()), "one number a codebook"),
        (lambda: Pattern((0, 1), passes=(0,)), "one number a codebook"),
        (lambda: Pattern((1, 2)), "begin with 0"),
        (lambda: Pattern((0, -1)), "not be negative"),
        (lambda: Pattern((0,), stride=0), "stride=0"),
        (lambda: interleaving.stereo_delay(3), "3 codebooks"),
        (lambda: Pattern((0, 1)).count(0), "0 frames"),
        (lambda: interleave(torch.zeros(1, 3, 5), Pattern((0, 1)), 0), r"\[B, 2, F\]"),
        (lambda: deinterleave(torch.zeros(1, 2, 5), Pattern((0, 1)), 5), "takes 6"),
    ],
)
def test_what_does_not_fit_is_said(make, words):
    with pytest.raises(ValueError, match=words):
        make()
