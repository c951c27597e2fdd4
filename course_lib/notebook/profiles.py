"""The one dial of a notebook's cost: steps, batch and clips follow it, nothing else does."""

import os
from dataclasses import dataclass

NAMES = ("quick", "full")


@dataclass(frozen=True)
class Profile:
    """`name` quick or full; `device` for models; `size` for `songbook.load(size=...)`."""

    name: str
    device: str
    size: str

    def choose(self, *, quick, full):
        """The value for this profile: a number of steps, a batch size, a number of clips."""
        return quick if self.name == "quick" else full

    def time(self, quick: float, full: float, quick_on="2 CPU cores", full_on="NVIDIA T4") -> str:
        """How long it takes, in words: measured where this device is the one it was measured on."""
        seconds, measured_on = self.choose(quick=(quick, quick_on), full=(full, full_on))
        length = f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} minutes"
        if device_words(self.device) == measured_on:
            return f"About {length}, measured on {measured_on}."
        return f"About {length}, estimated from {measured_on}."

    def __str__(self) -> str:
        return f"Profile {self.name} on {device_words(self.device)}."


def profile() -> Profile:
    """The profile from COURSE_PROFILE=quick|full; by default full on a CUDA GPU, else quick.

    Raises ValueError for another value of COURSE_PROFILE.
    """
    import torch

    cuda = torch.cuda.is_available()
    name = os.environ.get("COURSE_PROFILE") or ("full" if cuda else "quick")
    if name not in NAMES:
        raise ValueError(f"COURSE_PROFILE is '{name}'; expected 'quick' or 'full'.")
    return Profile(name=name, device="cuda" if cuda else "cpu", size=name)


def device_words(device: str) -> str:
    """A device as a reader knows it: the GPU's name, or the number of CPU cores."""
    if str(device).startswith("cuda"):
        import torch

        return torch.cuda.get_device_name(device).replace("Tesla ", "NVIDIA ")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cores} CPU cores"
