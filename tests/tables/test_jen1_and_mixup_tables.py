"""The tables of JEN-1's steps and of mixup, on clips of noise and untrained listeners."""

import math
from types import SimpleNamespace

import pytest
import torch

from course_lib import checkpoints
from course_lib.models import (
    CLAP,
    AudioTowerConfig,
    CLAPConfig,
    Codec,
    CodecConfig,
    ContinuousAutoencoder,
    ContinuousAutoencoderConfig,
    TextTowerConfig,
)
from course_lib.nets import SEANetConfig
from course_lib.tables import (
    jen1_ablation,
    mixup,
    small_autoencoders,
    small_mixtures,
    small_musicgens,
)
from course_lib.tables import small_diffusions as small
from course_lib.tables.grid import Job
from course_lib.training import Draws

TEXT = TextTowerConfig(words=("a", "flute", "waltz"), width=8, layers=1, heads=2)
AUDIO = AudioTowerConfig(channels=(8, 8, 8), width=8, layers=0, heads=2, segment=1.0)
STACK = SEANetConfig(widths=(4, 8, 8), strides=(16, 20), units=1, padding="constant", lstm=0)
ITEMS, CPU = 6, torch.device("cpu")
CACHED = (
    small.encoded, small_musicgens.clips, small_musicgens.real, small_autoencoders.autoencoder,
    small_autoencoders.forgiveness, jen1_ablation.spread, jen1_ablation._centred,
    jen1_ablation.encoded, small_mixtures.learnt, small_mixtures.few, small_mixtures.beats,
    small_mixtures.stock, mixup.bank,
    mixup.held_out,
)  # fmt: skip

# Six clips are too few for a Fréchet distance that means something, which it says.
pytestmark = pytest.mark.filterwarnings("ignore:Fréchet distance")


class Clips:
    """Clips of 4 s of noise, whose beats are known, two of each tempo."""

    def __init__(self, split: str):
        self.first = {"train": 0, "test": 100}[split]

    def __len__(self):
        return ITEMS

    def __getitem__(self, index):
        beat = 60 / self.attributes(index).tempo
        return SimpleNamespace(beats=tuple(0.1 + beat * i for i in range(int(3.9 / beat))))

    def attributes(self, index):
        return SimpleNamespace(tempo=(70.0, 100.0, 140.0)[index % 3])

    def batch(self, indices):
        seeds = [torch.Generator().manual_seed(self.first + int(i)) for i in indices]
        return torch.stack([0.1 * torch.randn(1, 64000, generator=seed) for seed in seeds])


def captions(clips):
    return [["flute", f"a waltz {'a ' * i}"] for i in range(ITEMS)]


@pytest.fixture
def noise(monkeypatch):
    """Two steps on noise instead of hundreds on music."""
    torch.manual_seed(0)
    autoencoder = ContinuousAutoencoder(ContinuousAutoencoderConfig(stack=STACK, dim=8, kept=6))
    codec = Codec(CodecConfig(stack=STACK, dim=8, entries=16, n_codebooks=4, levels=(1, 2, 4)))
    codec(0.1 * torch.randn(4, 1, 16000))  # places the codebooks
    models = {
        "autoencoder": autoencoder, "codec": codec, "clap": CLAP(CLAPConfig(AUDIO, TEXT, 8)),
        "analyser": checkpoints.load("analyser"),
    }  # fmt: skip
    frames = autoencoder.encoder(Clips("train").batch(range(ITEMS))).detach()
    autoencoder.whiten(frames.transpose(1, 2).flatten(0, 1))
    for model in models.values():
        model.eval()
    monkeypatch.setattr(checkpoints, "load", lambda name: models[name])
    monkeypatch.setattr("course_lib.songbook.load", lambda split, *a, **k: Clips(split))
    for module in (small, small_musicgens):
        monkeypatch.setattr(module, "captions", captions)
    monkeypatch.setattr(small, "WIDTH", 16)
    monkeypatch.setattr(small, "BATCH", 4)
    monkeypatch.setattr(small, "SAMPLING", 2)
    monkeypatch.setattr(small, "AT_ONCE", 4)
    for module in (jen1_ablation, small_autoencoders):
        monkeypatch.setattr(module, "TRIED", 4)
    for module in (jen1_ablation, mixup):
        monkeypatch.setattr(module, "STEPS", 2)
    monkeypatch.setattr(small_autoencoders, "STEPS", 2)
    for name, value in (("FEW", 4), ("TEMPI", (60, 120)), ("STOCK", 2)):
        monkeypatch.setattr(small_mixtures, name, value)
    monkeypatch.setattr(mixup, "TIMES_WRITTEN", 2)
    forget()
    yield models
    forget()


def forget():
    for function in CACHED:
        function.cache_clear()


def cell(module, row: str, folder) -> dict[str, float]:
    table = module.TABLE
    found = table.cell(Job(row, table.rows[row], 0, folder / row.replace(" ", "_"), "cpu"))
    assert found.keys() == table.columns.keys()
    return found


# --- What they share ------------------------------------------------------------------------------


def test_denoisers_have_at_most_a_million_weights():
    for latents in (32, 64):  # of the shipped autoencoder: whitened, and as its encoder writes
        assert sum(p.numel() for p in small.untrained(0, latents).parameters()) < 1e6


def test_the_same_seed_gives_the_same_latents_and_known_ones_are_kept(noise):
    test = small.encoded("test")
    model = small.untrained(0, 6)
    torch.nn.init.normal_(model.net.last.weight)
    known = torch.arange(small.FRAMES) < 30
    made = small.generated(model, test, 3)
    assert made.shape == (ITEMS, 6, small.FRAMES)
    assert torch.equal(made, small.generated(model, test, 3))
    assert not torch.isclose(made, small.generated(model, test, 4)).any()
    kept = small.generated(model, test, 3, known)
    assert torch.equal(kept[..., :30], test.latents[..., :30])
    assert not torch.isclose(kept[..., 30:], test.latents[..., 30:100]).any()


def test_a_part_is_2_s_with_one_of_the_captions_or_none(noise):
    model, batch, asks = small.untrained(0, 6), small.encoded("train"), []
    for step in range(40):
        part = small.part(model, batch, Draws(0, step, range(ITEMS), CPU))
        assert part.latents.shape == part.noise.shape == (ITEMS, 6, small.FRAMES)
        asks.append(part.asked.valid.any(1))
    assert abs(1 - torch.cat(asks).float().mean() - small.UNREAD) < 0.08


# --- JEN-1 ----------------------------------------------------------------------------------------


def test_every_step_of_jen_1_is_measured(noise, tmp_path):
    found = {row: cell(jen1_ablation, row, tmp_path) for row in jen1_ablation.TABLE.rows}
    real, floor = found.pop(jen1_ablation.REAL), found.pop(jen1_ablation.FLOOR)
    assert math.isnan(real["mel"]) and math.isnan(floor["clap"]) and floor["frechet"] > 0
    assert all(math.isfinite(v) for values in found.values() for v in values.values())
    assert real["filled_key"] != floor["filled_key"] and real["frechet"] > 0
    plain, masked = found[jen1_ablation.PLAIN], found[jen1_ablation.MASKING]
    assert plain["mel"] != masked["mel"] == found[jen1_ablation.WHITENING]["mel"]
    assert len({masked[name] for name in (*small_autoencoders.NOISES, "mel_lost")}) == 5


def test_what_fits_is_told_from_what_is_pasted(monkeypatch):
    """Two tones, each with a part of its own or of the other."""
    time = torch.arange(32000) / 16000
    tones = torch.stack([torch.sin(2 * math.pi * f * time) for f in (262.0, 370.0)])[:, None] / 3
    monkeypatch.setattr(jen1_ablation, "real_audio", lambda: tones)
    filled, continued = tones.clone(), tones.clone()
    filled[..., 8000:24000] = tones.flip(0)[..., 8000:24000]
    continued[..., 16000:] = tones.flip(0)[..., 16000:]
    right = jen1_ablation.filling(tones) | jen1_ablation.continuing(tones)
    wrong = jen1_ablation.filling(filled) | jen1_ablation.continuing(continued)
    for name in ("filled_key", "continued_key"):
        assert wrong[name] < 0.5 < 0.99 < right[name]
    assert wrong["continued_alike"] < right["continued_alike"]
    for name in ("filled_seams", "continued_seam"):
        assert wrong[name] > 2 * right[name]


def test_unwhitened_latents_come_back_as_whitened_ones(noise):
    plain, whitened = (jen1_ablation.encoded("test", way) for way in (False, True))
    assert plain.latents.shape == (ITEMS, 8, 200) and whitened.latents.shape == (ITEMS, 6, 200)
    back = jen1_ablation.as_whitened(plain.latents, False)
    assert torch.allclose(back, whitened.latents, atol=1e-4)
    train = jen1_ablation.encoded("train", False).latents
    assert train.std().item() == pytest.approx(1, abs=0.01)
    assert train.std((0, 2)).max() > 1.1 * train.std((0, 2)).min()  # each axis as it was


@pytest.mark.parametrize("row", list(jen1_ablation.TABLE.rows)[2:])
def test_rows_learn_the_tasks_and_modes_that_they_say(noise, monkeypatch, row):
    settings = dict(jen1_ablation.TABLE.rows[row])
    tasks = {name: settings[name] for name in ("causal", "inpainting", "continuation")}
    model, calls = small.untrained(0, 6), []

    def spy(latents, asked, known, noise, t, causal):
        calls.append((causal, known.frames))
        return latents.new_zeros((), requires_grad=True)

    monkeypatch.setattr(model, "loss", spy)
    for step in range(20):
        draws = Draws(0, step, range(ITEMS), CPU)
        jen1_ablation.loss(model, small.encoded("train"), draws, **tasks)
    ways = [[known for _, known in calls[i::2]] for i in range(2)]
    assert not any(causal for causal, _ in calls[::2])
    assert {causal for causal, _ in calls[1::2]} == {tasks["causal"]}
    holes, endings = (torch.cat(known) for known in ways)
    assert holes.any().item() == tasks["inpainting"]
    assert endings.any().item() == tasks["continuation"]
    if tasks["continuation"]:
        told = endings[endings.any(1)]
        assert told[:, 0].all() and not told[:, -1].any() and 0.2 < len(told) / len(endings) < 0.8


def test_only_networks_that_learnt_it_are_given_what_is_there(noise, tmp_path, monkeypatch):
    calls, honest = [], small.generated

    def spy(model, clips, seed, known=None, causal=False):
        calls.append((known is not None, causal))
        return honest(model, clips, seed, known, causal)

    monkeypatch.setattr(small, "generated", spy)
    for row, given, causal in (
        (jen1_ablation.CAUSAL, False, False),
        (jen1_ablation.INPAINTING, True, False),
        (jen1_ablation.CONTINUATION, True, True),
        (jen1_ablation.BOTH_WAYS, True, False),
    ):
        calls.clear()
        cell(jen1_ablation, row, tmp_path)
        assert calls == [(False, False), (given, False), (given, causal)], row


def test_the_decoder_alone_learns_and_masks_only_where_it_says(noise, monkeypatch):
    shown, honest = [], ContinuousAutoencoder.forward

    def spy(model, audio, kept=None):
        shown.append(None if kept is None else kept.float().mean().item())
        return honest(model, audio, kept)

    monkeypatch.setattr(ContinuousAutoencoder, "forward", spy)
    monkeypatch.setattr(small_autoencoders, "STEPS", 4)
    before = {name: value.clone() for name, value in noise["autoencoder"].state_dict().items()}
    plain, masked = (small_autoencoders.autoencoder(0, way, "cpu") for way in (False, True))
    assert shown[:4] == [None] * 4 and 0.85 < sum(shown[4:]) / 4 < 1
    for model in (plain, masked):
        for name, value in model.state_dict().items():
            if not name.startswith("decoder."):
                assert torch.equal(value, before[name]), name
        start = noise["codec"].decoder.state_dict()
        assert any(
            not torch.equal(v, start[n]) for n, v in model.decoder.state_dict().items()
        )  # it began there and went on
    assert all(torch.equal(v, before[n]) for n, v in noise["autoencoder"].state_dict().items())


# --- Mixup ----------------------------------------------------------------------------------------


def test_every_way_of_mixing_is_measured(noise, tmp_path):
    found = {row: cell(mixup, row, tmp_path) for row in mixup.TABLE.rows}
    held_out, copies = found[mixup.HELD_OUT], found[mixup.COPIES]
    assert copies["near_latents"] == pytest.approx(1, abs=1e-4)
    assert copies["near_latents_beyond"] == 1 and held_out["near_latents_beyond"] <= 0.2
    trained = [found[row] for row in (mixup.NONE, mixup.ANYWHERE, mixup.LATENT, mixup.AUDIO)]
    assert all(math.isfinite(v) for values in trained for v in values.values())
    assert len({values["gap"] for values in trained}) == 4


def test_draws_are_the_same_however_clips_are_mixed(noise):
    clips, draws = torch.tensor([0, 1, 2, 3] * 10), Draws(0, 0, range(40), CPU)
    none, anywhere, latents = (
        small_mixtures.draw(clips, draws, way) for way in (None, "anywhere", "latents")
    )
    for way in (none, anywhere):
        assert torch.equal(way.begin, latents.begin) and torch.equal(way.partners, latents.partners)
    assert (none.share == 1).all() and torch.equal(anywhere.share, latents.share)
    assert 0.2 < (latents.share < 1).float().mean() < 0.8
    starts = [set(row.tolist()) for row in small_mixtures.beats().starts]
    assert all(int(b) in starts[i] for i, b in zip(clips, latents.begin, strict=True))
    beside = zip(anywhere.partners, anywhere.partners_begin, strict=True)
    assert not all(int(b) in starts[i] for i, b in beside)


def test_the_clips_learnt_have_the_tempi_asked_for(noise):
    assert small_mixtures.learnt() == (0, 1, 3, 4)  # of 70, 100 and 140 beats in turn
    assert small_mixtures.beats().tempi.tolist() == [70, 100, 70, 100]
    expected = small.encoded("train").latents[[0, 1, 3, 4]]
    assert torch.equal(small_mixtures.few().latents, expected)


def test_audio_that_is_not_mixed_has_the_latents_of_the_clip(noise):
    clips = torch.tensor([0, 1, 2, 3])
    drawn = small_mixtures.draw(clips, Draws(0, 0, range(4), CPU), None)
    expected = small_mixtures.mixed_latents(drawn)
    assert torch.allclose(small_mixtures.mixed_audio(drawn), expected, atol=1e-4)
    half = drawn._replace(share=torch.zeros(4))
    second = small_mixtures.mixed_audio(half)[..., 20:]  # the partner alone, from its own beat on
    assert torch.allclose(second, small_mixtures.mixed_latents(half)[..., 20:], atol=1e-3)


def test_a_mixture_reads_both_captions_and_another_item_its_own(noise, monkeypatch):
    monkeypatch.setattr(small_mixtures, "UNREAD", 0.0)
    drawn = small_mixtures.Mixture(
        torch.tensor([0, 1]), torch.tensor([2, 3]), *torch.zeros(2, 2), torch.tensor([0.5, 1.0])
    )
    told = small_mixtures.asked(drawn, Draws(0, 0, range(2), CPU))
    length = small_mixtures.few().states.shape[2]
    assert told.memory.shape[1] == 2 * length
    assert told.valid[:, :length].any(1).all()
    assert told.valid[:, length:].any(1).tolist() == [True, False]
    vectors = small_mixtures.few().vectors
    assert (told.vector[1] - vectors[1]).abs().sum(1).min() < 1e-5
    assert (told.vector[0] - vectors[0]).abs().sum(1).min() > 1e-5
    assert told.vector.norm(dim=1).tolist() == pytest.approx([1, 1])


def test_the_error_of_noise_alone_is_that_of_the_objective(noise):
    """An untrained network says zero: what is left is the variance of the target, about 1."""
    model = small.untrained(0, 6)
    assert mixup.error(model, small.encoded("test"), 0) == pytest.approx(1, abs=0.15)
