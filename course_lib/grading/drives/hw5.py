"""Calls the functions of homework 5 in the student's process."""

import torch

from course_lib.grading.drives import answer_of, heard  # noqa: F401


def contrastive(namespace, a, b, same, scale):
    a, b, same = (torch.from_numpy(v) for v in (a, b, same))
    return {"loss": float(answer_of(namespace, "contrastive")(a, b, same.bool(), scale))}


def search(namespace, similarity, k):
    ranks, recall, median = answer_of(namespace, "search")(torch.from_numpy(similarity), k)
    return {"ranks": ranks, "recall": float(recall), "median": float(median)}


def interval(namespace, ranks, k, draws):
    function = answer_of(namespace, "interval")
    low, high = function(torch.from_numpy(ranks), k, torch.from_numpy(draws))
    return {"low": float(low), "high": float(high)}


def gap(namespace, a, b):
    apart, cosines = answer_of(namespace, "gap")(torch.from_numpy(a), torch.from_numpy(b))
    return {"gap": float(apart), "cosines": cosines}


def classes(namespace, sounds, sentences):
    function = answer_of(namespace, "classes")
    vectors, chosen = function(torch.from_numpy(sounds), torch.from_numpy(sentences))
    return {"vectors": vectors, "classes": chosen}


def rivals(namespace, similarity, same, n):
    similarity, same = torch.from_numpy(similarity), torch.from_numpy(same).bool()
    return {"clips": answer_of(namespace, "rivals")(similarity, same, n)}


def diagnosis(namespace):
    found = answer_of(namespace, "diagnosis")()
    return {"fault": str(found["fault"]), "number": int(found["number"])}


def my_tune(namespace):
    found = answer_of(namespace, "my_tune")()
    told = {key: str(found[key])[:4000] for key in ("tune", "caption")}
    told["sound"] = torch.as_tensor(found["sound"]).detach().float()
    return told | {"rank": int(found["rank"])}
