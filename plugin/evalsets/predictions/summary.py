"""What came of an upload."""

from __future__ import annotations

from dataclasses import dataclass

from evalsets.errors import counted
from evalsets.predictions.tables import examples


@dataclass(frozen=True)
class UploadReport:
    """What came of an upload.

    Args:
        model: name of the prediction set
        field: the field that holds it
        task: classification, multilabel, detection, segmentation, regression or scores
        matched: samples that now have a prediction
        missing: samples of the dataset without one
        missing_examples: keys of some of them
        truth: the field of true labels that the predicted ones were compared with;
            empty where there was none
        strange_labels: predicted labels that this field does not have
        unknown: keys that belong to no sample and were skipped
        unknown_examples: some of them
        trained_on: samples that the model was trained on
        trained_elsewhere: keys it was trained on that belong to no sample
        elsewhere_examples: some of them
        blank: name of a column of confidences without any
    """

    model: str
    field: str
    task: str
    matched: int
    missing: int = 0
    missing_examples: tuple[str, ...] = ()
    truth: str = ""
    strange_labels: tuple[str, ...] = ()
    unknown: int = 0
    unknown_examples: tuple[str, ...] = ()
    trained_on: int = 0
    trained_elsewhere: int = 0
    elsewhere_examples: tuple[str, ...] = ()
    blank: str = ""

    def __str__(self) -> str:
        what = "a score" if self.task == "scores" else "a prediction"
        have = counted(self.matched, "sample has", "samples have")
        said = f"{self.model}: {have} {what}"
        if self.task == "detection" and not self.matched:
            said = f"{self.model}: nothing was found on any sample"
        elif self.missing:
            lack = counted(self.missing, "has", "have")
            said += f", {lack} none ({examples(self.missing_examples)})"
        if self.unknown:
            belong = counted(self.unknown, "key belongs", "keys belong")
            said += (
                f"; {belong} to no sample and was left out"
                if self.unknown == 1
                else f"; {belong} to no sample and were left out"
            )
            said += f" ({examples(self.unknown_examples)})"
        if self.trained_on:
            were = counted(self.trained_on, "sample was", "samples were")
            said += f"; {were} trained on"
        if self.trained_elsewhere:
            belong = counted(self.trained_elsewhere, "key belongs", "keys belong")
            said += (
                f"; {belong} to no sample, of those it was trained on "
                f"({examples(self.elsewhere_examples)})"
            )
        if self.blank:
            said += f"; the column '{self.blank}' is empty, so that they have no confidences"
        if self.strange_labels:
            are = counted(
                len(self.strange_labels), "of its classes is", "of its classes are"
            )
            said += (
                f"; {are} nowhere in '{self.truth}': {examples(self.strange_labels)}"
            )
        return said
