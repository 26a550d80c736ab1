"""What was decided about every sample, and when: records that are only ever added.

A record is one split, as a JSON object: its settings, its entries and a hash. The setting
``folder`` is the one that all files of the dataset had in common. An entry
is one decision about many samples::

    {
        "time": "2026-01-31T12:00:00+00:00",
        "suite": 3,
        "seed": "0",
        "side": "test",
        "rule": "drawn for test",
        "samples": ["…"],
        "groups": ["…"],
        "keys": ["…"],
        "digests": ["…"],
        "before": [["…"]],
        "releases": [1],
    }

``groups[i]`` is the key of the sample that stands for the group of ``samples[i]``;
``keys[i]`` and ``digests[i]`` name its file for ever, where its id does not: by its path
below ``folder``, and by its content, empty where that is not known. ``before[i]`` are
the samples that had or may have had that file, where it came back. ``releases``
are those in which the samples of an entry were trained on, and left out without any. Only
an entry with ``"retire": true`` takes samples out of test. The hash of a record covers
that of the record before it, so that an edited past shows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

import numpy as np

from evalsets.errors import EvalsetsError
from evalsets.splits.work import SIDES, Assignment

REMEDY = (
    "restore the ledger with load_ledger, or `evalsets ledger load`, from a file that "
    "save_ledger wrote before, such as one in git"
)
CAME_BACK = "had this side before, under another id"
"""The rule of a sample whose file is that of one that was there before."""

_BY_SAMPLE = ("samples", "groups", "keys", "digests", "before")

Entry = dict[str, Any]
Record = dict[str, Any]


def entries(
    ids: Sequence[str],
    assignment: Assignment,
    suite: int,
    seed: int | str = 0,
    time: datetime | None = None,
    keys: Sequence[str] = (),
    digests: Sequence[str] = (),
    before: Mapping[str, Sequence[str]] | None = None,
) -> list[Entry]:
    """One entry for every side, rule and past that an assignment newly gave.

    Args:
        ids: ``(n,)`` sample ids, in the order of the assignment
        assignment: samples without a rule kept their side and are left out
        suite: version of the suite that asked
        seed: of the assignment
        time: by default now
        keys: ``(n,)`` paths of the samples' files; by default they have no names
        digests: ``(n,)`` of their content, where known
        before: by id of a sample that came back, those that had its file
    """
    trained = {m.sample_id: m.releases for m in assignment.report.moved}
    alike: dict[tuple[str, str, tuple[int, ...]], list[int]] = {}
    for row in np.flatnonzero(assignment.rule != "").tolist():
        past = trained.get(str(ids[row]), ())
        pair = str(assignment.side[row]), str(assignment.rule[row])
        alike.setdefault((*pair, past), []).append(row)
    return [
        {
            **_entry(
                [str(ids[i]) for i in rows],
                [str(assignment.group[i]) for i in rows],
                [str(keys[i]) for i in rows if keys],
                [str(digests[i]) for i in rows if digests],
                suite=suite,
                seed=str(seed),
                time=time,
            ),
            "side": side,
            "rule": rule,
            **_before(before, [str(ids[i]) for i in rows], rule),
            **({"releases": list(past)} if past else {}),
        }
        for (side, rule, past), rows in sorted(alike.items())
    ]


def retirement(
    samples: Sequence[str],
    reason: str,
    suite: int,
    seed: int | str = 0,
    time: datetime | None = None,
    keys: Sequence[str] = (),
    digests: Sequence[str] = (),
) -> Entry:
    """The entry that takes samples out of test, for good, into quarantine.

    Args:
        samples: ids
        reason: for people
        suite: version of the suite at the time
        seed: of the last assignment
        time: by default now
        keys: paths of the samples' files; by default they have no names
        digests: of their content, where known
    """
    facts = {"suite": suite, "seed": str(seed)}
    return {
        **_entry(samples, samples, keys, digests, time=time, **facts),
        "side": "quarantine",
        "rule": f"retired: {reason}",
        "retire": True,
    }


def restoration(
    samples: Sequence[str],
    keys: Sequence[str],
    digests: Sequence[str],
    side: str,
    rule: str,
    suite: int,
    before: Mapping[str, Sequence[str]],
) -> Entry:
    """The entry of samples whose side was known otherwise than from the ledger.

    Args:
        samples: ids
        keys: paths of their files
        digests: of their content, where known
        side: of all of them
        rule: whence it was known
        suite: version of the suite at the time
        before: by id of a sample that came back, those that had its file
    """
    told = _entry(samples, samples, keys, digests, suite=suite)
    return {**told, "side": side, "rule": rule, **_before(before, samples, rule)}


def _before(
    before: Mapping[str, Sequence[str]] | None, samples: Sequence[str], rule: str
) -> dict[str, list[list[str]]]:
    if not before or rule != CAME_BACK:
        return {}
    return {"before": [list(before.get(one, ())) for one in samples]}


def _entry(
    samples: Sequence[str],
    groups: Sequence[str],
    keys: Sequence[str],
    digests: Sequence[str],
    *,
    time: datetime | None = None,
    **facts: Any,
) -> Entry:
    when = (time or datetime.now(timezone.utc)).isoformat(timespec="seconds")
    lists = {"samples": list(samples), "groups": list(groups)}
    if keys:
        lists["keys"] = list(keys)
    if any(digests):
        lists["digests"] = list(digests)
    return {"time": when, **facts, **lists}


def seal(record: Mapping[str, Any], previous: str) -> Record:
    """A record with its hash, which follows on the hash of the record before it."""
    plain = {key: value for key, value in record.items() if key != "hash"}
    return {**plain, "hash": _hash(plain, previous)}


def verify(
    records: Iterable[Record],
    where: str = "split {} of the ledger",
    remedy: str = REMEDY,
) -> None:
    """Makes sure that no record was changed, lost or put in.

    Args:
        records: oldest first
        where: names a record by its place, counted from 1
        remedy: what to do

    Raises:
        EvalsetsError: the first record that is not what was written
    """
    previous = ""
    for place, record in enumerate(records, start=1):
        plain = {key: value for key, value in record.items() if key != "hash"}
        if record.get("hash") != _hash(plain, previous):
            here = where.format(place)
            raise EvalsetsError(
                f"{here[0].upper()}{here[1:]} is not what was written there: it, or what "
                f"was before it, was edited; {remedy}"
            )
        previous = record["hash"]


def read_record(line: str) -> Record | None:
    """One line of a saved ledger; None where it is something else."""
    try:
        record = json.loads(line)
    except ValueError:
        return None
    if not isinstance(record, dict) or not isinstance(record.get("entries"), list):
        return None
    whole = isinstance(record.get("number"), int) and all(
        isinstance(entry, dict) for entry in record["entries"]
    )
    return record if whole else None


def _hash(plain: Mapping[str, Any], previous: str) -> str:
    text = json.dumps(plain, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256((previous + text).encode()).hexdigest()


def replay(ledger: Iterable[Entry]) -> dict[str, str]:
    """Side of every sample after all entries, oldest first.

    Raises:
        EvalsetsError: an entry is broken, or takes a sample out of test
    """
    sides: dict[str, str] = {}
    held: set[str] = set()
    for number, entry in enumerate(ledger, start=1):
        side, samples = entry.get("side"), entry.get("samples")
        if side not in SIDES[1:] or not isinstance(samples, list):
            raise EvalsetsError(
                f"Entry {number} of the split ledger is broken; {REMEDY}"
            )
        if side == "test":
            held.update(samples)
        elif entry.get("retire") is True:
            held.difference_update(samples)
        elif not held.isdisjoint(samples):
            leaving = next(sample_id for sample_id in samples if sample_id in held)
            raise EvalsetsError(
                f"Entry {number} of the split ledger takes sample {leaving} out "
                f"of test, which only retire may; {REMEDY}"
            )
        sides.update(dict.fromkeys(samples, side))
    return sides


def history(ledger: Iterable[Entry], sample_id: str) -> list[Entry]:
    """What was decided about one sample, oldest first: entries with it alone."""
    return [
        _alone(e, e["samples"].index(sample_id))
        for e in ledger
        if sample_id in e["samples"]
    ]


def _alone(entry: Entry, at: int) -> Entry:
    lists = {name: [entry[name][at]] for name in _BY_SAMPLE if name in entry}
    return {**entry, **lists}
