"""Adherence: its parts against the metrics and against brute force, and its end points."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.evaluation.adherence import (
    Heard,
    adherence,
    agreement,
    asked_marks,
    class_marks,
    heard_marks,
    read,
    readings,
    scores,
    verdict,
)
from course_lib.evaluation.analysis import Analysis, analyse
from course_lib.evaluation.prompts import ATTRIBUTES, Prompt
from course_lib.metrics import balanced_accuracy, macro_f1
from course_lib.models import Judge, JudgeConfig

CONFIG = JudgeConfig(
    instruments=("piano", "violin", "tuba"),
    styles=("waltz", "house"),
    modes=("major", "minor"),
    metres=("2/4", "3/4", "4/4"),
    tempo_classes=("slow", "medium", "fast"),
    width=16,
    layers=1,
    heads=2,
    reader=16,
    embedding=8,
)
SIZES = {"instruments": 3, "style": 2, "drums": 2, "tempo_class": 3, "mode": 2, "metre": 3}


def random(seed=0):
    return torch.Generator().manual_seed(seed)


def marks(rows, seed):
    """Marks of `rows` clips in every attribute, at random."""
    g = random(seed)
    found = {
        name: class_marks(torch.randint(size, (rows,), generator=g), size)
        for name, size in SIZES.items()
    }
    found["instruments"] = torch.rand(rows, 3, generator=g) < 0.5
    found["instruments"][:, 0] |= ~found["instruments"].any(1)
    return found


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(1, 30), classes=st.integers(2, 6), seed=st.integers(0, 999))
def test_agreement_of_classes_is_balanced_accuracy(rows, classes, seed):
    heard, asked = torch.randint(classes, (2, rows), generator=random(seed))
    found = agreement(class_marks(heard, classes), class_marks(asked, classes), several=False)
    assert found.item() == pytest.approx(balanced_accuracy(heard, asked))


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(1, 30), labels=st.integers(1, 6), seed=st.integers(0, 999))
def test_agreement_of_several_is_macro_f1_of_what_is_asked_for(rows, labels, seed):
    heard, asked = torch.rand(2, rows, labels, generator=random(seed)) < 0.4
    asked[:, 0] = True  # every prompt asks for something
    used = asked.any(0)
    found = agreement(heard, asked, several=True)
    assert found.item() == pytest.approx(macro_f1(heard[:, used], asked[:, used]))


@pytest.mark.parametrize("several", [False, True])
def test_others_is_the_mean_over_all_ways_to_hand_prompts_on(several):
    """All derangements of five prompts, one by one."""
    found = marks(5, seed=3), marks(5, seed=4)
    name = "instruments" if several else "metre"
    heard, asked = (m[name] for m in found)
    asked[0] = asked[1]  # two clips that ask for the same
    ways = [w for w in itertools.permutations(range(5)) if all(a != b for a, b in enumerate(w))]
    assert len(ways) == 44
    by_hand = sum(agreement(heard, asked[list(way)], several).item() for way in ways) / 44
    closed = agreement(heard, asked, several, others=True).item()
    assert closed == pytest.approx(by_hand, abs=1e-12)
    assert closed != pytest.approx(agreement(heard, asked, several).item(), abs=1e-3)


def test_weights_are_rows_that_come_several_times():
    heard, asked = (marks(6, seed)["metre"] for seed in (1, 2))
    times = torch.tensor([2, 0, 1, 3, 0, 1])
    rows = torch.arange(6).repeat_interleave(times)
    weighted = agreement(heard, asked, False, times[None].float())
    assert weighted.item() == pytest.approx(agreement(heard[rows], asked[rows], False).item())


def test_a_clip_drawn_twice_is_never_handed_its_own_prompt():
    heard = class_marks(torch.tensor([0, 1]), 2)
    times = torch.tensor([[3.0, 2.0]])
    assert agreement(heard, heard, False, times, others=True).item() == 0
    assert agreement(heard, heard, False, times).item() == 1


def test_prompts_that_do_not_ask_do_not_count():
    heard, asked = (marks(8, seed)["style"] for seed in (1, 2))
    silent = asked.clone()
    silent[5:] = False
    for others in (False, True):
        want = agreement(heard[:5], asked[:5], False, others=others).item()
        assert agreement(heard, silent, False, others=others).item() == pytest.approx(want)
    assert agreement(heard, torch.zeros_like(asked), False).isnan().all()


def test_adherence_is_1_for_real_music_and_0_for_what_does_not_listen():
    asked, real = marks(400, seed=1), marks(400, seed=1)
    for name in real:  # the judge errs on every tenth clip
        real[name][::10] = marks(400, seed=2)[name][::10]
    deaf = marks(400, seed=3)
    for name, found in adherence(real, real, asked).items():
        assert found.value == found.low == found.high == 1, name
        assert found.generated == found.real > 0.9 - 0.1 * (name == "instruments")
    for name, found in adherence(deaf, real, asked).items():
        assert found.low < 0 < found.high and abs(found.value) < 0.15, name


def test_adherence_is_the_share_of_the_way_with_its_interval():
    asked = marks(300, seed=1)
    half = marks(300, seed=2)
    for name in half:
        half[name][::2] = asked[name][::2]
    found = adherence(half, asked, asked)
    assert set(found) == set(ATTRIBUTES)
    for name, one in found.items():
        share = (one.generated - one.shuffled) / (one.real - one.shuffled)
        assert one.value == pytest.approx(share) == pytest.approx(0.5, abs=0.1), name
        assert one.low < one.value < one.high and 0.05 < one.high - one.low < 0.4
    fewer = {name: m[:60] for name, m in half.items()}, {name: m[:60] for name, m in asked.items()}
    wider = adherence(fewer[0], fewer[1], fewer[1])
    for name, one in wider.items():
        assert one.high - one.low > found[name].high - found[name].low


def test_a_judge_that_hears_nothing_in_real_music_gives_no_number():
    asked, made = marks(50, seed=1), marks(50, seed=1)
    wrong = {name: m.roll(1, 1) for name, m in asked.items()}
    assert math.isnan(adherence(made, wrong, asked)["style"].value)


def test_the_bootstrap_is_the_same_again_and_needs_draws():
    asked, made = marks(40, seed=1), marks(40, seed=2)
    assert adherence(made, asked, asked) == adherence(made, asked, asked)
    with pytest.raises(ValueError, match="draws=3"):
        adherence(made, asked, asked, draws=3)
    with pytest.raises(ValueError, match=r"\[3, 2\] and \[2, 2\]"):
        agreement(torch.ones(3, 2).bool(), torch.ones(2, 2).bool(), False)


def analysis():
    posteriors = {
        "style": torch.tensor([[0.9, 0.1], [0.3, 0.7]]),
        "mode": torch.tensor([[0.2, 0.8], [0.6, 0.4]]),
        "tonic": torch.eye(12)[:2],
        "metre": torch.tensor([[0.1, 0.8, 0.1], [0.5, 0.3, 0.2]]),
        "tempo_class": torch.tensor([[0.1, 0.1, 0.8], [0.5, 0.3, 0.2]]),
        "instruments": torch.tensor([[0.6, 0.9, 0.1], [0.2, 0.3, 0.4]]),
        "drums": torch.tensor([[0.2], [0.7]]),
    }
    classes = CONFIG.classes | {"instruments": CONFIG.instruments}
    return Analysis(torch.zeros(2, 8), posteriors, classes)


def test_readings_are_values_with_their_confidence():
    first, second = readings(analysis())
    assert first["style"].value == "waltz" and first["style"].confidence == pytest.approx(0.9)
    assert [heard.value for heard in first["instruments"]] == ["violin", "piano"]
    assert second["instruments"] == ()
    assert first["drums"] == Heard(False, pytest.approx(0.8))
    assert second["drums"] == Heard(True, pytest.approx(0.7))


def test_reading_audio_is_reading_its_analysis():
    torch.manual_seed(0)
    judge = Judge(CONFIG).eval()
    audio = 0.1 * torch.randn(2, 1, 20000)
    assert read(judge, audio) == readings(analyse(audio, judge))


def test_verdicts_say_what_came_of_each_wish():
    prompt = Prompt("", {"instruments": ("violin",), "style": "house", "drums": False})
    answers = verdict(prompt, readings(analysis())[0])
    assert set(answers) == {"instruments", "style", "drums"}
    assert answers["instruments"].right and answers["drums"].right
    assert not answers["style"].right and answers["style"].heard.value == "waltz"
    more = Prompt("", {"instruments": ("violin", "tuba")})
    assert not verdict(more, readings(analysis())[0])["instruments"].right


def test_marks_of_what_was_heard_and_asked_agree_in_their_columns():
    heard = heard_marks(analysis())
    all_of_first = {
        "instruments": ("piano", "violin"),
        "style": "waltz",
        "drums": False,
        "tempo_class": "fast",
        "mode": "minor",
        "metre": "3/4",
    }
    second = {"style": "house", "drums": True, "metre": "2/4"}
    asked = asked_marks([Prompt("", all_of_first), Prompt("", second)], Judge(CONFIG))
    for name in ATTRIBUTES:
        assert torch.equal(heard[name][0], asked[name][0]), name
    assert not asked["mode"][1].any() and asked["drums"][1].tolist() == [False, True]
    assert scores(heard, asked) == {name: 1.0 for name in ATTRIBUTES}
    assert scores(heard, asked, others=True)["style"] == 0
    with pytest.raises(ValueError, match="style 'polka'; the judge knows none"):
        asked_marks([Prompt("", {"style": "polka"})], Judge(CONFIG))
