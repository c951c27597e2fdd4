"""The codec's two recipes, from nothing to a shipped artefact, tiny."""

import pytest
import torch

from course_lib import checkpoints, paths, recipes
from course_lib.models import (
    Analyser,
    AnalyserConfig,
    Codec,
    CodecConfig,
    ContinuousAutoencoderConfig,
)
from course_lib.nets.seanet import SEANetConfig
from course_lib.recipes import autoencoder, codec, codec_plain
from course_lib.songbook import rendering
from course_lib.training import Draws

STACK = SEANetConfig(widths=(4, 4, 8), strides=(16, 20), conv_shortcut=False, lstm=0, norm=None)
TINY = CodecConfig(stack=STACK, dim=8, entries=8)
LISTENER = AnalyserConfig(("violin",), ("waltz", "house"), ("major",), ("3/4",), ("slow",), width=6)


class Clips:
    """Chords of decaying tones, 1.2 s."""

    def __len__(self):
        return 12

    def batch(self, indices):
        t = torch.arange(19_200) / 16_000
        pitch = 220 * 2 ** (torch.as_tensor(indices)[:, None, None] / 12)
        return 0.3 * torch.sin(2 * torch.pi * pitch * t) * torch.exp(-2 * (t % 0.5))


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """Tiny settings, tones for clips, an untrained analyser, and empty folders."""
    monkeypatch.setattr(codec_plain, "CONFIG", TINY)
    monkeypatch.setattr(
        autoencoder, "CONFIG", ContinuousAutoencoderConfig(stack=STACK, dim=8, kept=6)
    )
    monkeypatch.setattr(autoencoder, "load", lambda split, size: Clips())
    monkeypatch.setattr(codec_plain, "CLIPS", 4)
    monkeypatch.setattr(codec, "JUDGE", {"width": 4, "n_ffts": (128,)})
    monkeypatch.setattr(codec, "ALONE", 1)
    monkeypatch.setattr(codec_plain, "load", lambda split, size: Clips())
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(rendering, "scores_digest", lambda: "of no scores")
    monkeypatch.setattr(paths, "data", lambda *parts: tmp_path.joinpath("data", *parts))
    (tmp_path / "data" / "checkpoints").mkdir(parents=True)
    torch.manual_seed(0)
    checkpoints.save(tmp_path / "data" / "checkpoints", "analyser", Analyser(LISTENER), {})
    return tmp_path


@pytest.mark.filterwarnings("ignore:Fréchet distance from 4 samples")
def test_from_nothing_to_an_adversarial_codec(folder):
    recipes.train("codec_plain", steps=3, progress=False)
    recipes.train("codec", steps=2, progress=False)
    plain, card = checkpoints.card("codec_plain"), checkpoints.card("codec")
    assert card["parents"] == {"codec_plain": plain["sha256"]}
    assert card["model"] == "Codec" and card["steps"] == 2
    names = {f"{m}_{n}" for n in (1, 2, 4, 8) for m in ("si_sdr", "mel_distance", "efficiency")}
    assert names < card["metrics"].keys() and {"usage_1", "usage_8"} < card["metrics"].keys()
    assert 0 <= card["metrics"]["frechet_8"] and 0 < card["metrics"]["efficiency_1"] <= 1
    model, before = checkpoints.load("codec"), checkpoints.load("codec_plain")
    assert model.state_dict().keys() == before.state_dict().keys()  # no discriminator, no balancer
    x = Clips().batch(torch.arange(2))
    assert model.decode(model.encode(x, 2)).shape == x.shape
    weight, parent = model.decoder.layers[0].weight, before.decoder.layers[0].weight
    assert 0 < (weight - parent).norm() < 0.1 * parent.norm()  # it went on from its parent
    assert torch.equal(model.encode(x).codes, before.encode(x).codes)


@pytest.mark.filterwarnings("ignore:Fréchet distance from 4 samples")
def test_from_a_codec_to_a_continuous_autoencoder(folder):
    recipes.train("codec_plain", steps=2, progress=False)
    recipes.train("codec", steps=2, progress=False)
    recipes.train("autoencoder", steps=3, progress=False)
    card, parent = checkpoints.card("autoencoder"), checkpoints.load("codec")
    assert card["parents"] == {"codec": checkpoints.card("codec")["sha256"]}
    names = {"si_sdr", "mel_distance", "frechet", "latent_mean", "correlation", "deviation"}
    assert names < card["metrics"].keys() and card["metrics"]["deviation"] < 3
    model, audio = checkpoints.load("autoencoder"), Clips().batch(torch.arange(12))
    for name, value in parent.encoder.state_dict().items():  # the codec's frames stay
        assert torch.equal(model.encoder.state_dict()[name], value)
    assert not torch.equal(model.decoder.layers[0].weight, parent.decoder.layers[0].weight)
    latents = model.encode(audio).transpose(1, 2).flatten(0, 1)
    assert latents.mean(0).abs().max() < 0.05 and (latents[:, 0].std() - 1).abs() < 0.05


def test_masked_frames_are_drawn_for_each_item_and_step(folder, monkeypatch):
    """About the share of `MASKED`, others in other steps, the same in the same step."""
    monkeypatch.setattr(autoencoder, "MASKED", 0.5)
    parent, model = Codec(TINY), autoencoder.RECIPE.model()
    made = autoencoder.training(model, {"codec": parent})
    seen = []
    monkeypatch.setattr(made, "step", lambda part, kept: seen.append(kept) or iter([("d", {})]))
    for step in (0, 0, 1):
        draws = Draws(0, step, range(12), torch.device("cpu"))
        next(autoencoder.loss(made, Clips().batch(torch.arange(12)), draws))
    assert torch.equal(seen[0], seen[1]) and not torch.equal(seen[0], seen[2])
    assert seen[0].shape == (12, 25) and 0.4 < seen[0].float().mean() < 0.6
    assert not torch.equal(seen[0][0], seen[0][1])


def test_the_child_starts_from_its_parent():
    torch.manual_seed(1)
    parent, child = (codec_plain.Codec(TINY) for _ in range(2))
    made = codec.training(child, {"codec_plain": parent})
    for name, value in parent.state_dict().items():
        assert torch.equal(made.codec.state_dict()[name], value), name


def test_the_judge_learns_alone_at_first(monkeypatch):
    monkeypatch.setattr(codec, "JUDGE", {"width": 4, "n_ffts": (128,)})
    torch.manual_seed(1)
    parent = codec_plain.Codec(TINY)
    made, audio = codec.training(codec_plain.Codec(TINY), {"codec_plain": parent}), Clips()
    moved = [
        [name for name, _ in codec.loss(made, audio.batch(torch.arange(2)), draws)]
        for draws in (Draws(0, step, range(2), torch.device("cpu")) for step in (199, 200))
    ]
    assert moved == [["discriminator"], ["discriminator", "codec"]]


def test_parts_and_levels_are_drawn_for_each_item():
    clips = Clips().batch(torch.arange(12))
    draws = Draws(0, 3, range(12), torch.device("cpu"))
    part = codec_plain.part(clips, draws)
    assert part.shape == (12, 1, codec_plain.CROP)
    assert torch.equal(part, codec_plain.part(clips, draws))
    other = codec_plain.part(clips, Draws(0, 4, range(12), torch.device("cpu")))
    assert not torch.equal(part, other)
    gains = 20 * (part.abs().amax((1, 2)) / codec_plain.part(clips, draws, 19_200).abs().amax())
    assert gains.unique().numel() > 6
    low, high = (10 ** (g / 20) for g in codec_plain.GAINS)
    whole = codec_plain.part(clips, draws, 19_200).abs().amax((1, 2)) / clips.abs().amax((1, 2))
    assert low <= whole.min() and whole.max() <= high and whole.max() > 1.5 * whole.min()


@pytest.mark.parametrize("name", ["codec_plain", "codec"])
def test_what_is_shipped_fits(name):
    """At most 2.8 MB as it would be stored."""
    recipe = recipes.find(name)
    packed = checkpoints.pack(recipe.model().state_dict(), recipe.int8)
    assert sum(v.numel() * v.element_size() for v in packed.values()) < 2.8e6
