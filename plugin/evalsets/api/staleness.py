"""Whether a report still holds: what it went by, then and now."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, partial
from typing import Any

import fiftyone as fo
import pandas as pd

from evalsets.api.judged import judged
from evalsets.datasets.digests import data_mark, labels_digest, members_digest, uploads
from evalsets.datasets.predictions import PredictionSet, prediction_sets
from evalsets.errors import EvalsetsError
from evalsets.suites import Population

_SAID = {"description", "owner"}


def basis(
    side: fo.DatasetView,
    frame: pd.DataFrame,
    truth: str,
    models: Sequence[PredictionSet],
) -> dict[str, Any]:
    """What an evaluation goes by, beside the mark of its data, for its provenance.

    Args:
        side: the samples to judge
        frame: their membership
        truth: field of the true labels
        models: the model, and its baseline if there is one
    """
    return {
        "members": members_digest(frame),
        "truth": labels_digest(side, truth, models[0].task, scored=False),
        "uploads": {m.model: uploads(m) for m in models},
        "in_place": {
            m.model: labels_digest(side, m.field, m.task, scored=True)
            for m in models
            if not m.owned  # users may change them without an upload
        },
    }


def suite_digest(populations: Iterable[Population]) -> str:
    """Changes with any definition of a suite, not with what is said of it to people."""
    entries = [p.to_dict() for p in populations]
    judged_by = [{k: e[k] for k in e.keys() - _SAID} for e in entries]
    text = json.dumps(judged_by, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def stale_reports(
    dataset: fo.Dataset, reports: Mapping[str, Mapping[str, Any]], *, data: bool = True
) -> dict[str, str]:
    """Why each report does not hold any more; empty where it does.

    Of a report on a view, or of before reports told what they go by, changes of the data
    are not known.

    Args:
        dataset: that they are of
        reports: their provenance, by name
        data: compare samples and labels too, not uploads and suite alone
    """
    check = _Check(dataset, data)
    return {name: check.reason(told) for name, told in reports.items()}


class _Check:
    """Compares reports with what is there now, which it reads once."""

    def __init__(self, dataset: fo.Dataset, data: bool) -> None:
        self._dataset = dataset
        self._data = data
        self._models = prediction_sets(dataset)
        self._mark = data_mark(dataset)
        self._subject = cache(partial(judged, dataset))
        self._members = cache(self._read_members)
        self._labels = cache(self._read_labels)

    def reason(self, told: Mapping[str, Any]) -> str:
        """Why a report does not hold any more; empty where it does."""
        before = told.get("basis")
        for model in filter(None, (told["model"], told["baseline"])):
            stored = self._models.get(model)
            if stored is None or not self._dataset.has_sample_field(stored.field):
                return f"the predictions of '{model}' are gone"
            marks = before["uploads"][model] if before else {}
            if not marks.items() <= uploads(stored).items():
                return f"'{model}' was uploaded again"
        if before is None:
            return ""
        try:
            return self._data_reason(told, before)
        except EvalsetsError as error:
            return f"it cannot be made again: {error}"

    def _data_reason(self, told: Mapping[str, Any], before: Mapping[str, Any]) -> str:
        side = told["split"], told["release"]
        if suite_digest(self._subject(*side).populations.values()) != told["suite"]:
            return "the suite has changed"
        if not self._data or before["data"] in (None, self._mark):
            return ""
        if self._members(*side) != before["members"]:
            return "samples have come, gone or changed their populations"
        task = self._models[told["model"]].task
        if self._labels(*side, told["truth"], task, False) != before["truth"]:
            return f"labels in '{told['truth']}' have changed"
        for model, digest in before["in_place"].items():
            stored = self._models[model]
            if self._labels(*side, stored.field, stored.task, True) != digest:
                return f"the predictions of '{model}' have changed"
        return ""

    def _side(self, split: str | None, release: int | None) -> fo.DatasetView:
        return self._subject(split, release).on_side(self._dataset.view())

    def _read_members(self, *side: Any) -> str:
        return members_digest(self._subject(*side).members(self._side(*side)))

    def _read_labels(
        self,
        split: str | None,
        release: int | None,
        field: str,
        task: str,
        scored: bool,
    ) -> str:
        return labels_digest(self._side(split, release), field, task, scored=scored)
