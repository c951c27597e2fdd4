import pytest
import torch

from course_lib import evaluation, metrics
from course_lib.models import Codec, CodecConfig
from course_lib.nets.seanet import SEANetConfig

STACK = SEANetConfig(widths=(4, 4, 8), strides=(4, 5), conv_shortcut=False, lstm=0, norm=None)
TINY = CodecConfig(stack=STACK, dim=8, entries=8, n_codebooks=4, levels=(1, 2, 4))
X = 0.1 * torch.randn(20, 1, 1810, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def codec():
    torch.manual_seed(0)
    made = Codec(TINY).train()
    made(X[:8])
    return made.eval()


def test_fidelity_is_the_mean_over_clips():
    y = X + 0.03 * torch.randn(X.shape, generator=torch.Generator().manual_seed(1))
    found = evaluation.fidelity(X, y)
    assert found["si_sdr"] == pytest.approx(metrics.si_sdr(X, y).mean().item())
    assert found["mel_distance"] == pytest.approx(metrics.mel_distance(X, y).mean().item())
    assert found["stft_distance"] == pytest.approx(metrics.stft_distance(X, y).mean().item())


def test_silent_clips_have_no_si_sdr():
    x = X.clone()
    x[3] = 0
    found = evaluation.fidelity(x, x + 0.01 * X.flip(0))
    others = torch.arange(20) != 3
    expected = metrics.si_sdr(x[others], (x + 0.01 * X.flip(0))[others]).mean().item()
    assert found["si_sdr"] == pytest.approx(expected)


def test_the_report_is_of_each_level(codec):
    found = evaluation.codec_report(codec, X)
    codes = evaluation.codes_of(codec, X)
    assert codes.shape == (20, 4, 91)
    for level in (1, 2, 4):
        y = codec.decode_codes(codes[:, :level], length=1810)
        assert found[f"si_sdr_{level}"] == pytest.approx(metrics.si_sdr(X, y).mean().item())
        paid = metrics.entropy_bits(codes[:, :level], 8).sum().item() / (3 * level)
        assert found[f"efficiency_{level}"] == pytest.approx(paid)
    usage = [found[f"usage_{k}"] for k in (1, 2, 3, 4)]
    assert usage == metrics.codebook_usage(codes, 8).tolist()
    assert "frechet_1" not in found and "si_sdr_3" not in found
    assert evaluation.code_statistics(codes, 8)["usage"] == min(usage)


def test_items_do_not_mix(codec):
    codes = evaluation.codes_of(codec, X)
    one = codec.encode(X[13:14]).codes
    assert torch.equal(codes[13:14], one)
    y = evaluation.decoded(codec, codes, 1810)
    assert torch.allclose(y[13:14], codec.decode_codes(one, length=1810), atol=1e-6)
