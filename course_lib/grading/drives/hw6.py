"""Calls the functions of homework 6 in the student's process."""

import torch

from course_lib.grading.drives import answer_of, heard  # noqa: F401


def from_log_snr(namespace, lam):
    found = answer_of(namespace, "from_log_snr")(torch.from_numpy(lam))
    return dict(zip(("alpha", "sigma", "u"), found, strict=True))


def weights(namespace, snr, gamma, objective):
    return {"weights": answer_of(namespace, "weights")(torch.from_numpy(snr), objective, gamma)}


def even_times(namespace, lam, steps):
    found = answer_of(namespace, "even_times")(torch.from_numpy(lam), steps)
    return {"times": torch.tensor([int(t) for t in found])}


def second_order(namespace, z, x, before, alphas, sigmas, first):
    z, x, before = (torch.from_numpy(v) for v in (z, x, before))
    function = answer_of(namespace, "second_order")
    given = (z, x, None if first else before, alphas.tolist(), sigmas.tolist())
    return {"z": function(*given)}


def keep_known(namespace, z, known, mask, noise, alpha, sigma):
    z, known, mask, noise = (torch.from_numpy(v) for v in (z, known, mask, noise))
    kept = answer_of(namespace, "keep_known")(z, known, mask.bool(), noise, alpha, sigma)
    return {"z": kept}


def two_wishes(namespace, nothing, sentence, melody, both, strength_c, strength_m):
    parts = {(False, False): nothing, (True, False): sentence}
    parts |= {(False, True): melody, (True, True): both}
    calls = []

    def network(c, m):
        calls.append(len(c))
        found = [parts[a is not None, b is not None] for a, b in zip(c, m, strict=True)]
        return torch.stack([torch.from_numpy(one) for one in found])

    function = answer_of(namespace, "two_wishes")
    return {"output": function(network, "c", "m", strength_c, strength_m), "calls": len(calls)}


def diagnosis(namespace):
    found = answer_of(namespace, "diagnosis")()
    return {"fault": str(found["fault"]), "number": int(found["number"])}


def my_tune(namespace):
    found = answer_of(namespace, "my_tune")()
    told = {key: torch.as_tensor(found[key]).detach().float() for key in ("sound", "latents")}
    told["errors"] = torch.tensor([float(v) for v in found["errors"]][:8])
    return told | {"tune": str(found["tune"])[:4000]}
