"""Cells of the tables of adherence, guidance and memorisation, on tiny models."""

import math

import pytest
import torch
from small_musicgen import CLIPS, SECONDS, Levels, Planned, small  # noqa: F401

from course_lib.evaluation.prompts import ATTRIBUTES, balanced_prompts
from course_lib.tables import grid, guidance, memorisation, musicgen_adherence, prompted

pytestmark = pytest.mark.usefixtures("small")


def computed(table: grid.Table, row: str, seed: int = 0) -> dict[str, float]:
    found = table.cell(grid.Job(row, table.rows[row], seed, None, None))
    assert found.keys() == table.columns.keys()
    return {name: value for name, value in found.items() if math.isfinite(value)}


def test_real_clips_are_1_and_shuffled_prompts_0():
    table = musicgen_adherence.TABLE
    real = computed(table, musicgen_adherence.REAL)
    shuffled = computed(table, musicgen_adherence.SHUFFLED)
    for name in prompted.ADHERED:
        assert real[name] == 1 and shuffled[name] == 0
    of = prompted.wanted(0)
    assert real["style"] == pytest.approx(prompted.scores(of.real, of.asked)["style"])
    made = prompted.heard(prompted.written(0, "description"))
    others = prompted.scores(made, of.asked, others=True)
    assert {name: shuffled[name] for name in prompted.SCORED} == pytest.approx(others)


def test_what_is_heard_as_asked_adheres_and_what_is_not_does_not(monkeypatch):
    """Real clips are heard as they were asked for; what is written as the prompt before asks."""
    asked = prompted.wanted(0).asked
    turned = {name: marks.roll(1, 0) for name, marks in asked.items()}
    prompted.wanted.cache_clear()
    monkeypatch.setattr(prompted, "heard", lambda audio: asked)
    for name, right in ((musicgen_adherence.GENERATED, asked), ("no prompt", turned)):
        monkeypatch.setattr(musicgen_adherence, "heard", lambda audio, marks=right: marks)
        found = computed(musicgen_adherence.TABLE, name)
        for attribute in ("adherence", *(f"adherence_{name}" for name in ATTRIBUTES)):
            assert found[attribute] == 1 if right is asked else found[attribute] < 0.5, attribute
        assert (found["style"] == 1) == (right is asked)


def test_rows_write_what_they_say(monkeypatch):
    told = []

    def note(model, prompts, seconds, seed, **sampling):
        told.append((prompts, seconds, seed, sampling))
        return torch.stack([0.1 * torch.randn(1, 32000) for _ in prompts])

    monkeypatch.setattr(prompted, "generated", note)
    for row in (musicgen_adherence.NOTHING, musicgen_adherence.PARAPHRASED["listener"]):
        computed(musicgen_adherence.TABLE, row, seed=1)
    nothing, listener = told
    assert nothing[0] == [None] * CLIPS and nothing[1:] == (SECONDS, 1, {"guidance": 3.0})
    wanted = balanced_prompts(Planned("test"), CLIPS, "listener", 1)
    assert listener[0] == [prompt.text for prompt in wanted]
    assert [p.clip for p in prompted.wanted(1).prompts] == [p.clip for p in wanted]


def test_real_clips_are_as_long_as_what_is_written(monkeypatch):
    lengths = []
    monkeypatch.setattr(prompted, "heard", lambda audio: lengths.append(tuple(audio.shape)) or {})
    prompted.wanted(0)
    prompted.heard(prompted.written(0, "notes"))
    assert lengths == [(CLIPS, 1, round(SECONDS * 16000))] * 2


def test_seeds_are_other_prompts_and_draws():
    row = musicgen_adherence.GENERATED
    assert prompted.texts(0) != prompted.texts(1)
    first = computed(musicgen_adherence.TABLE, row, 0)
    prompted.written.cache_clear()
    assert first == computed(musicgen_adherence.TABLE, row, 0)
    assert first != computed(musicgen_adherence.TABLE, row, 1)


def test_the_mean_adherence_is_of_the_six():
    asked = prompted.wanted(0).asked
    of = prompted.Wanted((), asked, asked)
    made = asked | {name: asked[name].roll(1, 0) for name in ("style", "mode", "mode_checked")}
    found = prompted.obedience(made, of)
    values = [found[f"adherence_{name}"] for name in ATTRIBUTES]
    assert found["adherence"] == pytest.approx(sum(values) / 6) and 0.3 < found["adherence"] < 1
    assert prompted.ADHERED.keys() == found.keys()


def test_guidance_goes_into_the_samples_and_other_seeds_make_others(monkeypatch):
    told = []
    honest = prompted.generated

    def note(model, prompts, seconds, seed, **sampling):
        told.append((len(prompts), seed, sampling["guidance"]))
        return honest(model, prompts, seconds, seed, **sampling)

    for module in (prompted, guidance):
        monkeypatch.setattr(module, "generated", note)
    monkeypatch.setattr(guidance, "VARIED", 3)
    monkeypatch.setattr(guidance, "SAMPLES", 3)
    found = computed(guidance.TABLE, "guidance 5")
    assert [call[0] for call in told] == [CLIPS, 3, 3] and {call[2] for call in told} == {5.0}
    assert len({call[1] for call in told}) == 3
    assert found["diversity"] > 0 and found["between"] > 0 and -1 <= found["clap"] <= 1
    monkeypatch.setattr(
        guidance, "generated", lambda *a, **k: prompted.written(0, "description", 5.0)[:3]
    )
    assert computed(guidance.TABLE, "guidance 5")["diversity"] == pytest.approx(0, abs=1e-5)


@pytest.fixture
def shorter(monkeypatch, small):  # noqa: F811
    small["codec"] = Levels()
    monkeypatch.setattr(memorisation, "system", lambda: None)
    monkeypatch.setattr(memorisation, "through_codec", lambda model, audio: audio)
    noise = torch.rand(4, 1, 16000, generator=torch.Generator().manual_seed(5))
    monkeypatch.setattr(memorisation, "generated", lambda *a: noise)
    monkeypatch.setattr(memorisation, "CLIPS", 4)
    monkeypatch.setattr(memorisation, "SECONDS", 1.0)
    for function in (memorisation.bank, memorisation.compared):
        function.cache_clear()
    yield
    for function in (memorisation.bank, memorisation.compared):
        function.cache_clear()


@pytest.mark.usefixtures("shorter")
def test_every_set_of_clips_is_compared():
    found = {row: computed(memorisation.TABLE, row) for row in memorisation.TABLE.rows}
    assert all(values.keys() == memorisation.TABLE.columns.keys() for values in found.values())
    held_out = found[memorisation.HELD_OUT]
    assert held_out["codes_beyond"] <= 0.25  # one of four at most lies above 95 % of them
    assert len(memorisation.bank().codes) == 12 * 5  # pieces of 1 s in 3 s, one every half


@pytest.mark.usefixtures("shorter")
def test_a_piece_of_a_training_clip_is_found(monkeypatch):
    """Begun where the bank's pieces begin, it is there itself; beside them it is still nearest."""
    held_out = computed(memorisation.TABLE, memorisation.HELD_OUT)
    found = {}
    for offset in (0.0, 0.2):
        monkeypatch.setattr(memorisation, "OFFSET", offset)
        memorisation.compared.cache_clear()
        found[offset] = computed(memorisation.TABLE, memorisation.COPIES)
    exact, beside = found[0.0], found[0.2]
    assert exact["codes"] == 1 and exact["codes_beyond"] == 1 == beside["codes_beyond"]
    assert exact["clap"] > 0.9999 and exact["analyser"] > 0.9999
    assert held_out["codes"] < 0.7 < beside["codes"] < 1


@pytest.mark.usefixtures("shorter")
def test_prompts_come_from_the_clips_that_are_named(monkeypatch):
    told = {}

    def note(model, prompts, seconds, seed):
        told[len(told)] = prompts
        return 0.1 * torch.randn(len(prompts), 1, 16000)

    monkeypatch.setattr(memorisation, "generated", note)
    for row in (memorisation.TRAINED, memorisation.ASKED):
        computed(memorisation.TABLE, row)
    for split, prompts in zip(("train", "test"), told.values(), strict=True):
        assert prompts == [p.text for p in balanced_prompts(Planned(split), 4, seed=0)]
