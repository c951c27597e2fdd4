"""The band: the course's own synthesizer, one file an instrument family. Taught in notebook 00."""

from .instrument import Event, Instrument
from .mix import mix
from .render import INSTRUMENTS, RENDER_VERSION, render

__all__ = ["INSTRUMENTS", "RENDER_VERSION", "Event", "Instrument", "mix", "render"]
