"""Lookouts of partners in the loop: which units they are on, and which to score again for them.

Only what came for targeting and is in force counts. Objects are matched by number: containers,
ships, bills of lading, and seals that papers or events tell to be on a box. Companies, ships and
persons that an alert names are entries of a list (``parties.lists.partners``), screened as any
list is: what is met by number counts at once, what is met by name when a person has found it to
be the same.
"""

from collections.abc import Mapping

import polars as pl

from isthmus.access.model import node_actor
from isthmus.cargo import records
from isthmus.cargo import store as cargo
from isthmus.intelligence import keeping, reading, store
from isthmus.intelligence.keeping import ItemState
from isthmus.intelligence.model import ItemKind
from isthmus.intelligence.objects import ObjectKind, objects_of
from isthmus.parties.lists import partners
from isthmus.platform import jobs
from isthmus.platform.transaction import Event, Transaction
from isthmus.risk.listed import Listed

# The column of the unit frame in which each kind of object stands.
_COLUMNS = {
    ObjectKind.CONTAINER: "container",
    ObjectKind.VESSEL: "vessel_imo",
    ObjectKind.DOCUMENT: "bill",
}


def on_units(
    tx: Transaction, units: pl.DataFrame, hits: Mapping[str, Listed]
) -> dict[str, dict[str, str]]:
    """Return the lookouts of partners on units: by unit, the partner that sent it by item.

    ``hits`` is what screening found on the units, by their ids.
    """
    found = {unit: dict(held.asked) for unit, held in hits.items() if held.asked}
    on_boxes: dict[str, set[str]] = {}
    for kind, column in _COLUMNS.items():
        named: dict[str, set[str]] = {}
        for unit, value in units.select("id", column).drop_nulls().iter_rows():
            named.setdefault(value, set()).add(unit)
        if kind is ObjectKind.CONTAINER:
            on_boxes = named
        _note(tx, kind, named, found)
    sealed: dict[str, set[str]] = {}
    for box, seal in records.seals_on(tx, on_boxes):
        sealed.setdefault(seal, set()).update(on_boxes[box])
    _note(tx, ObjectKind.SEAL, sealed, found)
    return found


def _note(
    tx: Transaction,
    kind: ObjectKind,
    named: Mapping[str, set[str]],
    found: dict[str, dict[str, str]],
) -> None:
    """Add the lookouts that name some objects to the units that these stand on."""
    for value, lookouts in reading.lookouts_naming(tx, kind, list(named)).items():
        for one in lookouts:
            for unit in named[value] if one.partner else ():
                found.setdefault(unit, {})[one.item.id] = str(one.partner)


def heed_lookout(tx: Transaction, event: Event) -> None:
    """A lookout came, changed or was recalled: open units with its objects are scored again, and
    the parties that it names are screened for, or no longer.

    A reaction to what becomes of one item.
    """
    heed(tx, event.object_id)


def heed_expiry(tx: Transaction, event: Event) -> None:
    """Lookouts ran out: the units that they were on are scored again. A reaction to their end."""
    for item_id in event.payload["items"]:
        heed(tx, item_id)


def heed(tx: Transaction, item_id: str) -> None:
    """Do what follows in the loop from how an item stands now; nothing for what is no lookout."""
    row = store.item(tx, item_id)
    if row is None or row["own"] or row["kind"] != ItemKind.ALERT:
        return
    named: dict[str, set[str]] = {column: set() for column in _COLUMNS.values()}
    seals = set()
    told = []
    for copy in store.copies_of(tx, item_id):
        if not copy["targeting"] or copy["document_id"] is None:
            continue
        item = keeping.load(tx, copy)
        for kind, value in objects_of(item):
            if kind in _COLUMNS:
                named[_COLUMNS[kind]].add(value)
            elif kind is ObjectKind.SEAL:
                seals.add(value)
        standing = copy["expires_at"] is not None and copy["expires_at"] > tx.now
        if copy["state"] == ItemState.CURRENT and standing and copy["partner"]:
            told.append((item, copy))
    named[_COLUMNS[ObjectKind.CONTAINER]].update(records.boxes_under(tx, seals))
    partners.follow(tx, node_actor(), item_id, told)
    if cargo.score_again(tx, named):
        jobs.enqueue(tx, "score", key="score")
