import pytest
import torch
import torchaudio

from course_lib.audio.mu_law import mu_law_decode, mu_law_encode
from course_lib.models import (
    ArgmaxBottleneck,
    AutoregressiveAutoencoder,
    AutoregressiveAutoencoderConfig,
    autoregressive_loss,
)
from course_lib.nets import WaveNet


def make(**options) -> AutoregressiveAutoencoder:
    torch.manual_seed(0)
    small = {"levels": 12, "width": 8, "dim": 6, "entries": 9, "channels": 8, "layers": 4}
    return AutoregressiveAutoencoder(AutoregressiveAutoencoderConfig(**{**small, **options}))


def test_mu_law_is_torchaudio_s_and_comes_back():
    x = torch.linspace(-1, 1, 1001)
    codes = mu_law_encode(x)
    assert torch.equal(codes, torchaudio.functional.mu_law_encoding(x, 256))
    back = mu_law_decode(codes)
    torch.testing.assert_close(back, torchaudio.functional.mu_law_decoding(codes, 256))
    assert (back - x).abs().max() < 0.025 and (back - x)[x.abs() < 0.01].abs().max() < 1e-3
    assert torch.equal(mu_law_encode(mu_law_decode(torch.arange(256))), torch.arange(256))
    assert mu_law_encode(torch.tensor([-3.0, 3.0])).tolist() == [0, 255]


def test_predictions_see_the_past_alone():
    torch.manual_seed(0)
    net = WaveNet(12, 6, hop=4, channels=8, layers=4, cycle=3)
    samples, condition = torch.randint(12, (1, 1, 30)), torch.randn(1, 6, 8)
    before = net(samples, condition)
    for place in (0, 7, 29):
        changed = samples.clone()
        changed[..., place] = (changed[..., place] + 1) % 12
        difference = (net(changed, condition) - before).abs().amax((0, 1))
        assert difference[: place + 1].sum() == 0
        last = place + net.receptive_field
        assert place == 29 or difference[place + 1] > 0
        assert difference[last + 1 :].sum() == 0
        assert last >= 30 or difference[last] > 0
    other = net(samples, condition + 1)
    assert (other - before).abs().amax((0, 1)).min() > 0


@pytest.mark.parametrize("length", [1, 7, 40])
def test_cached_sampling_equals_the_slow_way(length):
    torch.manual_seed(0)
    net = WaveNet(12, 6, hop=4, channels=8, layers=5, cycle=3)
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    condition = torch.randn(2, 6, -(-length // 4))
    ours = net.generate(condition, length, temperature=0)
    slow = torch.zeros(2, 1, length, dtype=torch.int64)
    with torch.no_grad():
        for t in range(length):
            slow[..., t] = net(slow, condition)[:, :, t].argmax(1, keepdim=True)
    assert torch.equal(ours, slow)
    assert length < 40 or ours.unique().numel() > 2


@pytest.mark.parametrize("bottleneck", ["vq", "argmax"])
def test_it_learns_and_lengths_are_exact(bottleneck):
    model = make(bottleneck=bottleneck)
    symbols = torch.randint(12, (4, 1, 50))
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)
    predictions = []
    for _ in range(40):
        optimiser.zero_grad()
        losses = autoregressive_loss(model, symbols)
        losses["loss"].backward()
        optimiser.step()
        predictions.append(losses["prediction"].item())
    assert predictions[-1] < 0.7 * predictions[0]
    model.eval()
    for length in (1, 7, 8, 9, 33):
        codes = model.encode(symbols[..., :length])
        assert codes.shape == (4, 1, -(-length // 8))
        assert torch.equal(codes, model(symbols[..., :length]).codes)
        assert model.decode_codes(codes, length).shape == (4, 1, length)


def test_one_stacks_on_the_codes_of_another():
    first, second = make(), make(levels=9)
    symbols = torch.randint(12, (2, 1, 130))
    slow = second.encode(first.encode(symbols))
    assert slow.shape == (2, 1, 3)
    again = first.decode_codes(second.decode_codes(slow, 17), 130)
    assert again.shape == symbols.shape and again.max() < 12


def test_the_argmax_bottleneck():
    bottleneck = ArgmaxBottleneck(4)
    z = torch.tensor([[[0.0, 9.0, -1.0], [2.0, 1.0, -1.0], [1.0, 0.0, -5.0], [0.0, 0.0, -2.0]]])
    z.requires_grad_()
    out = bottleneck(z)
    assert out.codes.tolist() == [[[1, 0, 0]]]
    assert torch.equal(out.values.detach().argmax(1), out.codes[:, 0])
    torch.testing.assert_close(out.values.sum(1), torch.ones(1, 3))
    assert torch.equal(bottleneck.encode(z), out.codes)
    torch.testing.assert_close(bottleneck.decode(out.codes), out.values.detach())
    (out.values * torch.randn(1, 4, 3)).sum().backward()
    assert z.grad[:, 1, 0].abs().sum() > 0  # straight through the argmax


def test_diversity_is_least_where_all_are_used_alike():
    bottleneck = ArgmaxBottleneck(4)
    even = torch.eye(4).repeat(1, 3)[None] * 1000
    one = torch.zeros(1, 4, 12)
    one[:, 2] = 1000
    assert bottleneck(even).diversity < 1e-6
    assert bottleneck(one).diversity == pytest.approx(3, abs=1e-3)  # V - 1


def test_bad_input_is_named():
    model = make()
    with pytest.raises(TypeError, match="int64, not torch.float32"):
        model(torch.zeros(1, 1, 9))
    with pytest.raises(ValueError, match=r"\[1, 2, 9\]; expected \[B, 1, T\]"):
        model(torch.zeros(1, 2, 9, dtype=torch.int64))
    with pytest.raises(ValueError, match="9 samples need a condition of 3 frames of 4, not 2"):
        WaveNet(12, 6, 4, 8, 2, 2)(torch.zeros(1, 1, 9, dtype=torch.int64), torch.zeros(1, 6, 2))
    with pytest.raises(ValueError, match="bottleneck='fsq'"):
        AutoregressiveAutoencoderConfig(bottleneck="fsq")
    with pytest.raises(ValueError, match=r"\[1, 3, 2\]; expected \[B, 4, F\]"):
        ArgmaxBottleneck(4)(torch.zeros(1, 3, 2))
    with pytest.raises(TypeError, match="int64, not torch.float32"):
        ArgmaxBottleneck(4).decode(torch.zeros(1, 1, 2))
    with pytest.raises(ValueError, match="0 to 3"):
        ArgmaxBottleneck(4).decode(torch.full((1, 1, 2), 4))
