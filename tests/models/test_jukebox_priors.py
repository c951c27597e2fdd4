import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import checkpoints
from course_lib.models import (
    JukeboxLabelsConfig,
    JukeboxTiming,
    JukeboxTop,
    JukeboxTopConfig,
    JukeboxUpsamplers,
    JukeboxUpsamplersConfig,
)
from course_lib.models.jukebox_sampling import windows
from course_lib.nets import sample
from course_lib.songbook import Attributes

LABELS = JukeboxLabelsConfig(("waltz", "house"), ("flute", "piano", "bass"), seconds=10.0)


def attributes(style: str = "waltz", instruments: tuple[str, ...] = ("flute", "bass")):
    return Attributes(style, "C", "major", "3/4", 90.0, "slow", instruments, False, ())


def top(**options) -> JukeboxTop:
    torch.manual_seed(0)
    sizes = {"entries": 11, "context": 16, "width": 16, "layers": 3, "heads": 2}
    sizes |= {"phonemes": 5, "lyrics_width": 8, "lyrics_layers": 1, **options}
    return loud(JukeboxTop(JukeboxTopConfig(LABELS, **sizes)))


def upsamplers(**options) -> JukeboxUpsamplers:
    torch.manual_seed(0)
    sizes = {"entries": 11, "context": 16, "width": 16, "layers": 2, "heads": 2}
    sizes |= {"condition_width": 8, "condition_depth": 2, **options}
    return loud(JukeboxUpsamplers(JukeboxUpsamplersConfig(LABELS, **sizes)))


def loud(model):
    """Weights far from zero, so that everything that comes in shows in the logits."""
    for name, parameter in model.named_parameters():
        if parameter.ndim > 1 and "spread" not in name:
            torch.nn.init.normal_(parameter, std=0.3)
    return model.eval()


def timing(start: float = 0.0, total: float = 8.0, batch: int = 1) -> JukeboxTiming:
    return JukeboxTiming(torch.full((batch,), start), torch.full((batch,), total))


CODES = torch.randint(11, (1, 1, 16), generator=torch.Generator().manual_seed(0))
SUNG = torch.tensor([[1, 4, 2, 5, 3]])


def test_labels_are_numbers_and_unknown_ones_are_named():
    labels = top().labels([attributes(), attributes("house", ("kazoo", "piano")), None])
    assert labels.style.tolist() == [1, 2, 0]
    assert labels.instruments.tolist() == [[1, 0, 1], [0, 1, 0], [0, 0, 0]]
    assert labels.take(torch.tensor([1])).style.tolist() == [2]
    with pytest.raises(ValueError, match="no style 'polka': choose one of waltz, house"):
        top().labels([attributes("polka")])
    with pytest.raises(ValueError, match="seconds=0"):
        JukeboxLabelsConfig(seconds=0)


@pytest.mark.parametrize("kind", ["top", "middle"])
def test_every_label_and_time_matters(kind):
    model = top() if kind == "top" else upsamplers().middle
    label = top().labels
    more = () if kind == "top" else (CODES[..., :4],)

    def logits(piece, start=1.0, total=8.0):
        return model(CODES, *more, label([piece]), timing(start, total))

    base = logits(attributes())
    for other in (
        logits(attributes("house")),
        logits(attributes(instruments=("flute",))),
        logits(None),
        logits(attributes(), start=2.0),
        logits(attributes(), total=6.0),
    ):
        assert (base - other).abs().amax((0, 1, 3)).min() > 1e-4  # from the first frame on
    where = model.conditioner.where  # what lies past the longest piece of training counts as that
    beyond = [where(torch.tensor([[0.75 * t]]), torch.tensor([t])) for t in (40.0, 80.0)]
    torch.testing.assert_close(*beyond)


def test_instruments_are_a_bag():
    bag = top().labels([attributes(instruments=("flute", "bass"))])
    conditioner = top().conditioner
    alone = [top().labels([attributes(instruments=(name,))]) for name in ("flute", "bass")]
    first = [conditioner(each, timing(), 1, 125.0) for each in (bag, *alone)]
    torch.testing.assert_close(first[0], (first[1] + first[2]) / 2)


def test_lyrics_are_read_in_some_layers_and_padding_is_not():
    model, labels = top(), top().labels([None])
    assert [block.reads for block in model.lm.transformer.blocks] == [True, False, True]
    base = model(CODES, labels, timing(), SUNG)
    padded = torch.cat([SUNG, torch.zeros_like(SUNG)], 1)
    torch.testing.assert_close(model(CODES, labels, timing(), padded), base, rtol=1e-4, atol=1e-4)
    assert (model(CODES, labels, timing(), SUNG.flip(1)) - base).abs().max() > 1e-3
    without = model(CODES, labels, timing())
    assert (without - base).abs().max() > 1e-3
    torch.testing.assert_close(model(CODES, labels, timing(), 0 * SUNG), without)


def test_the_attention_is_a_part_of_the_whole():
    model, labels = top(), top().labels([None])
    logits, found = model.attending(CODES, labels, timing(), SUNG)
    torch.testing.assert_close(logits, model(CODES, labels, timing(), SUNG))
    assert found.shape == (2, 1, 2, 16, 5) and (found > 0).all()
    assert (found.sum(-1) < 1).all()  # the rest goes to "nothing"
    padded = torch.cat([SUNG, torch.zeros_like(SUNG)], 1)
    again = model.attending(CODES, labels, timing(), padded)[1]
    torch.testing.assert_close(again[..., :5], found, rtol=1e-4, atol=1e-4)
    assert (again[..., 5:] == 0).all()
    cross = model.lm.transformer.blocks[-1].cross
    x, memory = torch.randn(1, 4, 16), torch.randn(1, 3, 8)
    keys, values = cross.read(memory)
    by_hand = (cross.weights(x, (keys, values), None) @ values).transpose(1, 2).flatten(2)
    torch.testing.assert_close(cross.out(by_hand), cross(x, (keys, values), None))


def test_the_codes_above_reach_their_frames_from_both_sides():
    model, labels = upsamplers().middle, upsamplers().labels([None])
    above = torch.zeros(1, 1, 32, dtype=torch.int64)
    changed = above.clone()
    changed[..., 16] = 3
    conditions = [model.condition(x, labels, timing()) for x in (above, changed)]
    difference = (conditions[0] - conditions[1]).abs().amax((0, 2))  # [128]
    assert difference.argmax() // 4 in (15, 16, 17)
    assert difference[60] > 0 and difference[70] > 0 and difference[0] == 0 == difference[-1]


def test_both_levels_have_upsamplers_of_their_own():
    model = upsamplers()
    assert (model.middle.rate, model.bottom.rate) == (500.0, 2000.0)
    assert model.middle.ratio == model.bottom.ratio == 4
    names = {id(p) for p in model.middle.parameters()} & {id(p) for p in model.bottom.parameters()}
    assert not names


def test_losses_are_those_of_the_logits():
    labels = top().labels([attributes()])
    for loss, logits in (
        (top().loss(CODES, labels, timing(), SUNG), top()(CODES, labels, timing(), SUNG)),
        (
            upsamplers().bottom.loss(CODES, CODES[..., :4], labels, timing()),
            upsamplers().bottom(CODES, CODES[..., :4], labels, timing()),
        ),
    ):
        log_p = logits.log_softmax(-1).gather(-1, CODES[..., None])
        torch.testing.assert_close(loss, -log_p.mean())


@given(st.integers(1, 60), st.integers(1, 20), st.data())
@settings(max_examples=200, deadline=None)
def test_windows_fill_every_code_once(frames, context, data):
    hop = data.draw(st.integers(1, context))
    given_codes = data.draw(st.integers(0, frames - 1))
    found = windows(frames, context, hop, given_codes)
    filled = [place for _, known, end in found for place in range(known, end)]
    assert filled == list(range(given_codes, frames))
    for start, known, end in found:
        assert start <= known < end and end - start == min(context, frames)
        assert start % hop == 0 or end == frames
    for (_, _, before), (start, known, _) in zip(found, found[1:], strict=False):
        assert known == before and known - start >= min(context - hop, known)


def test_windows_by_hand():
    assert windows(8, 4, 2) == [(0, 0, 4), (2, 4, 6), (4, 6, 8)]
    assert windows(9, 4, 4) == [(0, 0, 4), (4, 4, 8), (5, 8, 9)]
    assert windows(8, 4, 2, given=5) == [(2, 5, 6), (4, 6, 8)]
    assert windows(3, 4, 2) == [(0, 0, 3)]


def drawn_by_hand(frames: int, batch: int, logits) -> torch.Tensor:
    """Codes drawn without a cache, in windows of 16 that advance by 8, with the draws of seed 0."""
    seed = torch.Generator().manual_seed(0)
    codes = torch.zeros(batch, 1, frames, dtype=torch.int64)
    for start, known, end in windows(frames, 16, 8):
        for place in range(known, end):
            of_window = logits(codes[..., start:end], start, end)  # [B, 1, F, V]
            codes[..., place] = sample(of_window[:, :, place - start], generator=seed)
    return codes


@torch.no_grad()
def test_windows_equal_a_loop_by_hand():
    model = top()
    labels = model.labels([attributes(), None, None, attributes("house")])
    sung, total = SUNG.expand(4, -1), torch.full((4,), 26 / 125)

    def logits(codes, start, end):
        when = JukeboxTiming(torch.full((4,), start / 125), total)
        return model(codes, labels, when, sung)

    seed = torch.Generator().manual_seed(0)
    codes = model.sample(26, labels, sung, hop_fraction=0.5, generator=seed)
    assert codes.shape == (4, 1, 26) and len(codes.unique()) > 5
    assert torch.equal(codes, drawn_by_hand(26, 4, logits))


@torch.no_grad()
def test_upsampling_equals_a_loop_by_hand():
    model = upsamplers().bottom
    labels = top().labels([attributes()] * 4)
    above = torch.randint(11, (4, 1, 10), generator=torch.Generator().manual_seed(1))

    def logits(codes, start, end):
        when = timing(start / 2000, 40 / 2000, batch=4)
        return model(codes, above[..., start // 4 : end // 4], labels, when)

    seed = torch.Generator().manual_seed(0)
    codes = model.sample(above, labels, temperature=1.0, generator=seed)
    assert codes.shape == (4, 1, 40) and len(codes.unique()) > 5
    assert torch.equal(codes, drawn_by_hand(40, 4, logits))


@pytest.mark.parametrize("known", [1, 7, 16, 20])
def test_a_prompt_is_kept_and_continued(known):
    model, labels = top(), top().labels([None])
    prompt = torch.randint(11, (1, 1, known), generator=torch.Generator().manual_seed(2))
    seeds = [torch.Generator().manual_seed(seed) for seed in (0, 0, 1)]
    runs = [model.sample(26, labels, prompt=prompt, generator=seed) for seed in seeds]
    assert all(torch.equal(run[..., :known], prompt) for run in runs)
    assert torch.equal(runs[0], runs[1]) and not torch.equal(runs[0], runs[2])
    up = upsamplers().middle.sample(CODES, labels, prompt=prompt, hop_fraction=1.0)
    assert torch.equal(up[..., :known], prompt) and up.shape == (1, 1, 64)


def test_artefacts_come_back_as_they_were(tmp_path):
    for model, name in ((top(), "jukebox_top"), (upsamplers(), "jukebox_upsamplers")):
        loaded = checkpoints.read(checkpoints.save(tmp_path, name, model, {}))
        assert loaded.config == model.config
        for a, b in zip(loaded.parameters(), model.parameters(), strict=True):
            torch.testing.assert_close(a, b, rtol=2e-3, atol=1e-4)


def test_labels_and_timing_of_other_pieces_are_named():
    model, up, labels = top(), upsamplers().middle, top().labels([None])
    codes, above = CODES.expand(2, -1, -1), CODES[..., :4].expand(2, -1, -1)
    with pytest.raises(ValueError, match="labels of 1 pieces, starts of 2 and lengths of 2"):
        model(codes, labels, timing(batch=2), SUNG.expand(2, -1))  # would count for both
    with pytest.raises(ValueError, match="labels of 2 pieces, starts of 1 and lengths of 1"):
        up(codes, above, model.labels([None, None]), timing())
    with pytest.raises(ValueError, match="no pieces to label"):
        model.labels([])


def test_lyrics_that_do_not_fit_are_named():
    model, labels = top(), top().labels([None, None])
    for call in (model, model.loss, model.attending):
        with pytest.raises(ValueError, match=r"\[1, 5\]; expected \[2, L\]"):
            call(CODES.expand(2, -1, -1), labels, timing(batch=2), SUNG)
        with pytest.raises(TypeError, match="Phonemes must be int64, not torch.float32"):
            call(CODES, model.labels([None]), timing(), SUNG.float())
    with pytest.raises(ValueError, match="put all padding at the end"):
        model.sample(20, labels, torch.tensor([[1, 2, 0], [0, 0, 3]]))


def test_codes_above_that_belong_to_no_window_are_named():
    model, labels = upsamplers().middle, upsamplers().labels([None, None])
    codes, above = CODES.expand(2, -1, -1), CODES[..., :4].expand(2, -1, -1)
    for wrong in (above[:1], above.repeat(1, 2, 1), above[:, 0]):  # they would spread over the rest
        with pytest.raises(ValueError, match=r"codes above have shape .*; expected \[2, 1, 4\]"):
            model.loss(codes, wrong, labels, timing(batch=2))
    with pytest.raises(TypeError, match="codes above must be int64, not torch.float32"):
        model(codes, above.float(), labels, timing(batch=2))
    with pytest.raises(ValueError, match=r"codebook above has shape \[1, 5\]; expected \[11, d\]"):
        model.start_from(torch.randn(11, 5), torch.randn(1, 5))
    with pytest.raises(ValueError, match=r"rates=\(0.0, 500.0, 2000.0\)"):
        JukeboxUpsamplersConfig(rates=(0.0, 500.0, 2000.0))


def test_bad_input_is_named():
    model, ups, labels = top(), upsamplers(), top().labels([None])
    long = torch.zeros(1, 1, 17, dtype=torch.int64)
    with pytest.raises(ValueError, match="has 17 codes, the model was trained on 16"):
        model(long, labels, timing())
    with pytest.raises(ValueError, match="has 20 codes, the model was trained on 16"):
        ups.middle(torch.zeros(1, 1, 20, dtype=torch.int64), CODES[..., :5], labels, timing())
    with pytest.raises(ValueError, match="5 codes above belong to 20 codes, not 16"):
        ups.middle(CODES, CODES[..., :5], labels, timing())
    with pytest.raises(ValueError, match="run from 1 to 6; the model knows 1 to 5"):
        model.sample(20, labels, torch.tensor([[1, 6]]))
    with pytest.raises(TypeError, match="Phonemes must be int64, not torch.float32"):
        model.sample(20, labels, torch.ones(1, 2))
    with pytest.raises(ValueError, match=r"\[2, 5\]; expected \[1, L\]"):
        model.sample(20, labels, SUNG.expand(2, -1))
    for hop in (0.0, 1.5, -0.5):
        with pytest.raises(ValueError, match=rf"hop_fraction={hop} must be in \(0, 1\]"):
            model.sample(20, labels, hop_fraction=hop)
    with pytest.raises(ValueError, match="16 known codes leave nothing to sample of 16"):
        model.sample(16, labels, prompt=CODES)
    with pytest.raises(ValueError, match="The prompt has 2 items; expected 1"):
        model.sample(20, labels, prompt=CODES.expand(2, -1, -1))
    with pytest.raises(ValueError, match="Codes run from 11 to 11"):
        ups.middle.sample(CODES * 0 + 11, labels)
    with pytest.raises(ValueError, match="labels of 1 pieces for 2"):
        ups.middle.sample(CODES.expand(2, -1, -1), labels)
    with pytest.raises(ValueError, match="hop=5 must be from 1 to the context of 4"):
        windows(8, 4, 5)
    with pytest.raises(ValueError, match="rates="):
        JukeboxUpsamplersConfig(rates=(125.0, 375.0, 2000.0))
    with pytest.raises(ValueError, match="entries=0"):
        JukeboxUpsamplersConfig(entries=0)
    with pytest.raises(ValueError, match="phonemes=0"):
        JukeboxTopConfig(phonemes=0)
