"""Numbers from predictions: outcomes, metrics, intervals and verdicts."""

from evalsets.metrics.catalog import METRICS, Metric, check_bound, find_metric, turned
from evalsets.metrics.choice import not_given
from evalsets.metrics.classification import Classification
from evalsets.metrics.detection import Detection
from evalsets.metrics.evaluation import Evaluated, evaluate_models, evaluate_populations
from evalsets.metrics.matching import Boxes
from evalsets.metrics.multilabel import MultiLabel
from evalsets.metrics.outcomes import Codes, Floats, Outcomes
from evalsets.metrics.regression import Regression
from evalsets.metrics.scores import Scores
from evalsets.metrics.segmentation import Segmentation, count_pixels
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
    "Evaluated",
    "Floats",
    "Metric",
    "MultiLabel",
    "Outcomes",
    "Regression",
    "Row",
    "Scores",
    "Segmentation",
    "check_bound",
    "count_pixels",
    "evaluate_models",
    "evaluate_populations",
    "find_metric",
    "gate",
    "not_given",
    "turned",
]
