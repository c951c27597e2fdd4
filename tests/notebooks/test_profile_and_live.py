"""The profile's one dial, and the live view of a training."""

import sys
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from course_lib.notebook import Live, Profile, form, profile


def test_the_profile_is_quick_without_a_gpu_and_full_with_one(monkeypatch):
    monkeypatch.delenv("COURSE_PROFILE", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert profile() == Profile("quick", "cpu", "quick")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert profile() == Profile("full", "cuda", "full")
    monkeypatch.setenv("COURSE_PROFILE", "quick")
    assert profile() == Profile("quick", "cuda", "quick")


def test_an_unknown_profile_is_named(monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "fast")
    with pytest.raises(ValueError, match="'fast'; expected 'quick' or 'full'"):
        profile()


def test_choices_and_times_follow_the_profile(monkeypatch):
    monkeypatch.setattr("course_lib.notebook.profiles.device_words", lambda device: "2 CPU cores")
    quick, full = Profile("quick", "cpu", "quick"), Profile("full", "cpu", "full")
    assert (quick.choose(quick=10, full=100), full.choose(quick=10, full=100)) == (10, 100)
    assert quick.time(60, full=900) == "About 60 s, measured on 2 CPU cores."
    assert full.time(60, full=900) == "About 15 minutes, estimated from NVIDIA T4."
    with pytest.raises(AttributeError):
        quick.name = "full"


class Display:
    """IPython's display, as far as the live view uses it."""

    def __init__(self):
        self.pages, self.created = [], 0

    def __call__(self, page, display_id):
        self.created += 1
        self.pages.append(page.data)
        return SimpleNamespace(update=lambda new: self.pages.append(new.data))


@pytest.fixture
def display(monkeypatch):
    import IPython.display

    shown = Display()
    monkeypatch.setattr(IPython.display, "display", shown)
    monkeypatch.setattr("course_lib.notebook.live.in_notebook", lambda: True)
    return shown


def test_live_leaves_one_output_with_curves_and_the_last_sound(display):
    model = nn.Linear(1, 1).train()
    modes = []

    def sound(given):
        assert not torch.is_grad_enabled()
        modes.append(given.training)
        return {"tone": 0.1 * torch.sin(torch.arange(8000) * 0.2)}

    live = Live(100, model=model, sound=sound, title="A <model>")
    for step in range(10, 101, 10):
        live(step, {"step": step, "seconds": 1.0, "lr": 0.1, "loss": 1 / step, "extra": 2.0})
    assert display.created == 1
    last = display.pages[-1]
    assert "tone, step 100" in last and "tone, step 90" not in last
    assert "step 100 of 100" in last and "A &lt;model&gt;" in last
    sounds, pictures = form.media(last)
    assert len(sounds) == len(pictures) == 1
    assert "loss from 0.1 to 0.01; extra from 2 to 2" in pictures[0]["alt"]
    assert "lr" not in live.curves and modes == [False] * len(modes) and len(modes) == 8
    assert model.training


def test_live_in_a_terminal_prints_a_few_lines(capsys, monkeypatch):
    monkeypatch.setattr("course_lib.notebook.live.in_notebook", lambda: False)
    live = Live(80, keys=("loss",))
    for step in range(1, 81):
        live(step, {"loss": 1.0, "other": 2.0})
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 8 and lines[-1] == "Training: step 80 of 80. loss 1"


def test_live_refuses_what_makes_no_sense():
    with pytest.raises(ValueError, match="at least 1"):
        Live(0)
    with pytest.raises(ValueError, match="together"):
        Live(10, sound=lambda model: None)


def test_the_page_of_names_is_true():
    import course_lib.notebook as room

    for name in room.__all__:
        assert getattr(room, name).__name__ == name if name != "COLOURS" else room.COLOURS
        assert name in room.__doc__ or name in ("Description", "Picture", "Profile")
    with pytest.raises(AttributeError, match="it has .*players"):
        room.plaers  # noqa: B018


def test_importing_the_room_is_light():
    import subprocess

    code = "import sys, course_lib.notebook; print([m for m in sys.modules if m in ('torch', "
    code += "'matplotlib', 'ipywidgets', 'soundfile', 'IPython')])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
