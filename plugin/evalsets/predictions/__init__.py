"""Predictions as people have them, read piece by piece into checked tables."""

from evalsets.predictions.keys import Keys
from evalsets.predictions.placing import Placing
from evalsets.predictions.readers import read_tables
from evalsets.predictions.sources import is_nothing
from evalsets.predictions.summary import UploadReport
from evalsets.predictions.tables import (
    ClassificationTable,
    DetectionTable,
    LabelsTable,
    MaskTable,
    NumberTable,
    Table,
)

__all__ = [
    "ClassificationTable",
    "DetectionTable",
    "Keys",
    "LabelsTable",
    "MaskTable",
    "NumberTable",
    "Placing",
    "Table",
    "UploadReport",
    "is_nothing",
    "read_tables",
]
