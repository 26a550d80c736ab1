"""What the Populations panel shows, as a value; neither App nor dataset here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import pandas as pd

import evalsets
from evalsets.errors import counted

from ._judging import Judged

LIVE, CALIBRATED, UNCALIBRATED, SMALL, EMPTY, STALE = (
    "live",
    "calibrated",
    "uncalibrated",
    "too small",
    "empty",
    "stale",
)

_ONE = re.compile(r"[^<>]*[<>]=[^,]*|.+")
"""A requirement: whatever it is on, a sign, and a bound up to the next comma."""

COUNTED = ("samples", "lines", "gaps", "releases")
"""What of the panel's state is counted."""


@dataclass(frozen=True)
class Line:
    """One population in the table.

    Args:
        name: of the population
        query: its condition
        n: samples
        train: of them in train
        val: in val
        test: in test
        quarantine: in quarantine
        asked: share asked for test, in [0, 1]
        require: what a model must reach, joined by commas
        state: one of ``LIVE``, ``CALIBRATED``, ``UNCALIBRATED``, ``SMALL``, ``EMPTY``,
            ``STALE``
        why: reason of the state, in words
        precision: of its cut, where it is calibrated
    """

    name: str
    query: str
    n: int
    train: int
    val: int
    test: int
    quarantine: int
    asked: float
    require: str
    state: str
    why: str
    precision: float | None = None

    @property
    def has_sides(self) -> bool:
        """Whether the split has reached it."""
        return self.train + self.val + self.test + self.quarantine > 0

    @property
    def is_short(self) -> bool:
        """Whether fewer samples than asked are in test, after a split."""
        return self.has_sides and self.test < self.asked * self.n - 1e-9


@dataclass(frozen=True)
class Note:
    """What the last event has to say, shown beside the part of the panel it used.

    Args:
        event: name of the handler
        sentences: for people
        pointer: a query's line and a line that marks the place of its error, or nothing
        failed: whether it tells an error
        warns: whether it tells what may not be meant
        work: key of what the event began and the panel waits for; empty where it has
            come to something
    """

    event: str
    sentences: tuple[str, ...]
    pointer: str = ""
    failed: bool = False
    warns: bool = False
    work: str = ""

    @classmethod
    def of(cls, event: str, error: Exception) -> Note:
        """The note that tells an error."""
        first, _, pointer = str(error).partition("\n")
        return cls(event, (getattr(error, "problem", first),), pointer, failed=True)


@dataclass(frozen=True)
class PopulationsState:
    """What the panel shows beside the inputs.

    Args:
        samples: of the dataset
        lines: populations, oldest first
        gaps: what coverage misses, a sentence each
        found: samples that the last search found; None before any
        note: of the last event
        editing: name of the population in the form
        before: how that population was when the form was filled, printed
        opened: name of the population whose samples were opened last
        removing: name of the population to confirm the removal of
        judged: the cut that is being calibrated
        releases: number and words of each, newest first
        overlap: traces and layout of the heat map, where it is shown
        revision: of the inputs; a new one makes the App forget what was typed
    """

    samples: int = 0
    lines: tuple[Line, ...] = ()
    gaps: tuple[str, ...] = ()
    found: int | None = None
    note: Note | None = None
    editing: str = ""
    before: str = ""
    opened: str = ""
    removing: str = ""
    judged: Judged | None = None
    releases: tuple[tuple[int, str], ...] = ()
    overlap: Mapping[str, Any] = field(default_factory=dict)
    revision: int = 0

    def settled(self) -> PopulationsState:
        """Without what only the last event had to say."""
        return replace(self, note=None, removing="")

    def noted(self, event: str, *sentences: str) -> PopulationsState:
        """After an event that has something to say."""
        return replace(self, note=Note(event, sentences))

    def advised(
        self, event: str, advice: evalsets.PromptWarning | None, *sentences: str
    ) -> PopulationsState:
        """After an event that has something to say, or to warn of, or neither."""
        if advice is None:
            return self.noted(event, *sentences) if sentences else self
        remedy = ("Write instead:",) if advice.proposal else ()
        said = (*sentences, advice.problem, *remedy)
        return replace(self, note=Note(event, said, advice.proposal, warns=True))

    @property
    def shows_found(self) -> bool:
        """Whether the last search has a result, and nothing else was said since."""
        return self.found is not None and (not self.note or self.note.warns)

    @property
    def is_waiting(self) -> bool:
        """Whether the panel waits for what an event began."""
        return self.note is not None and bool(self.note.work)

    @property
    def is_split(self) -> bool:
        """Whether a split has reached any population."""
        return any(line.has_sides for line in self.lines)

    def searched(self, found: int, samples: int) -> PopulationsState:
        """After a search."""
        return replace(self, found=found, samples=samples, opened="", judged=None)

    def renewed(self, editing: str = "", before: str = "") -> PopulationsState:
        """With fresh inputs, to edit a population or to write a new one."""
        return replace(
            self,
            editing=editing,
            before=before,
            found=None,
            judged=None,
            revision=self.revision + 1,
        )

    def overtaken(self, now: str) -> PopulationsState:
        """After another person changed or, where nothing is left, removed the edited."""
        return replace(self, editing=self.editing if now else "", before=now)

    def to_dict(self) -> dict[str, Any]:
        """As the browser keeps it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, held: Mapping[str, Any] | None) -> PopulationsState:
        """Reads what :meth:`to_dict` gave; nothing held is the state at first."""
        if not held:
            return cls()
        note, judged = held["note"], held.get("judged")
        return cls(
            **{
                **held,
                "judged": judged and Judged.from_dict(judged),
                "lines": tuple(Line(**line) for line in held.get("lines", ())),
                "gaps": tuple(held.get("gaps", ())),
                "releases": tuple(map(tuple, held.get("releases", ()))),
                "note": note
                and Note(**{**note, "sentences": tuple(note["sentences"])}),
            }
        )


@dataclass(frozen=True)
class Form:
    """The inputs of a population, as typed.

    Args:
        query: its condition
        name: of the population
        holdout: percentage for test
        require: requirements as they print, joined by commas
    """

    query: str = ""
    name: str = ""
    holdout: float | None = 20
    require: str = ""

    @classmethod
    def of(cls, population: evalsets.Population) -> Form:
        """The inputs that give a population."""
        return cls(
            population.query,
            population.name,
            round(100 * population.holdout, 6),
            ", ".join(map(str, population.require)),
        )

    def population(self, before: evalsets.Population | None) -> evalsets.Population:
        """The population these inputs mean.

        Args:
            before: the one that is edited; keeps what the form does not show

        Raises:
            EvalsetsError: an input that no population can have
        """
        shown: dict[str, Any] = {
            "name": self.name.strip(),
            "query": self.query.strip(),
            "holdout": (self.holdout or 0) / 100,
        }
        if before is None:
            return evalsets.Population(**shown, require=_requirements(self.require))
        filled = Form.of(before)
        if self.holdout == filled.holdout:  # which may be rounded
            shown["holdout"] = before.holdout
        if self.require != filled.require:
            shown["require"] = _requirements(self.require)
        return replace(before, **shown)


def _requirements(text: str) -> tuple[evalsets.Requirement, ...]:
    """Requirements with commas between them; the name of a class may hold one too."""
    parts = [part.strip(", ") for part in _ONE.findall(text)]
    return tuple(evalsets.Requirement.parse(part) for part in parts if part)


def lines(
    frame: pd.DataFrame,
    populations: Mapping[str, evalsets.Population],
    stale: Mapping[str, str],
    measured: Mapping[str, evalsets.Calibration | None],
) -> tuple[Line, ...]:
    """The table from ``coverage``'s frame, ``refresh`` and ``calibrations``."""
    counted = frame.to_dict("index")
    found = []
    for name, population in populations.items():
        counts = counted[name]
        n = int(counts["n"])
        state, why = _state(population, n, stale.get(name, ""), measured)
        calibration = measured.get(name)
        found.append(
            Line(
                name=name,
                query=population.query,
                n=n,
                **{
                    side: int(counts[side])
                    for side in ("train", "val", "test", "quarantine")
                },
                asked=population.holdout,
                require=", ".join(map(str, population.require)),
                state=state,
                why=why,
                precision=None if calibration is None else calibration.precision,
            )
        )
    return tuple(found)


def _state(
    population: evalsets.Population,
    n: int,
    stale: str,
    measured: Mapping[str, evalsets.Calibration | None],
) -> tuple[str, str]:
    if stale:
        return STALE, stale
    if not n:
        return EMPTY, "No sample is in it; change its query or add data"
    if n < population.min_size:
        return SMALL, f"It needs {population.min_size:,} samples for a verdict"
    if population.name not in measured:
        return LIVE, "New samples enter by themselves"
    calibration = measured[population.name]
    if calibration is None:
        return UNCALIBRATED, "Nobody judged samples to set its cut; calibrate it"
    return CALIBRATED, str(calibration)


def found_words(found: int, samples: int) -> dict[str, str]:
    """What a search found, as the editor says it."""
    hint = ""
    if not found:
        hint = "Nothing matches; loosen a condition."
    elif found == samples:
        hint = "Everything matches; add a condition."
    return {"count": f"{found:,}", "share": share(found, samples), "hint": hint}


def share(found: int, samples: int) -> str:
    """How much of the dataset was found: "of 1,672 samples, 4.9 %"."""
    noun = "sample" if samples == 1 else "samples"
    return f"of {samples:,} {noun}, {found / max(samples, 1):.1%}".replace("%", " %")


def examples(values: Sequence[tuple[str, Any]]) -> tuple[str, ...]:
    """At most two queries that a dataset's own fields answer.

    Args:
        values: path of a field and a value of it, the best first
    """
    words = [
        f"{path} = '{value.replace(chr(39), chr(39) * 2)}'"
        for path, value in values
        if isinstance(value, str)
    ]
    numbers = [
        f"{path} >= {value:g}"
        for path, value in values
        if isinstance(value, (int, float)) and value > 0 and value is not True
    ]
    both = [f"{numbers[0]} AND {words[0]}"] if words and numbers else []
    return tuple([*words[:1], *(both or numbers[:2])] or words[:2])


def split_words(report: evalsets.SplitReport) -> tuple[str, ...]:
    """What a split came to, a sentence each."""
    sizes = ", ".join(f"{n:,} {side}" for side, n in report.sizes.items() if n)
    changed = f"{counted(len(report.moved), 'sample')} changed sides"
    moved = [changed] if report.moved else []
    return (sizes, *moved, *report.notes, *map(str, report.conflicts))


def planned_words(
    report: evalsets.SplitReport, before: Sequence[Line]
) -> tuple[str, ...]:
    """What a split would do, a sentence each."""
    sizes, *rest = split_words(report)
    held = {line.name: line.test for line in before}
    gained = [
        f"'{name}': {got:,} of {n:,} in test, {held.get(name, 0):,} until now"
        for name, n, got in _tested(report)
        if got != held.get(name, 0)
    ]
    more = [f"and {len(gained) - 10:,} populations more"] if len(gained) > 10 else []
    same = [] if gained or report.moved else ["No population's test set would change"]
    rest = [words.replace("changed sides", "would change sides") for words in rest]
    return (f"Split would give {sizes}", *gained[:10], *more, *same, *rest)


def _tested(report: evalsets.SplitReport) -> Iterator[tuple[str, int, int]]:
    """Each population that asks for a hold-out: its samples, and those in test."""
    for name, row in report.frame.to_dict("index").items():
        if row["asked"]:
            yield str(name), int(row["n"]), round(row["got"] * row["n"])
