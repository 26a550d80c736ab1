"""How often a calibrated cut keeps its promise, on photographs nobody tuned for.

    python benchmarks/calibration.py [--data ../shared/data] [--model ../shared/models/...]
                                     [--seeds 20] [--precision 0.9]

Every class of Imagenette and of Caltech-101 is a prompt, and the real classes are the
truth, so that judging costs nothing and the precision of every cut is known. Each prompt
is calibrated with each seed, from a first cut that may be far off; beside it stand cuts
that people use instead, with the same answers where they take any:

- the widest cut whose answers *say* that it is precise enough, without a proof
- the mean of the cuts that would be right for the other prompts
- as many samples as would be right, on average, for the other prompts (top k)

A run keeps its promise when the share of the samples above the cut that belong is at
least the wanted one; a run without a cut promises nothing and is counted apart.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "plugin"))

from evalsets.calibration import Curve, cut_after, decide, draw, window
from evalsets.encoders import Encoder, load_encoder
from evalsets.encoders.batches import collate
from evalsets.encoders.encoder import prompt_vector
from evalsets.images import open_image
from evalsets.similarity import scores
from evalsets.similarity.unit import unit

ROUNDS = {"one round of 100": (100,), "two of 60": (60, 60), "two of 100": (100, 100)}
FEWEST = 5  # photographs of a class, for it to be a prompt


@dataclass(frozen=True)
class Prompt:
    """A class as a prompt.

    Args:
        name: of the class
        score: ``(n,)`` similarity of each photograph, falling
        truth: ``(n,)`` whether it is of the class
    """

    name: str
    score: NDArray[np.float64]
    truth: NDArray[np.bool_]

    def widest(self, precision: float) -> int:
        """How many samples the widest precise cut keeps; 0 where there is none."""
        share = np.cumsum(self.truth) / np.arange(1, len(self.truth) + 1)
        enough = np.flatnonzero(share >= precision)
        return int(enough[-1]) + 1 if len(enough) else 0


def main() -> None:
    """Prints a table for each set of photographs."""
    arguments = _arguments()
    encoder = _encoder(arguments.model)
    for name, photographs in (
        ("Imagenette", _imagenette(arguments.data)),
        ("Caltech-101", _caltech(arguments.data)),
    ):
        prompts = _prompts(encoder, photographs)
        n = len(photographs)
        possible = [p.widest(arguments.precision) for p in prompts]
        most = np.mean([_recall(p, k) for p, k in zip(prompts, possible, strict=True)])
        print(
            f"\n{name}: {n:,} photographs, {len(prompts)} prompts x {arguments.seeds} "
            f"seeds, wanted precision {arguments.precision:g}; with every answer known "
            f"the recall would be {most:.2f}"
        )
        heads = ("kept", "worst", "recall", "no cut", "answers")
        print(f"{'':34}" + "".join(f"{head:>8}" for head in heads))
        for way, runs in _runs(prompts, arguments.precision, arguments.seeds).items():
            print(_line(way, runs, arguments.precision))


def _runs(
    prompts: list[Prompt], precision: float, seeds: int
) -> dict[str, list[tuple[float, ...]]]:
    """Precision (NaN without a cut), recall and answers of each run, by way."""
    found: dict[str, list[tuple[float, ...]]] = defaultdict(list)
    best = [prompt.widest(precision) for prompt in prompts]
    cuts = [
        cut_after(p.score, k) if k else np.nan
        for p, k in zip(prompts, best, strict=True)
    ]
    for at, prompt in enumerate(prompts):
        others = [k for i, k in enumerate(best) if i != at and k]
        mean = float(np.nanmean([c for i, c in enumerate(cuts) if i != at]))
        fixed = int((prompt.score > mean).sum())
        found["the other prompts' mean cut"].append(_outcome(prompt, fixed, 0))
        top = round(float(np.mean(others)))
        found["top k, the other prompts' mean"].append(_outcome(prompt, top, 0))
        for seed in range(seeds):
            for way, rounds in ROUNDS.items():
                rng = np.random.default_rng([seed, at, len(rounds), rounds[0]])
                size, answer = _calibrated(prompt, rounds, precision, rng)
                n = int((answer >= 0).sum())
                found[f"calibrate, {way}"].append(_outcome(prompt, size, n))
                naive = _believed(answer, precision)
                found[f"unproven, {way}"].append(_outcome(prompt, naive, n))
    return dict(sorted(found.items()))


def _calibrated(
    prompt: Prompt, rounds: tuple[int, ...], precision: float, rng: np.random.Generator
) -> tuple[int, NDArray[np.int8]]:
    """How many samples the calibrated cut keeps, and the answers it took."""
    n = len(prompt.score)
    answer, since = np.full(n, -1, np.int8), np.zeros(n, np.int64)
    start = int(np.exp(rng.uniform(np.log(10), np.log(n / 2))))  # where the cut was
    designs, lot, size = [], {0: rng.random(n)}, 0
    for number, asked in enumerate(rounds, 1):
        free = answer < 0
        if not free.any():
            break
        lot[number] = rng.random(n)
        places = np.cumsum(free)
        low, high = window(answer, asked, start, precision)
        ends = max(1, int(places[low - 1])), max(1, int(places[high - 1]))
        design = draw(prompt.score[free], lot[number][free], asked, ends)
        designs.append(design)
        chosen = free & (lot[number] < design.rate(prompt.score))
        answer[chosen], since[chosen] = prompt.truth[chosen], number
        proven = decide(
            prompt.score, answer, since, designs, lot.__getitem__, precision
        ).proven
        size = 0 if proven is None else proven.size
    return size, answer


def _believed(answer: NDArray[np.int8], precision: float) -> int:
    """The widest cut that the fitted curve gives the wanted precision."""
    estimated, _ = Curve.fit(answer).at(np.arange(1, len(answer) + 1))
    enough = np.flatnonzero(estimated >= precision)
    return int(enough[-1]) + 1 if len(enough) else 0


def _outcome(prompt: Prompt, size: int, answers: int) -> tuple[float, float, float]:
    precision = float(prompt.truth[:size].mean()) if size else np.nan
    return precision, _recall(prompt, size), answers


def _recall(prompt: Prompt, size: int) -> float:
    return float(prompt.truth[:size].sum() / prompt.truth.sum())


def _line(way: str, runs: list[tuple[float, ...]], wanted: float) -> str:
    precision, recall, answers = np.array(runs).T
    cut = precision[np.isfinite(precision)]
    kept, worst = (cut >= wanted).mean(), cut.min()
    return (
        f"{way:34} {kept:6.1%} {worst:7.2f} {recall.mean():7.2f} "
        f"{1 - len(cut) / len(runs):7.1%} {answers.mean():8.0f}"
    )


def _imagenette(data: Path) -> list[tuple[Path, str]]:
    folder = data / "imagenette160"
    with (folder / "labels.csv").open(newline="") as file:
        return [
            (folder / "images" / row["file"], row["label"])
            for row in csv.DictReader(file)
        ]


def _caltech(data: Path) -> list[tuple[Path, str]]:
    paths = sorted((data / "caltech101-part").glob("*/*.jpg"))
    return [(path, path.parent.name) for path in paths]


def _encoder(model: Path) -> Encoder:
    """The model, from a copy whose tokenizer is found from anywhere."""
    with tempfile.TemporaryDirectory() as folder:
        for file in model.iterdir():
            shutil.copyfile(file, Path(folder) / file.name)
        path = Path(folder) / "open_clip_config.json"
        config = json.loads(path.read_text())
        words = config["model_cfg"]["text_cfg"]["tokenizer_kwargs"]
        words["bpe_path"] = str(Path(folder) / words["bpe_path"])
        path.write_text(json.dumps(config))
        return load_encoder(folder)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    shared = ROOT.parent / "shared"
    parser.add_argument("--data", type=Path, default=shared / "data")
    parser.add_argument(
        "--model", type=Path, default=shared / "models" / "tinyclip_lit_mnv2"
    )
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--precision", type=float, default=0.9)
    return parser.parse_args()


def _prompts(encoder: Encoder, photographs: list[tuple[Path, str]]) -> list[Prompt]:
    kept, matrix = [], []
    for start in range(0, len(photographs), 64):
        batch = []
        for path, label in photographs[start : start + 64]:
            try:
                batch.append(encoder.prepare(open_image(str(path))))
            except (OSError, ValueError, SyntaxError):
                continue  # one file of Imagenette is broken on purpose
            kept.append(label)
        matrix.append(encoder.encode_images(collate(batch)))
    vectors, labels = unit(np.concatenate(matrix)), np.array(kept)
    prompts = []
    for name in sorted(set(kept)):
        truth = labels == name
        if truth.sum() >= FEWEST:
            words = prompt_vector(encoder, name.replace("_", " "))
            score = scores(vectors, words).astype(np.float64)
            order = np.argsort(-score, kind="stable")
            prompts.append(Prompt(name, score[order], truth[order]))
    return prompts


if __name__ == "__main__":
    main()
