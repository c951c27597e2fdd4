"""The whole system on tiny parts: shapes, prompts kept, what does not fit named."""

import math
from dataclasses import replace

import pytest
import torch

from course_lib.models import (
    Jukebox,
    JukeboxLabelsConfig,
    JukeboxLevelConfig,
    JukeboxLevels,
    JukeboxLevelsConfig,
    JukeboxTop,
    JukeboxTopConfig,
    JukeboxUpsamplers,
    JukeboxUpsamplersConfig,
)

LEVEL = JukeboxLevelConfig(strides=(8,), width=4, depth=1, dim=4, entries=16)
LEVELS = JukeboxLevelsConfig(
    LEVEL, replace(LEVEL, strides=(8, 4)), replace(LEVEL, strides=(8, 4, 4))
)
LABELS = JukeboxLabelsConfig(("waltz", "house"), ("violin",))
TOP = JukeboxTopConfig(
    LABELS, entries=16, context=16, width=8, layers=2, heads=2, lyrics_width=8, lyrics_layers=1
)
UPSAMPLERS = JukeboxUpsamplersConfig(
    LABELS, entries=16, context=32, width=8, layers=1, heads=2, condition_width=8, condition_depth=1
)


def small(**others) -> Jukebox:
    torch.manual_seed(0)
    levels = JukeboxLevels(LEVELS)
    for level in levels.children():
        level(0.1 * torch.randn(1, 1, 4096))
    parts = {"top": JukeboxTop(TOP), "upsamplers": JukeboxUpsamplers(UPSAMPLERS)} | others
    return Jukebox(levels, **parts).eval()


def drawn(seed=0):
    return torch.Generator().manual_seed(seed)


def test_codes_are_composed_from_the_top_down():
    jukebox = small()
    top = jukebox.compose([None] * 3, seconds=0.2, generator=drawn())
    assert top.shape == (3, 1, 25) and jukebox.frames(0.2) == 25
    codes = jukebox.upsample(top[1:2], [None], generator=drawn())
    assert [c.shape[-1] for c in codes] == [400, 100, 25] and torch.equal(codes[2], top[1:2])
    assert jukebox.decode(codes[0]).shape == (1, 1, 3200)
    again = jukebox.generate([None], 0.2, generator=drawn())
    assert again.shape == (1, 1, 3200) and again.isfinite().all()


def test_a_prompt_is_kept_at_every_level():
    jukebox = small()
    prompt = 0.1 * torch.randn(1, 1, 1300)  # ten whole top codes and a bit
    known = jukebox.encode(prompt[..., :1280])
    top = jukebox.compose([None] * 2, 0.2, prompt=prompt, generator=drawn())
    assert torch.equal(top[:, :, :10], known[2].expand(2, -1, -1))
    assert not torch.equal(top[0], top[1])
    codes = jukebox.upsample(top, [None] * 2, prompt=prompt, generator=drawn())
    assert torch.equal(codes[0][:, :, :160], known[0].expand(2, -1, -1))
    assert torch.equal(codes[1][:, :, :40], known[1].expand(2, -1, -1))


def test_what_does_not_fit_is_named():
    jukebox = small()
    with pytest.raises(ValueError, match="100 samples; the top level needs .* hop of 128"):
        jukebox.compose([None], 1.0, prompt=torch.zeros(1, 1, 100))
    with pytest.raises(ValueError, match="leave nothing"):
        jukebox.compose([None], 0.1, prompt=0.1 * torch.randn(1, 1, 1664))
    for seconds in (0, -1.0, math.inf, math.nan):
        with pytest.raises(ValueError, match=f"seconds={seconds} must be positive and finite"):
            jukebox.compose([None], seconds)
    for frames in (0, -3):
        with pytest.raises(ValueError, match=f"nothing to sample of {frames}"):
            jukebox.top.sample(frames, jukebox.top.labels([None]))
    with pytest.raises(ValueError, match="without top prior"):
        small(top=None).compose([None], 1.0)
    with pytest.raises(ValueError, match="without upsamplers"):
        small(upsamplers=None).upsample(torch.zeros(1, 1, 4, dtype=torch.int64), [None])
    with pytest.raises(ValueError, match="top prior write 16 codes at .62.5,. a second"):
        small(top=JukeboxTop(replace(TOP, rate=62.5)))
    with pytest.raises(ValueError, match="upsamplers write 32 codes"):
        small(upsamplers=JukeboxUpsamplers(replace(UPSAMPLERS, entries=32)))


def test_levels_alone_code_audio():
    jukebox = small(top=None, upsamplers=None)
    codes = jukebox.encode(0.1 * torch.randn(1, 1, 1000))
    assert [c.shape[-1] for c in codes] == [128, 32, 8]
    assert jukebox.decode(codes[2], "top", 1000).shape == (1, 1, 1000)
