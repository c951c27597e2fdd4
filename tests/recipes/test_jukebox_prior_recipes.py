"""The recipes of Jukebox's priors, on small models and clips of random codes."""

from types import SimpleNamespace

import pytest
import torch

from course_lib import recipes
from course_lib.models import (
    JukeboxLabels,
    JukeboxTiming,
    JukeboxTop,
    JukeboxTopConfig,
    JukeboxUpsamplers,
    JukeboxUpsamplersConfig,
)
from course_lib.models.jukebox_levels import JukeboxLevel, JukeboxLevelConfig
from course_lib.models.jukebox_top import linear_alignment
from course_lib.recipes import jukebox_top, jukebox_upsamplers
from course_lib.songbook import Attributes
from course_lib.training import Draws, fit

CPU = torch.device("cpu")
SUNG = ((0.1, 0.3, "m"), (0.3, 0.5, "a"), (0.9, 1.1, "sh"), (1.1, 1.5, "o"))


def draws(step: int = 0, items: int = 4) -> Draws:
    return Draws(0, step, range(items), CPU)


class Clips:
    """Clips of 2 s of noise; with a voice their lyrics are the first 2 + i % 3 of SUNG."""

    def __init__(self, clips: int = 6, voice: bool = True):
        self.clips, self.job = clips, SimpleNamespace(voice=voice)

    def __len__(self):
        return self.clips

    def batch(self, indices):
        seeds = [torch.Generator().manual_seed(int(i)) for i in indices]
        return torch.stack([0.1 * torch.randn(1, 32000, generator=seed) for seed in seeds])

    def attributes(self, index):
        players = ("voice" if self.job.voice else "flute", "piano")
        return Attributes("waltz", "C", "major", "3/4", 90.0, "slow", players, False, ())

    def lyrics(self, index):
        return SimpleNamespace(phonemes=SUNG[: 2 + index % 3])


def level(*strides: int) -> JukeboxLevel:
    torch.manual_seed(0)
    made = JukeboxLevel(JukeboxLevelConfig(strides, 4, 1, dim=4, entries=12))
    made(Clips().batch(range(6)))  # places the codebook
    return made.eval()


def top(**options) -> JukeboxTop:
    torch.manual_seed(0)
    sizes = {"entries": 12, "context": 100, "width": 16, "layers": 2, "heads": 2}
    return JukeboxTop(JukeboxTopConfig(jukebox_top.LABELS, **sizes, **options))


@pytest.fixture(scope="module")
def pieces() -> jukebox_top.CodedPieces:
    return jukebox_top.CodedPieces(level(8, 4, 4), Clips(), Clips(voice=False))


def test_clips_are_coded_once_with_labels_and_lyrics(pieces):
    some = pieces.batch(torch.tensor([1, 2, 7]))
    want = level(8, 4, 4).encode(Clips().batch([1, 2, 1]))
    assert torch.equal(some.codes, want) and some.codes.dtype == torch.int64
    symbols = [[jukebox_top.PHONEMES[i - 1] for i in row if i] for row in some.phonemes.tolist()]
    assert symbols == [["m", "a", "sh"], ["m", "a", "sh", "o"], []]
    torch.testing.assert_close(some.times[1], torch.tensor([0.2, 0.4, 1.0, 1.3]))
    voice = jukebox_top.LABELS.instruments.index("voice")
    assert some.labels.instruments[:, voice].tolist() == [1, 1, 0]
    assert some.labels.style.tolist() == 3 * [jukebox_top.LABELS.styles.index("waltz") + 1]


def test_pieces_and_windows_lie_within_clips():
    places = [jukebox_top.place(draws(step), 250, 100) for step in range(200)]
    first, frames, start = (torch.cat(x) for x in zip(*places, strict=True))
    assert frames.min() < 110 and frames.max() > 240 and frames.min() >= 100
    assert first.min() == 0 and (first + frames).max() == 250
    assert start.min() == 0 and (start + 100 <= frames).all() and start.max() > 100
    whole = jukebox_top.place(draws(), 100, 100)
    assert whole.first.sum() == 0 == whole.start.sum() and (whole.frames == 100).all()


def test_lyrics_are_those_within_the_piece(pieces):
    some = pieces.batch(torch.tensor([2, 2, 2, 7]))
    begin, end = torch.tensor([0.0, 0.3, 1.2, 0.0]), torch.tensor([2.0, 1.1, 2.0, 2.0])
    phonemes, times = jukebox_top.sung_within(some, begin, end)
    ids = some.phonemes[0].tolist()
    assert phonemes[0].tolist() == ids
    assert phonemes[1].tolist() == [ids[1], ids[2], 0, 0] and times[1, 0] == times[0, 1]
    assert phonemes[2].tolist() == [ids[3], 0, 0, 0]
    assert phonemes[3].sum() == 0


def test_lyrics_of_pieces_are_those_found_one_by_one():
    generator = torch.Generator().manual_seed(0)
    counts = torch.randint(0, 9, (200, 1), generator=generator)  # of 8 places; the rest is padding
    real = torch.arange(8) < counts
    times = torch.rand(200, 8, generator=generator).sort(1).values * real  # 0 in padding
    phonemes = torch.randint(1, 17, (200, 8), generator=generator) * real
    begin = torch.rand(200, generator=generator) * (torch.arange(200) % 2)  # every other at 0
    end = begin + torch.rand(200, generator=generator)
    pieces = jukebox_top.Pieces(None, None, phonemes, times)
    found, moved = jukebox_top.sung_within(pieces, begin, end)
    for row in range(200):
        inside = real[row] & (times[row] >= begin[row]) & (times[row] < end[row])
        n = int(inside.sum())
        assert found[row].tolist() == phonemes[row][inside].tolist() + (8 - n) * [0]
        assert moved[row, :n].tolist() == times[row][inside].tolist()


def recorded(monkeypatch, recipe) -> list[jukebox_top.Place]:
    """The places that a recipe draws from now on."""
    places, place = [], jukebox_top.place
    monkeypatch.setattr(recipe, "place", lambda *a: places.append(place(*a)) or places[-1])
    return places


def test_the_model_hears_windows_and_what_belongs_to_them(pieces, monkeypatch):
    model, heard = top(), []
    attending = model.attending
    monkeypatch.setattr(model, "attending", lambda *a: heard.append(a) or attending(*a))
    batch = pieces.batch(torch.tensor([0, 2, 4, 8]))
    places = recorded(monkeypatch, jukebox_top)
    for step in range(40):
        found = jukebox_top.loss(model, batch, draws(step))
        assert found["loss"].isfinite()
        torch.testing.assert_close(
            found["loss"], found["nats"] + jukebox_top.GUIDED * found["away"]
        )
    rate = model.config.rate
    shares = torch.zeros(2)
    for (codes, labels, timing, phonemes), (first, frames, start) in zip(
        heard, places, strict=True
    ):
        within = jukebox_top.sung_within(batch, first / rate, (first + frames) / rate)[0]
        unsung = (phonemes == 0).all(1, keepdim=True)
        assert torch.equal(phonemes, within * ~unsung)
        torch.testing.assert_close(timing.start * rate, start.float())
        torch.testing.assert_close(timing.total * rate, frames.float())
        assert codes.shape == (4, 1, 100)
        assert (timing.start + 100 / rate <= timing.total + 1e-4).all()
        for item in range(4):  # the window is somewhere in the clip
            windows = batch.codes[item, 0].unfold(0, 100, 1)
            assert (windows == codes[item, 0]).all(1).any()
        shares += torch.tensor([(labels.style == 0).sum(), (phonemes[:3].sum(1) == 0).sum()])
    assert 0.03 < shares[0] / 160 < 0.2 and 0.05 < shares[1] / 120 < 0.4
    both = [jukebox_top.loss(model, batch, draws(step))["loss"] for step in (1, 1, 2)]
    assert both[0] == both[1] != both[2]


def test_looking_away_is_zero_near_the_linear_alignment():
    phonemes, rate = torch.tensor([[3, 1, 4, 0]]), 10.0
    timing = JukeboxTiming(torch.tensor([0.5]), torch.tensor([3.0]))
    linear = linear_alignment(phonemes, timing.total)
    torch.testing.assert_close(linear[:, :3], torch.tensor([[0.5, 1.5, 2.5]]))
    seconds = 0.5 + torch.arange(21) / rate
    near = (seconds[:, None] - linear[0, :3]).abs().argmin(1)
    good = torch.nn.functional.one_hot(near, 4).float()[None, None]
    assert jukebox_top.looking_away(good, phonemes, timing, rate).item() == pytest.approx(0)
    away = jukebox_top.looking_away(0.1 * good, phonemes, timing, rate)
    assert away.item() == pytest.approx(2.3026, abs=1e-3)
    assert jukebox_top.looking_away(good, 0 * phonemes, timing, rate) == 0


def test_the_card_tells_lyrics_from_others(pieces):
    model = top().eval()
    found = jukebox_top.test(model, pieces)
    names = {"nats_sung", "nats_sung_no_lyrics", "nats_sung_other_lyrics", "nats_unsung"}
    assert found.keys() == names | {"alignment_error", "linear_error"}
    assert all(value > 0 for value in found.values()) and found["linear_error"] < 0.5
    unsung = pieces.batch(torch.arange(6, 12))
    want = model.loss(
        unsung.codes[..., :100],
        unsung.labels,
        JukeboxTiming(torch.zeros(6), torch.full((6,), 2.0)),
    )
    assert found["nats_unsung"] == pytest.approx(want.item(), abs=1e-4)


def test_a_top_prior_learns_to_sing_what_it_reads():
    """Codes that are the phoneme sung: without the lyrics nobody could know them."""
    generator = torch.Generator().manual_seed(0)
    phonemes = torch.randint(1, 9, (64, 8), generator=generator)
    codes = phonemes.repeat_interleave(2, 1)[:, None]  # each for 2 frames
    times = (torch.arange(8) + 0.5).expand(64, 8) * 2 / 8
    model = JukeboxTop(
        JukeboxTopConfig(
            jukebox_top.LABELS, 12, 8.0, 16, width=32, layers=2, heads=2, memory_every=1
        )
    )
    labels = JukeboxLabels(torch.zeros(64, dtype=torch.int64), torch.zeros(64, len(
        jukebox_top.LABELS.instruments)))  # fmt: skip

    class Sung:
        def __len__(self):
            return 64

        def batch(self, rows):
            return jukebox_top.Pieces(codes[rows], labels.take(rows), phonemes[rows], times[rows])

    fit(model, Sung(), jukebox_top.loss, steps=150, batch_size=16, lr=5e-3, progress=False)
    found = jukebox_top.report(model, Sung().batch(torch.arange(64)))
    assert found["nats_sung"] < 0.5 * found["nats_sung_no_lyrics"]
    assert found["nats_sung"] < 0.5 * found["nats_sung_other_lyrics"]


@pytest.fixture(scope="module")
def levels() -> jukebox_upsamplers.CodedLevels:
    made = {"bottom": level(8), "middle": level(8, 4), "top": level(8, 4, 4)}
    encode = SimpleNamespace(encode=lambda x: [made[n].encode(x) for n in made])
    return jukebox_upsamplers.CodedLevels(encode, 3, Clips(), Clips(voice=False))


def upsamplers() -> JukeboxUpsamplers:
    torch.manual_seed(0)
    sizes = {"entries": 12, "context": 64, "width": 16, "layers": 1, "heads": 2}
    sizes |= {"condition_width": 8, "condition_depth": 1}
    return JukeboxUpsamplers(JukeboxUpsamplersConfig(jukebox_top.LABELS, **sizes))


def test_windows_of_two_levels_belong_together(levels, monkeypatch):
    assert len(levels) == 6  # 3 of each songbook
    batch = levels.batch(torch.tensor([0, 2, 3, 5]))
    assert [x.shape[-1] for x in batch[:3]] == [4000, 1000, 250]
    model, heard = upsamplers(), []
    for upsampler in (model.middle, model.bottom):
        monkeypatch.setattr(
            upsampler, "loss", lambda *a, u=upsampler: heard.append((u, *a)) or a[0].float().mean()
        )
    places = recorded(monkeypatch, jukebox_upsamplers)
    for step in range(10):
        found = jukebox_upsamplers.loss(model, batch, draws(step))
        torch.testing.assert_close(found["loss"], found["middle"] + found["bottom"])
    assert len({float(timing.start[0]) for *_, timing in heard}) > 10
    for (upsampler, codes, above, labels, timing), (first, frames, start) in zip(
        heard, places, strict=True
    ):
        rate = 125 if upsampler is model.middle else 500  # of the codes above
        torch.testing.assert_close(timing.start * rate, start.float())
        torch.testing.assert_close(timing.total * rate, frames.float())
        pair = (batch.middle, batch.top) if upsampler is model.middle else (
            batch.bottom, batch.middle)  # fmt: skip
        assert codes.shape == (4, 1, 64) and above.shape == (4, 1, 16)
        assert labels.style.shape == (4,) and (timing.start < timing.total).all()
        for item in range(4):
            i = int(first[item] + start[item])
            assert torch.equal(above[item, 0], pair[1][item, 0, i : i + 16])
            assert torch.equal(codes[item, 0], pair[0][item, 0, 4 * i : 4 * i + 64])


def test_the_card_of_the_upsamplers(levels):
    found = jukebox_upsamplers.test(upsamplers().eval(), levels)
    assert found.keys() == {
        f"nats_{name}{more}" for name in ("middle", "bottom") for more in ("", "_other_above")
    }
    assert all(value > 1 for value in found.values())
    for name in ("middle", "bottom"):
        assert found[f"nats_{name}"] != found[f"nats_{name}_other_above"]
    assert found == jukebox_upsamplers.test(upsamplers().eval(), levels)


def test_training_starts_from_the_codebooks():
    parts = {"bottom": level(8), "middle": level(8, 4), "top": level(8, 4, 4)}
    parents = {"jukebox_levels": SimpleNamespace(level=parts.get, **parts)}
    model = jukebox_top.training(top(), parents)
    ups = jukebox_upsamplers.training(upsamplers(), parents)
    for weight, name in (
        (model.lm.embedding.weight, "top"),
        (ups.middle.lm.embedding.weight, "middle"),
        (ups.middle.above.weight, "top"),
        (ups.bottom.above.weight, "middle"),
    ):
        codebook = parts[name].quantizer.codebook
        ours, theirs = ((x[3] - x[7]).norm() for x in (weight, codebook))
        torch.testing.assert_close(ours, theirs / codebook.norm(dim=1).mean())


@pytest.mark.parametrize(
    ("name", "limit"), [("jukebox_top", 1_450_000), ("jukebox_upsamplers", 2_900_000)]
)
def test_the_recipes_fit_their_place(name, limit):
    recipe = recipes.find(name)
    assert recipe.parents == ("jukebox_levels",) and recipe.int8
    assert sum(p.numel() for p in recipe.model().parameters()) < limit
    c = recipe.model().config
    assert c.context == 512 and c.entries == 512
