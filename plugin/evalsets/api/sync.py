"""``sync``: a dataset that holds what lies in a source."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

import fiftyone as fo
import fiftyone.core.utils as fou
import pandas as pd

from evalsets.api.populations import refresh
from evalsets.api.progress import Progress, sum_up
from evalsets.api.truth import FOLDERS, read_truth, write_truth
from evalsets.datasets.columns import check_free
from evalsets.datasets.connect import (
    check_name,
    create_dataset,
    database,
    exists,
    open_dataset,
)
from evalsets.datasets.files import (
    CHANGED,
    DIGEST,
    DUPLICATE,
    FIELDS,
    OWNER,
    STAMP,
    URL,
    VANISHED,
    declare_files,
    forget_pixels,
    stored_files,
    version_of,
    write_files,
)
from evalsets.datasets.locks import check_held, syncing, writing
from evalsets.datasets.outcomes import GROUND_TRUTH
from evalsets.datasets.runs import load_results, load_runs, save_run
from evalsets.datasets.vectors import home
from evalsets.encoders.cores import cores
from evalsets.errors import NoImagesError, UnknownNameError
from evalsets.ingest import (
    Examined,
    Journal,
    Listing,
    Look,
    Plan,
    Refused,
    Synced,
    compare,
    list_images,
    look_at,
    sweep,
)
from evalsets.remote import trim

logger = logging.getLogger(__name__)

RUN = "sync"


def sync(
    source: str | Path | Iterable[str | Path],
    dataset: str | fo.Dataset,
    *,
    labels: str | Path | pd.DataFrame | None = None,
    progress: Progress = None,
) -> fo.Dataset:
    """Makes a dataset hold what lies in a source; calling it again costs little.

    New images become samples. A changed one keeps its sample and loses its vector and
    tags; a moved one keeps everything; one that is gone is marked in the field
    ``vanished``, never deleted; a copy of another names it in ``duplicate_of``. Images
    that cannot be read are left out, named in a warning, kept in the dataset's run
    ``evalsets/sync`` and tried again when they change.

    Args:
        source: a folder or URL (``s3://``, ``gs://``, ``az://``, ``memory://`` …),
            searched with all below it, or a list of files or URLs; of remote files
            copies are kept within ``EVALSETS_CACHE_GB``
        dataset: or its name; made if it does not exist
        labels: a CSV or parquet file or a frame with a column of paths; its column
            ``label`` becomes the field ``ground_truth``, each other column a field of
            its name. COCO annotations (``.json``) become boxes in ``ground_truth``;
            ``"folders"`` takes the name of each image's folder as its label
        progress: whether to show a progress bar, or what to call with it; by default as
            FiftyOne is set

    Returns:
        the dataset

    Raises:
        NoImagesError: no image in the source can be read
        SourceError: the source cannot be reached; nothing was changed
        ArgumentError: the labels cannot be used
        NameTakenError: a column would overwrite a field that ``sync`` did not fill
    """
    with database():
        return _sync(source, dataset, labels, progress)


def last_sync(dataset: str | fo.Dataset) -> Synced:
    """What the last sync of a dataset found.

    Raises:
        UnknownNameError: it has not been synced
    """
    opened = open_dataset(dataset)
    recorded = load_runs(opened, RUN).get(RUN)
    if recorded is None:
        raise UnknownNameError("sync of dataset", opened.name, (), "sync it first")
    skipped = load_results(opened, RUN, RUN, "skipped") or []
    return Synced(**recorded, skipped=dict(skipped))


def _sync(
    source: str | Path | Iterable[str | Path],
    dataset: str | fo.Dataset,
    labels: str | Path | pd.DataFrame | None,
    progress: Progress,
) -> fo.Dataset:
    name = dataset if isinstance(dataset, str) else open_dataset(dataset).name
    check_name(name)
    listing = list_images(source)
    before = open_dataset(name) if exists(name) else None
    truth = read_truth(labels, list(listing.size), before)
    if before is not None:
        check_free(before, FIELDS, OWNER)
    version = version_of(before)
    stored, quarantine = stored_files(before), _quarantine(before)
    journal = Journal(home() / "looks", name)
    seen = _examined(listing, stored, quarantine, journal, progress)
    opened = create_dataset(name)
    with syncing(opened):
        if version_of(opened) != version:  # another process was quicker
            stored = stored_files(opened)
        plan = compare(listing, stored, seen.looks)
        if plan or before is None:
            declare_files(opened)
            stored = _apply(opened, listing, seen.looks, plan, stored, progress)
        synced = _summed(listing, seen, plan, _mark_duplicates(opened, stored))
        synced = replace(synced, source=_place(source), labels=_place(labels))
        left = {
            n: r for n, r in _quarantine(opened).items() if not _tells_of(listing, n)
        }
        _record(opened, synced, {**left, **seen.skipped})
        write_truth(opened, truth)
    journal.drop()
    sweep(home() / "looks", fo.list_datasets())
    trim()
    warn = seen.newly_skipped or plan.vanished
    sum_up(logger, f"Synced '{name}': {synced}", warn=bool(warn), progress=progress)
    if labels is not None:
        known = opened.has_sample_field(GROUND_TRUTH)
        filled = truth.told(known, listing.size.keys() - seen.skipped.keys())
        sum_up(logger, filled, warn=not known, progress=progress)
    refresh(opened)
    return opened


def _place(given: object) -> str:
    """What was given as text, so that it holds in any folder; empty for anything else."""
    if not isinstance(given, (str, Path)):
        return ""
    text = str(given)
    known = "://" in text or text == FOLDERS
    return text if known else str(Path(text).expanduser().absolute())


def _quarantine(dataset: fo.Dataset | None) -> dict[str, Refused]:
    """Files that were left out so far, of any source."""
    if dataset is None or RUN not in load_runs(dataset, RUN):
        return {}
    held = load_results(dataset, RUN, RUN, "quarantine") or []
    return {name: Refused(why, stamp) for name, why, stamp in held}


def _tells_of(listing: Listing, name: str) -> bool:
    return name in listing.size or name in listing.refused or listing.covers(name)


def _record(
    dataset: fo.Dataset, synced: Synced, quarantine: Mapping[str, Refused]
) -> None:
    counts = {name: n for name, n in vars(synced).items() if name != "skipped"}
    held = [[name, file.why, file.stamp] for name, file in quarantine.items()]
    skipped = list(synced.skipped.items())
    with writing(dataset):
        save_run(dataset, RUN, RUN, counts, {"skipped": skipped, "quarantine": held})


def _examined(
    listing: Listing,
    stored: pd.DataFrame,
    quarantine: Mapping[str, Refused],
    journal: Journal,
    progress: Progress,
) -> Examined:
    """Looks into the files whose stamp is not the one that is known.

    What a sync that was killed had seen is not looked at again.

    Raises:
        NoImagesError: not one file can be read
        SourceError: what holds the files fails
    """
    known = dict(zip(stored.index, stored[STAMP], strict=True))
    skipped = {name: Refused(why) for name, why in listing.refused.items()}
    unknown = []
    for name, stamp in listing.stamp.items():
        refused = quarantine.get(name)
        if known.get(name) == stamp:
            continue
        if refused is not None and refused.stamp == stamp:
            skipped[name] = refused
        else:
            unknown.append(name)
    looks: dict[str, Look | Refused] = dict(
        journal.looks(listing.stamp) if unknown else {}
    )
    todo = [name for name in unknown if name not in looks]
    with (
        journal,
        ThreadPoolExecutor(cores() + 4) as pool,  # files are waited for, too
        fou.ProgressBar(total=len(todo), iters_str="files", progress=progress) as bar,
    ):
        for name, look in zip(
            todo, bar(pool.map(partial(look_at, listing), todo)), strict=True
        ):
            looks[name] = journal.note(name, listing.stamp[name], look)
    looks = {name: looks[name] for name in unknown}
    good = {name: look for name, look in looks.items() if isinstance(look, Look)}
    skipped |= {name: r for name, r in looks.items() if isinstance(r, Refused)}
    if not listing.size.keys() - skipped.keys():
        path, refused = next(iter(skipped.items()))
        raise NoImagesError(
            f"None of {len(skipped)} images can be read, for example {path}: "
            f"{refused.why}"
        )
    new = [n for n, r in skipped.items() if quarantine.get(n, Refused("")).why != r.why]
    return Examined(good, skipped, new)


def _apply(
    dataset: fo.Dataset,
    listing: Listing,
    looks: Mapping[str, Look],
    plan: Plan,
    stored: pd.DataFrame,
    progress: Progress,
) -> pd.DataFrame:
    """Writes a plan, in an order that lets an interrupted one be made again.

    A file is known by the stamp, so that is written when all else about it is.

    Returns:
        what :func:`_mark_duplicates` needs of every file that is stored now, in the
        order of the dataset
    """
    id_of = dict(zip(stored.index, stored["id"], strict=True))
    _move(dataset, listing, looks, {id_of[o]: new for o, new in plan.moved.items()})
    if plan.changed:
        changed = [id_of[name] for name in plan.changed]
        forget_pixels(dataset, changed)
        found = datetime.now(timezone.utc)
        write_files(dataset, CHANGED, dict.fromkeys(changed, found))
    metadata = {id_of[n]: _metadata(looks[n], listing.size[n]) for n in plan.changed}
    write_files(dataset, "metadata", metadata)
    digests = {id_of[n]: looks[n].digest for n in plan.touched}
    write_files(dataset, DIGEST, digests)
    here = dict.fromkeys((id_of[n] for n in [*plan.touched, *plan.returned]), False)
    gone = {id_of[name]: True for name in plan.vanished}
    vanished = {**here, **gone}
    write_files(dataset, VANISHED, vanished)
    write_files(dataset, STAMP, {id_of[n]: listing.stamp[n] for n in plan.touched})
    new = _add(dataset, listing, {name: looks[name] for name in plan.new}, progress)
    held = zip(stored.index, stored[DIGEST], strict=True)
    was = zip(stored["id"], stored[VANISHED], strict=True)
    now = stored.copy()
    now[DIGEST] = [looks[n].digest if n in looks else digest for n, digest in held]
    now[VANISHED] = [vanished.get(i, missing) for i, missing in was]
    return pd.concat([now, new])


def _move(
    dataset: fo.Dataset,
    listing: Listing,
    looks: Mapping[str, Look],
    new_name: Mapping[str, str],
) -> None:
    """Gives samples, by id, the file of another name that has their content."""
    paths = {i: looks[name].path for i, name in new_name.items()}
    urls = {i: name for i, name in new_name.items() if paths[i] != name}
    write_files(dataset, "filepath", paths)
    write_files(dataset, URL, urls)
    write_files(dataset, STAMP, {i: listing.stamp[n] for i, n in new_name.items()})


def _add(
    dataset: fo.Dataset,
    listing: Listing,
    looks: Mapping[str, Look],
    progress: Progress,
) -> pd.DataFrame:
    def samples() -> Iterator[fo.Sample]:
        for name, look in looks.items():
            check_held(dataset)
            yield fo.Sample(
                filepath=look.path,
                metadata=_metadata(look, listing.size[name]),
                **{
                    STAMP: listing.stamp[name],
                    DIGEST: look.digest,
                    VANISHED: False,
                    URL: None if look.path == name else name,
                },
            )

    ids = dataset.add_samples(samples(), progress=progress, num_samples=len(looks))
    digests = [look.digest for look in looks.values()]
    columns = {"id": ids, DIGEST: digests, VANISHED: False, DUPLICATE: None}
    return pd.DataFrame(columns, index=list(looks), dtype=object)


def _metadata(look: Look, size: int) -> fo.ImageMetadata:
    return fo.ImageMetadata(
        size_bytes=size,
        mime_type=look.facts.mime_type,
        width=look.facts.width,
        height=look.facts.height,
        num_channels=look.facts.channels,
    )


def _mark_duplicates(dataset: fo.Dataset, stored: pd.DataFrame) -> int:
    """Names, for each copy of a file, the sample that had it first; counts the copies.

    Files that have vanished are no copies, and have none.
    """
    first: dict[str, str] = {}
    originals: list[str | None] = []
    columns = stored[["id", DIGEST, VANISHED]].to_numpy().tolist()
    for i, digest, vanished in columns:
        known = None if vanished or digest is None else first.setdefault(digest, i)
        originals.append(None if known == i else known)
    marked = zip(stored["id"], originals, stored[DUPLICATE], strict=True)
    wrong = {i: original for i, original, said in marked if original != said}
    write_files(dataset, DUPLICATE, wrong)
    return sum(original is not None for original in originals)


def _summed(listing: Listing, seen: Examined, plan: Plan, n_duplicates: int) -> Synced:
    new = len(plan.new) + len(plan.changed) + len(plan.moved)
    return Synced(
        added=len(plan.new),
        kept=len(listing.size.keys() - seen.skipped.keys()) - new,
        changed=len(plan.changed),
        moved=len(plan.moved),
        vanished=len(plan.vanished),
        returned=len(plan.returned),
        duplicates=n_duplicates,
        skipped={name: refused.why for name, refused in seen.skipped.items()},
        others=listing.others,
    )
