"""Gates as tests: in ``*.evalsets.yml`` each requirement of each population is one.

A file names what is evaluated::

    dataset: road
    model: candidate
    baseline: previous  # optional, like all below
    split: test  # or all
    truth: ground_truth
    suite: suite.yml  # beside this file; must be what the dataset, or the release, has
    release: 2  # whose populations and members are judged
    groups: scene_id
    metrics: [f1]  # beside those required
    alpha: 0.05
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import evalsets as es

if TYPE_CHECKING:
    from evalsets.suites import Population, Requirement

SUFFIX = ".evalsets.yml"
_NEEDED = ("dataset", "model")
_OPTIONS = ("baseline", "split", "truth", "release", "groups", "metrics", "alpha")
_KEYS = (*_NEEDED, *_OPTIONS, "suite")


def pytest_collect_file(
    file_path: Path, parent: pytest.Collector
) -> pytest.Collector | None:
    """Collects the files that are gates."""
    if file_path.name.endswith(SUFFIX):
        return GateFile.from_parent(parent, path=file_path)
    return None


class GateFile(pytest.File):
    """One model on one dataset; evaluated when its first test runs."""

    def collect(self) -> Iterator[pytest.Item]:
        """One test a requirement, and an error where nothing is required."""
        try:
            found = self._populations()
            self._check_suite()
        except es.EvalsetsError as error:
            raise self.CollectError(str(error)) from error
        required = [(p, r) for p in found for r in p.require]
        if not required:
            raise self.CollectError(
                f"No population of dataset '{self.gate['dataset']}' requires anything"
            )
        for population, requirement in required:
            yield RequirementTest.from_parent(
                self,
                name=f"{population.name}[{requirement}]",
                population=population,
                requirement=requirement,
            )

    @cached_property
    def gate(self) -> dict[str, Any]:
        """What the file says."""
        import yaml

        try:
            said = yaml.safe_load(self.path.read_text(encoding="utf-8"))
        except (OSError, yaml.YAMLError) as error:
            raise self.CollectError(f"'{self.path}' cannot be read: {error}") from error
        if not isinstance(said, dict) or not all(
            isinstance(said.get(key), str) for key in _NEEDED
        ):
            raise self.CollectError(
                f"'{self.path}' must name a dataset and a model, each a line of its own"
            )
        strange = sorted(map(str, set(said) - set(_KEYS)))
        if strange:
            raise self.CollectError(
                f"'{self.path}' has the unknown key '{strange[0]}'; there are "
                f"{', '.join(_KEYS)}"
            )
        return said

    @cached_property
    def report(self) -> es.Report:
        """The evaluation that all tests of the file share."""
        options = {key: self.gate.get(key) for key in _OPTIONS}
        given = {key: value for key, value in options.items() if value is not None}
        return es.evaluate(self.gate["dataset"], self.gate["model"], **given)

    def _populations(self) -> list[Population]:
        """Those of the release, or of now."""
        dataset, number = self.gate["dataset"], self.gate.get("release")
        if number is None:
            return list(es.populations(dataset).values())
        from evalsets.api.releases import find_release

        return list(find_release(dataset, number).populations)

    def _check_suite(self) -> None:
        if self.gate.get("suite") is not None:
            from evalsets.api.suite import check_suite

            path = self.path.parent / str(self.gate["suite"])
            check_suite(self.gate["dataset"], path, self.gate.get("release"))


class RequirementTest(pytest.Item):
    """Passes if the verdict is PASS; INCONCLUSIVE is no pass."""

    def __init__(
        self, *, population: Population, requirement: Requirement, **more: Any
    ) -> None:
        super().__init__(**more)
        self._wanted = (population.name, str(requirement))

    def runtest(self) -> None:
        """Compares the verdict with PASS."""
        file = self.parent
        assert isinstance(file, GateFile)  # noqa: S101
        for row in file.report.rows:
            if (row.population, row.requirement) == self._wanted:
                if row.verdict != "pass":
                    raise _NotPassedError(file.report.explain(row))
                return
        raise _NotPassedError(f"{self._wanted[0]} was not evaluated")

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        """The verdict in words, without a traceback."""
        if isinstance(excinfo.value, (_NotPassedError, es.EvalsetsError)):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the test stands."""
        return self.path, 0, ""  # pytest would take the dots of a name for a module's


class _NotPassedError(Exception):
    """A requirement that is not met, or not settled."""
