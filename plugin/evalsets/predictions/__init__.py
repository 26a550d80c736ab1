"""Predictions as people have them, read into one checked table in memory."""

from evalsets.predictions.keys import Match, match_keys
from evalsets.predictions.readers import read_predictions
from evalsets.predictions.tables import (
    ClassificationTable,
    DetectionTable,
    UploadReport,
)

__all__ = [
    "ClassificationTable",
    "DetectionTable",
    "Match",
    "UploadReport",
    "match_keys",
    "read_predictions",
]
