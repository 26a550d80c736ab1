"""How many planted weaknesses are found, beside a decision tree on the same data.

    python benchmarks/discovery.py [--data ../shared/data] [--model ../shared/models/...]
                                   [--repeats 30] [--cache FOLDER]

Weaknesses are planted on top of the real mistakes of ResNet20 on CIFAR-10 and of
MobileNetV2 on Imagenette, and on rendered scenes: right answers become wrong at a rate,
on samples of one of these kinds.

- rare: two conditions on tags hold, for 1 to 4 % of the samples
- correlated: a model that takes a tag for a class; other tags go with the tag
- noisy: one condition on a tag holds, but 15 % of the tag's values are wrong
- untagged: a class or a property of the scene that no tag tells
- boxes: as rare, but the loss is what an image lacks to an F1 of 1

The tags are the class, statistics of the image and, since the photographs have none,
drawn records of a camera; scenes have the truth they were rendered from. A weakness
counts as found if one of the first ten confirmed candidates shares half of all samples
that it or the weakness has (Jaccard), and as hit if four in five of a candidate's
samples are weak (the criterion of Domino, which found 36 % of 1,235). Precision at ten is
the best share of weak samples among ten drawn from one of the first ten candidates, in
the mean; "possible Jaccard" is that of the best cut along the similarity to the mean of
all that is weak. The tree sees tags and the first 20 principal components of the vectors; its
leaves that are worse than the whole, at p < .05 after Benjamini-Hochberg, are its
candidates, the surest first. "(nothing)" deals all losses out at random, so that every
candidate is false: shares of runs that confirm any.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import false_discovery_control
from sklearn.decomposition import PCA
from sklearn.tree import DecisionTreeRegressor

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "plugin"), str(ROOT)]

from evalsets.api.conditions import conditions_on
from evalsets.discovery import (
    PROMPTS,
    Condition,
    Region,
    Searchable,
    search,
    weigh,
)
from evalsets.discovery.evidence import excess_p
from evalsets.encoders import load_encoder
from evalsets.encoders.batches import collate
from evalsets.encoders.encoder import prompt_vector
from evalsets.images import open_image
from evalsets.similarity.unit import unit
from evalsets.taggers.statistics import ImageStatistics

LEAST = 20
FIRST = 10
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Photographs:
    """Samples with tags, vectors and the real mistakes of a model.

    Args:
        name: of the set
        tags: kind and values by field
        hidden: properties that no tag tells, ``(n,)`` each
        wrong: ``(n,)`` real mistakes
        group: ``(n,)`` samples that stay in one half
        vectors: ``(n, d)``
        prompts: ``(p, d)``
        classes: field that holds the class
    """

    name: str
    tags: dict[str, tuple[str, list[Any]]]
    hidden: dict[str, NDArray[Any]]
    wrong: Bools
    group: NDArray[np.intp]
    vectors: NDArray[np.float32]
    prompts: NDArray[np.float32]
    classes: str


@dataclass(frozen=True)
class Planted:
    """A setting: the samples that are weak, their losses, and what tags say."""

    weak: Bools
    loss: Floats
    tags: dict[str, tuple[str, list[Any]]]


@dataclass
class Tally:
    """Figures of one method over settings."""

    found: list[bool] = field(default_factory=list)
    hit: list[bool] = field(default_factory=list)
    precision: list[float] = field(default_factory=list)
    possible: list[float] = field(default_factory=list)
    claims: list[bool] = field(default_factory=list)


def main() -> None:
    """Prints a row for each kind of weakness on each set."""
    arguments = _arguments()
    tallies: dict[tuple[str, str, str], Tally] = defaultdict(Tally)
    began = time.perf_counter()
    for photographs in _sets(arguments):
        for kind in KINDS:
            for seed in range(arguments.repeats):
                _try(photographs, kind, seed, tallies)
            _report(tallies, photographs.name, kind)
    for kind in KINDS:
        _report(tallies, "all", kind)
    print(f"{time.perf_counter() - began:.0f} s")


def _try(
    photographs: Photographs,
    kind: str,
    seed: int,
    tallies: dict[tuple[str, str, str], Tally],
) -> None:
    """Plants one weakness and counts what each method makes of it."""
    rng = np.random.default_rng([seed, len(kind), len(photographs.name)])
    setting = KINDS[kind](photographs, rng)
    for method, run in METHODS.items():
        candidates = run(photographs, setting, seed)[:FIRST]
        for name in (photographs.name, "all"):
            _count(tallies[name, kind, method], candidates, setting.weak)
            if kind == "untagged":
                best = _possible(photographs.vectors, setting.weak)
                tallies[name, kind, method].possible.append(best)


def ours(photographs: Photographs, setting: Planted, seed: int) -> list[Bools]:
    """Confirmed candidates, the surest first."""
    rng = np.random.default_rng(seed)
    searched = (rng.random(photographs.group.max() + 1) < 0.5)[photographs.group]
    conditions = _conditions(setting.tags, LEAST // 2)
    samples = Searchable(
        setting.loss, searched, conditions, photographs.vectors, photographs.prompts
    )
    proposals = search(samples, LEAST // 2, FIRST, seed)
    if not proposals:
        return []
    members = np.array([_inside(p, photographs) for p in proposals])
    found = weigh(members[:, ~searched], setting.loss[~searched], None, seed)
    p = false_discovery_control([evidence.p for evidence in found])
    return [members[at] for at in np.argsort(p, kind="stable") if p[at] <= 0.05]


def tree(photographs: Photographs, setting: Planted, seed: int) -> list[Bools]:
    """Leaves that are worse than the whole, the surest first."""
    columns = [_numbers(kind, values) for kind, values in setting.tags.values()]
    axes = PCA(20, random_state=seed).fit_transform(photographs.vectors)
    table = np.column_stack([*columns, axes])
    fitted = DecisionTreeRegressor(
        max_depth=5, min_samples_leaf=LEAST, random_state=seed
    ).fit(table, setting.loss)
    leaf = fitted.apply(table)
    members = np.array([leaf == one for one in np.unique(leaf)])
    n, total = members.sum(axis=1), members @ setting.loss
    p = false_discovery_control(excess_p(n, total, setting.loss))
    return [members[at] for at in np.argsort(p, kind="stable") if p[at] <= 0.05]


def rare(photographs: Photographs, rng: np.random.Generator) -> Planted:
    """Two conditions on tags, for 1 to 4 % of the samples."""
    weak = _pair(photographs, rng)
    wrong = photographs.wrong | (weak & (rng.random(len(weak)) < rng.uniform(0.5, 0.9)))
    return Planted(weak, wrong.astype(float), photographs.tags)


def correlated(photographs: Photographs, rng: np.random.Generator) -> Planted:
    """Where a tag holds, the model tends to see the class that goes with it."""
    tags = dict(photographs.tags)
    label = np.array(tags[photographs.classes][1])
    taken = str(rng.choice(np.unique(label)))
    odds = np.where(label == taken, 0.8, 0.1)
    marked = rng.random(len(label)) < odds
    tags["marked"] = "boolean", marked.tolist()
    for number in range(2):  # what goes with the tag, but is not what misleads
        other = np.where(
            rng.random(len(label)) < 0.6, marked, rng.random(len(label)) < 0.3
        )
        tags[f"beside_{number}"] = "boolean", other.tolist()
    weak = marked & (label != taken)
    wrong = photographs.wrong | (weak & (rng.random(len(weak)) < rng.uniform(0.4, 0.7)))
    return Planted(weak, wrong.astype(float), tags)


def noisy(photographs: Photographs, rng: np.random.Generator) -> Planted:
    """One condition on a tag of which 15 % of the values are wrong."""
    texts = [name for name, (kind, _) in photographs.tags.items() if kind == "text"]
    while True:
        name = str(rng.choice(texts))
        values = np.array(photographs.tags[name][1])
        weak = values == rng.choice(np.unique(values))
        if 0.03 <= weak.mean() <= 0.25:
            break
    seen = np.where(rng.random(len(values)) < 0.15, rng.permutation(values), values)
    wrong = photographs.wrong | (
        weak & (rng.random(len(weak)) < rng.uniform(0.35, 0.6))
    )
    tags = {**photographs.tags, name: ("text", seen.tolist())}
    return Planted(weak, wrong.astype(float), tags)


def untagged(photographs: Photographs, rng: np.random.Generator) -> Planted:
    """A property that no tag tells."""
    while True:
        name = str(rng.choice(list(photographs.hidden)))
        values = photographs.hidden[name]
        weak = values == rng.choice(np.unique(values))
        if 0.03 <= weak.mean() <= 0.25:
            break
    wrong = photographs.wrong | (weak & (rng.random(len(weak)) < rng.uniform(0.4, 0.7)))
    told = set(photographs.hidden)
    tags = {k: v for k, v in photographs.tags.items() if k not in told}
    return Planted(weak, wrong.astype(float), tags)


def boxes(photographs: Photographs, rng: np.random.Generator) -> Planted:
    """Two conditions, for 1 to 4 % of the samples; objects are missed there."""
    weak = _pair(photographs, rng)
    objects = 1 + rng.poisson(3, len(weak))
    recall = np.where(weak, rng.uniform(0.3, 0.6), 0.85)
    right = rng.binomial(objects, recall)
    guessed = right + rng.poisson(0.3, len(weak))
    return Planted(weak, 1 - 2 * right / (objects + guessed), photographs.tags)


def nothing(photographs: Photographs, rng: np.random.Generator) -> Planted:
    """All losses dealt out at random."""
    loss = rng.permutation(photographs.wrong).astype(float)
    return Planted(np.zeros(len(loss), dtype=bool), loss, photographs.tags)


METHODS: dict[str, Callable[..., list[Bools]]] = {"ours": ours, "tree": tree}
KINDS: dict[str, Callable[..., Planted]] = {
    "rare": rare,
    "correlated": correlated,
    "noisy": noisy,
    "untagged": untagged,
    "boxes": boxes,
    "(nothing)": nothing,
}


def _pair(photographs: Photographs, rng: np.random.Generator) -> Bools:
    """Where two conditions hold that are drawn without regard to how ours are made."""
    n = len(photographs.wrong)
    while True:
        one, other = rng.choice(list(photographs.tags), 2, replace=False)
        weak = _drawn(*photographs.tags[one], rng) & _drawn(
            *photographs.tags[other], rng
        )
        if max(0.01 * n, 1.5 * LEAST) <= weak.sum() <= 0.04 * n:
            return weak


def _drawn(kind: str, values: list[Any], rng: np.random.Generator) -> Bools:
    """One value of a tag, or a number to one side of any cut."""
    column = np.array(values)
    if kind != "number":
        return np.asarray(column == rng.choice(np.unique(column)))
    cut = np.quantile(column, rng.uniform(0.03, 0.97))
    return np.asarray(column < cut if rng.random() < 0.5 else column >= cut)


def _conditions(tags: dict[str, tuple[str, list[Any]]], least: int) -> list[Condition]:
    found = [
        c
        for path, (kind, values) in tags.items()
        for c in conditions_on(path, kind, values, least)
    ]
    return [c for c in found if least <= c.members.sum() <= len(c.members) - least]


def _inside(proposal: Any, photographs: Photographs) -> Bools:
    if not isinstance(proposal, Region):
        return np.all([part.members for part in proposal], axis=0)
    return proposal.inside(photographs.vectors, photographs.prompts)


def _numbers(kind: str, values: list[Any]) -> Floats:
    if kind != "text":
        return np.array(values, dtype=float)[:, None]
    names = sorted(set(values))
    return np.array([[v == name for name in names] for v in values], dtype=float)


def _possible(vectors: NDArray[np.float32], weak: Bools) -> float:
    """Greatest Jaccard of a cut along the similarity to the mean of all that is weak."""
    order = np.argsort(-(vectors @ vectors[weak].mean(axis=0)))
    shared = np.cumsum(weak[order])
    n = np.arange(1, len(weak) + 1)
    return float((shared / (n + weak.sum() - shared)).max())


def _count(tally: Tally, candidates: list[Bools], weak: Bools) -> None:
    tally.claims.append(bool(candidates))
    if not weak.any():
        return
    shared = [int((c & weak).sum()) for c in candidates]
    jaccard = [s / (c | weak).sum() for s, c in zip(shared, candidates, strict=True)]
    precision = [s / c.sum() for s, c in zip(shared, candidates, strict=True)]
    tally.found.append(max(jaccard, default=0) >= 0.5)
    tally.hit.append(max(precision, default=0) >= 0.8)
    tally.precision.append(max(precision, default=0))


def _report(
    tallies: dict[tuple[str, str, str], Tally],
    name: str,
    kind: str,
) -> None:
    cells = []
    for method in METHODS:
        tally = tallies[name, kind, method]
        if tally.found:
            figures = (tally.found, tally.hit, tally.precision)
            cells.append(f"{method} " + " ".join(f"{np.mean(f):.2f}" for f in figures))
        elif tally.claims:
            cells.append(f"{method} claims {np.mean(tally.claims):.2f}")
    ours_ = tallies[name, kind, "ours"]
    if ours_.possible:
        cells.append(f"possible Jaccard {np.mean(ours_.possible):.2f}")
    runs = len(ours_.claims)
    print(f"{name:12}{kind:12}{runs:5}   {'   '.join(cells)}", flush=True)


def _sets(arguments: argparse.Namespace) -> Iterator[Photographs]:
    wanted = arguments.sets.split(",")
    print(f"{'set':12}{'planted':12}{'runs':>5}   found, hit, precision at ten")
    makers = {"cifar10": _cifar10, "imagenette": _imagenette, "scenes": _scenes}
    for name in wanted:
        yield makers[name](arguments)


def _cifar10(arguments: argparse.Namespace) -> Photographs:
    folder = arguments.data / "cifar10-test"
    label = {r["file"]: r["label"] for r in _rows(folder / "labels.csv")}
    guess = {
        r["file"]: r["prediction"] for r in _rows(folder / "predictions_resnet20.csv")
    }
    right = {name: guess[name] == label[name] for name in label}
    return _photographs("cifar10", folder / "images", label, right, arguments)


def _imagenette(arguments: argparse.Namespace) -> Photographs:
    folder = arguments.data / "imagenette160"
    label = {r["file"]: r["label"] for r in _rows(folder / "labels.csv")}
    guess = {
        r["file"]: r["prediction"]
        for r in _rows(folder / "predictions_mobilenetv2.csv")
    }
    right = {
        name: label[name].lower() in guess.get(name, "").lower().split(", ")
        for name in label
    }
    return _photographs("imagenette", folder / "images", label, right, arguments)


def _photographs(
    name: str,
    images: Path,
    label: dict[str, str],
    right: dict[str, bool],
    arguments: argparse.Namespace,
) -> Photographs:
    paths = [images / file for file in sorted(label)]
    seen, vectors, statistics, prompts = _read(
        name, paths, arguments.model, arguments.cache
    )
    files = [paths[at].name for at in seen]
    labels = [label[file] for file in files]
    rng = np.random.default_rng(7)
    n = len(files)
    tags: dict[str, tuple[str, list[Any]]] = {
        "label": ("text", labels),
        **{k: ("number", v.tolist()) for k, v in statistics.items()},
        "camera": ("text", rng.choice([f"camera-{c}" for c in "abcdefgh"], n).tolist()),
        "weather": (
            "text",
            rng.choice(
                ["sun", "cloud", "rain", "fog"], n, p=[0.5, 0.3, 0.15, 0.05]
            ).tolist(),
        ),
        "hour": ("number", rng.integers(0, 24, n).tolist()),
        "flash": ("boolean", (rng.random(n) < 0.2).tolist()),
        "people": ("number", rng.poisson(1.5, n).tolist()),
    }
    return Photographs(
        name,
        tags,
        {"label": np.array(labels)},
        np.array([not right[file] for file in files]),
        np.arange(n),
        vectors,
        prompts,
        "label",
    )


def _scenes(arguments: argparse.Namespace) -> Photographs:
    from examples.demo.scenes import write_world

    folder = arguments.cache / "scenes"
    if not (folder / "labels.csv").is_file():
        write_world(folder, seed=3, n_scenes=400)
    rows = list(_rows(folder / "labels.csv"))
    encoder = ROOT / "examples" / "demo" / "models" / "clip"
    paths = [folder / row["filepath"] for row in rows]
    _, vectors, statistics, prompts = _read("scenes", paths, encoder, arguments.cache)
    texts = {
        k: [r[k] for r in rows] for k in ("kind", "time", "weather") if k in rows[0]
    }
    people = [int(row["num_people"]) for row in rows]
    rng = np.random.default_rng(5)
    return Photographs(
        "scenes",
        {
            **{k: ("text", v) for k, v in texts.items()},
            "num_people": ("number", people),
            **{k: ("number", v.tolist()) for k, v in statistics.items()},
        },
        {k: np.array(v) for k, v in texts.items()},
        rng.random(len(rows)) < 0.06,
        np.unique([row["scene_id"] for row in rows], return_inverse=True)[1],
        vectors,
        prompts,
        "kind",
    )


def _read(name: str, paths: list[Path], model: Path, cache: Path) -> Any:
    """Places of readable images, their vectors and statistics, and prompt vectors."""
    kept = cache / f"{name}.npz"
    if kept.is_file():
        held = np.load(kept)
        statistics = {k: held[k] for k in held.files if k not in ("at", "v", "p")}
        return held["at"], held["v"], statistics, held["p"]
    encoder = _encoder(model, cache)
    tagger = ImageStatistics()
    seen, batches, statistics = [], [], defaultdict(list)
    for start in range(0, len(paths), 64):
        batch = []
        for at, path in enumerate(paths[start : start + 64], start):
            try:
                image = open_image(str(path))
            except (OSError, ValueError, SyntaxError):
                continue  # one file of Imagenette is broken on purpose
            batch.append(encoder.prepare(image))
            seen.append(at)
            for key, value in tagger.prepare(image).items():
                statistics[key].append(value)
        batches.append(encoder.encode_images(collate(batch)))
    columns = {k: np.array(v) for k, v in statistics.items() if len(set(v)) > 1}
    vectors = unit(np.concatenate(batches))
    prompts = np.array([prompt_vector(encoder, prompt) for prompt in PROMPTS])
    np.savez(kept, at=np.array(seen), v=vectors, p=prompts, **columns)
    return np.array(seen), vectors, columns, prompts


def _encoder(model: Path, cache: Path) -> Any:
    """The model, from a copy whose tokenizer is found from anywhere."""
    import json
    import shutil

    folder = cache / model.name
    shutil.copytree(model, folder, dirs_exist_ok=True)
    path = folder / "open_clip_config.json"
    config = json.loads(path.read_text())
    words = config["model_cfg"]["text_cfg"].get("tokenizer_kwargs", {})
    if "bpe_path" in words:
        words["bpe_path"] = str(folder / Path(words["bpe_path"]).name)
    path.write_text(json.dumps(config))
    return load_encoder(str(folder))


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="") as file:
        yield from csv.DictReader(file)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    shared = ROOT.parent / "shared"
    parser.add_argument("--data", type=Path, default=shared / "data")
    parser.add_argument(
        "--model", type=Path, default=shared / "models" / "tinyclip_lit_mnv2"
    )
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--sets", default="cifar10,imagenette,scenes")
    parser.add_argument("--cache", type=Path, default=None)
    found = parser.parse_args()
    if found.cache is None:
        found.cache = Path(tempfile.mkdtemp(prefix="evalsets-benchmark-"))
    found.cache.mkdir(parents=True, exist_ok=True)
    return found


if __name__ == "__main__":
    main()
