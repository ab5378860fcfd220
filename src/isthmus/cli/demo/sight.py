"""What a node sees of the story: read from its database, as its pages read it."""

from collections.abc import Mapping
from typing import Any

from isthmus.access.model import Role
from isthmus.cli.demo.stage import Desk
from isthmus.intelligence import keeping, store
from isthmus.kernel.errors import Erased
from isthmus.platform.transaction import Transaction
from isthmus.risk import assessments
from isthmus.risk.objectives import Objective


def risk(tx: Transaction, desk: Desk, unit: str, above: float) -> float | None:
    """Return the contraband score of a unit if it is above a score."""
    told = assessments.tell_current(tx, desk.person(Role.ANALYST), [unit], "en").get(unit, ())
    scores = [one.score for one in told if one.objective == Objective.CONTRABAND]
    return next((score for score in scores if score is not None and score > above), None)


def body(tx: Transaction, item: str) -> Mapping[str, Any]:
    """Return what the newest copy of an item says here; empty where there is none."""
    row = newest(tx, item)
    try:
        return keeping.load(tx, row).body if row is not None else {}
    except Erased:
        return {}


def seals(tx: Transaction, item: str) -> list[str]:
    """Return the seals that an item names here."""
    return list(body(tx, item).get("seals", ()))


def state(tx: Transaction, item: str) -> str | None:
    """Return how an item stands here; none where it never came."""
    row = store.item(tx, item)
    return None if row is None else str(row["state"])


def newest(tx: Transaction, item: str) -> Any:
    """Return the row of an item's newest copy here; none where it never came."""
    copies = store.copies_of(tx, item)
    return copies[-1] if copies else None
