"""Seconds of every event of the Populations panel, through FiftyOne's own context.

    python benchmarks/panels.py [--samples 100000] [--populations 200] [--rounds 3]

Each event gets the state that the browser would send and is executed as the App's server
does, the answer made into JSON included; kB is the size of what the browser is sent.
What takes longer than an event may, goes on meanwhile: "done" is when the panel has shown
what came of it.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator
from statistics import median
from typing import Any

import fiftyone as fo
import numpy as np
from bench import WEATHER, dataset_of

import evalsets as es
from evalsets.datasets.vectors import create_vectors
from panels.populations import Populations
from tests.plugin.tab import Tab

DIM = 512
QUERY = "num_people > 2 AND weather = 'fog'"
SIMILAR = "weather = 'fog' AND text('windy road') > 0.02"


class _Drawn:
    """What ``create_vectors`` asks of an encoder; its vectors are drawn, not computed."""

    name, fingerprint, dim, templates = "drawn", "d" * 32, DIM, ("{}",)

    def encode_texts(self, texts: list[str]) -> np.ndarray:
        return np.random.default_rng(len(texts)).standard_normal((len(texts), DIM))


def main() -> None:
    """Prints a row for each event."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--populations", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    dataset = _made(asked.samples, asked.populations)
    tab = Tab(Populations(), dataset)
    tab.selected = dataset.limit(2).values("id")
    print(
        f"{os.cpu_count()} cores; {asked.samples:,} samples, {asked.populations} "
        f"populations; medians of {asked.rounds}\n\n| event | seconds | done | kB |\n|---|---|---|---|"
    )
    for title, method, params in _events(tab):
        seconds, done, size = [], [], 0
        for _ in range(asked.rounds):
            started = time.perf_counter()
            answer = tab.send(method, **params)
            size = len(json.dumps([answer, tab.requests]))
            seconds.append(time.perf_counter() - started)
            tab.wait()
            done.append(time.perf_counter() - started)
        took = f"{median(seconds):.2f} | {median(done):.2f}"
        print(f"| {title} | {took} | {size / 1000:,.0f} |", flush=True)
    dataset.delete()


def _made(samples: int, populations: int) -> fo.Dataset:
    dataset = dataset_of(samples)
    file = create_vectors(dataset, _Drawn())
    ids, rng = dataset.values("id"), np.random.default_rng(0)
    for at in range(0, samples, 50_000):
        some = ids[at : at + 50_000]
        file.add(some, rng.standard_normal((len(some), DIM)).astype(np.float32))
    es.compose(
        dataset,
        [
            es.Population(
                f"p{i:03d}",
                f"weather = '{WEATHER[i % 5]}' AND num_people >= {i % 4} "
                f"AND camera > 'camera-{i * 4:04d}'",
                holdout=0.1,
            )
            for i in range(populations)
        ],
    )
    es.split(dataset)
    es.release(dataset)
    return dataset


def _events(tab: Tab) -> Iterator[tuple[str, str, dict[str, Any]]]:
    yield "open the panel, nothing counted", "on_load", {}
    yield "open the panel", "on_load", {}
    yield "the words to complete", "words", {}
    yield "look at a query of fields", "look", {"query": QUERY}
    yield "look at a query with a similarity", "look", {"query": SIMILAR}
    yield "look at a similarity alone", "look", {"query": SIMILAR[20:]}
    yield "look at a broken query", "look", {"query": "wether = 'fog'"}
    cut = {"query": SIMILAR, "term": "text('windy road')", "value": 0.05}
    yield "drag the cut", "move_cut", cut
    form = {"field": "num_people", "operator": ">", "value": "2"}
    yield "add a field condition", "add_field", {"query": "weather = 'fog'", **form}
    yield "add a text condition", "add_text", {"query": "", "text": "fog"}
    yield "more like the selected", "add_images", {"query": ""}
    revision = tab.state["shown"]["revision"]
    tab.state[f"find{revision}"] = {"query": QUERY}
    yield "search", "search", {}
    tab.state[f"find{revision}"] = {"query": SIMILAR}
    yield "search with a similarity", "search", {}
    yield "open a population", "open", {"row": 3}
    yield "edit a population", "edit", {"row": 3}
    yield "duplicate a population", "duplicate", {"row": 3}
    yield "ask to remove one", "ask_to_remove", {"row": 3}
    yield "keep it", "keep", {}
    yield "show or hide the overlap", "show_overlap", {}
    yield "compare releases", "compare", {}
    yield "preview the split", "preview_split", {}
    yield "split", "split", {}
    yield "release", "release", {}
    revision = tab.state["shown"]["revision"]
    tab.state[f"find{revision}"] = {"query": "num_people > 3"}
    tab.state[f"save{revision}"] = {"name": "p200", "holdout": 10, "require": ""}
    yield "save a population", "save", {}


if __name__ == "__main__":
    main()
