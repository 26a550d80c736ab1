"""Numbers from predictions: outcomes, metrics, intervals and verdicts."""

from evalsets.metrics.catalog import METRICS, Metric
from evalsets.metrics.classification import Classification
from evalsets.metrics.detection import Boxes, Detection
from evalsets.metrics.evaluation import evaluate_populations
from evalsets.metrics.outcomes import Codes, Floats, Outcomes
from evalsets.metrics.scores import Scores
from evalsets.metrics.verdicts import FAIL, INCONCLUSIVE, PASS, Row, gate

__all__ = [
    "FAIL",
    "INCONCLUSIVE",
    "METRICS",
    "PASS",
    "Boxes",
    "Classification",
    "Codes",
    "Detection",
    "Floats",
    "Metric",
    "Outcomes",
    "Row",
    "Scores",
    "evaluate_populations",
    "gate",
]
