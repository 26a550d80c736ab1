"""Releases of a dataset, each a custom run that nothing rewrites."""

from __future__ import annotations

import json
from dataclasses import replace
from numbers import Integral
from typing import Any

import fiftyone as fo

from evalsets.datasets.runs import has_results, load_results, load_runs, save_run
from evalsets.errors import ArgumentError, UnknownNameError
from evalsets.suites.release import Frozen, Release, checksum, pack, unpack

KIND = "release"


def list_releases(dataset: fo.Dataset) -> dict[int, Release]:
    """All releases by number, oldest first; those cut off in writing are left out."""
    return {
        int(name): Release.from_dict(json.loads(content["text"]), content["checksum"])
        for name, content in load_runs(dataset, KIND).items()
        if has_results(dataset, KIND, name)
    }


def save_release(dataset: fo.Dataset, release: Release, frozen: Frozen) -> Release:
    """Keeps a release under the next number."""
    packed = pack(frozen)
    number = max(list_releases(dataset), default=0) + 1
    numbered = replace(release, number=number)
    sealed = replace(numbered, checksum=checksum(numbered, packed))
    content = {"text": json.dumps(sealed.to_dict()), "checksum": sealed.checksum}
    save_run(dataset, KIND, f"{number:06d}", content, {"packed": packed})
    return sealed


def load_release(dataset: fo.Dataset, number: int) -> tuple[Release, Frozen]:
    """A release with its samples.

    Raises:
        ArgumentError: the number is none
        UnknownNameError: there is no such release
        EvalsetsError: its checksum does not hold
    """
    given: Any = number
    if isinstance(given, bool) or not isinstance(given, Integral):
        raise ArgumentError(f"release is {number!r}; give its number")
    known = list_releases(dataset)
    if number not in known:
        raise UnknownNameError(
            "release", str(number), map(str, known), "" if known else "make one first"
        )
    packed = load_results(dataset, KIND, f"{number:06d}", "packed")
    return known[number], unpack(known[number], packed)
