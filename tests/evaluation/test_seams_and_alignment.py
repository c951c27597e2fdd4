import math

import pytest
import torch

from course_lib.evaluation.alignment import alignment_error, linear_attention
from course_lib.evaluation.seams import seam_flux, spectral_flux


def tone(hertz: float, samples: int, level: float = 0.1) -> torch.Tensor:
    return level * torch.sin(2 * math.pi * hertz / 16000 * torch.arange(samples))[None, None]


def test_flux_is_in_decibels():
    noise = 0.1 * torch.randn(1, 1, 2048, generator=torch.Generator().manual_seed(0))
    louder = torch.cat([noise[..., :1024], 2 * noise[..., :1024]], -1)
    assert spectral_flux(louder).item() == pytest.approx(6.02, abs=0.05)
    assert spectral_flux(torch.zeros(2, 1, 4096)).tolist() == [[0, 0, 0]] * 2


def test_a_jump_of_pitch_is_a_seam():
    whole = tone(1000, 8192)  # 64 periods in 1024 samples: no flux
    jumps = torch.cat([whole[..., :4096], tone(3000, 4096)], -1)
    noise = 1e-3 * torch.randn(1, 1, 8192, generator=torch.Generator().manual_seed(0))
    assert 0.5 < seam_flux(whole + noise, [4096]) < 2
    assert seam_flux(jumps + noise, [4096]) > 1.4 * seam_flux(whole + noise, [4096])
    assert seam_flux(jumps + noise, [4096]) > 1.4 > 1 > seam_flux(jumps + noise, [2048])


@pytest.mark.parametrize("seams", [[], [1000], [0], [8192], [1024 * i for i in range(1, 8)]])
def test_seams_that_cannot_be_measured_are_named(seams):
    with pytest.raises(ValueError, match="seams|seam"):
        seam_flux(torch.zeros(1, 1, 8192), seams)
    with pytest.raises(ValueError, match=r"\[1, 1, 2000\]; expected \[B, 1, T\] with T >= 2048"):
        spectral_flux(torch.zeros(1, 1, 2000))


def test_what_is_no_sound_is_refused():
    assert math.isnan(seam_flux(torch.zeros(1, 1, 8192), [4096]))
    with pytest.raises(TypeError, match="int16"):
        spectral_flux(torch.zeros(1, 1, 4096, dtype=torch.int16))
    with pytest.raises(ValueError, match="4096 samples that are NaN"):
        seam_flux(torch.full((1, 1, 4096), math.nan), [1024])
    with pytest.raises(ValueError, match="frame=0 must be at least 2"):
        spectral_flux(torch.zeros(1, 1, 4096), 0)


def test_alignment_errors_by_hand():
    times, phonemes = torch.tensor([[0.2, 1.0, 9.0]]), torch.tensor([[2, 5, 0]])
    attention = torch.zeros(1, 13, 3)
    attention[0, :, 0] = 1
    assert alignment_error(attention, phonemes, times, 10.0) == pytest.approx(0.4, abs=1e-6)
    attention[..., 1] = 1  # half of each: 0.6 s
    assert alignment_error(attention, phonemes, times, 10.0) == pytest.approx(0.2, abs=1e-6)
    attention[..., 2] = 50.0  # padding does not count
    assert alignment_error(attention, phonemes, times, 10.0) == pytest.approx(0.2, abs=1e-6)
    with pytest.raises(ValueError, match="Nothing is sung"):
        alignment_error(attention, phonemes, times, 10.0, start=5.0)
    with pytest.raises(ValueError, match=r"\[1, 13, 2\], phonemes \[1, 3\] and times \[1, 3\]"):
        alignment_error(attention[..., :2], phonemes, times, 10.0)
    with pytest.raises(ValueError, match="rate=0.0"):
        alignment_error(attention, phonemes, times, 0.0)


def test_linear_attention_walks_from_the_first_phoneme_to_the_last():
    phonemes = torch.tensor([[3, 1, 2, 0], [4, 0, 0, 0]])
    attention = linear_attention(phonemes, torch.tensor([3.0, 3.0]), 6, 1.9)
    assert attention[0].argmax(-1).tolist() == [0, 0, 1, 1, 2, 2]
    assert attention[1].argmax(-1).tolist() == 6 * [0]
    middles = torch.tensor([[0.5, 1.5, 2.5, 0.0]])
    assert alignment_error(attention[:1], phonemes[:1], middles, 1.9) <= 0.5
