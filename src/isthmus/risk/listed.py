"""What screening found of a unit's parties, ship and box, as columns that rules may read.

No model uses them: being on a list is for a rule that says so in words. Names and numbers of
parties are no part of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from isthmus.risk.schema import DTYPES, Kind


@dataclass(slots=True)
class Listed:
    """The standing hits of one unit, added up."""

    hits: int = 0  # still to be judged
    score: float | None = None  # the best of those by name
    number: bool = False  # by number, not judged otherwise
    same: int = 0  # judged to be the listed party
    lists: set[str] = field(default_factory=set)
    roles: set[str] = field(default_factory=set)
    asked: dict[str, str] = field(default_factory=dict)  # by item, the partner whose alert it is

    def ask(self, item: str, partner: str) -> None:
        """Note that a partner's alert names a party of the unit: a wish of the partner's."""
        self.asked[item] = partner

    def add(self, *, same: bool, number: bool, score: float, list_code: str, role: str) -> None:
        """Count one hit that stands."""
        self.same += same
        self.hits += not same
        self.number |= number
        if not same and not number:
            self.score = max(score, self.score or 0.0)
        self.lists.add(list_code)
        self.roles.add(role)


def with_hits(frame: pl.DataFrame, found: Mapping[str, Listed]) -> pl.DataFrame:
    """Return the feature frame with the standing hits of each unit, by the unit's id.

    Whoever was screened without a hit has zeros, for that is known of it.
    """
    rows: Sequence[Listed] = [found.get(unit, _NOTHING) for unit in frame["id"].to_list()]
    columns: dict[str, tuple[list[Any], Kind]] = {
        "listed_hits": ([row.hits for row in rows], Kind.INTEGER),
        "listed_score": ([row.score for row in rows], Kind.NUMBER),
        "listed_number": ([row.number for row in rows], Kind.BOOLEAN),
        "listed_same": ([row.same for row in rows], Kind.INTEGER),
        "listed_lists": ([sorted(row.lists) for row in rows], Kind.LABELS),
        "listed_roles": ([sorted(row.roles) for row in rows], Kind.LABELS),
    }
    return frame.with_columns(
        pl.Series(name, values, dtype=DTYPES[kind]) for name, (values, kind) in columns.items()
    )


_NOTHING = Listed()
