"""Which cut of a score gives a population of the wanted precision."""

from evalsets.calibration.calibration import Calibration
from evalsets.calibration.curve import Curve
from evalsets.calibration.decide import CONFIDENCE, Decision, decide, window
from evalsets.calibration.design import (
    Answers,
    Bools,
    Counts,
    Design,
    Floats,
    cut_after,
    draw,
    lots,
)
from evalsets.calibration.judging import Judging

__all__ = [
    "CONFIDENCE",
    "Answers",
    "Bools",
    "Calibration",
    "Counts",
    "Curve",
    "Decision",
    "Design",
    "Floats",
    "Judging",
    "cut_after",
    "decide",
    "draw",
    "lots",
    "window",
]
