"""Models that turn images and prompts into unit vectors."""

from evalsets.encoders.encoder import Encoder
from evalsets.encoders.load import load_encoder

__all__ = ["Encoder", "load_encoder"]
