"""Codebook usage and perplexity in closed form; the lecture's tables of rates as arithmetic."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import metrics
from course_lib.metrics import Rate


def test_even_and_collapsed_codebooks_have_their_closed_forms():
    even = torch.arange(64).repeat(3)
    assert float(metrics.codebook_usage(even, 64)) == 1
    assert float(metrics.perplexity(even, 64)) == pytest.approx(64)
    assert float(metrics.entropy_efficiency(even, 64)) == pytest.approx(1)
    collapsed = torch.zeros(100, dtype=torch.long)
    assert float(metrics.codebook_usage(collapsed, 64)) == pytest.approx(1 / 64)
    assert float(metrics.perplexity(collapsed, 64)) == pytest.approx(1)
    assert float(metrics.entropy_efficiency(collapsed, 64)) == 0
    half = torch.tensor([0, 0, 1, 2])
    assert float(metrics.entropy_bits(half, 4)) == pytest.approx(1.5)


def test_codebooks_are_counted_apart():
    codes = torch.stack([torch.zeros(2, 8).long(), torch.arange(8).repeat(2, 1)], dim=1)
    assert codes.shape == (2, 2, 8)
    assert metrics.codebook_usage(codes, 8).tolist() == [0.125, 1.0]
    assert torch.allclose(metrics.perplexity(codes, 8), torch.tensor([1.0, 8.0]).double())


@settings(max_examples=30, deadline=None)
@given(codes=st.lists(st.integers(0, 9), min_size=1, max_size=60))
def test_perplexity_equals_scipys_entropy_and_stays_within_the_entries_used(codes):
    from scipy.stats import entropy

    tensor = torch.tensor(codes)
    counts = torch.bincount(tensor, minlength=10)
    value = float(metrics.perplexity(tensor, 10))
    assert value == pytest.approx(math.exp(entropy(counts.numpy())))
    assert 1 - 1e-9 <= value <= len(set(codes)) + 1e-9
    assert float(metrics.codebook_usage(tensor, 10)) == pytest.approx(len(set(codes)) / 10)


@pytest.mark.parametrize(
    "codes, error, words",
    [
        (torch.tensor([0, 4]), ValueError, "from 0 to 4; expected 0 to 3"),
        (torch.tensor([-1, 0]), ValueError, "from -1 to 0"),
        (torch.tensor([0.0]), TypeError, "float32"),
        (torch.zeros(0).long(), ValueError, "not empty"),
        (torch.zeros(2, 2).long(), ValueError, r"\[B, K, F\]"),
        ([0, 1], TypeError, "list"),
    ],
)
def test_wrong_codes_are_named(codes, error, words):
    for metric in (metrics.codebook_usage, metrics.perplexity, metrics.entropy_efficiency):
        with pytest.raises(error, match=words):
            metric(codes, 4)


def test_a_codebook_of_one_entry_has_no_efficiency():
    with pytest.raises(ValueError, match="size is 1"):
        metrics.entropy_efficiency(torch.tensor([0]), 1)


@pytest.mark.parametrize("codebooks, kbps", [(2, 1.5), (4, 3), (8, 6), (16, 12), (32, 24)])
def test_table_5_encodec_at_24_khz(codebooks, kbps):
    assert Rate(24000, 320, codebooks, 1024).bits_per_second == 1000 * kbps


@pytest.mark.parametrize("codebooks, kbps", [(2, 3), (4, 6), (8, 12), (16, 24)])
def test_table_5_encodec_at_48_khz(codebooks, kbps):
    """Half as many codebooks as at 24 kHz for the same bandwidth."""
    rate = Rate(48000, 320, codebooks, 1024)
    assert rate.bits_per_second == 1000 * kbps
    assert rate.bits_per_second == Rate(24000, 320, 2 * codebooks, 1024).bits_per_second


def test_table_14_jukebox():
    """Three levels at 44.1 kHz: 7,234 tokens a second each rounded down, 7,235.2 exactly."""
    levels = [Rate(44100, hop, 1, 2048) for hop in (8, 32, 128)]
    assert sum(math.floor(level.tokens_per_second) for level in levels) == 7234
    assert sum(level.tokens_per_second for level in levels) == pytest.approx(7235.2, abs=0.05)
    assert math.floor(levels[-1].frames_per_second) == 344


def test_table_14_musiclm():
    acoustic, semantic = Rate(24000, 480, 12, 1024), Rate(16000, 640, 1, 1024)
    assert (acoustic.tokens_per_second, semantic.tokens_per_second) == (600, 25)
    assert acoustic.tokens_per_second + semantic.tokens_per_second == 625


def test_table_14_musicgen():
    rate = Rate(32000, 640, 4, 2048)
    assert (rate.frames_per_second, rate.tokens_per_second) == (50, 200)
    assert rate.bits_per_second == 2200
    assert rate.compression == pytest.approx(512000 / 2200)


@pytest.mark.parametrize("field", ["sample_rate", "hop", "codebooks", "entries"])
def test_rates_without_meaning_are_refused(field):
    values = dict(sample_rate=16000, hop=320, codebooks=1, entries=2) | {field: 0}
    with pytest.raises(ValueError, match=f"{field} is 0"):
        Rate(**values)
