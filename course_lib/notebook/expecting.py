"""What the exercise checks are written with.

A check is a function in `course_lib/notebook/exercises/nbNN.py` named like the exercise. It takes
the student's answer, tries it, and calls `expect` or `expect_close` for each likely mistake:

    def nearest_entry(answer):
        got = answer(vectors, codebook)
        expect(got.dtype == torch.int64, "The codes are not int64.", hint="argmin gives int64.")
        expect_close(got, far, "You took the farthest entry.", "Min or max?", differs=True)
        expect_close(got, want, "Some codes are not those of the nearest entry.")
"""

UNRECOGNISED = "This is not the result we expected."


class Wrong(Exception):
    """A mistake that a check recognised, with a hint."""

    def __init__(self, mistake: str, hint: str = ""):
        super().__init__(mistake)
        self.mistake, self.hint = mistake, hint


class NotDone(Exception):
    """The stub is untouched."""


def expect(condition, mistake: str, hint: str = "") -> None:
    """Raise Wrong(mistake, hint) unless `condition` holds. An answer of None or ... is not done."""
    if is_blank(condition):
        raise NotDone
    if not bool(condition):
        raise Wrong(mistake, hint)


def expect_close(
    got,
    want,
    mistake: str = UNRECOGNISED,
    hint: str = "",
    *,
    tolerance: float = 1e-4,
    differs=False,
) -> None:
    """Raise Wrong unless `got` is close to `want` (tensors, arrays or numbers, shapes included).

    With `differs`, raise Wrong where it *is* close: `want` is then what the mistake gives. A shape
    that differs is said in words.
    """
    import torch

    if is_blank(got):
        raise NotDone
    got, want = (torch.as_tensor(v).detach().cpu().to(torch.float64) for v in (got, want))
    if got.shape != want.shape:
        if differs:
            return
        raise Wrong(
            f"The shape is {list(got.shape)}, expected {list(want.shape)}.",
            hint or "Write the shape of each step at its line's end.",
        )
    close = torch.allclose(got, want, rtol=tolerance, atol=tolerance)
    if close == differs:
        raise Wrong(mistake, hint)


def is_blank(answer) -> bool:
    """Whether an answer is what an untouched stub gives."""
    return answer is None or answer is Ellipsis


TRIALS = 12  # pairs of a listen task


def expect_record(answer):
    """Expect a function that gives {"answers": 12 letters, "how": ..., "needed": int}."""
    got = answer()
    expect(isinstance(got, dict), "The answer should be a dict.", "answers, how and needed")
    letters = got.get("answers")
    well = isinstance(letters, str) and len(letters) == TRIALS and set(letters) <= set("AB")
    expect(well, f"The answers are {TRIALS} letters, A or B.", "One for each pair, in order.")
    expect(got.get("how") in ("ear", "picture"), "`how` is 'ear' or 'picture'.")
    expect(type(got.get("needed")) is int, "`needed` is a whole number.", "How many right of 12?")
    expect(got["needed"] > 6, "Six of twelve is what guessing gives.", "Sum binomial terms.")
