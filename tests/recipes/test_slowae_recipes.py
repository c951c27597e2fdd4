import pytest
import torch

from course_lib import recipes
from course_lib.models import (
    RunLengthTransformer,
    RunLengthTransformerConfig,
    SlowAE,
    SlowAEConfig,
)
from course_lib.quantize import run_length_decode
from course_lib.recipes import slowae, slowae_prior
from course_lib.songbook import Clip
from course_lib.songbook.band import Event
from course_lib.training import Draws

CPU = torch.device("cpu")


class Clips:
    """Bursts of noise, 5 s: clip i has i + 1 of them a second."""

    def __len__(self):
        return 6

    def batch(self, indices):
        t = torch.arange(80_000) / 16_000
        rate = torch.as_tensor(indices)[:, None, None] + 1.0
        noise = torch.randn(80_000, generator=torch.Generator().manual_seed(0))
        return 0.3 * noise * torch.exp(-20 * (t * rate % 1) / rate)

    def __iter__(self):
        for i in range(len(self)):
            onsets = torch.arange(0, 5, 1 / (i + 1)).tolist()
            notes = {"drums": tuple(Event(onset, 0.1, 38, 0.8) for onset in onsets)}
            yield Clip(torch.zeros(1, 1), 16000, 5.0, notes=notes)


def small() -> SlowAE:
    torch.manual_seed(0)
    return SlowAE(SlowAEConfig(width=8, units=1))


def test_the_loss_hears_another_part_in_each_step():
    model, audio = small(), Clips().batch(range(4))
    values = [
        slowae.loss(model.eval(), audio, Draws(0, step, range(4), CPU))["loss"].item()
        for step in (1, 1, 2)
    ]
    assert values[0] == values[1] != values[2]
    frames = []
    model.encoder.register_forward_pre_hook(lambda _, args: frames.append(args[0].shape[-1]))
    slowae.loss(model, audio, Draws(0, 0, range(4), CPU))
    assert frames == [slowae.FRAMES]


def test_the_metrics_are_those_of_whole_clips(monkeypatch):
    model, clips = small().eval(), Clips()
    x = slowae.MEL(clips.batch(range(6)))
    with torch.no_grad():
        found, out = slowae.test(model, clips), model(x)
    error = out.reconstruction - x
    assert found["log_mel_mse"] == pytest.approx(error.square().mean().item(), rel=1e-4)
    assert found["log_mel_l1"] == pytest.approx(error.abs().mean().item(), rel=1e-4)
    changes = (out.codes[..., 1:] != out.codes[..., :-1]).sum().item()
    assert found["events_per_second"] == pytest.approx(changes / 6 / 625 * 125)
    assert found["shorter"] == pytest.approx(250 / found["events_per_second"])

    def busy(audio_mel):  # one channel that changes at every burst
        codes = torch.zeros(len(audio_mel), 4, 626, dtype=torch.int64)
        for i in range(len(audio_mel)):
            codes[i, 0] = torch.arange(626) * (i + 1) // 125 % 2
        return codes

    monkeypatch.setattr(model, "encode", busy)
    with torch.no_grad():
        assert slowae.test(model, clips)["follows"] == pytest.approx(1)


def test_windows_are_parts_of_the_clip_s_codes():
    model, clips = small().eval(), Clips()
    found = slowae_prior.windows_of(model, clips)
    assert found.shape == (18, 4, 500) and found.dtype == torch.uint8
    codes = model.encode(slowae.MEL(clips.batch([1])))[0]
    for window, start in zip(found[3:6], (0, 63, 126), strict=True):
        assert torch.equal(window.long(), codes[:, start : start + 500])
    windows = slowae_prior.Windows(found, 128)
    events = windows.batch(torch.tensor([3, 0]))
    count = (events.lengths[0] > 0).sum()
    back = run_length_decode(events.values[0, :count], events.lengths[0, :count], 4)
    assert torch.equal(back, found[3].long())


def test_nats_are_those_of_the_model():
    torch.manual_seed(0)
    model = RunLengthTransformer(RunLengthTransformerConfig(width=16, layers=1, heads=1)).eval()
    windows = slowae_prior.Windows(slowae_prior.windows_of(small().eval(), Clips()), 128)
    events = windows.batch(torch.arange(18))
    with torch.no_grad():
        found = slowae_prior.test(model, windows)
        nats = model.nats(events).sum().item()
    assert found["nats_per_second"] == pytest.approx(nats / (18 * 4), rel=1e-4)
    count = (events.lengths > 0).sum().item()
    assert found["events_per_second"] == pytest.approx(count / 72)
    assert found["nats_per_event"] == pytest.approx(nats / count, rel=1e-4)
    loss = slowae_prior.loss(model, events, Draws(0, 0, range(18), CPU))
    assert loss.item() == pytest.approx(found["nats_per_event"], rel=1e-4)


def test_recipes_are_the_default_models_that_fit_each_other():
    recipe, prior = recipes.find("slowae"), recipes.find("slowae_prior")
    assert recipe is slowae.RECIPE and prior is slowae_prior.RECIPE
    assert recipe.model().config == SlowAEConfig() and prior.parents == ("slowae",)
    own, of_prior = recipe.model().config, prior.model().config
    assert (own.channels, own.levels) == (of_prior.channels, of_prior.levels)
    assert own.frame_rate == slowae.MEL.sample_rate / slowae.MEL.hop
    assert own.bands == slowae.MEL.n_mels
