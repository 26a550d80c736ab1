"""Field queries: compiled ones against the same view written by hand, and indexes.

    python benchmarks/query.py [--samples 100000] [--rounds 7]

Each way counts the samples that match; parsing and checking are part of ours. What is
written by hand means the same: NaN, which arithmetic can give, is above every number.
"""

from __future__ import annotations

import argparse
from math import nan

import fiftyone as fo
from bench import dataset_of, turns
from fiftyone import ViewField as F

import evalsets as es
from evalsets.datasets.columns import declare

_SUM = F("num_people") + F("brightness") * 2
BY_HAND = {
    "num_people > 5": F("num_people") > 5,
    "num_people > 5 AND weather = 'sunny'": (F("num_people") > 5)
    & (F("weather") == "sunny"),
    "weather IN ('rain', 'fog') OR brightness < 0.2": F("weather").is_in(
        ["rain", "fog"]
    )
    | (F("brightness") < 0.2),
    "camera LIKE 'camera-00%'": F("camera").re_match("^camera-00"),
    "num_people + 2 * brightness > 4": (_SUM > 4) | (_SUM == nan),  # noqa: SIM300
}
SELECTIVE = (
    "sky = 'aurora'",
    "sky IN ('aurora', 'eclipse')",
    "camera = 'camera-0007'",
    "num_people > 9",
    "brightness < 0.001",
)
TAGS = {"camera": str, "num_people": int, "brightness": float, "sky": fo.Classification}


def main() -> None:
    """Prints a table of milliseconds and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    dataset = dataset_of(arguments.samples)
    declare(dataset, {"sky": fo.Classification})
    rare = len(dataset) // 1000
    skies = ["clear"] * (len(dataset) - 2 * rare) + ["aurora", "eclipse"] * rare
    dataset.set_values("sky", [fo.Classification(label=sky) for sky in skies])
    print(f"{len(dataset):,} samples, no index; milliseconds to count the matches")
    print(f"{'query':50}{'samples':>9}{'by hand':>9}{'ours':>9}{'ours / by hand':>16}")
    for query, condition in BY_HAND.items():
        hand = dataset.match(condition)
        found = len(es.search(dataset, query))
        assert found == len(hand), query
        seconds = turns(
            {
                "hand": lambda condition=condition: len(dataset.match(condition)),
                "ours": lambda query=query: len(es.search(dataset, query)),
            },
            arguments.rounds,
        )
        by_hand, ours = seconds["hand"], seconds["ours"]
        print(
            f"{query:50}{found:9,}{by_hand * 1e3:9.1f}{ours * 1e3:9.1f}"
            f"{ours / by_hand:16.2f}"
        )
    _print_indexes(dataset, arguments.rounds)


def _print_indexes(dataset: fo.Dataset, rounds: int) -> None:
    before = {query: _seconds(dataset, query, rounds) for query in SELECTIVE}
    declare(dataset, TAGS, indexed=True)  # as evalsets.tag does
    print("\nthe same with the index that evalsets.tag makes of a tag field")
    print(f"{'query':50}{'samples':>9}{'without':>9}{'with':>9}{'times faster':>16}")
    for query, without in before.items():
        with_index = _seconds(dataset, query, rounds)
        print(
            f"{query:50}{len(es.search(dataset, query)):9,}{without * 1e3:9.1f}"
            f"{with_index * 1e3:9.1f}{without / with_index:16.1f}"
        )


def _seconds(dataset: fo.Dataset, query: str, rounds: int) -> float:
    return turns({"": lambda: len(es.search(dataset, query))}, rounds)[""]


if __name__ == "__main__":
    main()
