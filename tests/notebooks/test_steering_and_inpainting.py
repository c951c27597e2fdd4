"""The sliders for steps and guidance, and the hole that is drawn and filled."""

import base64
import io
import sys

import pytest
import soundfile
import torch
from tiny_diffusion import tiny_autoencoder, tiny_clap, tiny_denoiser, tiny_unet

from course_lib.models import LatentDiffusion
from course_lib.notebook import form, prompting, steering
from course_lib.notebook import inpainting as painting

K = 4
SOUND = 0.3 * torch.sin(torch.arange(32000) * 0.1)  # 2 s


@pytest.fixture(scope="module")
def model() -> LatentDiffusion:
    denoiser = tiny_denoiser(tiny_unet(K, vector_width=None), context=100)
    return LatentDiffusion(tiny_autoencoder(K), tiny_clap(("a", "waltz")), denoiser).eval()


def sources(html: str) -> list[str]:
    return [attributes["src"] for attributes in form.media(html)[0]]


# --- Steps and guidance ---------------------------------------------------------------------------


def test_moving_a_slider_makes_the_sound_and_plays_it(model, shown, capsys):
    steering.steer(model, "a waltz", places=((1, 3.0), (2, 1.0)), seconds=1.0)
    assert capsys.readouterr().out.strip() == steering.STILL
    table, sliders = shown
    assert [row[0] for row in table.rows] == ["1 step, guidance 3", "2 steps, guidance 1"]
    box, steps, guidance, solver, place = sliders.children
    assert box.value == "a waltz" and place.value == "", "silent until one is moved"
    steps.value = 2
    (found,), _ = form.media(place.value)
    assert found["aria-label"] == "2 steps, guidance 3, dpm2" and "autoplay" in found
    guidance.value = 1.0
    (found,), _ = form.media(place.value)
    assert found["src"] == table.rows[1][1], "the same noise as in the table"
    before = found["src"]
    solver.value = "ddpm"
    assert sources(place.value) != [before]
    box.value = ""
    assert "guidance 1, ddpm" in place.value


def test_errors_of_the_sliders_are_words(model, shown, monkeypatch):
    steering.steer(model, "a waltz", places=((1, 1.0),), seconds=1.0)
    *_, steps, _, _, place = shown[1].children

    def broken(*arguments, **options):
        raise ValueError("steps=<0> must be a whole number.")

    monkeypatch.setattr(model, "generate", broken)
    steps.value = 3
    assert place.value == "<p>steps=&lt;0&gt; must be a whole number.</p>"


def test_without_widgets_a_line_says_so(model, shown, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    steering.steer(model, "a waltz", places=((1, 1.0),), seconds=1.0)
    painting.inpaint(model, {"tone": SOUND}, (0.5, 1.0), seconds=2.0)
    told = capsys.readouterr().out
    assert "Install ipywidgets to have them" in told and "Install ipywidgets to draw" in told
    assert len(shown) == 2


def test_progress_of_all_windows_adds_up_to_the_seconds(model):
    for seconds in (1.0, 5.0):  # of a context of 2 s
        told = []
        audio = prompting.play("a waltz", model, seconds, told.append, steps=3, seed=0)
        assert audio.shape == (1, round(16000 * seconds)) and audio.abs().max() <= 1
        assert sum(told) == pytest.approx(seconds) and len(set(told)) == 1
        assert len(told) >= 3 and all(some > 0 for some in told)


def test_an_answer_of_diffusion_tells_what_was_not_understood(model):
    made = prompting.answer("a zither waltz", model, seconds=1.0, steps=1, seed=0)
    assert set(made.understood.unknown) == {"zither"} and "[sound] generated" in repr(made)


# --- The hole -------------------------------------------------------------------------------------


def test_a_hole_is_the_frames_whose_middles_lie_in_it():
    found = painting.hole(0.02, 0.06, 5, 50)
    assert found.dtype == torch.bool and found.tolist() == [False, True, True, False, False]
    assert torch.equal(found, painting.hole(0.06, 0.02, 5, 50))
    assert painting.hole(0.011, 0.029, 5, 50).sum() == 0  # between two middles
    assert painting.hole(0.0, 1.0, 5, 50).all()


def test_a_filled_hole_differs_and_the_rest_is_that_of_the_autoencoder(model):
    made = painting.fill(model, SOUND, 0.5, 1.0, seconds=2.0, seed=0, steps=2)
    audio = SOUND[None, None]
    through = model.autoencoder.decode(model.autoencoder.encode(audio), 32000)[0]
    assert made.audio.shape == (1, 32000)
    assert torch.allclose(made.audio[:, :7900], through[:, :7900], atol=1e-6)
    assert not torch.allclose(made.audio[:, 8000:16000], through[:, 8000:16000], atol=1e-3)
    assert [row[0] for row in made.players.rows] == ["given", "the hole filled", "what was there"]
    assert "0.50 to 1.00 s" in made.picture.alt and "[sound] the hole filled" in repr(made)
    again = painting.fill(model, SOUND, 0.5, 1.0, seconds=2.0, seed=0, steps=2)
    assert torch.equal(made.audio, again.audio)


def heard(uri: str) -> torch.Tensor:
    """The samples [T] of a player."""
    found, _ = soundfile.read(io.BytesIO(base64.b64decode(uri.split(",")[1])), dtype="float32")
    return torch.from_numpy(found)


def test_what_is_given_is_silent_in_the_hole_alone_and_the_prompt_fills_it(model):
    made = painting.fill(model, SOUND, 0.5, 1.0, "a", seconds=2.0, seed=0, steps=2)
    given = heard(made.players.rows[0][1])
    assert given[9000:15000].std() < 0.01 * given[18000:30000].std()
    assert given[1000:7000].std() == pytest.approx(given[18000:24000].std().item(), rel=0.05)
    other = painting.fill(model, SOUND, 0.5, 1.0, "waltz", seconds=2.0, seed=0, steps=2)
    assert not torch.equal(made.audio, other.audio)


def test_sounds_of_another_rate_are_brought_to_that_of_the_model(model):
    made = painting.fill(model, SOUND, 0.2, 0.6, seconds=1.0, sample_rate=32000, steps=1)
    assert made.audio.shape == (1, 16000)


@pytest.mark.parametrize(
    ("ends", "told"),
    [
        ((0.5, 0.5), "from 0.5 to 0.5 s holds no frame of 20 ms .* 2 s: make it longer, or move"),
        ((2.5, 3.0), "from 2.5 to 3 s holds no frame"),
        ((0.0, 2.0), "from 0 to 2 s holds all .* 2 s: leave some of the sound"),
    ],
)
def test_holes_that_leave_nothing_to_do_are_refused(model, ends, told):
    with pytest.raises(ValueError, match=told):
        painting.fill(model, SOUND, *ends, seconds=2.0)
    with pytest.raises(ValueError, match="at least one sound"):
        painting.inpaint(model, {})


def test_the_hole_is_drawn_and_the_button_fills_it(model, shown, capsys):
    sounds = {"tone": SOUND, "half": SOUND / 2}
    painting.inpaint(model, sounds, (0.5, 1.0), prompt="a waltz", seconds=2.0)
    assert capsys.readouterr().out.strip() == painting.STILL
    first, filling = shown
    assert "0.50 to 1.00 s" in repr(first)
    chosen, wave, ends, box, button, place = filling.children
    assert list(chosen.options) == list(sounds) and box.value == "a waltz"
    assert "0.50 to 1.00 s" in wave.value and place.value == ""
    ends.value = (0.2, 1.4)
    assert "0.20 to 1.40 s" in wave.value
    before, chosen.value = wave.value, "half"
    assert wave.value != before
    button.click()
    assert len(sources(place.value)) == 3 and not button.disabled
    once = place.value
    button.click()
    assert sources(place.value)[1] != sources(once)[1], "each press draws anew"
    ends.value = (0.0, 2.0)
    button.click()
    assert "from 0 to 2 s holds all" in place.value and not button.disabled


def test_the_hole_stays_within_a_shorter_sound(model, shown):
    painting.inpaint(model, {"tone": SOUND, "short": SOUND[:16000]}, (0.5, 1.5), seconds=2.0)
    chosen, wave, ends, *_ = shown[1].children
    assert ends.max == 2.0
    chosen.value = "short"
    assert ends.max == 1.0 and ends.value == (0.5, 1.0)
    assert "0.50 to 1.00 s" in wave.value
    chosen.value = "tone"
    assert ends.max == 2.0


def test_a_sound_that_can_not_be_opened_is_told_in_words(model, shown):
    sounds = {"tone": SOUND, "<none>": torch.zeros(0)}
    painting.inpaint(model, sounds, (0.5, 1.0), seconds=2.0)
    chosen, wave, ends, _, button, place = shown[1].children
    chosen.value = "<none>"
    assert "There are no samples" in place.value and wave.value == ""
    button.click()
    assert "There are no samples" in place.value and not button.disabled
    chosen.value = "tone"
    assert "0.50 to 1.00 s" in wave.value and place.value == ""


def test_what_is_stopped_waits_no_longer(model, shown, monkeypatch):
    painting.inpaint(model, {"tone": SOUND}, (0.5, 1.0), seconds=2.0)
    steering.steer(model, "a waltz", places=((1, 1.0),), seconds=1.0)

    def stopped(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(model, "generate", stopped)
    monkeypatch.setattr(model, "inpaint", stopped)
    *_, button, filled = shown[1].children
    _, steps, _, _, steered = shown[3].children
    steps.value = 2
    button.click()
    assert filled.value == steered.value == "<p>Stopped.</p>" and not button.disabled
