"""Calls the functions of homework 2 in the student's process."""

import torch

from course_lib.grading.drives import answer_of, heard  # noqa: F401


def coverage(namespace, kernels, strides):
    hop, field = answer_of(namespace, "coverage")(kernels.tolist(), strides.tolist())
    return {"hop": int(hop), "field": int(field)}


def fsq(namespace, z, slope, levels):
    z = torch.from_numpy(z).requires_grad_()
    values, codes = answer_of(namespace, "fsq")(z, levels.tolist())
    return {"values": values, "codes": codes, "gradient": _gradient(values, slope, z)}


def rotated(namespace, z, e, slope):
    z = torch.from_numpy(z).requires_grad_()
    values = answer_of(namespace, "rotated")(z, torch.from_numpy(e))
    return {"values": values, "gradient": _gradient(values, slope, z)}


def gumbel(namespace, logits, u, slope, temperature):
    logits = torch.from_numpy(logits).requires_grad_()
    values = answer_of(namespace, "gumbel")(logits, torch.from_numpy(u), temperature)
    return {"values": values, "gradient": _gradient(values, slope, logits)}


def _gradient(values, slope, of):
    """The gradient of (values * slope).sum(); zeros where nothing passes."""
    if not values.requires_grad:
        return torch.zeros_like(of)
    found = torch.autograd.grad((values * torch.from_numpy(slope)).sum(), of, allow_unused=True)[0]
    return torch.zeros_like(of) if found is None else found


def prices(namespace, codes, entries, per_second):
    got = answer_of(namespace, "prices")(torch.from_numpy(codes), entries, per_second)
    return dict(zip(("fixed", "entropy", "conditional"), map(float, got), strict=True))


def diagnosis(namespace):
    found = answer_of(namespace, "diagnosis")()
    return {"fault": str(found["fault"]), "number": int(found["number"])}


def my_tune(namespace):
    found = answer_of(namespace, "my_tune")()
    told = {key: torch.as_tensor(found[key]).detach() for key in ("log_mel", "codes")}
    return told | {"tune": str(found["tune"])[:4000], "error": float(found["error"])}
