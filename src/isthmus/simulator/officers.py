"""Officers as data: what an inspection finds of what is truly there.

A control finds a hidden thing with the probability that its scheme states for that control, and
nothing where nothing is; without an inspection nothing is ever found.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from isthmus.simulator.dice import Dice
from isthmus.simulator.scheme import Scheme


@dataclass(frozen=True, slots=True)
class Discovery:
    """What was found: goods and zone by their code lists, the mass in kilograms."""

    objective: str
    goods: str
    kilograms: float
    zone: str


class Officers:
    """Inspectors who know nothing of the truth but what they find."""

    def __init__(
        self, truth: Iterable[Mapping[str, Any]], schemes: Iterable[Scheme], seed: int
    ) -> None:
        self._hidden = {
            (row["container"], row["bill"]): row for row in truth if row["kind"] == "planted"
        }
        self._chances = {scheme.code: scheme.found_by for scheme in schemes}
        self._dice = Dice(seed, "officers")

    def examine(self, container: str | None, bill: str | None, control: str) -> Discovery | None:
        """Examine a consignment's box with one type of control."""
        row = self.hidden_in(container, bill)
        # Every examination draws once, so that one result does not shift the others.
        drawn = self._dice.between(0, 1)
        if row is None or drawn >= self._chances[row["method"]].get(control, 0.0):
            return None
        return Discovery(row["objective"], row["goods"], row["kilograms"], row["zone"])

    def hidden_in(self, container: str | None, bill: str | None) -> Mapping[str, Any] | None:
        """Return what the truth has of a box under a bill; empty boxes go by their number."""
        return self._hidden.get((container, bill)) or self._hidden.get((container, None))
