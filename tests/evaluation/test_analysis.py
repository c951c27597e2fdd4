"""Measures through the analyser: order, lengths, labels, and that distances tell sets apart."""

import math

import pytest
import torch

from course_lib import evaluation, metrics
from course_lib.models.analyser import Analyser, AnalyserConfig
from course_lib.training import Tensors

CONFIG = AnalyserConfig(
    instruments=("piano", "violin", "tuba"),
    styles=("waltz", "house", "soul"),
    modes=("major", "minor"),
    metres=("2/4", "3/4"),
    tempo_classes=("slow", "medium", "fast"),
    width=6,
    embedding=8,
)


@pytest.fixture(scope="module")
def analyser():
    torch.manual_seed(0)
    return Analyser(CONFIG)  # in training mode: analyse has to turn dropout off


def noise(*shape, seed=0, tone=0.0):
    sound = torch.randn(*shape, generator=torch.Generator().manual_seed(seed))
    return 0.1 * (sound + tone * torch.sin(torch.arange(shape[-1]) / 8))


def test_tensors_lists_and_data_sets_give_the_same_rows(analyser):
    clips = noise(5, 1, 16000)

    class Clips:
        def __len__(self):
            return 5

        def batch(self, indices):
            return clips[indices]  # a tensor of indices, as in training

    rows = [
        evaluation.analyse(given, analyser, batch_size=size)
        for given, size in ((clips, 32), (list(clips), 2), (Clips(), 3))
    ]
    assert analyser.training
    for row in rows:
        assert len(row) == 5 and row.embeddings.shape == (5, 8)
        assert torch.allclose(row.embeddings, rows[0].embeddings, atol=1e-5)
        for name, posterior in row.posteriors.items():
            assert torch.allclose(posterior, rows[0].posteriors[name], atol=1e-5)


def test_lengths_may_differ_and_channels_are_mixed(analyser):
    clips = [noise(1, 16000), noise(2, 16000, seed=1), noise(2, 20000, seed=2), noise(1, 20000)]
    together = evaluation.analyse(clips, analyser)
    for i, clip in enumerate(clips):
        alone = evaluation.analyse([clip.mean(0, keepdim=True)], analyser)
        assert torch.allclose(together.embeddings[i], alone.embeddings[0], atol=1e-5)


def test_embeddings_can_be_learned_from(analyser):
    analysis = evaluation.analyse(noise(2, 1, 16000), analyser)
    assert not analysis.embeddings.requires_grad
    torch.nn.Linear(8, 1)(analysis.embeddings).sum().backward()


def test_posteriors_are_probabilities(analyser):
    analysis = evaluation.analyse(noise(3, 1, 16000), analyser)
    assert set(analysis.posteriors) == {
        "style",
        "mode",
        "tonic",
        "metre",
        "tempo_class",
        "instruments",
        "drums",
    }
    for name in CONFIG.classes:
        assert torch.allclose(analysis.posteriors[name].sum(-1), torch.ones(3))
        assert analysis.posteriors[name].shape == (3, len(CONFIG.classes[name]))
    assert analysis.posteriors["instruments"].shape == (3, 3)
    assert analysis.posteriors["drums"].shape == (3, 1)


def test_labels_in_words():
    analysis = evaluation.Analysis(
        torch.zeros(1, 8),
        {
            "style": torch.tensor([[0.1, 0.7, 0.2]]),
            "mode": torch.tensor([[0.6, 0.4]]),
            "tonic": torch.eye(12)[7:8],
            "metre": torch.tensor([[0.4, 0.6]]),
            "tempo_class": torch.tensor([[0.0, 0.0, 1.0]]),
            "instruments": torch.tensor([[0.9, 0.2, 0.8]]),
            "drums": torch.tensor([[0.6]]),
        },
        CONFIG.classes | {"instruments": CONFIG.instruments},
    )
    assert evaluation.attributes(analysis) == [
        {
            "style": "house",
            "mode": "major",
            "tonic": "G",
            "metre": "3/4",
            "tempo_class": "fast",
            "instruments": ("piano", "tuba"),
            "drums": True,
        }
    ]
    targets = {
        "style": torch.tensor([1]),
        "mode": torch.tensor([1]),
        "drums": torch.tensor([[1.0]]),
        "instruments": torch.tensor([[1.0, 0.0, 1.0]]),
    }
    assert evaluation.attribute_scores(analysis, targets) == {
        "style_balanced_accuracy": 1,
        "mode_balanced_accuracy": 0,
        "drums_balanced_accuracy": 1,
        "instruments_macro_f1": round(2 / 3, 4),
    }


def test_frechet_and_kl_tell_other_sounds_from_more_of_the_same(analyser):
    real, again, other = (
        evaluation.analyse(noise(40, 1, 16000, seed=s, tone=t), analyser)
        for s, t in ((0, 0), (1, 0), (2, 3))
    )
    assert evaluation.frechet(real, again) < 0.2 * evaluation.frechet(real, other)
    assert evaluation.frechet(real, other) == metrics.frechet_distance(
        real.embeddings, other.embeddings
    )
    assert evaluation.kl(real, real).abs().max() < 1e-9
    assert evaluation.kl(real, again).mean() < evaluation.kl(real, other, "style").mean()


def test_too_few_clips_warn(analyser):
    few = evaluation.analyse(noise(4, 1, 16000), analyser)
    with pytest.warns(UserWarning, match="4 samples of 8 dimensions"):
        evaluation.frechet(few, few)


def test_wrong_input_is_named(analyser):
    with pytest.raises(ValueError, match="no clips"):
        evaluation.analyse([], analyser)
    with pytest.raises(ValueError, match="batch_size=0"):
        evaluation.analyse(noise(1, 1, 16000), analyser, batch_size=0)
    with pytest.raises(TypeError, match="clip 0 is of type list; expected a float tensor"):
        evaluation.analyse(noise(2, 1, 16000).tolist(), analyser)
    bad = noise(1, 16000)
    bad[0, 5] = math.nan
    with pytest.raises(ValueError, match="clip 1 has 1 samples that are NaN"):
        evaluation.analyse([noise(1, 16000), bad], analyser)
    with pytest.raises(ValueError, match=r"clip 0 has shape \[16000\]"):
        evaluation.analyse([noise(16000)], analyser)
    with pytest.raises(ValueError, match="clip 1 has 1 samples that are NaN"):
        evaluation.analyse(Tensors(torch.stack([noise(1, 16000), bad])), analyser)
    with pytest.raises(ValueError, match="clip 2: audio has 500 samples; .* at least 16000"):
        evaluation.analyse([*noise(2, 1, 16000), noise(1, 500)], analyser)
    analysis = evaluation.analyse(noise(2, 1, 16000), analyser)
    with pytest.raises(ValueError, match="'tempo'; expected one of style, mode"):
        evaluation.kl(analysis, analysis, "tempo")
    with pytest.raises(ValueError, match="2 clips and made 1"):
        evaluation.kl(analysis, evaluation.analyse(noise(1, 1, 16000), analyser))
