"""How well MusicGen does what it is asked: the shipped model, without further training.

Prompts ask for a balanced choice of test clips; a seed is another choice and other draws. The judge
scores what is written for their descriptions, for paraphrases and for nothing, and the real clips
through the same four codebooks. Adherence is (generated - shuffled) / (real - shuffled), where
shuffled holds the same music against the prompts of other clips: so 0 is what does not listen and 1
is real music. Taught in notebook 15.
"""

import math

from course_lib.evaluation.paraphrases import PARAPHRASES
from course_lib.evaluation.prompts import WRITTEN
from course_lib.tables.claims import Claim
from course_lib.tables.grid import Job, Table
from course_lib.tables.prompted import (
    ADHERED,
    CHECKED,
    SCORED,
    heard,
    obedience,
    scored,
    wanted,
    written,
)


def cell(job: Job) -> dict[str, float]:
    """One row with one seed."""
    what, of = job.settings["what"], wanted(job.seed)
    if what == "real":
        found = {**scored(of.real, of), **dict.fromkeys(ADHERED, 1.0)}  # by definition
    elif what == "shuffled":
        made = heard(written(job.seed, WRITTEN))
        found = {**scored(made, of, others=True), **dict.fromkeys(ADHERED, 0.0)}
    else:
        made = heard(written(job.seed, None if what == "nothing" else what))
        found = {**scored(made, of), **obedience(made, of)}
    return {name: found.get(name, math.nan) for name in TABLE.columns}


GENERATED = "the captions' description"
PARAPHRASED = {manner: f"paraphrase: {manner}" for manner in PARAPHRASES}
NOTHING, SHUFFLED = "no prompt", "shuffled prompts"
REAL = "real clips through four codebooks"
AIMS = {
    "instruments": 0.7,
    "style": 0.7,
    "drums": 0.7,
    "tempo_class": 0.5,
    "mode": 0.5,
}

TABLE = Table(
    title="How well MusicGen does what it is asked",
    source="Copet et al. 2023 (MusicGen), section 4; Lu et al. 2023 (MuseCoco), control accuracy",
    rows={
        GENERATED: {"what": WRITTEN},
        SHUFFLED: {"what": "shuffled"},
        **{row: {"what": manner} for manner, row in PARAPHRASED.items()},
        NOTHING: {"what": "nothing"},
        REAL: {"what": "real"},
    },
    columns=ADHERED | SCORED,
    cell=cell,
    claims=(
        *(
            Claim(
                f"MusicGen goes {aim:.0%} of the way from chance to real music: "
                f"{name.replace('_', ' ')}.",
                f"adherence_{name}", "higher", GENERATED, SHUFFLED, smallest=aim,
            )
            for name, aim in AIMS.items()
        ),
        *(
            Claim(
                f"Listeners without weights agree that {name.replace('_', ' ')} is heeded.",
                f"adherence_{checked}", "higher", GENERATED, SHUFFLED, smallest=0.2,
            )
            for checked, name in CHECKED.items()
        ),
        Claim(
            "Without a prompt nothing is heeded.",
            "adherence", "same", NOTHING, SHUFFLED, smallest=0.1,
        ),
        Claim(
            "A request in other words, which keeps the names, is heeded as well.",
            "adherence", "same", PARAPHRASED["request"], GENERATED, smallest=0.1,
        ),
        Claim(
            "Names and figures without a sentence are heeded as well.",
            "adherence", "same", PARAPHRASED["notes"], GENERATED, smallest=0.1,
        ),
        Claim(
            "Words that no caption used are not understood.",
            "adherence", "lower", PARAPHRASED["listener"], GENERATED, smallest=0.2,
        ),
        Claim(
            "Listeners find that the music fits the text.",
            impossible="it takes listeners",
        ),
    ),
    artefacts=("codec", "musicgen", "judge"),
)  # fmt: skip
