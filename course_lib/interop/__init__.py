"""Published models as models of the course, with the same weights."""

from torch import nn

from course_lib.interop.clap import from_clap
from course_lib.interop.dac import from_dac
from course_lib.interop.encodec import from_encodec
from course_lib.interop.llama import from_llama
from course_lib.interop.musicgen import from_musicgen, from_musicgen_decoder
from course_lib.models import LAIONCLAP, Codec, MusicGen, MusicGenLM
from course_lib.nets import LanguageModel

__all__ = [
    "from_clap",
    "from_dac",
    "from_encodec",
    "from_llama",
    "from_musicgen",
    "from_musicgen_decoder",
    "from_transformers",
]


def from_transformers(
    model: nn.Module,
) -> Codec | LanguageModel | LAIONCLAP | MusicGen | MusicGenLM:
    """The course's model with the weights of a model of `transformers`, ready for inference.

    Takes any EncodecModel, DacModel, LlamaForCausalLM, ClapModel, MusicgenForCausalLM or
    MusicgenForConditionalGeneration (`EncodecModel.from_pretrained(...)` or one with random
    weights). Raises TypeError for another model, ValueError for a configuration that the course has
    no layers for. Taught in notebooks 08, 09, 10, 13 and 15.

    >>> from transformers import EncodecModel
    >>> codec = from_transformers(EncodecModel.from_pretrained("facebook/encodec_24khz"))
    """
    kind = getattr(getattr(model, "config", None), "model_type", type(model).__name__)
    makers = {
        "clap": from_clap,
        "dac": from_dac,
        "encodec": from_encodec,
        "llama": from_llama,
        "musicgen": from_musicgen,
        "musicgen_decoder": from_musicgen_decoder,
    }
    if kind not in makers:
        raise TypeError(f"There is no model of the course for {kind!r}; known: {list(makers)}.")
    return makers[kind](model)
