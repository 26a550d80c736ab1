"""The panels of evalsets in the App."""

from .evaluation import Evaluation
from .populations import Populations

PANELS: tuple[type, ...] = (Populations, Evaluation)
