"""A weak spot as it is proposed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from evalsets.errors import counted
from evalsets.suites import Population


@dataclass(frozen=True)
class Candidate:
    """Samples on which a model is worse than elsewhere, as a query.

    Half of the samples were searched; all figures but ``n`` come from the other half.

    Args:
        query: that selects it
        name: made of the query's words; free to be composed
        n: samples that were looked at and that it selects, in both halves
        drop: mean quality of all other samples minus that of its own
        drop_low: lower end of its two-sided 95 % interval
        drop_high: upper end
        value: mean quality of its samples
        elsewhere: mean quality of all other samples
        n_confirming: its samples in the half that was not searched
        p_adjusted: of the claim that it is worse than elsewhere, Benjamini-Hochberg
            adjusted over all that were proposed
        confirmed: whether that claim holds at the level that was asked
        measure: what quality means: accuracy, F1 of an image …
        samples: ids of three typical mistakes
        description: what sets it apart, where the query itself is no words
    """

    query: str
    name: str
    n: int
    drop: float
    drop_low: float
    drop_high: float
    value: float
    elsewhere: float
    n_confirming: int
    p_adjusted: float
    confirmed: bool
    measure: str
    samples: tuple[str, ...] = ()
    description: str = ""

    def population(self, **options: Any) -> Population:
        """The population to compose; takes ``holdout``, ``require`` … as that does."""
        about = f"{self.description}; found: {self}" if self.description else str(self)
        return Population(self.name, self.query, **{"description": about, **options})

    def to_dict(self) -> dict[str, Any]:
        """JSON values by field."""
        return {**asdict(self), "samples": list(self.samples)}

    def __str__(self) -> str:
        interval = f"[{self.drop_low:.3f}, {self.drop_high:.3f}]"
        state = "confirmed" if self.confirmed else "not confirmed"
        return (
            f"{self.measure} {self.value:.3f} on {counted(self.n_confirming, 'sample')}"
            f", {self.elsewhere:.3f} elsewhere: drop {self.drop:.3f} {interval}, "
            f"p {self.p_adjusted:.2g}, {state}"
        )
