import math
from itertools import product

import pytest
import torch

from course_lib.models.phonemes import (
    PhonemeRecogniser,
    PhonemeRecogniserConfig,
    ctc,
    merged,
)
from course_lib.songbook import PHONEMES

SMALL = PhonemeRecogniserConfig(width=16, layers=2, dropout=0.0)


def small() -> PhonemeRecogniser:
    torch.manual_seed(0)
    return PhonemeRecogniser(SMALL).eval()


def noise(*shape, seed=0):
    return 0.1 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_frames_are_log_probabilities_of_phonemes_and_blank():
    for length in (1, 511, 512, 16000, 16001):
        out = small()(noise(2, 1, length))
        assert out.shape == (2, math.ceil((1 + length // 256) / 2), len(PHONEMES) + 1)
        torch.testing.assert_close(out.exp().sum(-1), torch.ones(out.shape[:2]))


def test_gain_and_colour_change_nothing():
    model, audio = small(), noise(1, 1, 16000)
    torch.testing.assert_close(model(audio), model(0.01 * audio), atol=1e-4, rtol=0)
    log_mel = model.spectrogram(audio)
    coloured = log_mel + torch.linspace(-2, 2, 80)[:, None]
    torch.testing.assert_close(model.listen(log_mel), model.listen(coloured), atol=1e-4, rtol=0)
    assert torch.isfinite(model(torch.zeros(1, 1, 8000))).all()


def brute_force(log_p, phonemes):
    """The sum over all frame sequences [F] that read as the phonemes."""
    frames, symbols = log_p.shape
    total = 0.0
    for path in product(range(symbols), repeat=frames):
        if merged(torch.tensor([path])) == [phonemes]:
            total += math.exp(sum(log_p[i, s].item() for i, s in enumerate(path)))
    return -math.log(total)


@pytest.mark.parametrize("phonemes", [[1, 2], [1, 1], [2], [2, 1, 2]])
def test_ctc_sums_over_all_alignments(phonemes):
    log_p = noise(4, 3, seed=1).mul(10).log_softmax(-1)
    expected = brute_force(log_p, phonemes) / len(phonemes)
    ids = torch.tensor([phonemes + [0] * (4 - len(phonemes))])
    assert ctc(log_p[None], ids).item() == pytest.approx(expected, rel=1e-5)


def test_what_no_frames_can_hold_adds_nothing():
    log_p = noise(3, 2, 3, seed=1).mul(10).log_softmax(-1)  # 3 items of 2 frames
    ids = torch.tensor([[1, 2], [1, 1], [2, 0]])  # the second takes three
    one = -log_p[0, [0, 1], [1, 2]].sum()  # the only way
    rest = ctc(log_p[[0, 2]], ids[[0, 2]]) * 3
    torch.testing.assert_close(ctc(log_p, ids) * 5, rest)
    torch.testing.assert_close(ctc(log_p[:1], ids[:1]) * 2, one)


def test_merging_reads_frames_as_ctc_does():
    best = torch.tensor([[0, 1, 1, 0, 1, 2, 2, 0], [3, 3, 3, 0, 0, 0, 0, 3], [0] * 8])
    assert merged(best) == [[1, 1, 2], [3, 3], []]


def test_recognising_gives_symbols():
    model = small()
    heard = model.recognise(noise(3, 1, 16000))
    assert len(heard) == 3 and all(s in PHONEMES for row in heard for s in row)
    best = model(noise(3, 1, 16000)).argmax(-1)
    assert heard == [model.symbols(row) for row in merged(best)]


def test_wrong_input_is_refused():
    model = small()
    with pytest.raises(ValueError, match=r"\[1, 2, 100\].*mono"):
        model(noise(1, 2, 100))
    with pytest.raises(TypeError, match="float"):
        model(torch.zeros(1, 1, 100, dtype=torch.int64))
    with pytest.raises(ValueError, match="9 phonemes.*2 frames"):
        model.loss(model.spectrogram(noise(1, 1, 600)), torch.ones(1, 9, dtype=torch.int64))
    for options in ({"width": 20}, {"width": 0}, {"layers": -1}, {"phonemes": ()}):
        with pytest.raises(ValueError, match="There must be phonemes"):
            PhonemeRecogniserConfig(**options)


def test_the_default_fits_its_budget():
    parameters = sum(p.numel() for p in PhonemeRecogniser().parameters())
    assert 300_000 < parameters < 450_000  # a byte each: 0.5 MB
