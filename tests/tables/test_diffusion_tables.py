"""Cells of the tables of diffusion's obedience, of its steps, and of tokens against latents."""

import math

import pytest
import torch
from small_latents import PIECE, both, small  # noqa: F401
from small_musicgen import CLIPS, SECONDS, Planned

from course_lib import checkpoints
from course_lib.evaluation.prompts import ATTRIBUTES, balanced_prompts
from course_lib.tables import (
    diffused,
    diffusion_adherence,
    diffusion_steps,
    grid,
    prompted,
    small_musicgens,
    tokens_versus_latents,
)

# Six clips are too few for a Fréchet distance that means something, which it says.
pytestmark = [
    pytest.mark.usefixtures("both"),
    pytest.mark.filterwarnings("ignore:Fréchet distance"),
]
ADHERENCE, STEPS = diffusion_adherence.TABLE, diffusion_steps.TABLE
VERSUS = tokens_versus_latents.TABLE


def computed(table: grid.Table, row: str, seed: int = 0, folder=None) -> dict[str, float]:
    settings = dict(table.rows[row])
    found = table.cell(grid.Job(row, settings, seed, folder, "cpu"))
    assert found.keys() == table.columns.keys()
    return {name: value for name, value in found.items() if math.isfinite(value)}


def test_both_models_are_asked_for_the_same_and_held_against_the_same_clips(monkeypatch):
    told = {}

    def note(model, prompts, seconds, seed, **sampling):
        told[type(model).__name__] = (prompts, seconds, seed, sampling)
        return torch.stack([0.1 * torch.randn(1, 32000) for _ in prompts])

    for module in (prompted, diffused):
        monkeypatch.setattr(module, "generated", note)
    computed(ADHERENCE, diffusion_adherence.GENERATED, seed=1)
    computed(ADHERENCE, diffusion_adherence.MUSICGEN, seed=1)
    diffusion, musicgen = told["LatentDiffusion"], told["MusicGen"]
    assert diffusion[:3] == musicgen[:3] and musicgen[3] == {"guidance": 3.0}
    assert diffusion[3] == {"steps": 20, "guidance": 3.0, "solver": "dpm2"}
    texts = [p.text for p in balanced_prompts(Planned("test"), CLIPS, seed=1)]
    assert diffusion[:3] == (texts, SECONDS, 1)
    own, others = diffused.wanted(1), prompted.wanted(1)
    assert own.asked is others.asked and own.prompts is others.prompts
    assert any(not torch.equal(own.real[n], others.real[n]) for n in own.real)


def test_real_clips_are_1_shuffled_prompts_0_and_the_aim_is_musicgen_less_a_tenth():
    real = computed(ADHERENCE, diffusion_adherence.REAL)
    shuffled = computed(ADHERENCE, diffusion_adherence.SHUFFLED)
    for name in prompted.ADHERED:
        assert real[name] == 1 and shuffled[name] == 0
    assert -1 <= shuffled["clap"] <= 1
    musicgen = computed(ADHERENCE, diffusion_adherence.MUSICGEN)
    coded = computed(ADHERENCE, diffusion_adherence.CODED)
    assert coded["style"] == pytest.approx(
        prompted.scored(prompted.wanted(0).real, diffused.wanted(0))["style"]
    )
    if "adherence" in musicgen:
        aim = computed(ADHERENCE, diffusion_adherence.AIM)
        assert aim == {"adherence": pytest.approx(musicgen["adherence"] - 0.1)}


def test_what_is_heard_as_asked_adheres_in_every_row_that_asks(monkeypatch):
    """Real clips are heard as they were asked for; without a prompt as the one before asks."""
    asked = prompted.wanted(0).asked
    turned = {name: marks.roll(1, 0) for name, marks in asked.items()}
    prompted.wanted.cache_clear()
    monkeypatch.setattr(prompted, "heard", lambda audio: asked)
    rows = [diffusion_adherence.GENERATED, diffusion_adherence.MUSICGEN]
    rows += diffusion_adherence.PARAPHRASED.values()
    for row, right in ((r, asked) for r in rows):
        monkeypatch.setattr(diffusion_adherence, "heard", lambda audio, marks=right: marks)
        assert computed(ADHERENCE, row)["adherence"] == 1
    monkeypatch.setattr(diffusion_adherence, "heard", lambda audio: turned)
    nothing = computed(ADHERENCE, diffusion_adherence.NOTHING)
    for attribute in ("adherence", *(f"adherence_{name}" for name in ATTRIBUTES)):
        assert nothing[attribute] < 0.5, attribute


def test_paraphrases_and_silence_are_what_is_asked(monkeypatch):
    told = []
    monkeypatch.setattr(
        diffused, "generated", lambda model, prompts, *a, **k: told.append(prompts) or made
    )
    made = 0.1 * torch.randn(CLIPS, 1, 32000)
    computed(ADHERENCE, diffusion_adherence.NOTHING)
    computed(ADHERENCE, diffusion_adherence.PARAPHRASED["listener"])
    listener = balanced_prompts(Planned("test"), CLIPS, "listener", 0)
    assert told == [[None] * CLIPS, [prompt.text for prompt in listener]]


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(diffusion_steps, "CLIPS", 5)
    monkeypatch.setattr(tokens_versus_latents, "CLIPS", 5)


@pytest.mark.usefixtures("few")
def test_every_solver_takes_its_evaluations():
    for row, settings in STEPS.rows.items():
        found = computed(STEPS, row) if settings.get("steps", 0) <= 10 else {}
        if not found:
            continue
        assert ("evaluations" in found) == bool(settings)
        if settings:
            assert found["evaluations"] == 2 * settings["steps"]  # with the prompt and without
            assert found["slowness"] > 0 and found["frechet"] > 0
    assert STEPS.rows["DDPM, 200 steps"] == {"solver": "ddpm", "steps": 200}
    assert len(STEPS.rows) == 2 + 3 * 4 + 1


@pytest.mark.usefixtures("few")
def test_solvers_begin_with_the_same_noise(monkeypatch):
    seen = {}

    def first(net, given, out):
        seen.setdefault(row, given[0][:1].clone())

    honest = diffused.system

    def watched():
        system = honest()
        system.denoiser.register_forward_hook(first)
        return system

    monkeypatch.setattr(diffused, "system", watched)
    for row in ("DDPM, 5 steps", "DDIM, 10 steps", "DPM-Solver++, 5 steps"):
        computed(STEPS, row)
    noises = list(seen.values())
    assert len(noises) == 3 and all(torch.equal(noises[0], noise) for noise in noises)


@pytest.mark.usefixtures("few")
def test_pieces_are_held_against_the_untouched_clips_of_their_prompts():
    to = diffused.compared(0, 5)
    prompts = balanced_prompts(Planned("test"), 5, seed=0)
    assert [p.text for p in prompts] == to.texts
    clips = Planned("test").batch([p.clip for p in prompts])
    assert torch.equal(to.audio, clips[..., : round(PIECE * 16000)])
    found = diffused.nearness(to.audio, to)
    assert found["frechet"] == pytest.approx(0, abs=1e-3) and found.keys() == {*diffused.NEARNESS}
    assert to.floor > 0 and set(diffused.OBEYED) == {"adherence"} | {
        f"adherence_{name}" for name in ATTRIBUTES
    }


class Captioned(Planned):
    """Clips of 1.2 s."""

    def batch(self, indices):
        return super().batch(indices)[..., :19200]


@pytest.fixture
def quick(few, both, monkeypatch):  # noqa: F811
    """Two steps on noise instead of a thousand on music."""
    monkeypatch.setattr(small_musicgens, "BATCH", 4)
    monkeypatch.setattr(tokens_versus_latents, "BATCH", 4)
    monkeypatch.setattr(tokens_versus_latents, "FRAMES", 60)
    monkeypatch.setattr("course_lib.songbook.load", lambda split, *a, **k: Captioned(split))
    card = {"parameters": 5_000_000, "seconds": 5000.0, "steps": 6500}
    monkeypatch.setattr(checkpoints, "card", lambda name: card)
    for cached in (small_musicgens.clips, tokens_versus_latents.clips):
        cached.cache_clear()
    yield both
    for cached in (small_musicgens.clips, tokens_versus_latents.clips):
        cached.cache_clear()


@pytest.mark.usefixtures("quick")
def test_every_row_of_tokens_versus_latents_has_what_it_can_have(monkeypatch, tmp_path):
    monkeypatch.setattr(diffused, "SECONDS", 1.2)
    found = {}
    for row, settings in VERSUS.rows.items():
        short = settings | ({"steps": 2} if settings else {})
        cell = VERSUS.cell(grid.Job(row, short, 0, tmp_path / row, "cpu"))
        assert cell.keys() == VERSUS.columns.keys()
        found[row] = {name for name, value in cell.items() if math.isfinite(value)}
    floor = found.pop(tokens_versus_latents.FLOOR)
    assert floor == {"frechet"}
    sound = {"frechet", "frechet_low", "frechet_high", "clap"}
    made = {"parameters", "steps", "trained_seconds", "slowness"}
    for row, names in found.items():
        assert sound <= names, row
        assert (made <= names) == (not row.startswith("real")), row


def test_small_systems_have_as_many_weights_and_read_the_same(quick, monkeypatch, tmp_path):
    asked = {}
    honest = tokens_versus_latents.fit

    def note(model, data, loss, **settings):
        asked[type(model).__name__] = (data.batch(torch.arange(4)), settings)
        return honest(model, data, loss, **settings)

    monkeypatch.setattr(tokens_versus_latents, "fit", note)
    for row in (tokens_versus_latents.TOKENS, tokens_versus_latents.LATENTS):
        job = grid.Job(row, VERSUS.rows[row] | {"steps": 1}, 0, tmp_path / row, "cpu")
        tokens_versus_latents.trained(job)
    (tokens, first), (latents, second) = asked["MusicGenLM"], asked["LatentDenoiser"]
    assert torch.equal(tokens.states, latents.states) and torch.equal(tokens.valid, latents.valid)
    assert tokens.sound.shape == (4, 4, 60) and latents.sound.shape == (4, 4, 60)
    assert not tokens.sound.is_floating_point() and latents.sound.is_floating_point()
    assert first["batch_size"] == second["batch_size"] and first["seed"] == second["seed"]


def test_steps_are_the_rates_and_sizes_are_equal(monkeypatch):
    monkeypatch.undo()  # the shipped parts
    counts = {}
    for system, make in tokens_versus_latents.UNTRAINED.items():
        counts[system] = sum(p.numel() for p in make().parameters())
        steps = tokens_versus_latents.STEPS[system]
        taken = steps / tokens_versus_latents.RATES[system]
        assert taken == pytest.approx(tokens_versus_latents.SECONDS, rel=0.01)
    assert max(counts.values()) < 1e6
    assert counts["tokens"] == pytest.approx(counts["latents"], rel=0.05)


def test_small_systems_learn_and_then_read_what_they_learnt_from(quick, tmp_path):
    """Losses fall on few clips; prompts come in as captions did, and change what is made."""
    texts = ["a slow waltz with a flute", "a fast song with drums"]
    states, valid, _ = quick["clap"].text.read(texts)
    for row in (tokens_versus_latents.TOKENS, tokens_versus_latents.LATENTS):
        job = grid.Job(row, VERSUS.rows[row] | {"steps": 60}, 0, tmp_path / row, "cpu")
        model, history = tokens_versus_latents.trained(job)
        losses = history.column("loss")[1]
        assert losses[-1] < 0.97 * losses[0], row
        system = tokens_versus_latents.whole(model)
        assert system.generate(texts, 0.5, seed=0).shape == (2, 1, 8000)
        read = system.lm.read(texts) if row == tokens_versus_latents.TOKENS else system.read(texts)
        wanted = states if row == tokens_versus_latents.LATENTS else model.reading(states, valid)[0]
        assert torch.equal(read[0], wanted) and torch.equal(read[1], valid)
    one, other = (system.generate([text], 0.5, seed=0) for text in texts)
    assert not torch.equal(one, other)
