"""Lookouts of partners in the loop: which units they are on, and which to score again for them.

Only what came for targeting and is in force counts. Objects are matched by number: containers,
ships, and bills of lading. A unit knows no numbers of seals, so those wait for an opening.
"""

import polars as pl

from isthmus.cargo import store as cargo
from isthmus.intelligence import keeping, reading, store
from isthmus.intelligence.model import ItemKind
from isthmus.intelligence.objects import ObjectKind, objects_of
from isthmus.platform import jobs
from isthmus.platform.transaction import Event, Transaction

# The column of the unit frame in which each kind of object stands.
_COLUMNS = {
    ObjectKind.CONTAINER: "container",
    ObjectKind.VESSEL: "vessel_imo",
    ObjectKind.DOCUMENT: "bill",
}


def on_units(tx: Transaction, units: pl.DataFrame) -> dict[str, dict[str, str]]:
    """Return the lookouts of partners on units: by unit, the partner that sent it by item."""
    found: dict[str, dict[str, str]] = {}
    for kind, column in _COLUMNS.items():
        named: dict[str, set[str]] = {}
        for unit, value in units.select("id", column).drop_nulls().iter_rows():
            named.setdefault(value, set()).add(unit)
        for value, lookouts in reading.lookouts_naming(tx, kind, list(named)).items():
            for one in lookouts:
                for unit in named[value] if one.partner else ():
                    found.setdefault(unit, {})[one.item.id] = str(one.partner)
    return found


def heed_lookout(tx: Transaction, event: Event) -> None:
    """A lookout came, changed or was recalled: open units with its objects are scored again.

    A reaction to what becomes of one item.
    """
    _heed(tx, event.object_id)


def heed_expiry(tx: Transaction, event: Event) -> None:
    """Lookouts ran out: the units that they were on are scored again. A reaction to their end."""
    for item_id in event.payload["items"]:
        _heed(tx, item_id)


def _heed(tx: Transaction, item_id: str) -> None:
    row = store.item(tx, item_id)
    if row is None or row["own"] or row["kind"] != ItemKind.ALERT:
        return
    named: dict[str, set[str]] = {column: set() for column in _COLUMNS.values()}
    for copy in store.copies_of(tx, item_id):
        if copy["targeting"] and copy["document_id"] is not None:
            for kind, value in objects_of(keeping.load(tx, copy)):
                if kind in _COLUMNS:
                    named[_COLUMNS[kind]].add(value)
    if cargo.score_again(tx, named):
        jobs.enqueue(tx, "score", key="score")
