"""The ledger of the split: ``explain``, ``retire``, ``save_ledger``, ``load_ledger``."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import fiftyone as fo

from evalsets.api.populations import membership
from evalsets.api.standing import Files, sides_of, standing_of
from evalsets.datasets.columns import SPLIT, declare, write
from evalsets.datasets.connect import Source, open_dataset
from evalsets.datasets.ledger import (
    append_ledger,
    read_ledger,
    read_records,
    restore_ledger,
)
from evalsets.datasets.locks import writing
from evalsets.datasets.populations import load_recipes
from evalsets.datasets.releases import list_releases, load_release
from evalsets.errors import ArgumentError, EvalsetsError, UnknownNameError, counted
from evalsets.files import path_of, write_text
from evalsets.splits import Standing, history, replay, retirement, verify
from evalsets.splits.explanation import Explanation
from evalsets.splits.ledger import read_record

logger = logging.getLogger(__name__)


def explain(dataset: Source, sample: str) -> Explanation:
    """Why a sample is in train, val, test or quarantine.

    Args:
        dataset: or its name
        sample: its id, or its file path (full, or as much of its end as is unique)

    Raises:
        UnknownNameError: there is no such sample
        EvalsetsError: the ledger is not what was written
    """
    opened = open_dataset(dataset)
    sample_id = _found(opened, [sample])[0]
    view = opened.select(sample_id)
    split = opened.has_sample_field(SPLIT)
    files = Files.of(opened, opened.values("id"))
    holdouts = {n: r.population.holdout for n, r in load_recipes(opened).items()}
    inside = membership(view).iloc[0].to_dict() if holdouts else {}
    frozen = {n: load_release(opened, n)[1].side for n in list_releases(opened)}
    return Explanation(
        sample_id=sample_id,
        filepath=view.values("filepath")[0],
        side=(view.values(SPLIT)[0] or "") if split else "",
        decisions=tuple(history(read_ledger(opened), sample_id)),
        populations={n: share for n, share in holdouts.items() if inside[n]},
        releases={n: str(s[sample_id]) for n, s in frozen.items() if sample_id in s},
        name=files.lots[files.ids.index(sample_id)],
    )


def retire(dataset: Source, samples: str | Iterable[str], *, reason: str) -> int:
    """Takes samples out of test, for good: the only way there is, and it is recorded.

    They go to quarantine, so that nothing trains on them or is judged by them.

    Args:
        dataset: or its name
        samples: ids or file paths
        reason: why; it stays in the ledger

    Returns:
        how many samples were retired

    Raises:
        ArgumentError: no reason, a dataset that has not been split, or a sample that the
            ledger does not tell to be in test
        UnknownNameError: there is no such sample
        EvalsetsError: the ledger is not what was written
    """
    if not isinstance(reason, str) or not reason.strip():
        raise ArgumentError("Retiring samples from test needs a reason")
    several = isinstance(samples, Iterable) and not isinstance(samples, str)
    given: list[Any] = list(samples) if several else [samples]
    if not given:
        raise ArgumentError("Give at least one sample to retire from test")
    opened = open_dataset(dataset)
    with writing(opened):
        records = read_records(opened)
        if not records:
            raise ArgumentError(f"Dataset '{opened.name}' has not been split yet")
        found = _found(opened, given)
        side = replay(e for record in records for e in record["entries"])
        for i, named in zip(found, given, strict=True):
            if side.get(i) != "test":
                where = side.get(i) or "no split"
                raise ArgumentError(f"Sample '{named}' is in {where}, not in test")
        ids, settings = [*dict.fromkeys(found)], _settings(records)
        files = Files.of(opened, opened.values("id"))
        at = {i: row for row, i in enumerate(files.ids)}
        entry = retirement(
            ids,
            reason,
            settings["number"],
            settings.get("seed", 0),
            keys=[files.names[at[i]] for i in ids],
            digests=[files.digests[at[i]] for i in ids],
        )
        now = {"time": entry["time"], "folder": files.folder}
        append_ledger(opened, {**settings, **now}, [entry])
        declare(opened, {SPLIT: str}, indexed=True)
        write(opened, SPLIT, ids, ["quarantine"] * len(ids))
    logger.info("Retired %s from test: %s", counted(len(ids), "sample"), reason)
    return len(ids)


def save_ledger(dataset: Source, path: str | Path) -> Path:
    """Writes the ledger of the split as a file for git: one line of JSON a split.

    Only a file that the ledger goes on from is replaced.

    Raises:
        ArgumentError: the dataset has not been split, the file cannot be written, or it
            holds something else
        EvalsetsError: the ledger is not what was written
    """
    opened = open_dataset(dataset)
    records = read_records(opened)
    if not records:
        raise ArgumentError(f"Dataset '{opened.name}' has not been split yet")
    file = path_of(path)
    text = "".join(json.dumps(r, sort_keys=True) + "\n" for r in records)
    try:
        held = file.read_text("utf-8", "replace") if file.exists() else ""
    except OSError as error:
        raise ArgumentError(f"'{path}' cannot be read: {error.strerror}") from error
    if not text.startswith(held):
        raise ArgumentError(
            f"'{path}' holds something that the ledger of dataset '{opened.name}' "
            "does not go on from; give another file"
        )
    return write_text(file, text)


def load_ledger(dataset: Source, path: str | Path) -> dict[str, int]:
    """Replays a saved ledger: every sample gets the side that it had.

    Samples are known by their ids, and in a dataset that was made anew by their files.
    The dataset's own ledger is continued where the file goes on from it, and replaced
    where it is broken; what is in test or quarantine then stays there, and an entry says
    so.

    Returns:
        samples of each side afterwards

    Raises:
        ArgumentError: the file cannot be read, or is not of this dataset
        EvalsetsError: a line is not what was written
    """
    records = _read_file(path_of(path))
    opened = open_dataset(dataset)
    with writing(opened):
        files = Files.of(opened, opened.values("id"))
        field = sides_of(opened, files.ids)
        stands = standing_of(files, field, records)
        if _is_broken(opened, str(path), records, stands):
            stands = stands.guarded(field)
        said = [*stands.doubts, *stands.taken_over(files.ids)]
        for sentence in [*said, *_missing(opened, str(path), stands)]:
            logger.warning("%s", sentence)
        restore_ledger(opened, records)
        suite = records[-1]["number"]
        more = stands.restored(files.ids, files.names, files.digests, suite)
        if more:
            now = {"time": more[0]["time"], "folder": files.folder}
            append_ledger(opened, {**_settings(records), **now}, more)
        declare(opened, {SPLIT: str}, indexed=True)
        rows = zip(files.ids, stands.side, field, strict=True)
        changed = {i: side for i, side, had in rows if side != had}
        write(opened, SPLIT, list(changed), list(changed.values()))
    return {side: stands.side.count(side) for side in sorted({*stands.side} - {""})}


def _settings(records: list[dict[str, Any]]) -> dict[str, Any]:
    return {key: value for key, value in records[-1].items() if key != "entries"}


def _is_broken(
    dataset: fo.Dataset, path: str, records: list[dict[str, Any]], stands: Standing
) -> bool:
    """Whether the dataset's own ledger is broken; makes sure that the other is of it."""
    if not stands.known:
        raise ArgumentError(
            f"No sample of '{path}' is in dataset '{dataset.name}', by its id or file; "
            "the ledger is of another dataset, or of files that were renamed since"
        )
    try:
        own = [record["hash"] for record in read_records(dataset)]
    except EvalsetsError:
        return True
    given = [record["hash"] for record in records]
    if len(given) < len(own) and own[: len(given)] == given:
        raise ArgumentError(
            f"'{path}' is older than the ledger of dataset '{dataset.name}', which has "
            f"{counted(len(own) - len(given), 'record')} more; there is nothing to load"
        )
    if own != given[: len(own)]:
        raise ArgumentError(
            f"'{path}' does not go on from the ledger of dataset '{dataset.name}'; load "
            "one that was saved from it"
        )
    return False


def _missing(dataset: fo.Dataset, path: str, stands: Standing) -> list[str]:
    """What of test the dataset does not have, in words."""
    if not stands.missing:
        return []
    files = counted(len(stands.missing), "file")
    return [
        f"{files} in test by '{path}' cannot be found in dataset '{dataset.name}', "
        f"'{stands.missing[0]}' for one; if renamed or edited since, split the dataset "
        "that the ledger was saved from, and save it again"
    ]


def _read_file(file: Path) -> list[dict[str, Any]]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as error:
        raise ArgumentError(f"There is no file '{file}'; check the path") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ArgumentError(f"'{file}' cannot be read as a ledger") from error
    records = []
    for number, line in enumerate(lines, start=1):
        record = read_record(line)
        if record is None:
            raise EvalsetsError(
                f"{file}:{number} is no record of a ledger; restore the file from git"
            )
        records.append(record)
    if not records:
        raise ArgumentError(f"'{file}' is empty; restore the file from git")
    verify(records, f"ledger file {file}:{{}}", "restore the file from git")
    return records


def _found(dataset: fo.Dataset, samples: list[str]) -> list[str]:
    """Ids of samples that are given by id, by path or by the end of a path."""
    for sample in samples:
        if not isinstance(sample, str):
            raise ArgumentError(f"sample is {sample!r}; give an id or a file path")
    ids, paths = dataset.values(["id", "filepath"])
    known = set(ids)
    by_path = dict(zip(paths, ids, strict=True))
    return [
        sample if sample in known else by_path.get(sample) or _ending(sample, by_path)
        for sample in samples
    ]


def _ending(name: str, by_path: dict[str, str]) -> str:
    tail = f"/{name.lstrip('./')}"
    fitting = [path for path in by_path if path.replace("\\", "/").endswith(tail)]
    if len(fitting) > 1:
        raise ArgumentError(
            f"'{name}' fits {len(fitting)} samples, such as '{fitting[0]}'; give more of "
            "the path, or the id"
        )
    if not fitting:
        raise UnknownNameError("sample", name, remedy="give its id or file path")
    return by_path[fitting[0]]
