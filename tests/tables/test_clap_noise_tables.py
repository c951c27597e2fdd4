"""Cells of the tables of noisy captions and of feature fusion, on small sounds and few steps."""

import math

import numpy as np
import pytest
import torch

from course_lib import songbook
from course_lib.metrics import mean_average_precision_at_10
from course_lib.models import AudioTowerConfig
from course_lib.models.feature_fusion import FusedAudioTower
from course_lib.songbook import Size
from course_lib.songbook.captions import MANNERS
from course_lib.tables import fusion, grid, mulan_noise
from course_lib.tables.mulan_noise import CLEAN, CODES, FILTERED_HALF, HALF, OTHERS
from course_lib.training import Draws

AUDIO = AudioTowerConfig(mels=16, channels=(8, 8), width=8, layers=1, heads=2, segment=1.0)
TEXT = {"width": 8, "layers": 1, "heads": 2, "longest": 60}
SIZE = Size(12, 1, 6, 2.0)


class Clips:
    """Clips of noise, each with a caption of its own."""

    def __init__(self, split, size):
        self.count = getattr(size, split)

    def __len__(self):
        return self.count

    def batch(self, indices):
        seeds = [torch.Generator().manual_seed(int(i)) for i in indices]
        return torch.stack([0.1 * torch.randn(1, 32000, generator=seed) for seed in seeds])

    def captions(self, index, drafts=1):
        style = ("waltz", "soul", "house", "ambient")[index % 4]
        text = f"A slow {style} with a flute, {60 + index} bpm."
        return tuple(dict.fromkeys(MANNERS, text) for _ in range(drafts))


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(songbook, "load", lambda split, size, **options: Clips(split, size))
    for room in (mulan_noise, fusion):
        monkeypatch.setattr(room, "SIZE", SIZE)
        monkeypatch.setattr(room, "AUDIO", AUDIO)
        monkeypatch.setattr(room, "TEXT", TEXT)
        monkeypatch.setattr(room, "STEPS", 2)
        monkeypatch.setattr(room, "BATCH", 4)
    monkeypatch.setattr(mulan_noise, "ENTRIES", 8)
    monkeypatch.setattr(mulan_noise, "LABELLED", 60)
    cached = (mulan_noise.heard, mulan_noise.captions, mulan_noise.taught)
    cached += (fusion.seen, fusion.captions)
    for function in cached:
        function.cache_clear()
    yield
    for function in cached:
        function.cache_clear()


def computed(room, row, tmp_path, seed=0):
    found = room.cell(grid.Job(row, room.TABLE.rows[row], seed, tmp_path / str(hash(row)), None))
    assert found.keys() == room.TABLE.columns.keys()
    return found


def test_rows_of_noise(small, tmp_path):
    found = {
        row: computed(mulan_noise, row, tmp_path)
        for row in (CLEAN, CODES[12], HALF, FILTERED_HALF, OTHERS)
    }
    assert all(0 <= values["to_audio"] <= 1 for values in found.values())
    assert found[CLEAN]["noise"] == 0 and math.isnan(found[CLEAN]["bits"])
    assert found[CODES[12]]["bits"] == 36  # 12 codes of 8
    assert 0.3 < found[HALF]["noise"] < 0.7
    assert found[FILTERED_HALF]["noise"] < 0.1
    # A caption of a clip may be handed to that clip itself, which is not wrong.
    assert 0.2 < found[OTHERS]["noise"] < 0.6


def test_the_filter_knows_music_from_texts_it_has_not_seen(small):
    found = mulan_noise.Filter(mulan_noise.config().text.tokenizer, seed=0)
    rng = np.random.default_rng(99)
    other = [mulan_noise.elsewhere(rng) for _ in range(100)]
    music = [row[0] for row in mulan_noise.captions("test")]
    assert found.keeps(music).all() and found.keeps(other).float().mean() < 0.1
    assert len(set(other)) > 50


def test_a_clip_is_shown_with_kept_texts_alone(small):
    texts = mulan_noise.captions("train")
    kept = torch.zeros(12, 8, dtype=torch.bool)
    kept[torch.arange(0, 12, 2), torch.arange(0, 12, 2) % 8] = True
    pairs = mulan_noise.Pairs(mulan_noise.heard("train"), texts, kept, mulan_noise.config())
    assert len(pairs) == 6 and pairs.clips.tolist() == [0, 2, 4, 6, 8, 10]
    batch = pairs.batch(torch.arange(6))
    assert batch["kept"].sum(1).tolist() == [1] * 6


def test_only_kept_texts_are_learnt(small, monkeypatch):
    texts, c = mulan_noise.captions("train"), mulan_noise.config()
    kept = torch.zeros(12, 8, dtype=torch.bool)
    kept[:, 2] = kept[:, 5] = True
    pairs = mulan_noise.Pairs(mulan_noise.heard("train"), texts, kept, c)
    pairs.ids = torch.arange(8).add(3)[None, :, None].expand(12, 8, 4)  # each text says its place
    model, met = mulan_noise.CLAP(c), []
    learn = model.embed_ids
    monkeypatch.setattr(
        model, "embed_ids", lambda ids, valid: met.extend(ids[:, 0].tolist()) or learn(ids, valid)
    )
    for step in range(3):
        draws = Draws(0, step, range(12), torch.device("cpu"))
        mulan_noise.loss(model, pairs.batch(torch.arange(12)), draws)
    assert set(met) == {3 + 2, 3 + 5}


def test_each_way_is_measured_in_its_own_direction(small, monkeypatch, tmp_path):
    sound, text, other = torch.randn(3, 6, 3, generator=torch.manual_seed(0))
    expected = {
        "to_audio": mean_average_precision_at_10(text @ sound.T),
        "to_text": mean_average_precision_at_10(sound @ text.T),
    }
    assert abs(expected["to_audio"] - expected["to_text"]) > 0.01
    monkeypatch.setattr(mulan_noise, "taught", lambda *settings: (None, 0.0))
    monkeypatch.setattr(mulan_noise, "vectors", lambda *of: (sound, text[:, None]))
    found = computed(mulan_noise, CLEAN, tmp_path)
    assert {name: found[name] for name in expected} == pytest.approx(expected)

    rows = {True: text, False: other}
    monkeypatch.setattr(fusion, "captions", lambda split, true=True: true)
    monkeypatch.setattr(fusion, "read", lambda model, true: rows[true])
    monkeypatch.setattr(fusion, "sound", lambda model, seen, way, draws: sound[list(draws.items)])
    found = fusion.measured(None, "mean", 0)
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    right = (text * sound).sum(1) > (other * sound).sum(1)
    assert found["ending"] == pytest.approx(right.double().mean().item()) != 0.5


def test_what_is_fused_is_learnt_whole_and_what_is_averaged_in_parts(small, monkeypatch, tmp_path):
    sound, met = fusion.sound, []
    monkeypatch.setattr(
        fusion,
        "sound",
        lambda model, seen, way, draws: met.append(way) or sound(model, seen, way, draws),
    )
    for row, ways in ((fusion.CROP, ["crop"] * 3), (fusion.MEAN, ["crop", "crop", "mean"]),
                      (fusion.FUSION, ["fusion"] * 3)):  # fmt: skip
        met.clear()
        computed(fusion, row, tmp_path)
        assert met == ways  # two steps, then the test clips


@pytest.mark.parametrize("kind", ["elsewhere", "others"])
def test_noise_replaces_its_share(small, kind):
    texts = [[f"{i} {k}" for k in range(8)] for i in range(500)]
    made = mulan_noise.noisy(texts, 0.25, kind, seed=0)
    changed = [a != b for x, y in zip(texts, made, strict=True) for a, b in zip(x, y, strict=True)]
    assert 0.22 < sum(changed) / len(changed) < 0.28
    assert made == mulan_noise.noisy(texts, 0.25, kind, seed=0)
    assert made != mulan_noise.noisy(texts, 0.25, kind, seed=1)
    if kind == "others":  # a caption of the same place of another clip
        assert all(b.split()[1] == str(k) for row in made for k, b in enumerate(row))


def test_more_codes_say_more():
    x = torch.nn.functional.normalize(torch.randn(400, 16), dim=-1)
    centroids = mulan_noise.stages(x, 6, seed=0)
    errors = [
        (mulan_noise.quantized(x, centroids[:n]) - x).square().sum(1).mean().item()
        for n in (1, 3, 6)
    ]
    assert errors[0] > errors[1] > errors[2] > 0


def test_rows_of_fusion(small, tmp_path):
    found = {row: computed(fusion, row, tmp_path) for row in fusion.TABLE.rows}
    for values in found.values():
        assert all(0 <= value <= 1 for value in values.values())
    assert isinstance(fusion.untrained("fusion").audio, FusedAudioTower)
    assert not isinstance(fusion.untrained("mean").audio, FusedAudioTower)


def test_endings_are_those_of_the_partner(small):
    log_mel, clips = fusion.seen("test"), Clips("test", SIZE)
    assert [fusion.partner(i, 6) for i in range(6)] == [2, 3, 4, 5, 0, 1]
    tower = fusion.AudioTower(AUDIO)
    joined = torch.cat([clips.batch([1]), clips.batch([3])], dim=2)
    torch.testing.assert_close(log_mel[1], tower.spectrogram(joined)[0].half())
    assert fusion.told("A waltz.", "A soul number.") == (
        "It begins as a waltz. It ends as a soul number."
    )
    true, other = fusion.captions("test"), fusion.captions("test", False)
    words = fusion.config().text.tokenizer
    assert torch.equal(true[1], words.encode([fusion.told(*_sentences(1, 3))], 60)[0][0])
    assert torch.equal(other[1], words.encode([fusion.told(*_sentences(1, 5))], 60)[0][0])
    assert words.unknown(fusion.TELLING.format(first="", last="")) == ()


def _sentences(*places):
    return [Clips("test", SIZE).captions(i)[0]["sentence"] for i in places]
