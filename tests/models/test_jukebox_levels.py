from dataclasses import replace

import pytest
import torch

from course_lib import checkpoints
from course_lib.models import (
    LEVELS,
    JukeboxLevel,
    JukeboxLevelConfig,
    JukeboxLevels,
    JukeboxLevelsConfig,
)

SMALL = JukeboxLevelConfig(strides=(4,), width=6, depth=2, dim=5, entries=16)
CONFIG = JukeboxLevelsConfig(SMALL, replace(SMALL, strides=(4, 2)), replace(SMALL, strides=(4, 4)))


def small() -> JukeboxLevels:
    torch.manual_seed(0)
    levels = JukeboxLevels(CONFIG)
    sound = 0.1 * torch.randn(2, 1, 640)
    for name in LEVELS:
        levels.level(name)(sound)  # places the codebook
    return levels.eval()


def test_the_default_is_the_course_s():
    levels = JukeboxLevels()
    assert levels.hops == (8, 32, 128) and levels.sample_rate == 16000
    for name in LEVELS:
        level = levels.level(name)
        assert level.config.entries == 512
        assert 0.2e6 < sum(p.numel() for p in level.parameters()) < 1e6
    with torch.no_grad():
        codes = levels.eval().encode(torch.randn(1, 1, 300))
    assert [c.shape[-1] for c in codes] == [48, 12, 3]


def test_any_length_of_at_least_a_hop_comes_back():
    level = small().middle
    for length in (8, 9, 15, 16, 101):
        x = 0.1 * torch.randn(2, 1, length)
        out = level(x)
        assert out.audio.shape == x.shape
        codes = level.encode(x)
        assert torch.equal(codes, out.codes) and codes.shape == (2, 1, -(-length // 8))
        torch.testing.assert_close(level.decode_codes(codes, length), out.audio)
        assert level.decode_codes(codes).shape[-1] == codes.shape[-1] * 8


def test_codes_of_the_levels_line_up():
    levels = small()
    x = 0.1 * torch.randn(2, 1, 50)
    codes = levels.encode(x)
    assert [tuple(c.shape) for c in codes] == [(2, 1, 16), (2, 1, 8), (2, 1, 4)]
    for name, code in zip(LEVELS, codes, strict=True):
        assert levels.decode(code, name).shape == (2, 1, 64)
        assert levels.decode(code, name, 50).shape == (2, 1, 50)
    assert torch.equal(levels.encode(x[:1])[0], codes[0][:1])


def test_a_start_without_codes_leaves_the_codebook_alone():
    level = JukeboxLevel(SMALL)
    out = level(0.1 * torch.randn(1, 1, 64), quantize=False)
    assert out.codes is None and out.commitment == 0
    assert not level.quantizer.is_initialised()
    out.audio.square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in level.encoder.parameters())


def test_levels_share_nothing():
    levels = small()
    x = 0.1 * torch.randn(1, 1, 64)
    levels.top(x).audio.square().sum().backward()
    for name in ("bottom", "middle"):
        assert all(p.grad is None for p in levels.level(name).parameters())


def test_a_restart_revives_what_nothing_falls_to():
    sound = 0.1 * torch.randn(4, 1, 512, generator=torch.Generator().manual_seed(0))
    alive = {}
    for dead in (0.0, 0.1):
        torch.manual_seed(0)
        level = JukeboxLevel(replace(SMALL, dead=dead, decay=0.5))
        level(sound)
        q = level.quantizer
        with torch.no_grad():  # half of the entries are thrown far away
            q.codebook[::2] += 1e3
            q.sums[::2] = q.codebook[::2] * q.counts[::2, None]
            for _ in range(12):
                level(sound)
        alive[dead] = level.eval()(sound).codes.unique().numel()
    assert alive[0.0] <= 8 and alive[0.1] >= 14


def test_a_checkpoint_brings_back_the_same_levels(tmp_path):
    levels = small()
    loaded = checkpoints.read(checkpoints.save(tmp_path, "jukebox_levels", levels, {}))
    assert loaded.config == CONFIG
    x = 0.1 * torch.randn(1, 1, 64)
    for a, b in zip(levels.encode(x), loaded.encode(x), strict=True):
        assert torch.equal(a, b)
    one = checkpoints.read(checkpoints.save(tmp_path, "top", levels.top, {}))
    assert torch.equal(one.encode(x), levels.top.encode(x))


def test_the_state_of_a_level_fits_no_other():
    levels = small()
    state = levels.bottom.state_dict()
    with pytest.raises(ValueError, match="of 4 samples a code, given to the level of 8"):
        levels.middle.load_state_dict(state)
    with pytest.raises(ValueError, match="of 16 samples a code, given to the level of 4"):
        levels.load_state_dict(
            {f"bottom.{name}": value for name, value in levels.top.state_dict().items()}
        )
    levels.bottom.load_state_dict(state)


@pytest.mark.parametrize(
    ("x", "error", "words"),
    [
        (torch.zeros(1, 1, 15), ValueError, "15 samples; the top level needs .* one hop of 16"),
        (torch.zeros(1, 2, 64), ValueError, r"\[1, 2, 64\]; expected \[B, 1, T\]"),
        (torch.zeros(1, 64), ValueError, r"\[1, 64\]"),
        (torch.zeros(1, 1, 64, dtype=torch.int16), TypeError, "int16"),
        (torch.full((1, 1, 64), torch.nan), ValueError, "NaN"),
    ],
)
def test_bad_audio_is_named(x, error, words):
    with pytest.raises(error, match=words):
        small().encode(x)


def test_bad_codes_and_configurations_are_named():
    levels = small()
    with pytest.raises(ValueError, match="3 samples; this level needs at least one hop of 4"):
        levels.bottom(torch.zeros(1, 1, 3))
    with pytest.raises(ValueError, match="no level 'low': choose from bottom, middle, top"):
        levels.decode(torch.zeros(1, 1, 3, dtype=torch.int64), "low")
    with pytest.raises(ValueError, match="the codebook has 0 to 15"):
        levels.decode(torch.full((1, 1, 3), 16))
    with pytest.raises(ValueError, match="3 codes of 4 samples make up to 12, not length=13"):
        levels.decode(torch.zeros(1, 1, 3, dtype=torch.int64), length=13)
    with pytest.raises(ValueError, match=r"strides=\(3,\) must be even"):
        JukeboxLevelConfig(strides=(3,))
    with pytest.raises(ValueError, match="scale=0"):
        JukeboxLevelConfig(scale=0)
    with pytest.raises(ValueError, match="hops 4, 6 and 12"):
        JukeboxLevelsConfig(SMALL, replace(SMALL, strides=(6,)), replace(SMALL, strides=(6, 2)))
