"""The tables themselves: their formulas, and a cell of each on data that take no time."""

import math

import pytest
import torch

from course_lib import songbook, tables
from course_lib.tables import audio_words, grid, vqvae

COUNTS = torch.tensor([[3.0, 0.0, 1.0], [1.0, 0.0, 1.0], [4.0, 0.0, 8.0], [0.0, 2.0, 1.0]])


@pytest.mark.parametrize("name", tables.names())
def test_every_table_says_what_it_needs(name):
    table = grid.find(name)
    assert len(table.seeds) >= 3 and table.claims and table.source
    testable = [claim for claim in table.claims if not claim.impossible]
    assert all(claim.smallest > 0 for claim in testable)


def test_tf_by_hand():
    assert torch.equal(audio_words.tf("b", COUNTS), COUNTS)
    assert audio_words.tf("l1", COUNTS)[0, 0] == pytest.approx(math.log(4))
    assert audio_words.tf("l2", COUNTS)[2].tolist() == [3, 0, 4]
    length = COUNTS.sum(1) / COUNTS.sum(1).mean()
    okapi = 3 / (3 + 1.2 * length[0])
    assert audio_words.tf("o1", COUNTS)[0, 0] == pytest.approx(okapi.item())
    okapi = 2.2 * 3 / (3 + 1.2 * (0.25 + 0.75 * length[0]))
    assert audio_words.tf("o2", COUNTS)[0, 0] == pytest.approx(okapi.item())


def test_tf_at_its_limits():
    """kappa = 0 keeps presence alone; b = 0 forgets how long a document is."""
    for name in ("o1", "o2"):
        assert torch.equal(audio_words.tf(name, COUNTS, kappa=0.0), (COUNTS > 0).float())
    short, long = COUNTS[:2], torch.cat([COUNTS[:2], torch.tensor([[3.0, 50.0, 1.0]])])
    assert torch.allclose(audio_words.tf("o2", short, b=0.0), audio_words.tf("o2", long, b=0.0)[:2])
    assert not torch.allclose(audio_words.tf("o2", short), audio_words.tf("o2", long)[:2])
    for name in audio_words.TF:
        assert (audio_words.tf(name, COUNTS)[COUNTS == 0] == 0).all()


def test_idf_by_hand():
    """Words in 3, 1 and 4 of 4 documents."""
    assert audio_words.idf("none", COUNTS).tolist() == [1, 1, 1]
    b = audio_words.idf("b", COUNTS)
    assert b.tolist() == pytest.approx([math.log(4 / 3), math.log(4), 0])
    p = audio_words.idf("p", COUNTS)
    assert p.tolist() == pytest.approx([math.log(1 / 3), math.log(3), math.log(0.5 / 4)])
    o = audio_words.idf("o", COUNTS)
    assert o.tolist() == pytest.approx([math.log(1.5 / 3.5), math.log(3.5 / 1.5), math.log(1 / 9)])
    shares = [[3 / 8, 1 / 8, 4 / 8], [1], [1 / 11, 1 / 11, 8 / 11, 1 / 11]]
    noise = [-sum(x * math.log(x) for x in row) for row in shares]
    e1 = audio_words.idf("e1", COUNTS)
    assert e1.tolist() == pytest.approx([max(noise) - n for n in noise], abs=1e-6)
    e2 = audio_words.idf("e2", COUNTS)
    assert e2.tolist() == pytest.approx([1 - n / math.log(4) for n in noise], abs=1e-6)


def test_idf_is_finite_for_words_in_all_documents_and_in_none():
    counts = torch.tensor([[1.0, 0.0], [2.0, 0.0]])
    for name in audio_words.IDF:
        assert audio_words.idf(name, counts).isfinite().all(), name
    with pytest.raises(ValueError, match="idf='c' is unknown: choose from none, b"):
        audio_words.idf("c", counts)
    with pytest.raises(ValueError, match="tf='c' is unknown"):
        audio_words.tf("c", counts)


def test_counts_and_segments():
    codes = torch.tensor([[0, 1, 1, 2], [2, 2, 2, 2]])
    assert audio_words.word_counts(codes, 3).tolist() == [[1, 2, 1], [0, 0, 4]]
    pieces = audio_words.segments(torch.arange(40).view(1, 40) // 16, words=3)
    assert pieces.shape == (1, 4, 3)
    assert pieces[0, 0].tolist() == [1, 0, 0] and pieces[0, 2].tolist() == [0, 1, 0]
    assert torch.allclose(pieces[0, 1], torch.tensor([1.0, 1, 0]) / 2**0.5)


def test_a_cell_of_audio_words(monkeypatch, tmp_path):
    """Two styles that differ in their words are told apart by bags, by rows of every kind."""
    generator = torch.Generator().manual_seed(0)

    def part(documents: int) -> dict[str, torch.Tensor]:
        style = torch.arange(documents) % 2
        made = {"style": style, "instruments": torch.stack([style == 0, style == 1], 1)}
        for bag, words in (("alphabets", 8), ("words", 4)):
            rates = torch.where(torch.arange(words) % 2 == style[:, None], 5.0, 1.0)
            made[bag] = torch.poisson(rates, generator=generator)
        return made

    found = {split: part(40) for split in audio_words.SPLITS}
    monkeypatch.setattr(audio_words, "bags", lambda seed: found)
    for row in ("tf_b · idf_none", "tf_o2 · idf_e2", "words", "alphabets and words"):
        job = grid.Job(row, audio_words.TABLE.rows[row], 0, tmp_path, None)
        assert min(audio_words.cell(job).values()) > 0.9, row


def test_a_cell_of_vqvae(monkeypatch, tmp_path):
    sounds = torch.randn(16, 80, 21, generator=torch.Generator().manual_seed(0)) - 4
    monkeypatch.setattr(vqvae, "log_mels", lambda split: sounds)
    monkeypatch.setattr(vqvae, "STEPS", 4)
    found = {}
    for row in ("EMA, K = 16", "gradient, K = 256", "EMA, no commitment", "VAE, β = 0.1"):
        job = grid.Job(row, vqvae.TABLE.rows[row], 0, tmp_path / row, None)
        found[row] = vqvae.cell(job)
        assert found[row].keys() == vqvae.TABLE.columns.keys()
        assert math.isfinite(found[row]["mse"])
    assert found["EMA, K = 16"]["bits"] == 62.5 / 4 * 4
    assert math.isnan(found["VAE, β = 0.1"]["usage"]) and found["VAE, β = 0.1"]["bits"] > 0


@pytest.mark.soak
def test_bags_of_real_clips(monkeypatch):
    monkeypatch.setattr(audio_words, "SIZE", songbook.Size(40, 20, 20, 2.0))
    found = audio_words.bags.__wrapped__(0)
    assert found["train"]["alphabets"].sum(1).unique().tolist() == [63.0]  # frames of 2 s
    assert found["test"]["style"].shape == (20,)
