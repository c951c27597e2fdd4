"""Figures on slides come from data/results and nowhere else."""

import json

import pytest

from course_lib import paths
from slides import quotes

ZOO = json.loads(paths.data("results", "quantizer_zoo.json").read_text(encoding="utf-8"))


def fill(text: str) -> str:
    return quotes.fill(text, {"minutes": "60"})[0]


def test_a_mean_and_its_interval():
    cell = ZOO["rows"]["residual, 4 × 1024"]["metrics"]["error"]
    assert fill("{{mean | quantizer_zoo | residual, 4 × 1024 | error | .4f}}") == (
        f"{cell['mean']:.4f}"
    )
    interval = fill("{{interval | quantizer_zoo | residual, 4 × 1024 | error | .4f}}")
    assert interval == f"{cell['mean']:.4f} ± {cell['half_interval']:.4f}"


def test_a_claim_comes_with_its_verdict():
    claim = ZOO["claims"][0]
    filled = fill(f"{{{{claim | quantizer_zoo | {claim['sentence'][:20]}}}}}")
    assert filled.startswith(claim["sentence"])
    assert claim["verdict"]["words"] in filled


def test_numbers_of_paper_card_and_rate():
    assert fill("{{paper | dac_ablation | base | SI-SDR | .2f}}") == "9.12"
    assert fill("{{rate | 24000 320 8 1024 | kbit/s}}") == "6"
    assert fill("{{rate | 32000 640 4 2048 | tokens/s}}") == "200"
    parameters = json.loads(paths.data("checkpoints", "vqvae.json").read_text())["parameters"]
    assert fill("{{card | vqvae | parameters | ,}}") == f"{parameters:,}"
    assert fill("{{minutes}}") == "60"


def test_results_quoted_are_named():
    text = "{{mean | quantizer_zoo | VQ | usage | .0%}} {{card | vqvae | steps | d}}"
    assert quotes.fill(text, {})[1] == ["quantizer_zoo"]


def test_a_minus_sign_is_one():
    assert fill("{{mean | dac_ablation | codes of 2 numbers | si_sdr | .1f}}").startswith("−")


@pytest.mark.parametrize(
    ("quote", "words"),
    [
        ("{{mean | zoo | VQ | usage | .0%}}", "'zoo' is not in data/results"),
        ("{{mean | quantizer_zoo | no such row | usage | .0%}}", "'no such row' is no row of"),
        ("{{mean | quantizer_zoo | VQ | beauty | .0%}}", "'beauty' is no metric of"),
        ("{{mean | quantizer_zoo | VQ | half | .2f}}", "was not measured"),
        ("{{mean | quantizer_zoo | VQ}}", "has the wrong parts"),
        ("{{claim | quantizer_zoo | Nobody said so}}", "0 claims of quantizer_zoo begin"),
        ("{{claim | quantizer_zoo | }}", "claims of quantizer_zoo begin"),
        ("{{card | vqvae | metrics.beauty | .2f}}", "'beauty' is no entry of the card"),
        ("{{rate | 24000 320 8 1024 | miles}}", "'miles' is no unit of a rate"),
        ("{{median | quantizer_zoo | VQ | usage | .0%}}", "has no known kind"),
    ],
)
def test_what_is_not_there_cannot_be_quoted(quote, words):
    with pytest.raises(ValueError, match="The quote") as raised:
        fill(quote)
    assert words in str(raised.value)
