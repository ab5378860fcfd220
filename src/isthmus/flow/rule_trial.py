"""Trial of a rule: what it would have fired on among what this node saw, and how often rightly.

The rule reads the feature rows that assessments were made from, so it knows of each consignment
what was known when that was lodged, and no outcome of its own.
"""

import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from isthmus.access.gate import check
from isthmus.access.model import Actor, Permission
from isthmus.platform.transaction import Transaction
from isthmus.risk import store
from isthmus.risk.assess import frame_from_stored
from isthmus.risk.effectiveness import Estimate, wilson
from isthmus.risk.firing import compile_rules, fire
from isthmus.risk.objectives import Objective
from isthmus.risk.rules import Rule

NEWEST = 5_000
"""How many of the newest assessed consignments are looked at. Ours: a few seconds' work."""

_EVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Counted:
    """Consignments, those of them whose inspection came to a conclusion, and those with a finding.

    Only picked consignments have an outcome, so a rate says how good the picks were.
    """

    units: int
    known: int
    found: int

    @property
    def rate(self) -> Estimate | None:
        """The share found of those known, with Wilson's interval of 95 %."""
        return wilson(self.found / self.known, self.known) if self.known else None


@dataclass(frozen=True, slots=True)
class Fired:
    """One consignment that the rule fires on; ``positive`` is null while nothing is known."""

    unit_id: str
    container: str | None
    positive: bool | None


@dataclass(frozen=True, slots=True)
class Tried:
    """What a rule would have done, beside all that was looked at."""

    objective: Objective
    since: datetime | None  # the moment of the oldest row looked at, and of the newest
    until: datetime | None
    fired: Counted
    all: Counted
    rows: tuple[Fired, ...] = ()

    @property
    def looked_at(self) -> int:
        """How many consignments the rule was held against."""
        return self.all.units


def try_rule(tx: Transaction, actor: Actor, rule: Rule) -> Tried:
    """Hold a rule against the newest consignments that were assessed for its objective."""
    check(tx, actor, Permission.RULE_READ, object_id=rule.id)
    rows = store.newest_assessed(tx, rule.objective, NEWEST)
    if not rows:
        return Tried(rule.objective, None, None, Counted(0, 0, 0), Counted(0, 0, 0))
    frame = frame_from_stored([zlib.decompress(one["features"]) for one in rows])
    did = fire(frame, compile_rules([rule])).to_series().to_list()
    known = store.outcomes_learnt(tx, rule.objective, _EVER)
    boxes = frame["container"].to_list()
    units = [one["unit_id"] for one in rows]
    fired = [
        Fired(unit, box, known.get(unit))
        for unit, box, fires in zip(units, boxes, did, strict=True)
        if fires
    ]
    moments = frame["as_of"].drop_nulls()
    return Tried(
        rule.objective,
        _moment(moments.min()),
        _moment(moments.max()),
        _counted([one.positive for one in fired]),
        _counted([known.get(unit) for unit in units]),
        tuple(sorted(fired, key=lambda one: (one.positive is None, not one.positive))),
    )


def _counted(outcomes: list[bool | None]) -> Counted:
    told = [one for one in outcomes if one is not None]
    return Counted(len(outcomes), len(told), sum(told))


def _moment(value: Any) -> datetime | None:
    return value if isinstance(value, datetime) else None
