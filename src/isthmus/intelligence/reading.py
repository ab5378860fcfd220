"""Items as people and the loop read them. What is about persons is shown to whom it is opened."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import RowMapping

from isthmus.access.gate import check, open_person_data, scope
from isthmus.access.model import Actor, Permission
from isthmus.intelligence import keeping, schema, store
from isthmus.intelligence.model import Item, ItemKind, nested
from isthmus.intelligence.objects import ObjectKind
from isthmus.intelligence.store import Wanted
from isthmus.kernel.errors import NotFound
from isthmus.platform.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy of a version: where it came from, and what it says."""

    row: RowMapping
    item: Item | None  # null where nothing of it is kept
    hidden: tuple[str, ...] = ()  # paths about persons that were not opened


@dataclass(frozen=True, slots=True)
class Lookout:
    """An alert in force that came for targeting: what all its copies for targeting say."""

    item: Item
    partner: str | None  # the node that sent it; null for an own one
    copies: tuple[str, ...]


def desk(
    tx: Transaction, actor: Actor, wanted: Wanted, limit: int, offset: int = 0
) -> list[RowMapping]:
    """Return the items that a person may see, the last changed first; nothing they say."""
    check(tx, actor, Permission.ITEM_READ)
    return store.items(tx, scope(actor, Permission.ITEM_READ), wanted, limit, offset)


def find(tx: Transaction, actor: Actor, item_id: str) -> tuple[RowMapping, list[Copy]]:
    """Return an item and its copies, without what is about persons; raises ``NotFound``."""
    row, copies = _seen(tx, actor, item_id)
    return row, [_without_persons(copy) for copy in copies]


def open_persons(
    tx: Transaction, actor: Actor, item_id: str, reason: str | None = None
) -> tuple[RowMapping, list[Copy]]:
    """The same with what is about persons, for a purpose and logged; see ``access.gate``."""
    row, copies = _seen(tx, actor, item_id)
    open_person_data(tx, actor, "item", item_id, reason)
    return row, copies


def _seen(tx: Transaction, actor: Actor, item_id: str) -> tuple[RowMapping, list[Copy]]:
    check(tx, actor, Permission.ITEM_READ, object_id=item_id)
    row = store.item(tx, item_id)
    rows = store.copies_seen(tx, scope(actor, Permission.ITEM_READ), item_id)
    if row is None or not (rows or scope(actor, Permission.ITEM_READ).everything):
        raise NotFound("item_unknown", "no such item", item=item_id)
    kept = [Copy(one, keeping.load(tx, one) if one["document_id"] else None) for one in rows]
    return row, kept


def _without_persons(copy: Copy) -> Copy:
    if copy.item is None:
        return copy
    hidden = schema.personal_paths(copy.item)
    if not hidden:
        return copy
    kept = {path: value for path, value in copy.item.paths().items() if path not in hidden}
    return Copy(copy.row, replace(copy.item, body=nested(kept)), hidden)


# -- what the loop reads ------------------------------------------------------------------


def lookouts_in_force(tx: Transaction) -> list[Lookout]:
    """Return every alert in force that came for targeting, or is an own one, oldest first.

    What came for another purpose, such as judicial use, is no lookout. Copies of one version that
    brought different paths for targeting are read together.
    """
    rows = store.in_force(tx, ItemKind.ALERT.value, tx.now, targeting=True)
    return _together([(row, keeping.load(tx, row)) for row in rows])


def lookouts_naming(
    tx: Transaction, kind: ObjectKind, values: Sequence[str]
) -> dict[str, list[Lookout]]:
    """Return the lookouts in force that name some objects, by the object."""
    found: dict[str, list[tuple[RowMapping, Item]]] = {}
    for row in store.naming(tx, kind, values):
        standing = row["expires_at"] is not None and row["expires_at"] > tx.now
        if row["kind"] == ItemKind.ALERT and row["targeting"] and standing:
            found.setdefault(row["value"], []).append((row, keeping.load(tx, row)))
    return {value: _together(held) for value, held in found.items()}


def _together(held: Sequence[tuple[RowMapping, Item]]) -> list[Lookout]:
    by_item: dict[str, list[tuple[RowMapping, Item]]] = {}
    for row, item in held:
        by_item.setdefault(item.id, []).append((row, item))
    found = []
    for copies in by_item.values():
        newest = max(item.version for _, item in copies)
        standing = [(row, item) for row, item in copies if item.version == newest]
        paths: dict[str, Any] = {}
        for _, item in standing:
            paths |= item.paths()
        first_row, first = standing[0]
        ids = tuple(row["id"] for row, _ in standing)
        found.append(Lookout(replace(first, body=nested(paths)), first_row["partner"], ids))
    return found


def objects_known(tx: Transaction, kinds: Collection[ObjectKind]) -> Iterator[Mapping[str, Any]]:
    """Yield every object that an item in force names: kind, value, item, item_kind, partner."""
    for row in store.named(tx, kinds):
        yield dict(row)
