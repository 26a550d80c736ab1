"""FiftyOne's own evaluations of a prediction set, for its panels and views."""

from __future__ import annotations

from collections.abc import Sequence

import fiftyone as fo

from evalsets.datasets.digests import check_unreplaced
from evalsets.datasets.locks import SETTLING_S, schema_lock, writing
from evalsets.datasets.predictions import PredictionSet
from evalsets.errors import ArgumentError, NameTakenError

_UNDERWAY = "evalsets_underway_"
"""Begins the key of an evaluation that has not replaced the earlier one yet."""
_REPLACED = "evalsets_replaced_"
"""Begins the key of the earlier one while the new one takes its place."""


def write_evaluation(
    dataset: fo.Dataset,
    ids: Sequence[str],
    truth: str,
    stored: PredictionSet,
    eval_key: str,
) -> None:
    """Evaluates with FiftyOne and keeps the result under a key.

    Args:
        dataset: to write to
        ids: of the samples
        truth: field of the true labels
        stored: the predictions
        eval_key: an earlier evaluation under it is replaced

    Raises:
        LockedError: the predictions were uploaded again meanwhile
    """
    made = f"{_UNDERWAY}{eval_key}"
    with writing(dataset, patience=SETTLING_S):
        check_unreplaced(dataset, stored)
        own = _own(dataset)
        _settle(own, eval_key)  # one that was killed
        try:
            _evaluate(own.select(list(ids)), truth, stored, made)
            if eval_key in own.list_evaluations():
                own.rename_evaluation(eval_key, f"{_REPLACED}{eval_key}")
            own.rename_evaluation(made, eval_key)
        finally:
            _settle(own, eval_key)
            with schema_lock:
                dataset.reload()
                dataset._evaluation_cache.pop(eval_key, None)


def _evaluate(
    view: fo.DatasetView, truth: str, stored: PredictionSet, eval_key: str
) -> None:
    given = {"gt_field": truth, "eval_key": eval_key, "progress": False}
    if stored.task == "detection":
        view.evaluate_detections(stored.field, compute_mAP=True, **given)
    elif stored.task == "segmentation":
        view.evaluate_segmentations(stored.field, **given)
    elif stored.task == "regression":
        view.evaluate_regressions(stored.field, **given)
    else:
        view.evaluate_classifications(stored.field, **given)


def _settle(own: fo.Dataset, eval_key: str) -> None:
    """Leaves under a key the new evaluation or, where it is not there, the earlier one."""
    underway, replaced = f"{_UNDERWAY}{eval_key}", f"{_REPLACED}{eval_key}"
    known = own.list_evaluations()
    if underway in known:
        own.delete_evaluation(underway)
    if replaced in known and eval_key in known:
        own.delete_evaluation(replaced)
    elif replaced in known:
        own.rename_evaluation(replaced, eval_key)


def _own(dataset: fo.Dataset) -> fo.Dataset:
    """The dataset as an object that no other thread has.

    An evaluation changes the schema all along; a reload would undo what is not saved yet,
    and to keep others from one would have the App wait until it ends.
    """
    return fo.Dataset._make_instance(dataset.name, _create=False)


def check_evaluation(
    dataset: fo.Dataset, truth: str, stored: PredictionSet, eval_key: str
) -> None:
    """Refuses what :func:`write_evaluation` could not write.

    Raises:
        ArgumentError: the key is no identifier, or FiftyOne does not evaluate such labels
        NameTakenError: the key is that of an evaluation of other fields
    """
    if not isinstance(eval_key, str) or not eval_key.isidentifier():
        raise ArgumentError(
            f"eval_key is {eval_key!r}; give letters, digits and underscores, such as "
            "'eval_model'"
        )
    labelled = isinstance(dataset.get_field(truth), fo.EmbeddedDocumentField)
    if stored.task in ("multilabel", "scores") or not labelled:
        raise ArgumentError(
            f"FiftyOne does not evaluate {stored.task} of field '{truth}'; leave out "
            "eval_key"
        )
    if eval_key in dataset.list_evaluations():
        config = dataset.get_evaluation_info(eval_key).config
        fields = getattr(config, "pred_field", ""), getattr(config, "gt_field", "")
        ours = fields[0].startswith("pred_")  # it may be that of a set now replaced
        if fields[1] != truth or not (ours or fields[0] == stored.field):
            raise NameTakenError(
                f"Evaluation '{eval_key}' compares '{fields[0]}' with '{fields[1]}'; "
                "choose another eval_key"
            )
