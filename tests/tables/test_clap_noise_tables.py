"""Cells of the tables of noisy captions and of feature fusion, on small sounds and few steps."""

import math

import numpy as np
import pytest
import torch

from course_lib import songbook
from course_lib.models import AudioTowerConfig
from course_lib.models.feature_fusion import FusedAudioTower
from course_lib.songbook import Size
from course_lib.songbook.captions import MANNERS
from course_lib.tables import fusion, grid, mulan_noise
from course_lib.tables.mulan_noise import CLEAN, CODES, FILTERED_HALF, HALF, OTHERS

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
