"""The systems of the lecture, one file each, to be read beside their papers."""

from course_lib.models.amae import ArgmaxBottleneck
from course_lib.models.analyser import Analyser, AnalyserConfig
from course_lib.models.autoregressive_autoencoder import (
    AutoregressiveAutoencoder,
    AutoregressiveAutoencoderConfig,
    AutoregressiveOutput,
    autoregressive_loss,
)
from course_lib.models.captioner import Captioner, CaptionerConfig
from course_lib.models.chroma_melody import chromagram, melody_of, strongest
from course_lib.models.clap import CLAP, AudioTower, AudioTowerConfig, CLAPConfig
from course_lib.models.codec import Codec, CodecOutput, Encoded
from course_lib.models.codec_config import PRESETS, CodecConfig
from course_lib.models.codec_lm import CodecLM, CodecLMConfig, FrameByFrame
from course_lib.models.codec_streaming import StreamingDecoder, StreamingEncoder
from course_lib.models.continuous_autoencoder import (
    AutoencoderOutput,
    ContinuousAutoencoder,
    ContinuousAutoencoderConfig,
)
from course_lib.models.htsat import HTSAT, HTSATConfig
from course_lib.models.judge import Judge, JudgeConfig
from course_lib.models.jukebox import Jukebox
from course_lib.models.jukebox_labels import JukeboxLabels, JukeboxLabelsConfig, JukeboxTiming
from course_lib.models.jukebox_levels import (
    LEVELS,
    JukeboxLevel,
    JukeboxLevelConfig,
    JukeboxLevelOutput,
    JukeboxLevels,
    JukeboxLevelsConfig,
)
from course_lib.models.jukebox_top import JukeboxTop, JukeboxTopConfig
from course_lib.models.jukebox_upsamplers import (
    JukeboxUpsampler,
    JukeboxUpsamplers,
    JukeboxUpsamplersConfig,
)
from course_lib.models.laion_clap import LAIONCLAP, LAIONCLAPConfig, RoBERTa, RoBERTaConfig
from course_lib.models.latent_denoiser import Condition, Known, LatentDenoiser, LatentDenoiserConfig
from course_lib.models.latent_diffusion import LatentDiffusion
from course_lib.models.musicgen import MusicGen
from course_lib.models.musicgen_lm import MusicGenLM, MusicGenLMConfig, Reading
from course_lib.models.phonemes import PhonemeRecogniser, PhonemeRecogniserConfig
from course_lib.models.run_length_sampling import write_events
from course_lib.models.run_length_transformer import (
    RunLengthTransformer,
    RunLengthTransformerConfig,
)
from course_lib.models.slowae import SlowAE, SlowAEConfig, SlowAEOutput, slowae_loss
from course_lib.models.text_tower import TextStates, TextTower, TextTowerConfig
from course_lib.models.vae import VAE, VAEConfig, VAEOutput, gaussian_kl, vae_loss
from course_lib.models.vqvae import VQVAE, VQVAEConfig, VQVAEOutput, vqvae_loss
from course_lib.models.vqvae2 import VQVAE2, Maps, VQVAE2Config, VQVAE2Output, vqvae2_loss
from course_lib.models.vqvae2_priors import VQVAE2Priors, VQVAE2PriorsConfig

__all__ = [
    "Analyser",
    "AnalyserConfig",
    "ArgmaxBottleneck",
    "AudioTower",
    "AudioTowerConfig",
    "AutoencoderOutput",
    "AutoregressiveAutoencoder",
    "AutoregressiveAutoencoderConfig",
    "AutoregressiveOutput",
    "Captioner",
    "CaptionerConfig",
    "CLAP",
    "CLAPConfig",
    "Codec",
    "CodecConfig",
    "CodecLM",
    "CodecLMConfig",
    "CodecOutput",
    "Condition",
    "ContinuousAutoencoder",
    "ContinuousAutoencoderConfig",
    "Encoded",
    "FrameByFrame",
    "Judge",
    "JudgeConfig",
    "HTSAT",
    "HTSATConfig",
    "Jukebox",
    "JukeboxLabels",
    "JukeboxLabelsConfig",
    "JukeboxLevel",
    "JukeboxLevelConfig",
    "JukeboxLevelOutput",
    "JukeboxLevels",
    "JukeboxLevelsConfig",
    "JukeboxTiming",
    "JukeboxTop",
    "JukeboxTopConfig",
    "JukeboxUpsampler",
    "JukeboxUpsamplers",
    "JukeboxUpsamplersConfig",
    "Known",
    "LAIONCLAP",
    "LAIONCLAPConfig",
    "LEVELS",
    "Maps",
    "LatentDenoiser",
    "LatentDenoiserConfig",
    "LatentDiffusion",
    "MusicGen",
    "MusicGenLM",
    "MusicGenLMConfig",
    "PRESETS",
    "PhonemeRecogniser",
    "PhonemeRecogniserConfig",
    "Reading",
    "RoBERTa",
    "RoBERTaConfig",
    "RunLengthTransformer",
    "RunLengthTransformerConfig",
    "SlowAE",
    "SlowAEConfig",
    "SlowAEOutput",
    "StreamingDecoder",
    "StreamingEncoder",
    "TextStates",
    "TextTower",
    "TextTowerConfig",
    "VAE",
    "VAEConfig",
    "VAEOutput",
    "VQVAE",
    "VQVAE2",
    "VQVAE2Config",
    "VQVAE2Output",
    "VQVAE2Priors",
    "VQVAE2PriorsConfig",
    "VQVAEConfig",
    "VQVAEOutput",
    "autoregressive_loss",
    "chromagram",
    "gaussian_kl",
    "melody_of",
    "slowae_loss",
    "strongest",
    "vae_loss",
    "vqvae2_loss",
    "vqvae_loss",
    "write_events",
]
