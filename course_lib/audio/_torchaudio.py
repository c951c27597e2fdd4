"""The one place that imports torchaudio."""

from types import ModuleType


def functional() -> ModuleType:
    """`torchaudio.functional`, imported when first asked for.

    Raises ImportError where torchaudio does not load: its wheels link CUDA, so that next to a CPU
    build of torch its compiled extension (which the course does not use) has to be removed.
    """
    try:
        import torchaudio.functional
    except OSError as error:
        raise ImportError(
            "torchaudio does not load here, because its compiled part needs CUDA and this torch "
            "has none: run 'course doctor --fix' once, which removes that part."
        ) from error
    return torchaudio.functional
