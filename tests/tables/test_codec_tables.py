"""A cell of each codec table on noise, and the arithmetic of bandwidths."""

import math

import pytest
import torch

from course_lib import checkpoints
from course_lib.evaluation.opus import aligned, opus
from course_lib.models import (
    PRESETS,
    Analyser,
    AnalyserConfig,
    Codec,
    CodecConfig,
    CodecLM,
    CodecLMConfig,
)
from course_lib.nets.seanet import SEANetConfig
from course_lib.tables import (
    codec,
    dac_ablation,
    encodec_bandwidth,
    grid,
    hificodec,
    small_codecs,
    soundstream_depth,
)

STACK = SEANetConfig(widths=(4, 4, 8), strides=(16, 20), conv_shortcut=False, lstm=0, norm=None)
LISTENER = AnalyserConfig(("violin",), ("waltz", "house"), ("major",), ("3/4",), ("slow",), width=6)


def noise(items, samples):
    return 0.1 * torch.randn(items, 1, samples, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def small(monkeypatch, tmp_path):
    """Two steps on noise instead of hundreds on music."""
    monkeypatch.setattr(small_codecs, "sounds", lambda split: noise(8, 4000))
    for module in (soundstream_depth, hificodec, dac_ablation, encodec_bandwidth):
        monkeypatch.setattr(module, "STEPS", 2)
    monkeypatch.setattr(dac_ablation, "START", 1)
    return tmp_path


@pytest.fixture
def shipped(monkeypatch):
    """Small untrained models in the place of the artefacts."""
    torch.manual_seed(0)
    config = CodecConfig(stack=STACK, dim=8, entries=16)
    made = {name: Codec(config) for name in ("codec", "codec_plain")}
    for model in made.values():
        model.train()(noise(8, 8000))
        model.eval()
    made["analyser"] = Analyser(LISTENER).eval()
    made["codec_lm"] = CodecLM(CodecLMConfig(16, 8, 10, width=8, layers=1, heads=1)).eval()
    monkeypatch.setattr(checkpoints, "load", lambda name: made[name])
    return made


def computed(module, row, folder):
    table = module.TABLE
    job = grid.Job(row, table.rows[row], 0, folder / row.replace(" ", "_"), None)
    found = module.cell(job)
    assert found.keys() >= table.columns.keys()
    return found


@pytest.mark.parametrize(
    "module, rows",
    [
        (soundstream_depth, [soundstream_depth.SMALL, soundstream_depth.DROPOUT]),
        (hificodec, [hificodec.RVQ4, hificodec.GRVQ4]),
        (encodec_bandwidth, [encodec_bandwidth.BALANCER_100, encodec_bandwidth.SUM]),
    ],
)
def test_cells_of_small_codecs(small, module, rows):
    for row in rows:
        found = computed(module, row, small)
        assert math.isfinite(found["mel"]) and math.isfinite(found["si_sdr"]), row


def test_every_row_of_the_ablation_changes_something(small):
    """An option that changed nothing would make a row a second base."""
    found = {row: computed(dac_ablation, row, small) for row in dac_ablation.TABLE.rows}
    assert len({values["mel"] for values in found.values()}) == len(found)


@pytest.mark.parametrize("module", [soundstream_depth, hificodec])
def test_rows_that_are_compared_spend_the_same_bits(module):
    rows = module.TABLE.rows
    bits = {row: s["codebooks"] * math.log2(s.get("size", 256)) for row, s in rows.items()}
    if module is soundstream_depth:
        assert set(bits.values()) == {module.BITS}
    else:
        assert bits[module.RVQ4] == bits[module.GRVQ4] == bits[module.RVQ8] / 2


def test_bandwidths_of_encodec():
    """T5: 1.5, 3, 6, 12, 24 kbit/s at 24 kHz, from 3 on with half as many codebooks at 48 kHz."""
    mono, stereo = (Codec(PRESETS[f"encodec_{k}khz"]) for k in (24, 48))
    assert [mono.bitrate(n) for n in (2, 4, 8, 16, 32)] == [1500, 3000, 6000, 12000, 24000]
    assert [stereo.bitrate(n) for n in (2, 4, 8, 16)] == [3000, 6000, 12000, 24000]
    assert [Codec().bitrate(n) for n in (1, 2, 4, 8)] == [500, 1000, 2000, 4000]


def test_what_a_language_model_saves(shipped, monkeypatch, tmp_path):
    codes = torch.randint(16, (6, 8, 25), generator=torch.Generator().manual_seed(0))
    monkeypatch.setattr(encodec_bandwidth, "test_codes", lambda seed: codes)
    fixed = computed(encodec_bandwidth, "4 codebooks", tmp_path)
    assert fixed["kbps"] == 50 * 4 * 4 / 1000 and math.isnan(fixed["saved"])
    found = computed(encodec_bandwidth, "4 codebooks, language model", tmp_path)
    assert found["saved"] == pytest.approx(1 - found["kbps"] / fixed["kbps"])
    lm, nats = shipped["codec_lm"], 0.0
    for start, end in ((0, 10), (10, 20), (20, 25)):  # each block starts from nothing
        block = torch.full((6, 8, end - start), 16)
        block[:, :4] = codes[:, :4, start:end]
        with torch.no_grad():
            nats += lm.loss(block).item() * (end - start) / 25
    assert found["kbps"] == pytest.approx(nats / math.log(2) * 200 / 1000, rel=1e-5)


@pytest.mark.filterwarnings("ignore:Fréchet distance from")
def test_a_row_of_each_kind_of_the_codec_table(shipped, monkeypatch, tmp_path):
    monkeypatch.setattr(codec, "clips_of", lambda seed: noise(4, 40_000))
    codec.codes_by.cache_clear()
    rows = {row: computed(codec, row, tmp_path) for row in (codec.BEST, codec.OPUS_ROW, codec.AIM)}
    assert rows[codec.BEST]["kbps"] == 50 * 8 * 4 / 1000 and rows[codec.BEST]["decoding"] > 0
    assert all(math.isfinite(value) for value in rows[codec.BEST].values())
    assert 10 < rows[codec.OPUS_ROW]["kbps"] < 30 and math.isnan(rows[codec.OPUS_ROW]["usage"])
    assert rows[codec.AIM]["si_sdr"] == 5 and math.isnan(rows[codec.AIM]["frechet"])
    codec.codes_by.cache_clear()


def test_opus_comes_back_in_time():
    """Two seconds of tones: a shift by one sample would cost more than the codec does."""
    t = torch.arange(32_000) / 16_000
    audio = sum(0.1 * torch.sin(2 * torch.pi * f * t * (1 + 0.1 * t)) for f in (220, 350, 500))
    back, kbps = opus(audio[None], 16_000, 24)
    assert back.shape == (1, 32_000) and 15 < kbps < 40
    noise_of = [(audio - back[0].roll(shift))[200:-200].square().mean() for shift in (-1, 0, 1)]
    assert noise_of[1] < min(noise_of[0], noise_of[2]) / 2


@pytest.mark.parametrize("shift", [0, 7, -7, 500])
def test_delays_are_found(shift):
    audio = noise(1, 3000)[0]
    delayed = torch.nn.functional.pad(audio, (max(0, shift), 0))[:, max(0, -shift) :]
    found = aligned(audio, delayed)
    assert found.shape == audio.shape
    assert torch.equal(found[:, 10:-10], audio[:, 10:-10])


@pytest.mark.parametrize(
    "audio, rate, kbps, words",
    [
        (torch.zeros(2, 100), 16000, 12, "expected mono"),
        (torch.zeros(1, 100), 16000, 1, "Opus takes 6 to 256"),
        (torch.zeros(1, 100), 44100, 12, "no sample rate of 44100 Hz"),
    ],
)
def test_what_opus_does_not_take(audio, rate, kbps, words):
    with pytest.raises(ValueError, match=words):
        opus(audio, rate, kbps)
