"""``leaks``: test samples that a model has seen in all but name."""

from __future__ import annotations

import fiftyone as fo
import numpy as np
import pandas as pd

from evalsets.api.grouping import group_values, same_files, vectors_of
from evalsets.datasets.columns import SPLIT
from evalsets.datasets.connect import Source, open_dataset
from evalsets.errors import ArgumentError, UnknownNameError
from evalsets.splits import Leak, near_leaks, shared_leaks
from evalsets.splits.near import check_threshold


def leaks(
    dataset: Source,
    *,
    split: str = SPLIT,
    groups: str | None = None,
    near_duplicates: float | None = None,
) -> list[Leak]:
    """Test samples that are in train or val too: as a file, in a group, or nearly.

    Any split can be checked, not only one that was made here.

    Args:
        dataset: or its name
        split: field that holds ``train``, ``val`` and ``test``
        groups: field or expression whose equal values are kin (scene, patient, video)
        near_duplicates: cosine in (0, 1] from which two images are nearly the same;
            needs vectors

    Returns:
        one for each test sample and reason, with its closest kin; files are compared
        by path, and by content where ``sync`` has read it

    Raises:
        UnknownNameError: no such field
        ArgumentError: the field names no sample as test
        NoVectorsError: ``near_duplicates`` without vectors
    """
    if near_duplicates is not None:
        check_threshold(near_duplicates)
    opened = open_dataset(dataset)
    ids, side = _sides(opened, split)
    names = list(ids)
    found = same_files(opened, ids, side)
    if groups is not None:
        values = pd.factorize(np.array(group_values(opened, names, groups), object))[0]
        codes = np.where(values < 0, np.nan, values)
        found += shared_leaks(names, side, codes, "same group")
    if near_duplicates is not None:
        rows, vectors = vectors_of(opened, ids)
        embedded = ids[rows]
        found += near_leaks(list(embedded), side[rows], vectors, near_duplicates)
    return found


def _sides(dataset: fo.Dataset, split: str) -> tuple[pd.Index, np.ndarray]:
    if not isinstance(split, str) or not dataset.has_sample_field(split):
        raise UnknownNameError("field", split, dataset.get_field_schema())
    ids, side = dataset.values(["id", split])
    if "test" not in side:
        raise ArgumentError(
            f"Field '{split}' of dataset '{dataset.name}' names no sample as test; "
            "split it first, or name the field that does"
        )
    return pd.Index(ids, dtype=object), np.array(side, dtype=object)
