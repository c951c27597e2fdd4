"""How well diffusion does what it is asked, beside MusicGen: shipped models, no further training.

The prompts, seconds and seeds of `musicgen_adherence`. Both models are held against the same real
clips, those through the autoencoder, so that adherence 1 is the same music for both; what real
clips reach through MusicGen's four codebooks stands beside it. CLAP's text tower reads for
diffusion, so that its CLAP score is not a stranger's opinion; the judge's is. Taught in notebook
16.
"""

import math

import torch

from course_lib.evaluation.paraphrases import PARAPHRASES
from course_lib.evaluation.prompts import WRITTEN
from course_lib.tables import diffused, prompted
from course_lib.tables.claims import Claim
from course_lib.tables.grid import Job, Table
from course_lib.tables.prompted import ADHERED, SCORED, clap_score, heard, obedience, scored

MARGIN = 0.1  # of adherence, that diffusion may fall behind MusicGen


def cell(job: Job) -> dict[str, float]:
    """One row with one seed."""
    what, seed = job.settings["what"], job.seed
    of, told = diffused.wanted(seed), prompted.texts(seed)
    if what == "real":
        audio = diffused.real([prompt.clip for prompt in of.prompts], prompted.SECONDS)
        score = clap_score(diffused.through_autoencoder(audio), told)
        found = {**scored(of.real, of), **dict.fromkeys(ADHERED, 1.0), "clap": score}
    elif what == "real, coded":
        made = prompted.wanted(seed).real
        found = {**scored(made, of), **obedience(made, of)}
    elif what == "shuffled":
        audio = diffused.written(seed, WRITTEN)
        found = {**scored(heard(audio), of, others=True), **dict.fromkeys(ADHERED, 0.0)}
        found["clap"] = clap_score(audio.roll(1, 0), told)
    elif what == "aim":
        audio = prompted.written(seed, WRITTEN)
        found = {"adherence": obedience(heard(audio), of)["adherence"] - MARGIN}
    else:
        audio = _audio(what, seed)
        made = heard(audio)
        found = {**scored(made, of), **obedience(made, of)}
        found["clap"] = clap_score(audio, prompted.texts(seed, what) if what in ASKING else told)
    return {name: found.get(name, math.nan) for name in TABLE.columns}


def _audio(what: str, seed: int) -> torch.Tensor:
    if what == "musicgen":
        return prompted.written(seed, WRITTEN)
    return diffused.written(seed, what if what in ASKING else None)


ASKING = (WRITTEN, *PARAPHRASES)
GENERATED, MUSICGEN = "the captions' description", "MusicGen, the captions' description"
AIM = f"the aim: MusicGen's, less {MARGIN:g}"
PARAPHRASED = {manner: f"paraphrase: {manner}" for manner in PARAPHRASES}
NOTHING, SHUFFLED = "no prompt", "shuffled prompts"
REAL, CODED = "real clips through the autoencoder", "real clips through four codebooks"
HALF = ("instruments", "style", "drums")

TABLE = Table(
    title="How well latent diffusion does what it is asked, beside MusicGen",
    source="Li et al. 2023 (JEN-1), section 4; Copet et al. 2023 (MusicGen), section 4",
    rows={
        GENERATED: {"what": WRITTEN},
        SHUFFLED: {"what": "shuffled"},
        **{row: {"what": manner} for manner, row in PARAPHRASED.items()},
        NOTHING: {"what": "nothing"},
        MUSICGEN: {"what": "musicgen"},
        AIM: {"what": "aim"},
        REAL: {"what": "real"},
        CODED: {"what": "real, coded"},
    },
    columns=ADHERED | {"clap": "CLAP score"} | SCORED,
    cell=cell,
    claims=(
        Claim(
            f"Diffusion obeys as well as MusicGen but for {MARGIN:g} of adherence, or better.",
            "adherence", "higher", GENERATED, AIM, smallest=0.001,
        ),
        Claim(
            "Diffusion obeys better than MusicGen.",
            "adherence", "higher", GENERATED, MUSICGEN, smallest=0.05,
        ),
        Claim(
            "Seeing all frames of a window at once, it heeds the tempo better than MusicGen.",
            "adherence_tempo_class", "higher", GENERATED, MUSICGEN, smallest=0.1,
        ),
        Claim(
            "Its music agrees more with the text, as CLAP hears it, which also reads for it.",
            "clap", "higher", GENERATED, MUSICGEN, smallest=0.02,
        ),
        *(
            Claim(
                f"Diffusion goes half of the way from chance to real music: {name}.",
                f"adherence_{name}", "higher", GENERATED, SHUFFLED, smallest=0.5,
            )
            for name in HALF
        ),
        *(
            Claim(
                f"Listeners without weights agree that {name.replace('_', ' ')} is heeded.",
                f"adherence_{checked}", "higher", GENERATED, SHUFFLED, smallest=0.2,
            )
            for checked, name in prompted.CHECKED.items()
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
            "Listeners find that diffusion fits the text better than MusicGen.",
            impossible="it takes listeners",
        ),
    ),
    artefacts=("codec", "autoencoder", "clap", "musicgen", "diffusion", "judge"),
)  # fmt: skip
