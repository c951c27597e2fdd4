"""Calls the functions of homework 1 in the student's process."""

import torch

from course_lib.grading.drives import answer_of, heard  # noqa: F401


def nearest(namespace, x, codebook, price):
    function = answer_of(namespace, "nearest")
    return {"codes": function(*(torch.from_numpy(v) for v in (x, codebook, price)))}


def straight_through(namespace, z, e, slope, beta):
    function = answer_of(namespace, "straight_through")
    z, e = (torch.from_numpy(v).requires_grad_() for v in (z, e))
    values, commitment = function(z, e, beta)
    told = {"values": values, "commitment": commitment}
    told |= _gradients("values", (values * torch.from_numpy(slope)).sum(), z, e)
    return told | _gradients("commitment", commitment, z, e)


def _gradients(name, loss, z, e):
    """What `loss` passes on to z and e; zeros where it passes nothing."""
    if not loss.requires_grad:
        return {f"{name}_to_z": torch.zeros_like(z), f"{name}_to_e": torch.zeros_like(e)}
    found = torch.autograd.grad(loss, (z, e), retain_graph=True, allow_unused=True)
    found = [torch.zeros_like(z) if grad is None else grad for grad in found]
    return {f"{name}_to_z": found[0], f"{name}_to_e": found[1]}


def ema_step(namespace, sums, counts, x, codes, decay, eps):
    function = answer_of(namespace, "ema_step")
    tensors = (torch.from_numpy(v) for v in (sums, counts, x, codes))
    codebook, sums, counts = function(*tensors, decay, eps)
    return {"codebook": codebook, "sums": sums, "counts": counts}


def farthest_start(namespace, x, size):
    return {"codebook": answer_of(namespace, "farthest_start")(torch.from_numpy(x), size)}


def perplexity(namespace, codes, size):
    effective, unused = answer_of(namespace, "perplexity")(torch.from_numpy(codes), size)
    return {"perplexity": float(effective), "unused": float(unused)}


def diagnosis(namespace):
    found = answer_of(namespace, "diagnosis")()
    return {"fault": found["fault"], "entries": list(found["entries"])}


def my_tune(namespace):
    found = answer_of(namespace, "my_tune")()
    told = {key: torch.as_tensor(found[key]).float() for key in ("frames", "codebook")}
    return told | {"tune": str(found["tune"])[:4000], "decibels": float(found["decibels"])}
