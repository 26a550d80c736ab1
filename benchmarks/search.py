"""Similarity search: ours, FiftyOne's default index, and one plain pass over memory.

    python benchmarks/search.py [--vectors 1000000] [--samples 100000] [--rounds 5]

Times of the kernel are ratios to one matrix-vector product over the same mapped file, the
least that an exact search can cost. FiftyOne's default index (sklearn) and ours hold
the same vectors and each answers in a fresh process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import fiftyone as fo
import fiftyone.brain as fob
import numpy as np
import psutil
from bench import HOME, dataset_of, turns
from fiftyone import ViewField as F

import evalsets as es
from evalsets.datasets.vectors import create_vectors, open_vectors
from evalsets.similarity import VectorFile, above

DIM = 512
_MOST_FOR_DEFAULT = 200_000  # it takes 35 kB a sample
BLOCK = 50_000


class _Drawn:
    """What ``create_vectors`` asks of an encoder; its vectors are drawn, not computed."""

    name, fingerprint, dim = "drawn", "d" * 32, DIM

    def encode_texts(self, texts: list[str]) -> np.ndarray:
        return np.random.default_rng(len(texts)).standard_normal((len(texts), DIM))


def main() -> None:
    """Prints three tables: the kernel, whole queries, and the default index."""
    arguments = _arguments()
    if arguments.answer:
        _answer(arguments.answer)
        return
    print(f"{os.cpu_count()} cores; vectors of {DIM} numbers; medians of turns")
    _print_kernel(arguments.vectors, arguments.rounds)
    dataset = dataset_of(arguments.samples)
    file = create_vectors(dataset, _Drawn())
    _fill(file, dataset.values("id"))
    _print_queries(dataset, arguments.rounds)
    if len(dataset) > _MOST_FOR_DEFAULT:
        print(
            f"\nFiftyOne's default index is left out above {_MOST_FOR_DEFAULT:,} samples"
        )
    else:
        _print_indexes(dataset)


def _fill(file: VectorFile, ids: list[str]) -> None:
    rng = np.random.default_rng(0)
    for start in range(0, len(ids), BLOCK):
        block = ids[start : start + BLOCK]
        file.add(block, rng.standard_normal((len(block), DIM), dtype=np.float32))


def _print_kernel(n: int, rounds: int) -> None:
    file = VectorFile.create(Path(HOME.name) / "kernel", DIM, "drawn", "d" * 32)
    _fill(file, [f"{i:024x}" for i in range(n)])
    file = VectorFile(file.folder)
    query, matrix = file.get([f"{n // 2:024x}"])[0], file.matrix
    some = np.flatnonzero(np.random.default_rng(1).random(n) < 0.4)
    few = some[: n // 100]
    seconds = turns(
        {
            "one plain pass": lambda: matrix @ query,
            "top 100": lambda: file.top_k(query, 100),
            "above a threshold": lambda: above(matrix, query, 0.15),
            "top 100 of 40 % of them": lambda: file.top_k(query, 100, some),
            "top 100 of 0.4 % of them": lambda: file.top_k(query, 100, few),
            "all scores, exact": lambda: file.scores(query),
        },
        rounds,
    )
    _table(f"{n:,} vectors", seconds, "of the plain pass")


def _print_queries(dataset: fo.Dataset, rounds: int) -> None:
    like = f"image('{dataset.first().id}')"
    es.compose(dataset, es.Population("kept", f"{like} > 0.1"))
    other = f"image('{dataset.last().id}')"
    part = dataset.match(F("num_people") > 2)
    matrix = open_vectors(dataset).matrix
    queries: dict[str, Callable[[], object]] = {
        "one plain pass": lambda: matrix @ matrix[0],
        "similarity > t": lambda: len(es.search(dataset, f"{other} > 0.1")),
        "similarity > t, kept for a population": lambda: len(
            es.search(dataset, f"{like} > 0.1")
        ),
        "similarity > -1, which is true of all": lambda: len(
            es.search(dataset, f"{other} > -1")
        ),
        "RANK <= 100": lambda: len(es.search(dataset, f"RANK({other}) <= 100")),
        "field AND similarity > t": lambda: len(
            es.search(dataset, f"num_people > 5 AND {other} > 0.1")
        ),
        f"similarity > t in a view of {len(part):,}": lambda: len(
            es.search(part, f"{other} > 0.1")
        ),
        f"RANK <= 100 in a view of {len(part):,}": lambda: len(
            es.search(part, f"RANK({other}) <= 100")
        ),
    }
    seconds = turns(queries, rounds)
    _table(f"{len(dataset):,} samples, whole queries", seconds, "of the plain pass")


def _print_indexes(dataset: fo.Dataset) -> None:
    vectors = dict(
        zip(open_vectors(dataset).ids, open_vectors(dataset).matrix, strict=True)
    )
    embeddings = np.stack([vectors[i] for i in dataset.values("id")])
    made = {}
    for backend in ("sklearn", "faiss"):
        started = time.perf_counter()
        given = embeddings if backend == "sklearn" else False
        fob.compute_similarity(
            dataset, backend=backend, brain_key=backend, embeddings=given
        )
        made[backend] = time.perf_counter() - started
    print(f"\n{len(dataset):,} samples, FiftyOne's default index and ours as its index")
    print(
        f"{'':26}{'make s':>10}{'load s':>10}{'query s':>10}"
        f"{'in a view':>11}{'memory MB':>11}"
    )
    found = {}
    for backend in made:
        run = subprocess.run(
            [sys.executable, __file__, "--answer", f"{dataset.name}:{backend}"],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "FIFTYONE_DATABASE_URI": _uri()},
        )
        found[backend] = answer = json.loads(run.stdout.splitlines()[-1])
        print(
            f"{backend:26}{made[backend]:10.2f}{answer['load']:10.3f}"
            f"{answer['query']:10.3f}{answer['part']:11.3f}{answer['memory']:11.0f}"
        )
    theirs, ours = found["sklearn"], found["faiss"]
    assert theirs["ids"][:20] == ours["ids"][:20]
    print(
        f"{'times better':26}{made['sklearn'] / made['faiss']:10.0f}"
        f"{theirs['load'] / ours['load']:10.0f}{theirs['query'] / ours['query']:10.1f}"
        f"{theirs['part'] / ours['part']:11.1f}{theirs['memory'] / ours['memory']:11.1f}"
    )


def _answer(which: str) -> None:
    """Loads one index in this process, asks it, and prints what that took."""
    name, _, key = which.partition(":")
    dataset = fo.load_dataset(name)
    query = dataset.first().id
    process = psutil.Process()
    before = _private(process)
    started = time.perf_counter()
    index = dataset.load_brain_results(key)
    assert index.total_index_size == len(dataset)
    load = time.perf_counter() - started
    vector = np.asarray(index.get_embeddings(sample_ids=[query])[0][0])
    ids = dataset.sort_by_similarity(vector, k=100, brain_key=key).values("id")
    part = dataset.match(F("num_people") > 2)

    def ask(view: fo.DatasetView | fo.Dataset) -> Callable[[], object]:
        return lambda: view.sort_by_similarity(vector, k=100, brain_key=key).values(
            "id"
        )

    seconds = turns({"query": ask(dataset), "part": ask(part)}, 5)
    memory = (_private(process) - before) / 2**20
    print(json.dumps({"load": load, "memory": memory, "ids": ids, **seconds}))


def _private(process: psutil.Process) -> int:
    """Bytes of its own; the pages of a mapped file are the system's to take back."""
    memory = process.memory_info()
    return int(memory.rss - memory.shared)


def _uri() -> str:
    address = fo.core.odm.get_db_conn().client.address
    assert address is not None
    return "mongodb://{}:{}".format(*address)


def _table(title: str, seconds: dict[str, float], unit: str) -> None:
    first = next(iter(seconds.values()))
    print(f"\n{title}")
    for way, value in seconds.items():
        print(f"{way:44}{value * 1e3:10.1f} ms{value / first:8.2f} {unit}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--vectors", type=int, default=1_000_000)
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--answer", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
