"""Why one sample is where it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from evalsets.splits.report import trained_in


@dataclass(frozen=True)
class Explanation:
    """Why a sample is on its side.

    Args:
        sample_id: of the sample
        filepath: of its image
        side: where it is; empty without one
        decisions: what the ledger says about it, oldest first: dicts with ``time``,
            ``side``, ``rule``, ``groups`` and maybe ``releases``
        populations: those it is in, with their hold-out
        releases: its side in each release that has it
        name: by which groups go that it stands for
    """

    sample_id: str
    filepath: str
    side: str
    decisions: tuple[dict[str, Any], ...]
    populations: dict[str, float]
    releases: dict[int, str]
    name: str = ""

    def __str__(self) -> str:
        side = f"is in {self.side}" if self.side else "has no side yet"
        lines = [f"Sample {self.sample_id} ({self.filepath}) {side}"]
        for decision in self.decisions:
            line = f"{decision['time']}  {decision['side']}: {decision['rule']}"
            lines.append(f"  {line}{self._besides(decision)}")
        inside = [f"'{n}' (hold-out {h:.0%})" for n, h in self.populations.items()]
        lines.append(f"  populations: {', '.join(inside) or 'none'}")
        frozen = [f"{n} ({s or 'no side'})" for n, s in self.releases.items()]
        lines.append(f"  releases: {', '.join(frozen) or 'none'}")
        return "\n".join(lines)

    def _besides(self, decision: dict[str, Any]) -> str:
        """In brackets: the sample its group goes by, and the releases it was trained in."""
        group, past = decision["groups"][0], decision.get("releases", ())
        own = {self.sample_id, self.name, *decision.get("keys", ())}
        said = [] if group in own else [f"its group is that of {group}"]
        said += [trained_in(past)] if past else []
        return f" ({'; '.join(said)})" if said else ""
