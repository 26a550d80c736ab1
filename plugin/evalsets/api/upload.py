"""``upload_predictions`` and ``upload_scores``: a model's outputs, all or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path
from typing import Any

import fiftyone as fo

from evalsets.api.checking import check_flags
from evalsets.api.populations import refresh
from evalsets.api.samples import Samples
from evalsets.datasets.connect import Source, open_dataset
from evalsets.datasets.locks import SETTLING_S, writing
from evalsets.datasets.outcomes import (
    GROUND_TRUTH,
    holds_labels,
    label_fields,
    task_of,
    true_labels,
)
from evalsets.datasets.predictions import (
    PredictionSet,
    ScoreSet,
    Upload,
    drop_leftovers,
    uploading,
)
from evalsets.errors import ArgumentError, UnknownNameError
from evalsets.metrics import METRICS
from evalsets.predictions import Table, UploadReport, is_nothing, read_tables

_AT_ONCE = 5_000
"""Labels of a field that are checked at a time."""


def upload_predictions(
    dataset: Source,
    model: str,
    predictions: Any,
    *,
    key: str = "filepath",
    classes: Any = None,
    task: str = "",
    trained_on: int | Iterable[str] | None = None,
    overwrite: bool = False,
    skip_unknown: bool = False,
) -> UploadReport:
    """Stores a model's predictions as label fields, after checking all of them.

    A source is read twice, piece by piece: to check it, then to write it. Nothing counts
    before everything is written.

    Args:
        dataset: or its name
        model: name of the prediction set
        predictions: a dict by key, a list of dicts, a DataFrame, an array with one row a
            sample, or the path of a CSV, JSON, JSONL, parquet, npz or COCO results
            file; or the name of a label field, which stays where it is
        key: what the keys are: ``id``, ``filepath`` (full, relative or base names), or
            any field with unique values
        classes: every label there is; for COCO results the names by category id, or
            the path of the COCO annotations; for an array of probabilities the names of
            its columns
        task: "multilabel", "segmentation" … where the form fits several; by default what
            the field ``ground_truth`` holds decides between those
        trained_on: number of the release the model was trained on, or keys of the
            samples, of which some may be of no sample here; those are left out of its
            test figures
        overwrite: replace the model's earlier predictions, which stay until these are
            complete
        skip_unknown: leave out keys that belong to no sample, instead of refusing them

    Raises:
        PredictionsError: what is wrong with them; nothing was written
        NameTakenError: the model has predictions already
        UnknownNameError: a text that names neither a file nor a field
    """
    check_flags(overwrite=overwrite, skip_unknown=skip_unknown)
    opened = _opened(dataset, model)
    samples = Samples.of(opened, key, predictions)
    if _is_field(opened, predictions):
        read, field = _stored_tables(opened, predictions, classes), predictions
        samples = Samples.of(opened, "id", {})
    else:
        source = samples.keyed(predictions, classes)
        hint = task or ("" if _is_boxes(source) else task_of(opened, GROUND_TRUTH))
        field = ""

        def read() -> Iterator[Table]:
            return read_tables(source, key=key, classes=classes, task=hint)

    checked = samples.check(read, skip_unknown)
    trained = _trained(opened, trained_on, key)
    upload = uploading(opened, model, checked.task, field=field, overwrite=overwrite)
    with upload as into:
        if not field:
            samples.write(checked, read, into.write)
        made = PredictionSet(
            model=model,
            field=into.field,
            task=checked.task,
            matched=int(checked.seen.sum()),
            columns=checked.columns,
            sparse=checked.sparse,
            owned=not field,
        )
        _settle(opened, into, made, model, trained)
    truth = true_labels(opened, GROUND_TRUTH, checked.task)
    return samples.report(
        checked,
        model=model,
        field=made.field,
        truth=GROUND_TRUTH if truth else "",
        strange_labels=tuple(sorted(checked.labels - truth)) if truth else (),
        **trained.told,
    )


def upload_scores(
    dataset: Source,
    model: str,
    scores: Any,
    *,
    metric: str = "score",
    higher_is_better: bool = True,
    key: str = "filepath",
    trained_on: int | Iterable[str] | None = None,
    overwrite: bool = False,
    skip_unknown: bool = False,
) -> UploadReport:
    """Stores any number per sample, such as a loss or a score from elsewhere.

    ``evaluate`` reports its mean and quantiles; a requirement may name ``metric``, which
    stands for the mean, or ``mean``, ``median``, ``q05`` and ``q95``.

    Args:
        dataset: or its name
        model: whose score it is; it may have predictions and other scores too
        scores: a dict by key, a list of dicts, a DataFrame, an array with one number a
            sample, or the path of a file; a table has a column ``metric``, ``score`` or
            ``value``
        metric: name of the score
        higher_is_better: its direction
        key: as in :func:`upload_predictions`
        trained_on: as there; by default what is known of the model
        overwrite: replace the model's earlier score of that name
        skip_unknown: leave out keys that belong to no sample

    Raises:
        PredictionsError: what is wrong with them; nothing was written
        NameTakenError: the model has such scores already
    """
    if not isinstance(metric, str) or not metric.strip() or ":" in metric:
        raise ArgumentError(
            f"A score cannot be called {metric!r}; name it, without ':'"
        )
    if metric in METRICS and metric != "mean":
        raise ArgumentError(
            f"'{metric}' is a metric of its own; give the score another name, such as "
            f"'own_{metric}'"
        )
    check_flags(
        higher_is_better=higher_is_better,
        overwrite=overwrite,
        skip_unknown=skip_unknown,
    )
    opened = _opened(dataset, model)
    samples = Samples.of(opened, key, scores)
    source = samples.keyed(scores, None)

    def read() -> Iterator[Table]:
        return read_tables(source, key=key, score=metric)

    checked = samples.check(read, skip_unknown)
    trained = _trained(opened, trained_on, key)
    upload = uploading(opened, model, "scores", metric=metric, overwrite=overwrite)
    with upload as into:
        samples.write(checked, read, into.write)
        matched = int(checked.seen.sum())
        made = ScoreSet(metric, into.field, bool(higher_is_better), matched)
        _settle(opened, into, made, model, trained)
    return samples.report(checked, model=model, field=made.field, **trained.told)


def _settle(
    dataset: fo.Dataset,
    into: Upload,
    made: PredictionSet | ScoreSet,
    model: str,
    trained: _Trained,
) -> None:
    """Makes an upload count, with all that follows from it before another may write."""
    with writing(dataset, patience=SETTLING_S):
        into.commit(made, model, trained.ids, trained.release)
        refresh(dataset)
        drop_leftovers(dataset)


def _opened(dataset: Source, model: Any) -> fo.Dataset:
    if not isinstance(model, str) or not model.strip():
        raise ArgumentError("The prediction set needs the name of its model; give it")
    return open_dataset(dataset)


def _is_boxes(source: Any) -> bool:
    """Whether rows are COCO results, which need no hint; none must be said to be."""
    if is_nothing(source):
        return True
    return (
        isinstance(source, list) and isinstance(source[0], dict) and "bbox" in source[0]
    )


def _is_field(dataset: fo.Dataset, predictions: Any) -> bool:
    """Whether a text names a label field, not a file."""
    if not isinstance(predictions, str) or Path(predictions).is_file():
        return False
    known = dataset.has_sample_field(predictions)
    named = predictions.isidentifier() and not Path(predictions).exists()
    if not known and named:
        fields = [n for n in label_fields(dataset) if holds_labels(dataset, n)]
        raise UnknownNameError("file or label field", predictions, fields)
    if known and not holds_labels(dataset, predictions):
        raise ArgumentError(
            f"Field '{predictions}' holds no labels; name one that does, or upload its "
            "values by id"
        )
    return bool(known)


def _stored_tables(
    dataset: fo.Dataset, field: str, classes: Any
) -> Callable[[], Iterator[Table]]:
    """Reads the labels of a field, so that they are checked like any upload's."""

    def pairs() -> Iterator[dict[str, Any]]:
        view = dataset.exists(field)
        ids = view.values("id")
        for start in range(0, len(ids), _AT_ONCE):
            some = dataset.select(ids[start : start + _AT_ONCE])
            yield dict(zip(*some.values(["id", field]), strict=True))

    def read() -> Iterator[Table]:
        for labels in pairs():
            yield from read_tables(labels, classes=classes)

    if not dataset.count(field):
        raise ArgumentError(f"Field '{field}' holds no labels; name another")
    return read


@dataclass(frozen=True)
class _Trained:
    """What a model was trained on.

    Args:
        ids: of the samples; None where it was not said
        release: number of the release that says so, if one does
        elsewhere: keys that belong to no sample
    """

    ids: list[str] | None = None
    release: int | None = None
    elsewhere: tuple[str, ...] = ()

    @property
    def told(self) -> dict[str, Any]:
        """For the report."""
        return {
            "trained_on": len(self.ids or ()),
            "trained_elsewhere": len(self.elsewhere),
            "elsewhere_examples": self.elsewhere[:3],
        }


def _trained(dataset: fo.Dataset, trained_on: Any, key: str) -> _Trained:
    """What was said of a model's training; training sets may hold more than a dataset."""
    if trained_on is None:
        return _Trained()
    listed = isinstance(trained_on, Iterable) and not isinstance(trained_on, str)
    if isinstance(trained_on, bool) or not (listed or isinstance(trained_on, Integral)):
        said = "one text" if isinstance(trained_on, str) else repr(trained_on)
        raise ArgumentError(
            f"trained_on is {said}; give the number of a release, or a list of keys"
        )
    if not listed:
        from evalsets.api.releases import train_ids

        return _Trained(train_ids(dataset, int(trained_on)), int(trained_on))
    keys = [str(one) for one in dict.fromkeys(trained_on)]
    samples = Samples.of(dataset, key, dict.fromkeys(keys))
    places = samples.keys.find(keys).tolist()
    known = dict.fromkeys(samples.ids[at] for at in places if at >= 0)
    lost = [one for one, at in zip(keys, places, strict=True) if at < 0]
    if lost and not known:  # more likely keys of another kind than no common sample
        samples.keys.refuse(lost, len(lost), len(keys))
    return _Trained(list(known), elsewhere=tuple(lost))
