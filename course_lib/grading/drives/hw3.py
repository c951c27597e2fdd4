"""Calls the functions of homework 3 in the student's process."""

import torch

from course_lib.grading.drives import answer_of, heard  # noqa: F401


def residual(namespace, x, codebooks):
    function = answer_of(namespace, "residual")
    codes, sums = function(torch.from_numpy(x), torch.from_numpy(codebooks))
    return {"codes": codes, "sums": sums}


def commitments(namespace, x, codes, codebooks):
    x, codebooks = (torch.from_numpy(v).requires_grad_() for v in (x, codebooks))
    loss = answer_of(namespace, "commitments")(x, torch.from_numpy(codes), codebooks)
    told = {"loss": loss, "to_x": torch.zeros_like(x), "to_codebooks": torch.zeros_like(codebooks)}
    if loss.requires_grad:
        found = torch.autograd.grad(loss, (x, codebooks), allow_unused=True)
        for key, gradient in zip(("to_x", "to_codebooks"), found, strict=True):
            told[key] = told[key] if gradient is None else gradient
    return told


def si_sdr(namespace, x, y):
    return {"decibels": float(answer_of(namespace, "si_sdr")(*map(torch.from_numpy, (x, y))))}


def spectral(namespace, x, y, sizes):
    function = answer_of(namespace, "spectral")
    convergence, magnitude = function(torch.from_numpy(x), torch.from_numpy(y), sizes.tolist())
    return {"convergence": float(convergence), "magnitude": float(magnitude)}


def matching(namespace, **features):
    sides = {}
    for side in ("real", "coded"):
        names = sorted(name for name in features if name.startswith(side))
        sides[side] = [torch.from_numpy(features[name]).requires_grad_() for name in names]
    loss = answer_of(namespace, "matching")(sides["real"], sides["coded"])
    told = {"loss": loss, "to_real": 0.0, "to_coded": torch.zeros_like(sides["coded"][0])}
    if loss.requires_grad:
        leaves = [*sides["real"], sides["coded"][0]]
        found = torch.autograd.grad(loss, leaves, allow_unused=True)
        told["to_real"] = sum(float(g.abs().sum()) for g in found[:-1] if g is not None)
        told["to_coded"] = told["to_coded"] if found[-1] is None else found[-1]
    return told


def causal(namespace, x, weight, stride):
    function = answer_of(namespace, "causal")
    return {"frames": function(torch.from_numpy(x), torch.from_numpy(weight), stride)}


def diagnosis(namespace):
    found = answer_of(namespace, "diagnosis")()
    return {"fault": str(found["fault"]), "number": int(found["number"])}


def my_tune(namespace):
    found = answer_of(namespace, "my_tune")()
    told = {key: torch.as_tensor(found[key]).detach() for key in ("sound", "codes")}
    told["decibels"] = torch.tensor([float(v) for v in found["decibels"]][:8])
    return told | {"tune": str(found["tune"])[:4000]}
